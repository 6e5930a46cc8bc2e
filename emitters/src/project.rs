//! Every file of a project.

use crate::spec::Spec;
use crate::{Content, Generated, api, app_main, core, models, packages, schemas, services};
use astgen_pyast::{Import, Module};

/// The generated files, in no particular order.
///
/// ```
/// let spec = astgen_emitters::spec::read("[project]\nname = \"notes\"\n", "astgen.toml").unwrap();
/// let files = astgen_emitters::generate(&spec);
/// assert!(files.iter().any(|file| file.path == "backend/app/main.py"));
/// ```
#[must_use]
pub fn generate(spec: &Spec) -> Vec<Generated> {
    let mut modules = packages::emit(spec);
    modules.extend(application(spec));
    modules.into_iter().map(python_file).collect()
}

fn application(spec: &Spec) -> Vec<Module> {
    let mut modules = vec![
        app_main::emit(spec),
        core::database::emit(),
        core::errors::emit(spec),
        core::logging::emit(),
        core::org_rbac::emit(),
        core::pagination::emit(),
        core::rbac::emit(),
        core::request_id::emit(),
        core::roles::emit(spec),
        core::security::emit(),
        core::settings::emit(),
        core::tenancy::emit(),
        models::base::emit(),
        models::invitation::emit(),
        models::membership::emit(),
        models::organization::emit(spec),
        models::types::emit(),
        models::user::emit(),
        schemas::auth::emit(),
        schemas::base::emit(),
        schemas::fields::emit(),
        schemas::health::emit(),
        schemas::invitation::emit(),
        schemas::organization::emit(spec),
        services::auth_service::emit(),
        services::email_service::emit(),
        services::invitation_service::emit(spec),
        services::organization_service::emit(spec),
        api::auth::emit(),
        api::health::emit(),
        api::invitations::emit(spec),
        api::organizations::emit(spec),
        api::routers::emit(spec),
    ];
    modules
}

const PACKAGES: [&str; 4] = ["app", "app.api", "app.core", "app.models"];

fn python_file(module: Module) -> Generated {
    let path = module.name.replace('.', "/");
    Generated { path: format!("backend/{path}.py"), content: Content::Python(module) }
}
