//! `tools/deployers/fly.py`: the product on fly.io.

use super::base::{Deployer, Step};
use crate::core::settings::{Given, fields};
use crate::python::builtins::{KeyError, ValueError, dict, list, set, str};
use crate::python::standard::{json, os, secrets, subprocess, tomllib};
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "deployers.fly": HANDED_OVER, MADE, FlyDeployer;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let variables = |wanted: fn(Given) -> bool| {
        let settings = fields(spec).into_iter().filter(move |setting| wanted(setting.given));
        settings.map(|setting| setting.variable())
    };
    module("deployers.fly").docstring("The product on fly.io.").body(block![
        assign(HANDED_OVER, tuple(variables(is_handed_over)))
            .comment("Every setting but what `fly.toml` and the image say."),
        assign(MADE, tuple(variables(|given| given == Given::Made)))
            .comment("What is made up when the app lacks it."),
        fly_deployer_class()
    ])
}

fn is_handed_over(given: Given) -> bool {
    match given {
        Given::Asked | Given::Made | Given::Connected | Given::Tuned => true,
        Given::Fixed | Given::Development => false,
    }
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
        values(),
        made(),
        names_there()
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
    names!(steps, values, made, reason);
    let command = |words: Expr, reason: &str| py!(Step((self.program, *{ words }), reason));
    let config = || py!(("--config", self.manifest_name));
    def("steps").params([untyped("self")]).returns(py!(list[Step])).body(block![
        docstring("Check the manifest, hand over the settings that are set, and deploy."),
        assign(
            steps,
            py!([{ command(py!(("config", "validate", *{ config() })), "check the manifest") }])
        ),
        assign(py!((values, made)), py!((self.values(), self.made()))),
        if_(
            py!(values || made),
            block![
                assign(reason, py!(f!("of the environment: {}", ", ".join(values) || "none"))),
                if_(
                    made,
                    [aug_assign(reason, Operator::Add, py!(f!("; made: {}", ", ".join(made))))]
                ),
                do_(py!(steps.append(Step(
                    (self.program, "secrets", "import", "--stage", "--app", self.app_name()),
                    reason,
                    "".join(generator!(f!("{}={}\n", name, value)
                        for (name, value) in dict!(**values, **made).items()))
                ))))
            ]
        ),
        do_(py!(steps.append({
            command(py!(("deploy", *{ config() })), "build, migrate, replace the machines")
        }))),
        return_(steps)
    ])
}

fn values() -> FunctionDef {
    def("values").params([untyped("self")]).returns(py!(dict[(str, str)])).body(block![
        docstring("Collect the settings that are set here; the app keeps those it has."),
        return_(py!(dict!(name => os.environ[name] for name in HANDED_OVER
            if os.environ.get(name))))
    ])
}

fn made() -> FunctionDef {
    names!(there);
    def("made").params([untyped("self")]).returns(py!(dict[(str, str)])).body(block![
        docstring("Make up the secrets that are set neither here nor in the app."),
        assign(there, py!(self.names_there() | set(self.values()))),
        return_(py!(dict!(name => secrets.token_urlsafe(32) for name in MADE
            if not_in!(name, there))))
    ])
}

fn names_there() -> FunctionDef {
    names!(words, finished, found);
    def("names_there").params([untyped("self")]).returns(py!(set[str])).body(block![
        docstring(
            "Ask the app for the names of its secrets.\n\
             \n\
             Without an answer none is made: a new SECRET_KEY would end every session."
        ),
        if_(py!(self.problems()), [return_(py!(set(MADE)))]),
        assign(words, py!((self.program, "secrets", "list", "--json", "--app", self.app_name()))),
        assign(
            finished,
            py!(subprocess.run(
                words,
                cwd = self.root,
                stdin = subprocess.DEVNULL,
                capture_output = true,
                text = true,
                check = false
            ))
        ),
        try_(block![
            ann_assign(found, py!(list[dict[(str, str)]]), py!(json.loads(finished.stdout) || [])),
            return_(py!(set!(secret.get("name") || secret["Name"] for secret in found)))
        ])
        .except(py!((KeyError, ValueError)), [return_(py!(set(MADE)))])
    ])
}
