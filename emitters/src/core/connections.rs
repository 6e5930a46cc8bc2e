//! `backend/app/core/connections.py`: how many connections to the database are in use.

use crate::core::database::POOL_OVERFLOW;
use crate::python::builtins::{int, isinstance, len, set, sum};
use crate::python::prometheus::Gauge;
use crate::python::sqlalchemy::{
    AsyncEngine, ConnectionPoolEntry, DBAPIConnection, PoolProxiedConnection, QueuePool, event,
};
use crate::python::standard::Sequence;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.connections": watch_connections, most_connections;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.core.connections")
        .docstring("How many connections to the database are in use, and how many there may be.")
        .body(block![watch_connections_def(), most_connections_def()])
}

fn watch_connections_def() -> FunctionDef {
    names!(engines, engine, in_use, held, take, give_back, _connection, entry, _proxy);
    let told = || do_(py!(in_use.set(len(held))));
    def(watch_connections)
        .params([param(engines, py!(Sequence[AsyncEngine])), param(in_use, Gauge)])
        .returns(none())
        .body(block![
            docstring("Keep a gauge at the number of connections that somebody holds."),
            ann_assign(held, py!(set[ConnectionPoolEntry]), py!(set())),
            do_(py!(in_use.set(0))),
            def(take)
                .params([
                    param(_connection, DBAPIConnection),
                    param(entry, ConnectionPoolEntry),
                    param(_proxy, PoolProxiedConnection),
                ])
                .returns(none())
                .body(block![do_(py!(held.add(entry))), told()]),
            def(give_back)
                .params([
                    param(_connection, py!(DBAPIConnection | None)),
                    param(entry, ConnectionPoolEntry),
                ])
                .returns(none())
                .body(block![do_(py!(held.discard(entry))), told()]),
            for_(
                engine,
                engines,
                block![
                    do_(py!(event.listen(engine.sync_engine, "checkout", take))),
                    do_(py!(event.listen(engine.sync_engine, "checkin", give_back)))
                ]
            )
        ])
}

fn most_connections_def() -> FunctionDef {
    names!(engines, engine, pools, pool);
    def(most_connections).params([param(engines, py!(Sequence[AsyncEngine]))]).returns(int).body(
        block![
            docstring("Return how many connections the engines open at most."),
            assign(pools, py!(list!(engine.pool for engine in engines))),
            return_(py!(sum(generator!(
                pool.size() + POOL_OVERFLOW for pool in pools if isinstance(pool, QueuePool)
            ))))
        ],
    )
}
