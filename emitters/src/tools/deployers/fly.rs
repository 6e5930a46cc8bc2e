//! `tools/deployers/fly.py`: the product on fly.io.

use super::base::{Deployer, Step};
use crate::core::settings::required_in_production;
use crate::python::builtins::{dict, list, str};
use crate::python::standard::{os, tomllib};
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "deployers.fly": SECRETS, FlyDeployer;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let required = required_in_production(spec).into_iter().map(str::to_uppercase);
    let keys = ["S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY"].map(str::to_owned);
    let keys = spec.storage.has_bucket().then_some(keys).into_iter().flatten();
    let secrets = ["DATABASE_URL".to_owned()].into_iter().chain(required).chain(keys);
    module("deployers.fly")
        .docstring("The product on fly.io.")
        .body(block![assign(SECRETS, tuple(secrets)), fly_deployer_class()])
}

fn fly_deployer_class() -> ClassDef {
    names!(program, manifest_name, help_address);
    class(FlyDeployer).base(Deployer).body(block![
        docstring("Brings the product to fly.io, as `fly.toml` describes it."),
        assign(program, "flyctl").paragraph(),
        assign(manifest_name, "fly.toml"),
        assign(help_address, "https://fly.io/docs/flyctl/install/"),
        app_name(),
        steps(),
        secrets_def()
    ])
}

fn app_name() -> FunctionDef {
    names!(name);
    def("app_name").params([untyped("self")]).returns(str).body(block![
        docstring("Read the name of the app from the manifest."),
        ann_assign(name, str, py!(tomllib.loads(self.manifest.read_text("utf-8"))["app"])),
        return_(name)
    ])
}

fn steps() -> FunctionDef {
    names!(app, secrets, steps);
    let command = |words: Expr, reason: &str| py!(Step((self.program, *{ words }), reason));
    let config = || py!(("--config", self.manifest_name));
    def("steps").params([untyped("self")]).returns(py!(list[Step])).body(block![
        docstring("Check the manifest, hand over the secrets that are set, and deploy."),
        assign(
            steps,
            py!([{ command(py!(("config", "validate", *{ config() })), "check the manifest") }])
        ),
        assign(secrets, py!(self.secrets())),
        if_(
            secrets,
            block![
                assign(app, py!(self.app_name())),
                do_(py!(steps.append(Step(
                    (self.program, "secrets", "import", "--stage", "--app", app),
                    f!("of the environment: {}", ", ".join(secrets)),
                    "".join(generator!(f!("{}={}\n", name, secrets[name]) for name in secrets))
                ))))
            ]
        ),
        do_(py!(steps.append({
            command(py!(("deploy", *{ config() })), "build, migrate, replace the machines")
        }))),
        return_(steps)
    ])
}

fn secrets_def() -> FunctionDef {
    def("secrets").params([untyped("self")]).returns(py!(dict[(str, str)])).body(block![
        docstring("Collect the secrets that are set here; the app keeps those it has."),
        return_(py!(dict!(name => os.environ[name] for name in SECRETS
            if os.environ.get(name))))
    ])
}
