//! `backend/app/core/logging.py`: logs as one JSON object a line, each with the id of its request.

use crate::core::log_file::SharedFileHandler;
use crate::core::request_id::current_request_id;
use crate::core::settings::Settings;
use crate::core::tracing::trace_ids;
use crate::python::builtins::{list, str};
use crate::python::standard::{Path, UTC, datetime, json, logging};
use crate::spec::Observability;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.logging": JsonFormatter, configure_logging;
}

/// The module.
#[must_use]
pub fn emit(observability: &Observability) -> Module {
    let has_file = observability.log_file.is_some();
    module("app.core.logging")
        .docstring("Logs as one JSON object a line, each with the id of its request.")
        .body(block![json_formatter_class(observability.tracing), configure_logging_def(has_file)])
}

fn json_formatter_class(is_traced: bool) -> ClassDef {
    class(JsonFormatter).base(py!(logging.Formatter)).body(block![
        docstring("Write a record as a JSON object."),
        json_formatter_format(is_traced)
    ])
}

fn json_formatter_format(is_traced: bool) -> FunctionDef {
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
            is_traced.then(|| do_(py!(entry.update(trace_ids())))),
            if_(
                py!(record.exc_info),
                [assign(py!(entry["exception"]), py!(self.formatException(record.exc_info)))],
            ),
            return_(py!(json.dumps(entry)))
        ])
}

fn configure_logging_def(has_file: bool) -> FunctionDef {
    names!(settings, handler, handlers, app_logger);
    def(configure_logging).params([param(settings, Settings)]).returns(none()).body(block![
        docstring(if has_file {
            "Send the records to standard error, and to the file that is named, if any."
        } else {
            "Send the records of the application to standard error."
        }),
        if has_file {
            handlers_with_file(settings, handlers, handler)
        } else {
            only_handler(handler)
        },
        assign(app_logger, py!(logging.getLogger("app"))),
        if has_file {
            block![
                for_(handler, py!(app_logger.handlers), [do_(py!(handler.close()))]),
                assign(py!(app_logger.handlers), handlers)
            ]
        } else {
            block![assign(py!(app_logger.handlers), py!([handler]))]
        },
        do_(py!(app_logger.setLevel(settings.log_level))),
        assign(py!(app_logger.propagate), false)
    ])
}

fn only_handler(handler: Name) -> Vec<Stmt> {
    block![
        assign(handler, py!(logging.StreamHandler())),
        do_(py!(handler.setFormatter(JsonFormatter())))
    ]
}

fn handlers_with_file(settings: Name, handlers: Name, handler: Name) -> Vec<Stmt> {
    block![
        ann_assign(handlers, py!(list[logging.Handler]), py!([logging.StreamHandler()])),
        if_(
            py!(settings.log_file != None),
            [do_(py!(handlers.append(SharedFileHandler(
                Path(settings.log_file),
                max_bytes = settings.log_file_bytes,
                backups = settings.log_file_backups
            ))))]
        ),
        for_(handler, handlers, [do_(py!(handler.setFormatter(JsonFormatter())))])
    ]
}
