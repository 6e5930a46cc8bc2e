//! `backend/tests/test_log_file.py`: the log file.

use crate::core::log_file::SharedFileHandler;
use crate::core::logging::configure_logging;
use crate::core::settings::Settings;
use crate::python::builtins::{all, int, list, range, sorted, str};
use crate::python::pytest::pytest;
use crate::python::standard::{Path, get_context, json, logging};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_log_file": WRITERS, RECORDS, write_many, record_of;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("tests.test_log_file").docstring("The log file.").body(block![
        assign(WRITERS, 3),
        assign(RECORDS, 100),
        record_of_def(),
        write_many_def(),
        test_records_go_to_the_file_that_is_named(),
        test_a_file_that_is_full_is_put_aside(),
        test_processes_that_share_a_file_lose_nothing(),
        test_a_file_that_cannot_be_written_stops_nobody()
    ])
}

fn record_of_def() -> FunctionDef {
    names!(message);
    def(record_of).params([param(message, str)]).returns(py!(logging.LogRecord)).body(block![
        docstring("Make a record."),
        return_(py!(logging.LogRecord("app.tests", logging.INFO, "tests", 1, message, None, None)))
    ])
}

fn write_many_def() -> FunctionDef {
    names!(path, writer, handler, number);
    def(write_many).params([param(path, Path), param(writer, int)]).returns(none()).body(block![
        docstring("Write records until some files are full, in a process of its own."),
        assign(handler, py!(SharedFileHandler(path, max_bytes = 500, backups = WRITERS * RECORDS))),
        for_(
            number,
            py!(range(RECORDS)),
            [do_(py!(handler.emit(record_of(f!("{}-{}", writer, number)))))]
        ),
        do_(py!(handler.close()))
    ])
}

fn test_records_go_to_the_file_that_is_named() -> FunctionDef {
    names!(tmp_path, path, entry);
    def("test_records_go_to_the_file_that_is_named")
        .decorator(py!(pytest.mark.usefixtures("log_as_it_was")))
        .params([param(tmp_path, Path)])
        .returns(none())
        .body(block![
            assign(path, py!(tmp_path / "logs" / "app.log")),
            do_(py!(configure_logging(Settings(log_file = str(path))))),
            do_(py!(logging.getLogger("app").error("written"))),
            assign(entry, py!(json.loads(path.read_text()))),
            assert_(py!((entry["message"], entry["level"]) == ("written", "ERROR")))
        ])
}

fn test_a_file_that_is_full_is_put_aside() -> FunctionDef {
    names!(tmp_path, handler, number, files);
    def("test_a_file_that_is_full_is_put_aside")
        .params([param(tmp_path, Path)])
        .returns(none())
        .body(block![
            assign(
                handler,
                py!(SharedFileHandler(tmp_path / "app.log", max_bytes = 100, backups = 2))
            ),
            for_(
                number,
                py!(range(100)),
                [do_(py!(handler.emit(record_of(f!("record {}", number)))))]
            ),
            do_(py!(handler.close())),
            assign(files, py!(sorted(tmp_path.glob("app.log*")))),
            assert_(py!(list!(file.name for file in files)
                == ["app.log", "app.log.1", "app.log.2", "app.log.lock"])),
            assert_(py!(all(generator!(file.stat().st_size <= 100 for file in files)))),
            assert_(py!((tmp_path / "app.log").read_text().endswith("record 99\n")))
        ])
}

fn test_processes_that_share_a_file_lose_nothing() -> FunctionDef {
    names!(tmp_path, path, spawning, writers, writer, lines, number, expected);
    def("test_processes_that_share_a_file_lose_nothing")
        .params([param(tmp_path, Path)])
        .returns(none())
        .body(block![
            assign(path, py!(tmp_path / "app.log")),
            assign(spawning, py!(get_context("spawn"))),
            assign(
                writers,
                py!(list!(
                    spawning.Process(target = write_many, args = (path, number))
                    for number in range(WRITERS)
                ))
            ),
            for_(writer, writers, [do_(py!(writer.start()))]),
            for_(writer, writers, [do_(py!(writer.join()))]),
            assert_(py!(list!(writer.exitcode for writer in writers) == [0] * WRITERS)),
            assign(
                lines,
                py!(list!(
                    line
                    for file in tmp_path.glob("app.log*")
                    for line in file.read_text().splitlines()
                ))
            ),
            assign(
                expected,
                py!(list!(
                    f!("{}-{}", writer, number)
                    for writer in range(WRITERS)
                    for number in range(RECORDS)
                ))
            ),
            assert_(py!(sorted(lines) == sorted(expected)))
        ])
}

fn test_a_file_that_cannot_be_written_stops_nobody() -> FunctionDef {
    names!(tmp_path, handler, failed, monkeypatch);
    def("test_a_file_that_cannot_be_written_stops_nobody")
        .params([param(tmp_path, Path), param(monkeypatch, py!(pytest.MonkeyPatch))])
        .returns(none())
        .body(block![
            ann_assign(failed, py!(list[logging.LogRecord]), py!([])),
            assign(
                handler,
                py!(SharedFileHandler(tmp_path / "app.log", max_bytes = 100, backups = 2))
            ),
            do_(py!(monkeypatch.setattr(handler, "handleError", failed.append))),
            do_(py!((tmp_path / "app.log.lock").mkdir())),
            do_(py!(handler.emit(record_of("lost")))),
            do_(py!(handler.close())),
            assert_(py!(list!(record.getMessage() for record in failed) == ["lost"]))
        ])
}
