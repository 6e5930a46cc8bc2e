//! `tools/deployers/render.py`: the product on render.com.

use super::base::{Deployer, Step};
use crate::python::builtins::{list, str};
use crate::python::standard::os;
use astgen_pyast::prelude::*;

vocabulary! {
    "deployers.render": SERVICE, RenderDeployer;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("deployers.render")
        .docstring("The product on render.com.")
        .body(block![assign(SERVICE, "RENDER_SERVICE_ID"), render_deployer_class()])
}

fn render_deployer_class() -> ClassDef {
    names!(program, manifest_name, help_address);
    class(RenderDeployer).base(Deployer).body(block![
        docstring(
            "Brings the product to render.com, as `render.yaml` describes it.\n\
             \n\
             The platform makes the services of a blueprint in its dashboard, once, and takes\n\
             the code from Git; from then on a deployment is asked for here."
        ),
        assign(program, "render").paragraph(),
        assign(manifest_name, "render.yaml"),
        assign(help_address, "https://render.com/docs/cli"),
        steps(),
        own_problems()
    ])
}

fn steps() -> FunctionDef {
    names!(service);
    def("steps").params([untyped("self")]).returns(py!(list[Step])).body(block![
        docstring("Check the manifest, and deploy the newest commit."),
        assign(service, py!(os.environ.get(SERVICE, f!("${}", SERVICE)))),
        return_(py!([
            Step(
                (self.program, "blueprints", "validate", self.manifest_name),
                "check the manifest"
            ),
            Step(
                (self.program, "deploys", "create", service, "--wait", "--confirm"),
                "build the newest commit, migrate, replace the server"
            )
        ]))
    ])
}

fn own_problems() -> FunctionDef {
    names!(what);
    def("own_problems").params([untyped("self")]).returns(py!(list[str])).body(block![
        docstring("Ask for the service, which the dashboard makes from the blueprint."),
        if_(py!(os.environ.get(SERVICE)), [return_(py!([]))]),
        assign(what, "the id of the service that the dashboard made from render.yaml"),
        return_(py!([f!("{} is not set: {}", SERVICE, what)]))
    ])
}
