//! What good specs become.

use super::*;
use astgen_pyast::name;
use std::time::Duration;

fn field<'s>(spec: &'s Spec, entity: &str, field: &str) -> &'s Field {
    let found = spec.entities.iter().find(|known| known.names.name.as_str() == entity);
    let fields = &found.expect("an entity of that name").fields;
    fields.iter().find(|known| known.name.as_str() == field).expect("a field of that name")
}

#[test]
fn minimal_has_good_defaults() {
    let spec = good(MINIMAL);
    let roles: Vec<&str> = spec.organizations.roles.iter().map(|role| role.name.as_str()).collect();
    assert_eq!(roles, ["owner", "admin", "member", "viewer"]);
    assert_eq!(spec.organizations.inviters, spec.organizations.roles[..2]);
    assert_eq!(spec.auth.access_token_lifetime, Duration::from_secs(15 * 60));
    assert!(spec.tenancy.row_level_security && spec.observability.metrics);
    assert_eq!(spec.billing, None);
    let note = &spec.entities[0];
    assert_eq!(note.readers, spec.organizations.roles);
    assert_eq!(note.writers, spec.organizations.roles[..3]);
    assert_eq!(note.guards, Guards::default());
}

#[test]
fn a_project_name_is_enough() {
    let spec = good("project.name = \"acme-tracker\"");
    assert_eq!(spec.project.title, "Acme Tracker");
    assert_eq!(spec.project.identifier.as_str(), "acme_tracker");
    assert!(spec.entities.is_empty());
}

#[test]
fn acme_is_resolved() {
    let spec = good(ACME);
    let billing = spec.billing.as_ref().expect("billing");
    assert_eq!(billing.free_plan().limit(name("projects")), Some(3));
    assert_eq!(billing.plans[2].limit(name("projects")), None);
    let price = billing.plans[1].price.as_ref().expect("a price");
    assert_eq!(price.lookup_key, "acme_team_month");
    let features: Vec<&str> = billing.features.iter().map(|f| f.constant.as_str()).collect();
    assert_eq!(features, ["REPORTS", "EXPORTS"]);
    assert_eq!(billing.limits[1].counts, Counted::Members);

    let [project, task, comment, report] = &spec.entities[..] else { panic!("four entities") };
    assert_eq!(billing.limits[0].counts, Counted::Rows(Box::new(project.names.clone())));
    assert_eq!(project.guards.create, [Guard::Limit(name("projects"))]);
    assert_eq!(task.references(), [&project.names]);
    assert_eq!(comment.references()[0], &task.names);
    assert_eq!(comment.references()[1].class.as_str(), "StoredFile");
    let FieldKind::Reference(document) = &field(&spec, "report", "document").kind else {
        panic!("a reference")
    };
    let taken = File { max_size: 10_000_000, types: vec![FileType::Pdf] };
    assert_eq!(document.file, Some(taken));
    let paid = [Guard::ActiveSubscription, Guard::Feature(name("reports"))];
    for operation in Operation::ALL {
        assert_eq!(report.guards.of(operation), paid);
    }
    assert_eq!(report.roles(Operation::List).len(), 4);
    assert_eq!(report.roles(Operation::Delete).len(), 2);
    assert_eq!(spec.creation_order, [0, 1, 2, 3]);
    assert_eq!(field(&spec, "task", "project").column.as_str(), "project_id");
    assert!(field(&spec, "project", "status").has_default());
    assert!(!field(&spec, "project", "name").has_default());
}

#[test]
fn names_are_derived_once() {
    let spec = good(
        r#"project.name = "a"
[entities.purchase_policy]
fields.kind = { type = "enum", values = ["in progress", "1st"], default = "1st" }
[entities.person]
plural = "people"
title = "Human"
fields.name = { type = "text" }
"#,
    );
    insta::assert_debug_snapshot!(spec.entities[0].names, @r#"
    EntityNames {
        name: purchase_policy,
        plural: purchase_policies,
        id: purchase_policy_id,
        class: PurchasePolicy,
        create_class: PurchasePolicyCreate,
        update_class: PurchasePolicyUpdate,
        read_class: PurchasePolicyRead,
        page_class: PurchasePolicyPage,
        service_class: PurchasePolicyService,
        service_dependency: PurchasePolicyServiceDep,
        table: "purchase_policies",
        model_module: "app.models.purchase_policy",
        schema_module: "app.schemas.purchase_policy",
        service_module: "app.services.purchase_policy_service",
        api_module: "app.api.purchase_policies",
        test_module: "tests.entities.purchase_policies",
        path: "purchase-policies",
        title: "Purchase policy",
        plural_title: "Purchase policies",
    }
    "#);
    let person = &spec.entities[1].names;
    assert_eq!((person.table.as_str(), person.class.as_str()), ("people", "Person"));
    assert_eq!((person.title.as_str(), person.plural_title.as_str()), ("Human", "Humans"));
    let FieldKind::Enum(kind) = &field(&spec, "purchase_policy", "kind").kind else {
        panic!("an enum")
    };
    assert_eq!(kind.class.as_str(), "PurchasePolicyKind");
    let constants: Vec<&str> = kind.values.iter().map(|value| value.constant.as_str()).collect();
    assert_eq!(constants, ["IN_PROGRESS", "VALUE_1ST"]);
    assert_eq!(kind.default.as_ref(), Some(&kind.values[1]));
}

#[test]
fn every_default_arrives() {
    let spec = good(
        r#"project.name = "a"
[entities.thing.fields]
text = { type = "text", default = "\"'\\ ü" }
count = { type = "integer", default = 0x10 }
share = { type = "decimal", precision = 5, scale = 3, default = 0.5 }
done = { type = "boolean", default = true }
begins = { type = "date", default = "today" }
ends = { type = "date", default = 2026-02-28 }
seen_at = { type = "datetime", default = "now" }
extra = { type = "json", default = {} }
tags = { type = "json", default = [] }
home = { type = "url", default = "https://example.com/?a=b" }
fee = { type = "money", currency = "jpy", default = 500 }
"#,
    );
    let kinds: Vec<&FieldKind> = spec.entities[0].fields.iter().map(|field| &field.kind).collect();
    insta::assert_debug_snapshot!("every_default", kinds);
    assert!(spec.entities[0].fields.iter().all(Field::has_default));
}

#[test]
fn guards_can_differ_by_operation() {
    let spec = good(
        r#"project.name = "a"
[[billing.plans]]
name = "free"
limits = { tasks = 1 }
[[billing.plans]]
name = "team"
price = { amount = 1, currency = "usd" }
[entities.task]
limit = "tasks"
guards.create = ["active_subscription", { limit = "tasks" }]
guards.delete = ["active_subscription"]
fields.title = { type = "text" }
"#,
    );
    let guards = &spec.entities[0].guards;
    assert_eq!(guards.create, [Guard::ActiveSubscription, Guard::Limit(name("tasks"))]);
    assert_eq!(guards.delete, [Guard::ActiveSubscription]);
    assert!(guards.list.is_empty() && guards.read.is_empty() && guards.update.is_empty());
}

#[test]
fn optional_cycles_are_deferred() {
    let spec = good(
        r#"project.name = "a"
[entities.employee.fields]
team = { type = "reference", to = "team" }
manager = { type = "reference", to = "employee", optional = true, on_delete = "set_null" }
[entities.team.fields]
lead = { type = "reference", to = "employee", optional = true }
"#,
    );
    let order: Vec<&str> =
        spec.in_creation_order().map(|entity| entity.names.name.as_str()).collect();
    assert_eq!(order, ["team", "employee"]);
    let is_deferred = |entity, name| match &field(&spec, entity, name).kind {
        FieldKind::Reference(reference) => reference.is_deferred,
        other => panic!("{other:?}"),
    };
    assert!(is_deferred("team", "lead"));
    assert!(!is_deferred("employee", "team") && !is_deferred("employee", "manager"));
}

#[test]
fn titles_keep_every_printable_character() {
    let title = r#"„Ünïcode“ "quotes" 'too' \back\slash {braces} %s $x 日本 🙂 עברית"#;
    let source = format!("[project]\nname = \"a\"\ntitle = '''{title}'''\n");
    assert_eq!(good(&source).project.title, title);
}

#[test]
fn windows_files_are_read() {
    let source = format!("\u{FEFF}{}", ACME.replace('\n', "\r\n"));
    assert_eq!(good(&source), good(ACME));
}

#[test]
fn billing_can_be_switched_off() {
    let source = ACME.replace("provider = \"stripe\"", "provider = \"off\"");
    let errors = read(&source, "astgen.toml").expect_err("guards without billing");
    let sentences: Vec<String> = errors.errors.iter().map(ToString::to_string).collect();
    assert_eq!(sentences, ["this needs billing, and the spec has none"; 4]);
}

#[test]
fn the_digest_follows_the_meaning_only() {
    let spec = good(ACME);
    assert_eq!(digest(&spec).len(), 64);
    assert_eq!(digest(&spec), digest(&good(&format!("# a comment\n{ACME}"))));
    let other = ACME.replace("max_length = 200 }", "max_length = 201 }");
    assert_ne!(digest(&spec), digest(&good(&other)));
}

/// Every project keeps the digest of its spec: a change here makes each of them regenerate.
#[test]
fn the_digest_is_the_same_everywhere() {
    insta::assert_snapshot!(digest(&good(MINIMAL)), @"3dd12094f9740154e43087c8f76b0c4f8589cf5b79b07339d8b7e4206704b780");
}

#[test]
fn whoever_is_pointed_at_knows_by_whom() {
    let spec = good(
        r#"project.name = "a"
[entities.employee.fields]
team = { type = "reference", to = "team" }
manager = { type = "reference", to = "employee", optional = true }
[entities.team.fields]
lead = { type = "reference", to = "employee", optional = true }
[entities.desk.fields]
number = { type = "integer" }
"#,
    );
    let pointing_at = |name: &str| -> Vec<String> {
        let entity = spec.entities.iter().find(|entity| entity.names.name.as_str() == name);
        let names = &entity.expect("an entity of that name").names;
        assert_eq!(spec.entity(names).map(|entity| &entity.names), Some(names));
        let columns = crate::relations::pointing_at(&spec, names);
        columns.map(|(entity, field, _)| format!("{}.{}", entity.names.name, field.name)).collect()
    };
    assert_eq!(pointing_at("employee"), ["employee.manager", "team.lead"]);
    assert_eq!(pointing_at("team"), ["employee.team"]);
    assert_eq!(pointing_at("desk"), [""; 0]);
}
