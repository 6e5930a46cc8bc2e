//! `backend/app/core/log_file.py`: a log file that is rotated, whichever process writes to it.

use crate::python::builtins::{OSError, int};
use crate::python::standard::{LOCK_EX, Path, RotatingFileHandler, flock, logging, os};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.log_file": SharedFileHandler;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.core.log_file")
        .docstring("A log file that is rotated, whichever process writes to it.")
        .body(class(SharedFileHandler).base(RotatingFileHandler).body(block![
            docstring(
                "Lets a server's processes and its workers write to one file, one at a time."
            ),
            init(),
            emit_record(),
            follow()
        ]))
}

fn init() -> FunctionDef {
    names!(path, max_bytes, backups);
    let limits = [kw("maxBytes", max_bytes), kw("backupCount", backups)];
    def("__init__")
        .params([
            untyped("self"),
            param(path, Path),
            star(),
            param(max_bytes, int),
            param(backups, int),
        ])
        .returns(none())
        .body(block![
            docstring("Open the file; its folder is made where it is missing."),
            do_(py!(path.parent.mkdir(parents = true, exist_ok = true))),
            do_(py!(super().__init__(path, ..limits, encoding = "utf-8"))),
            assign(py!(self.lock_path), py!(path.with_name(f!("{}.lock", path.name))))
        ])
}

fn emit_record() -> FunctionDef {
    names!(record, turn);
    def("emit")
        .params([untyped("self"), param(record, py!(logging.LogRecord))])
        .returns(none())
        .body(block![
            docstring("Write a record while no other process does."),
            try_([with_as(
                py!(self.lock_path.open("a")),
                turn,
                block![
                    do_(py!(flock(turn, LOCK_EX))),
                    do_(py!(self.follow())),
                    do_(py!(super().emit(record)))
                ]
            )])
            .except(OSError, [do_(py!(self.handleError(record)))])
        ])
}

fn follow() -> FunctionDef {
    names!(there, mine);
    def("follow").params([untyped("self")]).returns(none()).body(block![
        docstring("Open the file that is there now, if another process has rotated it."),
        if_(py!(self.stream == None), [return_none()]),
        assign(py!((there, mine)), py!((Path(self.baseFilename), os.fstat(self.stream.fileno())))),
        if_(
            py!(!there.exists() || !os.path.samestat(there.stat(), mine)),
            block![do_(py!(self.stream.close())), assign(py!(self.stream), py!(self._open()))]
        )
    ])
}
