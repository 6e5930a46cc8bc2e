//! Databases on a PostgreSQL server. Tests make them with roles of their own, and drop both again.

use super::run;
use std::process::Command;

/// The server's address and a role that may create databases.
pub fn server() -> String {
    std::env::var("ASTGEN_TEST_POSTGRESQL").unwrap_or_else(|_| "postgres@127.0.0.1:5432".to_owned())
}

/// A database with two roles that row-level security holds: one owns the tables, one serves requests. All go when
/// this is dropped.
pub struct Database {
    name: String,
}

impl Database {
    pub fn create(name: &str) -> Database {
        let database = Database { name: format!("astgen_{name}_{}", std::process::id()) };
        database.drop_all();
        let name = &database.name;
        psql(&format!("CREATE ROLE {name} LOGIN NOSUPERUSER NOBYPASSRLS"));
        psql(&format!("CREATE ROLE {name}_owner LOGIN NOSUPERUSER NOBYPASSRLS"));
        psql(&format!("CREATE DATABASE {name} OWNER {name}_owner"));
        database
    }

    /// The URL for the application.
    pub fn app_url(&self) -> String {
        self.url(&self.name)
    }

    /// The URL for migrations.
    pub fn owner_url(&self) -> String {
        self.url(&format!("{}_owner", self.name))
    }

    fn url(&self, role: &str) -> String {
        let server = server();
        let (_, address) =
            server.split_once('@').expect("ASTGEN_TEST_POSTGRESQL is ROLE@HOST:PORT");
        format!("postgresql+asyncpg://{role}@{address}/{}", self.name)
    }

    fn drop_all(&self) {
        let name = &self.name;
        psql(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        psql(&format!("DROP ROLE IF EXISTS {name}"));
        psql(&format!("DROP ROLE IF EXISTS {name}_owner"));
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.drop_all();
    }
}

fn psql(statement: &str) {
    let url = format!("postgresql://{}/postgres", server());
    run(Command::new("psql").args(["-qX", "-v", "ON_ERROR_STOP=1", "-d", &url, "-c", statement]));
}
