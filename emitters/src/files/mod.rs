//! The files that are not Python, from typed values.

pub mod alerts;
pub mod backend_readme;
pub mod common_passwords;
pub mod compose;
pub mod dashboard;
pub mod dockerfile;
pub mod env_example;
pub mod fly;
pub mod gitignore;
pub mod pre_commit;
pub mod pyproject;
pub mod render;
pub mod requirements;
pub mod revision_template;
pub mod root_readme;
pub mod schemathesis_toml;
pub mod spectral;
pub mod tools_pyproject;
pub mod workflow;

mod architecture;
mod dependency;
mod docker;
mod dotenv;
mod entity_diagram;
mod facts;
mod lock;
mod markdown;
mod mermaid;
mod promql;
mod toml_document;
mod yaml;

use crate::Generated;
use crate::spec::Spec;

/// Every file that is not Python.
#[must_use]
pub fn emit(spec: &Spec) -> Vec<Generated> {
    let mut files = requirements::emit(spec);
    files.extend([
        backend_readme::emit(spec),
        common_passwords::emit(),
        compose::emit(spec),
        env_example::emit(spec),
        gitignore::emit(spec),
        pre_commit::emit(),
        pyproject::emit(spec),
        revision_template::emit(),
        root_readme::emit(spec),
        schemathesis_toml::emit(spec),
        spectral::emit(),
        tools_pyproject::emit(spec),
        workflow::emit(spec),
    ]);
    files.extend(dockerfile::emit(spec));
    files.extend(alerts::emit(spec));
    files.extend(dashboard::emit(spec));
    files.extend(fly::emit(spec));
    files.extend(render::emit(spec));
    files
}

/// A text in double quotes, as JSON has it: YAML and Dockerfiles read it too.
fn double_quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests;
