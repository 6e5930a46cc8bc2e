fn main() {
    let out = std::env::args().nth(1).unwrap();
    {
        let m = astgen_emitters::core::billing::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::core::database::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::core::errors::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::core::logging::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::core::metrics::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::core::org_rbac::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::core::pagination::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::core::plans::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::core::rbac::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::core::request_id::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::core::roles::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::core::security::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::core::settings::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::core::tenancy::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::models::base::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::models::billing_event::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::models::comment::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::models::invitation::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::models::membership::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::models::organization::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::models::project::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::models::report::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::models::task::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::models::types::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::models::user::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::schemas::auth::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::schemas::base::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::schemas::billing::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::schemas::comment::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::schemas::fields::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::schemas::health::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::schemas::invitation::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::schemas::organization::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::schemas::project::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::schemas::report::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::schemas::task::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::services::auth_service::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::services::comment_service::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::services::email_service::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::services::invitation_service::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::services::organization_service::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::services::project_service::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::services::report_service::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
    {
        let m = astgen_emitters::services::task_service::emit();
        let p = format!("{out}/{}.py", m.name.replace('.', "/"));
        std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
        std::fs::write(p, astgen_pyast::print_module(&m)).unwrap();
    }
}
