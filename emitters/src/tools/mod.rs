//! `tools/`: scripts beside the backend, which need nothing but Python.

pub mod apply_plan;
pub mod day_one;
pub mod deploy;
pub mod deployers;
pub mod manage;
pub mod workspace;

use crate::spec::{DeployTarget, Spec};
use astgen_pyast::Module;

/// The scripts.
#[must_use]
pub fn emit(spec: &Spec) -> Vec<Module> {
    let mut modules =
        vec![apply_plan::emit(), day_one::emit(spec), manage::emit(), workspace::emit()];
    if !spec.deploy.targets.is_empty() {
        modules.extend([deploy::emit(spec), deployers::base::emit()]);
    }
    modules.extend(spec.deploy.targets.iter().map(|target| match target {
        DeployTarget::Fly => deployers::fly::emit(spec),
        DeployTarget::Render => deployers::render::emit(),
    }));
    modules
}
