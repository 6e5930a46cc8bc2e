//! Later migrations, end to end: a project is built, migrated and filled; its spec changes, the next build brings
//! the migration, and the rows that were there go through it, on SQLite and on PostgreSQL.

mod environment;

use environment::{program, root, run};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use tempfile::TempDir;

/// A project and the database that it is migrated on.
struct Shop {
    folder: TempDir,
    urls: [(&'static str, String); 2],
}

impl Shop {
    /// The project of `first.toml`, migrated and with rows.
    fn new(urls: Option<[String; 2]>) -> Shop {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite+aiosqlite:///{}/shop.db", folder.path().display());
        let [migrations, requests] = urls.unwrap_or([url.clone(), url]);
        let urls = [("MIGRATION_DATABASE_URL", migrations), ("DATABASE_URL", requests)];
        let shop = Shop { folder, urls };
        shop.build("first");
        shop.succeed(&["upgrade", "head"]);
        shop.rows("insert");
        shop
    }

    fn backend(&self) -> PathBuf {
        self.folder.path().join("shop/backend")
    }

    /// Builds the project from `tests/migrations/<spec>.toml`, and applies the plan.
    fn build(&self, spec: &str) {
        run(Command::new(env!("CARGO_BIN_EXE_astgen"))
            .arg("build")
            .arg(root().join("tests/migrations").join(spec).with_extension("toml"))
            .arg("--out")
            .arg(self.folder.path().join("shop"))
            .arg("--apply"));
    }

    fn alembic(&self, args: &[&str]) -> Command {
        let mut command = program("alembic", &self.backend());
        command.args(args).envs(self.urls.clone());
        command
    }

    #[track_caller]
    fn succeed(&self, args: &[&str]) {
        run(&mut self.alembic(args));
    }

    /// Upgrading fails, and says `what`.
    #[track_caller]
    fn fail(&self, what: &str) {
        let Output { status, stderr, .. } =
            self.alembic(&["upgrade", "head"]).output().expect("alembic runs");
        let said = String::from_utf8_lossy(&stderr);
        assert!(!status.success() && said.contains(what), "{what:?} is not in\n{said}");
    }

    #[track_caller]
    fn rows(&self, action: &str) {
        let script = root().join("tests/migrations/rows.py");
        let (_, url) = &self.urls[0];
        run(program("python", &self.backend()).arg(script).arg(url).arg(action));
    }

    /// The newest migration.
    fn newest(&self) -> PathBuf {
        let folder = self.backend().join("migrations/versions");
        let files = fs::read_dir(folder).expect("a folder").map(|it| it.expect("readable").path());
        let files = files.filter(|path| path.extension().is_some_and(|kind| kind == "py"));
        files.max().expect("a migration")
    }

    #[track_caller]
    fn edit(&self, from: &str, to: &str) {
        let path = self.newest();
        let text = fs::read_to_string(&path).expect("readable");
        assert!(text.contains(from), "{from:?} is not in\n{text}");
        fs::write(&path, text.replacen(from, to, 1)).expect("writable");
    }
}

#[track_caller]
fn widen(shop: &Shop) {
    shop.build("wider");
    run(program("ruff", &shop.backend()).args(["format", "--check", "--no-cache", "."]));
    run(program("ruff", &shop.backend()).args(["check", "--no-cache", "."]));
    shop.succeed(&["upgrade", "head"]);
    shop.succeed(&["check"]);
    shop.rows("look");
    shop.succeed(&["downgrade", "0001"]);
    shop.succeed(&["upgrade", "head"]);
    shop.succeed(&["check"]);
    shop.rows("look");
}

/// What is lost stops until it is read, and what no one can guess until it is said.
#[track_caller]
fn narrow(shop: &Shop) {
    shop.build("narrower");
    run(program("ruff", &shop.backend()).args(["format", "--check", "--no-cache", "."]));
    run(program("ruff", &shop.backend()).args(["check", "--no-cache", "."]));
    shop.fail("loses data: the table gadgets goes with all its rows");
    shop.edit("IS_REVIEWED = False", "IS_REVIEWED = True");
    shop.fail("Rows of orders have no number: fill it in revision 0002_");
    let update = "op.execute(\"UPDATE orders SET number = 5\")\n        require(\"orders\"";
    shop.edit("require(\"orders\"", update);
    shop.succeed(&["upgrade", "head"]);
    shop.succeed(&["check"]);
    shop.rows("left");
}

#[test]
fn rows_go_through_a_wider_schema_on_sqlite() {
    widen(&Shop::new(None));
}

#[test]
fn a_narrower_schema_stops_and_asks_on_sqlite() {
    narrow(&Shop::new(None));
}

#[cfg(feature = "postgresql")]
mod postgresql {
    use super::environment::postgresql::Database;
    use super::{Shop, narrow, widen};

    #[test]
    fn rows_go_through_a_wider_schema_on_postgresql() {
        let database = Database::create("wider");
        widen(&Shop::new(Some([database.owner_url(), database.app_url()])));
    }

    #[test]
    fn a_narrower_schema_stops_and_asks_on_postgresql() {
        let database = Database::create("narrower");
        narrow(&Shop::new(Some([database.owner_url(), database.app_url()])));
    }
}
