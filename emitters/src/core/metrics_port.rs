//! `backend/app/core/metrics_port.py`: metrics on a port of their own, which no visitor of the application reaches.

use crate::core::metrics::read_metrics;
use crate::core::settings::Settings;
use crate::python::fastapi::{FastAPI, Route, Starlette};
use crate::python::standard::{
    AsyncGenerator, Generator, asynccontextmanager, asyncio, contextmanager, socket,
};
use crate::python::uvicorn::{Config, Server};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.metrics_port": MetricsServer, serving_metrics;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.core.metrics_port")
        .docstring("Metrics on a port of their own, which no visitor of the application reaches.")
        .body(block![metrics_server_class(), serving_metrics_def()])
}

fn metrics_server_class() -> ClassDef {
    class(MetricsServer).base(Server).body(block![
        docstring("A server beside the one of requests, which has the signals."),
        def("capture_signals")
            .decorator(contextmanager)
            .params([untyped("self")])
            .returns(py!(Generator[(None, None, None)]))
            .body(block![docstring("Take none."), do_(yield_(None))])
    ])
}

fn serving_metrics_def() -> FunctionDef {
    names!(app, settings, own, config, server, listener, running, address);
    async_def(serving_metrics)
        .decorator(asynccontextmanager)
        .params([param(app, FastAPI)])
        .returns(py!(AsyncGenerator[(None, None)]))
        .body(block![
            docstring(
                "Serve the metrics as long as the context is open.\n\
                 \n\
                 Every worker listens at the same port, and the system picks one for each\n\
                 connection: with a folder that they share, each knows what all of them counted,\n\
                 and none is missed when it ends."
            ),
            ann_assign(settings, Settings, py!(app.state.settings)),
            assign(own, py!(Starlette(routes = [Route("/metrics", read_metrics)]))),
            assign(py!(own.state), py!(app.state)),
            assign(
                config,
                py!(Config(own, lifespan = "off", log_config = None, access_log = false))
            ),
            assign(server, py!(MetricsServer(config))),
            assign(address, py!((settings.metrics_host, settings.metrics_port))),
            assign(listener, py!(socket.create_server(address, reuse_port = true))),
            assign(running, py!(asyncio.create_task(server.serve([listener])))),
            try_([do_(yield_(None))])
                .finally(block![assign(py!(server.should_exit), true), do_(py!(running.await))])
        ])
}
