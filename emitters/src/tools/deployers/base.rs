//! `tools/deployers/base.py`: what every deployment has in common.

use crate::python::builtins::{Exception, bool, list, print, property, str, tuple};
use crate::python::standard::{
    ABC, ClassVar, Path, abstractmethod, dataclass, shlex, shutil, subprocess,
};
use astgen_pyast::prelude::*;

vocabulary! {
    "deployers.base": DeployError, Step, Deployer;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("deployers.base").docstring("What every deployment has in common.").body(block![
        deploy_error_class(),
        step_class(),
        deployer_class()
    ])
}

fn deploy_error_class() -> ClassDef {
    class(DeployError)
        .base(Exception)
        .body([docstring("A deployment cannot begin, or one of its commands has failed.")])
}

fn step_class() -> ClassDef {
    names!(command, reason, standard_input);
    class(Step).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("A command of the platform's program, and what it is for."),
        annotate(command, py!(tuple[(str, ellipsis!())])),
        annotate(reason, str),
        ann_assign(standard_input, py!(str | None), none()),
        def("__str__").params([untyped("self")]).returns(str).body(block![
            docstring("Show the command, and never what it reads: that may be secret."),
            return_(py!(shlex.join(self.command)))
        ])
    ])
}

fn deployer_class() -> ClassDef {
    names!(program, manifest_name, help_address);
    class(Deployer).base(ABC).body(block![
        docstring("Brings the product to a platform, with the platform's own program."),
        annotate(program, py!(ClassVar[str])).paragraph(),
        annotate(manifest_name, py!(ClassVar[str])),
        annotate(help_address, py!(ClassVar[str])),
        deployer_init(),
        deployer_manifest(),
        deployer_steps(),
        deployer_problems(),
        deployer_own_problems(),
        deployer_deploy(),
        deployer_run()
    ])
}

fn deployer_init() -> FunctionDef {
    names!(root);
    def("__init__")
        .params([untyped("self"), param(root, Path)])
        .returns(none())
        .body(block![docstring("Take the project's folder."), assign(py!(self.root), root)])
}

fn deployer_manifest() -> FunctionDef {
    def("manifest").decorator(property).params([untyped("self")]).returns(Path).body(block![
        docstring("Name the file that tells the platform what to run."),
        return_(py!(self.root / self.manifest_name))
    ])
}

fn deployer_steps() -> FunctionDef {
    def("steps")
        .decorator(abstractmethod)
        .params([untyped("self")])
        .returns(py!(list[Step]))
        .body([docstring("List the commands, in order.")])
}

fn deployer_own_problems() -> FunctionDef {
    def("own_problems")
        .params([untyped("self")])
        .returns(py!(list[str]))
        .body(block![docstring("Tell what else this platform needs."), return_(py!([]))])
}

fn deployer_problems() -> FunctionDef {
    names!(problems);
    def("problems").params([untyped("self")]).returns(py!(list[str])).body(block![
        docstring("Tell what is missing before anything can run."),
        ann_assign(problems, py!(list[str]), py!([])),
        if_(
            py!(shutil.which(self.program) == None),
            [do_(py!(problems.append(f!(
                "`{}` is not installed: see {}",
                self.program,
                self.help_address
            ))))]
        ),
        if_(
            py!(!self.manifest.is_file()),
            [do_(py!(problems.append(f!("{} is not there", self.manifest))))]
        ),
        return_(py!([*problems, *self.own_problems()]))
    ])
}

fn deployer_deploy() -> FunctionDef {
    names!(dry_run, problems, problem, step);
    def("deploy")
        .params([untyped("self"), star(), param(dry_run, bool).default(true)])
        .returns(none())
        .body(block![
            docstring("Show what would run and what is missing, or run it: all or nothing."),
            assign(problems, py!(self.problems())),
            if_(py!(problems && !dry_run), [raise(py!(DeployError("; ".join(problems))))]),
            for_(problem, problems, [do_(py!(print(f!("missing: {}", problem))))]),
            for_(
                step,
                py!(self.steps()),
                block![
                    do_(py!(print(f!(
                        "{}: {}  # {}",
                        if dry_run { "would run" } else { "running" },
                        step,
                        step.reason
                    )))),
                    if_(py!(!dry_run), [do_(py!(self.run(step)))])
                ]
            )
        ])
}

fn deployer_run() -> FunctionDef {
    names!(step, finished);
    def("run").params([untyped("self"), param(step, Step)]).returns(none()).body(block![
        docstring("Run a command in the project's folder, and stop where it fails."),
        assign(
            finished,
            py!(subprocess.run(
                step.command,
                cwd = self.root,
                input = step.standard_input,
                text = true,
                check = false
            ))
        ),
        if_(
            py!(finished.returncode != 0),
            [raise(py!(DeployError(f!("`{}` exited with {}", step, finished.returncode))))]
        )
    ])
}
