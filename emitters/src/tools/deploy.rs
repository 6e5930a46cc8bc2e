//! `tools/deploy.py`: shows what brings the product to a platform, or does it.

use super::deployers::base::{DeployError, Deployer};
use super::deployers::{fly, render};
use crate::python::builtins::{__name__, TYPE, bool, dict, str};
use crate::python::standard::{ArgumentParser, os, sys};
use crate::spec::{DeployTarget, Spec};
use crate::tools::workspace::ROOT;
use astgen_pyast::make;
use astgen_pyast::prelude::*;

vocabulary! {
    "deploy": DEPLOYERS, main, deploy;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let deployers = spec.deploy.targets.iter().map(|target| match target {
        DeployTarget::Fly => ("fly", fly::FlyDeployer),
        DeployTarget::Render => ("render", render::RenderDeployer),
    });
    module("deploy")
        .docstring(
            "Show what brings the product to a platform, and with `--run` do it.\n\
             \n\
             The platform is named, or it is that of DEPLOY_TARGET.",
        )
        .body(block![
            ann_assign(DEPLOYERS, py!(dict[(str, TYPE[Deployer])]), make::dict(deployers)),
            main_def(),
            deploy_def(),
            if_(py!(__name__ == "__main__"), [do_(py!(main()))])
        ])
}

fn main_def() -> FunctionDef {
    names!(parser, arguments, error);
    def(main).returns(none()).body(block![
        docstring("Do what the command line asks for, or say why it cannot be done."),
        assign(parser, py!(ArgumentParser(description = "Bring the product to a platform."))),
        do_(py!(parser.add_argument(
            "target",
            nargs = "?",
            default = os.environ.get("DEPLOY_TARGET", ""),
            help = ", ".join(DEPLOYERS)
        ))),
        do_(py!(parser.add_argument(
            "--run",
            action = "store_true",
            help = "run the commands, and do not only show them"
        ))),
        assign(arguments, py!(parser.parse_args())),
        try_([do_(py!(deploy(arguments.target, dry_run = !arguments.run)))]).except_as(
            DeployError,
            error,
            [do_(py!(sys.exit(f!("deploy: {}", error))))]
        )
    ])
}

fn deploy_def() -> FunctionDef {
    names!(target, dry_run, deployer);
    def(deploy).params([param(target, str), star(), param(dry_run, bool)]).returns(none()).body(
        block![
            docstring("Show or run what brings the product to a platform."),
            assign(deployer, py!(DEPLOYERS.get(target))),
            if_(
                py!(deployer == None),
                [raise(py!(DeployError(f!(
                    "{!r} is not a platform of this product: {}",
                    target,
                    ", ".join(DEPLOYERS)
                ))))]
            ),
            do_(py!(deployer(ROOT).deploy(dry_run = dry_run)))
        ],
    )
}
