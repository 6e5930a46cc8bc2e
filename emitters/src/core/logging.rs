//! `backend/app/core/logging.py`: logs as one JSON object a line.

use crate::core::log_context::describe_work;
use crate::core::log_file::SharedFileHandler;
use crate::core::redaction::redact;
use crate::core::settings::Settings;
use crate::core::tracing::trace_ids;
use crate::python::builtins::{dict, getattr, hasattr, isinstance, list, object, str};
use crate::python::standard::{Path, UTC, datetime, json, logging};
use crate::spec::Observability;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.logging": VERBATIM, JsonFormatter, configure_logging;
}

/// The module.
#[must_use]
pub fn emit(observability: &Observability) -> Module {
    let has_file = observability.log_file.is_some();
    module("app.core.logging")
        .docstring("Logs as one JSON object a line: what happened, in which request, for whom.")
        .body(block![
            assign(VERBATIM, py!(dict!("is_verbatim" => true)))
                .comment("For `extra`: what a record says that may say all."),
            json_formatter_class(observability.tracing),
            configure_logging_def(has_file)
        ])
}

fn json_formatter_class(is_traced: bool) -> ClassDef {
    class(JsonFormatter).base(py!(logging.Formatter)).body(block![
        docstring("Write a record as a JSON object, without what a log must not tell."),
        json_formatter_format(is_traced)
    ])
}

fn json_formatter_format(is_traced: bool) -> FunctionDef {
    names!(record, entry, message);
    def("format")
        .params([untyped("self"), param(record, py!(logging.LogRecord))])
        .returns(str)
        .body(block![
            docstring("Put the record on one line."),
            assign(message, py!(record.getMessage())),
            if_(py!(!hasattr(record, "is_verbatim")), [assign(message, py!(redact(message)))]),
            ann_assign(
                entry,
                py!(dict[(str, object)]),
                py!(dict!(
                    "time" => datetime.fromtimestamp(record.created, UTC).isoformat(),
                    "level" => record.levelname,
                    "logger" => record.name,
                    "message" => message
                )),
            ),
            do_(py!(entry.update(describe_work()))),
            is_traced.then(|| do_(py!(entry.update(trace_ids())))),
            do_(py!(entry.update(getattr(record, "request", dict!())))),
            if_(
                py!(record.exc_info),
                [assign(
                    py!(entry["exception"]),
                    py!(redact(self.formatException(record.exc_info)))
                )],
            ),
            return_(py!(json.dumps(entry)))
        ])
}

fn configure_logging_def(has_file: bool) -> FunctionDef {
    names!(settings, handler, handlers, root, server, requests);
    def(configure_logging).params([param(settings, Settings)]).returns(none()).body(block![
        docstring(if has_file {
            "Write every record to standard error, and to the file that is named, if any.\n\
             \n\
             Records of libraries and of the server are among them; but not those of uvicorn of\n\
             each request, which have the query, and so tokens: the application has its own."
        } else {
            "Write every record to standard error.\n\
             \n\
             Records of libraries and of the server are among them; but not those of uvicorn of\n\
             each request, which have the query, and so tokens: the application has its own."
        }),
        if has_file { handlers_with_file(settings, handlers) } else { only_handler(handlers) },
        assign(root, py!(logging.getLogger())),
        for_(
            handler,
            py!(root.handlers.copy()),
            [if_(
                py!(isinstance(handler.formatter, JsonFormatter)),
                block![do_(py!(root.removeHandler(handler))), do_(py!(handler.close()))]
            )]
        ),
        for_(
            handler,
            handlers,
            block![
                do_(py!(handler.setFormatter(JsonFormatter()))),
                do_(py!(root.addHandler(handler)))
            ]
        ),
        do_(py!(logging.getLogger("app").setLevel(settings.log_level))),
        assign(server, py!(logging.getLogger("uvicorn"))),
        assign(requests, py!(logging.getLogger("uvicorn.access"))),
        do_(py!(server.handlers.clear())),
        do_(py!(requests.handlers.clear())),
        assign(py!((server.propagate, requests.propagate)), py!((true, false)))
    ])
}

fn only_handler(handlers: Name) -> Vec<Stmt> {
    block![assign(handlers, py!([logging.StreamHandler()]))]
}

fn handlers_with_file(settings: Name, handlers: Name) -> Vec<Stmt> {
    block![
        ann_assign(handlers, py!(list[logging.Handler]), py!([logging.StreamHandler()])),
        if_(
            py!(settings.log_file != None),
            [do_(py!(handlers.append(SharedFileHandler(
                Path(settings.log_file),
                max_bytes = settings.log_file_bytes,
                backups = settings.log_file_backups
            ))))]
        )
    ]
}
