//! `backend/app/core/logging.py`: logs as one JSON object a line, each with the id of its request.

use crate::core::request_id::current_request_id;
use crate::core::settings::Settings;
use crate::python::builtins::str;
use crate::python::standard::{UTC, datetime, json, logging};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.logging": JsonFormatter, configure_logging;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.core.logging")
        .docstring("Logs as one JSON object a line, each with the id of its request.")
        .body(block![json_formatter_class(), configure_logging_def()])
}

fn json_formatter_class() -> ClassDef {
    class(JsonFormatter)
        .base(py!(logging.Formatter))
        .body(block![docstring("Write a record as a JSON object."), json_formatter_format()])
}

fn json_formatter_format() -> FunctionDef {
    names!(record, entry);
    def("format")
        .params([untyped("self"), param(record, py!(logging.LogRecord))])
        .returns(str)
        .body(block![
            docstring("Put the record on one line."),
            assign(
                entry,
                py!(dict!(
                    "time" => datetime.fromtimestamp(record.created, UTC).isoformat(),
                    "level" => record.levelname,
                    "logger" => record.name,
                    "message" => record.getMessage(),
                    "request_id" => current_request_id.get()
                )),
            ),
            if_(
                py!(record.exc_info),
                [assign(py!(entry["exception"]), py!(self.formatException(record.exc_info)))],
            ),
            return_(py!(json.dumps(entry)))
        ])
}

fn configure_logging_def() -> FunctionDef {
    names!(settings, handler, app_logger);
    def(configure_logging).params([param(settings, Settings)]).returns(none()).body(block![
        docstring("Send the records of the application to standard error."),
        assign(handler, py!(logging.StreamHandler())),
        do_(py!(handler.setFormatter(JsonFormatter()))),
        assign(app_logger, py!(logging.getLogger("app"))),
        assign(py!(app_logger.handlers), py!([handler])),
        do_(py!(app_logger.setLevel(settings.log_level))),
        assign(py!(app_logger.propagate), false)
    ])
}
