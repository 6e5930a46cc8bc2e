use super::super::{alerts, compose, dockerfile, fly, pre_commit, render, workflow};
use super::yaml::read_back;
use super::*;
use serde_json::Value;

/// The specs with everything, and with nothing.
fn both() -> [Spec; 2] {
    [acme(), minimal()]
}

#[track_caller]
fn check_schema(schema: &str, file: &Generated) {
    let schema: Value = serde_json::from_str(schema).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let document = read_back(&file.text());
    let errors: Vec<String> =
        validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{}: {errors:?}", file.path);
}

#[test]
fn compose_files_are_valid() {
    both()
        .iter()
        .for_each(|spec| check_schema(include_str!("schemas/compose.json"), &compose::emit(spec)));
}

#[test]
fn workflows_are_valid() {
    both().iter().for_each(|spec| {
        check_schema(include_str!("schemas/workflow.json"), &workflow::emit(spec))
    });
}

#[test]
fn hooks_are_read_back() {
    let hooks = &read_back(&pre_commit::emit().text())["repos"][0]["hooks"];
    assert_eq!(hooks.as_array().map(Vec::len), Some(4));
}

#[test]
fn actions_are_pinned_and_may_only_read() {
    let document = read_back(&workflow::emit(&acme()).text());
    assert_eq!(document["permissions"], serde_json::json!({}));
    for (name, job) in document["jobs"].as_object().expect("jobs") {
        assert_eq!(job["permissions"], serde_json::json!({ "contents": "read" }), "{name}");
        for action in
            job["steps"].as_array().into_iter().flatten().filter_map(|step| step["uses"].as_str())
        {
            let (_, digest) = action.split_once('@').expect("a pinned action");
            assert!(
                digest.len() == 40 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()),
                "{action}"
            );
        }
    }
}

#[test]
fn the_generator_is_the_one_that_made_the_project() {
    let document = read_back(&workflow::emit(&acme()).text());
    let install = document["jobs"]["generated"]["steps"][1]["run"].as_str().expect("a command");
    let tag = format!("--tag v{}", env!("CARGO_PKG_VERSION"));
    assert!(install.contains(&tag) && install.contains("--locked"), "{install}");
}

#[test]
fn what_depends_on_a_service_finds_it() {
    for spec in both() {
        let document = read_back(&compose::emit(&spec).text());
        let services = document["services"].as_object().expect("services");
        for service in services.values() {
            for needed in
                service["depends_on"].as_object().into_iter().flat_map(|needed| needed.keys())
            {
                assert!(services.contains_key(needed), "{needed}");
            }
        }
        assert_eq!(services.contains_key("redis"), spec.jobs.has_workers());
    }
}

#[test]
fn the_image_does_not_run_as_root() {
    let [image, _] = dockerfile::emit(&acme());
    let text = image.text();
    let last = text.lines().rfind(|line| line.starts_with("USER ")).expect("a user");
    assert_eq!(last, "USER 10001");
}

#[test]
fn platforms_that_are_not_named_get_no_file() {
    assert_eq!(fly::emit(&minimal()), None);
    assert_eq!(render::emit(&minimal()), None);
}

#[test]
fn fly_runs_what_the_spec_has() {
    let text = fly::emit(&acme()).expect("a file").text();
    let document: toml::Table = toml::from_str(&text).expect("TOML");
    let processes: Vec<&String> =
        document["processes"].as_table().expect("a table").keys().collect();
    assert_eq!(processes, ["app", "worker"]);
}

/// `acme`, with its files in a folder.
fn with_folder() -> Spec {
    read(&include_str!("../../../../examples/acme.toml").replace("\"s3\"", "\"local\""))
}

#[test]
fn a_folder_of_files_outlives_the_server() {
    let fly = fly::emit(&with_folder()).expect("a file").text();
    let fly: toml::Table = toml::from_str(&fly).expect("TOML");
    let mount = &fly["mounts"].as_array().expect("mounts")[0];
    assert_eq!(mount["destination"].as_str(), Some(dockerfile::STORAGE_FOLDER));
    let render = read_back(&render::emit(&with_folder()).expect("a file").text());
    assert_eq!(render["services"][0]["disk"]["mountPath"], dockerfile::STORAGE_FOLDER);
    let compose = read_back(&compose::emit(&with_folder()).text());
    assert_eq!(compose["services"]["api"]["volumes"][0], "files:/srv/files");
    for file in [fly::emit(&acme()), render::emit(&acme())] {
        assert!(!file.expect("a file").text().contains(dockerfile::STORAGE_FOLDER));
    }
}

#[test]
fn render_finds_what_it_refers_to() {
    let document = read_back(&render::emit(&acme()).expect("a file").text());
    let names = |list: &Value| -> Vec<String> {
        let items = list.as_array().into_iter().flatten();
        items.filter_map(|item| item["name"].as_str().map(str::to_owned)).collect()
    };
    let (services, databases) = (names(&document["services"]), names(&document["databases"]));
    let groups = names(&document["envVarGroups"]);
    for variable in document["services"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|it| it["envVars"].as_array())
        .flatten()
    {
        for (key, known) in [("fromService", &services), ("fromDatabase", &databases)] {
            let name = variable[key]["name"].as_str().map(str::to_owned);
            assert!(name.is_none_or(|name| known.contains(&name)), "{variable}");
        }
        let group = variable["fromGroup"].as_str().map(str::to_owned);
        assert!(group.is_none_or(|group| groups.contains(&group)), "{variable}");
    }
}

/// `acme`, with who may read its metrics.
fn with_access(access: &str) -> Spec {
    let line = format!("metrics = true\nmetrics_access = \"{access}\"");
    read(&include_str!("../../../../examples/acme.toml").replace("metrics = true", &line))
}

/// What Prometheus is told.
fn scraped(spec: &Spec) -> Value {
    let files = alerts::emit(spec);
    let file = files.iter().find(|file| file.path.ends_with("prometheus.yml")).expect("a file");
    read_back(&file.text())["scrape_configs"][0].clone()
}

#[test]
fn prometheus_reads_where_the_metrics_are() {
    let [token, port, open] = ["token", "port", "open"].map(|access| scraped(&with_access(access)));
    assert!(token["authorization"].is_object());
    assert!(port["authorization"].is_null() && open["authorization"].is_null());
    let target = |job: &Value| job["static_configs"][0]["targets"][0].clone();
    assert_eq!([&token, &port, &open].map(target), ["api:8000", "api:9464", "api:8000"]);
}

#[test]
fn a_worker_is_read_where_the_compose_file_has_it_serve() {
    let spec = with_access("token");
    let files = alerts::emit(&spec);
    let file = files.iter().find(|file| file.path.ends_with("prometheus.yml")).expect("a file");
    let worker = read_back(&file.text())["scrape_configs"][1].clone();
    assert!(worker["authorization"].is_null());
    assert_eq!(worker["static_configs"][0]["targets"][0], "worker:9465");
    let compose = read_back(&compose::emit(&spec).text());
    assert_eq!(compose["services"]["worker"]["environment"]["WORKER_METRICS_PORT"], "9465");
}

#[test]
fn metrics_with_a_port_are_at_that_port() {
    let fly = fly::emit(&with_access("port")).expect("a file").text();
    let fly: toml::Table = toml::from_str(&fly).expect("TOML");
    let ports = [0, 1].map(|place| fly["metrics"][place]["port"].as_integer());
    assert_eq!(ports, [Some(9464), Some(9465)]);
    assert_eq!(fly["env"]["WORKER_METRICS_PORT"].as_str(), Some("9465"));
    let [image, _] = dockerfile::emit(&with_access("port"));
    assert!(image.text().contains("METRICS_PORT=\"9464\""));
}

#[test]
fn tokens_are_made_where_the_metrics_ask_for_one() {
    let made = |access| {
        let document = read_back(&render::emit(&with_access(access)).expect("a file").text());
        let variables = document["envVarGroups"][0]["envVars"].as_array().expect("a list").clone();
        let made = variables.into_iter().filter(|variable| variable["generateValue"] == true);
        made.map(|variable| variable["key"].clone()).collect::<Vec<Value>>()
    };
    assert_eq!(made("token"), ["SECRET_KEY", "HEALTH_TOKEN", "METRICS_TOKEN"]);
    assert_eq!(made("open"), ["SECRET_KEY", "HEALTH_TOKEN"]);
}
