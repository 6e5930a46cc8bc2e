//! `backend/app/services/migration_head.py`: whether the database is migrated as far as the code knows.

use crate::core::database::Database;
use crate::core::errors::UnavailableError;
use crate::python::builtins::{__file__, __name__, frozenset, sorted, str};
use crate::python::sqlalchemy::{CommandError, Config, ScriptDirectory};
use crate::python::standard::{NamedTuple, Path, cache, logging};
use crate::schemas::health::State;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.migration_head": logger, PYPROJECT, Revisions, MigrationHead, read_revisions;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.services.migration_head")
        .docstring("Whether the database is migrated as far as the code knows.")
        .body(block![
            assign(logger, py!(logging.getLogger(__name__))),
            assign(PYPROJECT, py!(Path(__file__).parents[2] / "pyproject.toml")).paragraph(),
            revisions_class(),
            migration_head_class(),
            read_revisions_def()
        ])
}

fn revisions_class() -> ClassDef {
    names!(known, heads);
    class(Revisions).base(NamedTuple).body(block![
        docstring("The migrations beside the code, and those of them that are the last."),
        annotate(known, py!(frozenset[str])),
        annotate(heads, py!(frozenset[str]))
    ])
}

fn migration_head_class() -> ClassDef {
    class(MigrationHead).body(block![
        docstring("Compares the database with the migrations that stand beside the code."),
        migration_head_init(),
        migration_head_probe()
    ])
}

fn migration_head_init() -> FunctionDef {
    names!(database);
    def("__init__").params([untyped("self"), param(database, Database)]).returns(none()).body(
        block![
            docstring("Read the migrations, which stay as they are while the process lives."),
            assign(py!(self.database), database),
            assign(py!(self.revisions), py!(read_revisions(PYPROJECT)))
        ],
    )
}

fn migration_head_probe() -> FunctionDef {
    names!(known, heads, applied, missing);
    let has_nothing_older = py!(applied & known <= heads);
    async_def("probe").params([untyped("self")]).returns(State).body(block![
        docstring(
            "Raise an error if the database is behind the code.\n\
             \n\
             Ahead of it is where the database is while a release is rolled out: it is\n\
             migrated first, and what runs by then has to serve on. What cannot be known is\n\
             no reason to stop either."
        ),
        assign(py!((known, heads)), py!(self.revisions)),
        if_(py!(!heads), [return_("degraded")]),
        assign(applied, py!(self.database.revisions().await)),
        assign(missing, py!(heads - applied)),
        if_(py!(!missing), [return_("ok")]),
        if_(py!(applied - known && { has_nothing_older }), [return_("degraded")]),
        raise(py!(UnavailableError(f!("Migrations are not applied: {}", sorted(missing)))))
    ])
}

fn read_revisions_def() -> FunctionDef {
    names!(pyproject, script, heads, revision);
    def(read_revisions).decorator(cache).params([param(pyproject, Path)]).returns(Revisions).body(
        block![
            docstring("Read the migrations, if they are where Alembic looks for them."),
            try_(block![
                assign(script, py!(ScriptDirectory.from_config(Config(toml_file = pyproject)))),
                assign(heads, py!(script.get_heads(consider_depends_on = true)))
            ])
            .except(
                CommandError,
                block![
                    do_(py!(logger.warning("The migrations cannot be read", exc_info = true))),
                    return_(py!(Revisions(frozenset(), frozenset())))
                ]
            ),
            return_(py!(Revisions(
                frozenset(generator!(revision.revision for revision in script.walk_revisions())),
                frozenset(heads)
            )))
        ],
    )
}
