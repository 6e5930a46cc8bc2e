//! `backend/app/services/file_receiver.py`: a file as it comes in: counted, digested, and never held in
//! memory whole.

use crate::core::body_limit::too_large;
use crate::core::errors::BadRequestError;
use crate::core::file_types::START_BYTES;
use crate::python::anyio::to_thread;
use crate::python::builtins::{bytes, int, len, str};
use crate::python::fastapi::ClientDisconnect;
use crate::python::standard::{
    AsyncGenerator, AsyncIterator, IO, SpooledTemporaryFile, asynccontextmanager, dataclass, sha256,
};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.file_receiver": IN_MEMORY_BYTES, Received, received;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.services.file_receiver")
        .docstring("A file as it comes in: counted, digested, and never held in memory whole.")
        .body(block![
            assign(IN_MEMORY_BYTES, 1048576)
                .comment("What is larger than this goes to the disk meanwhile."),
            received_class(),
            received_def()
        ])
}

fn received_class() -> ClassDef {
    names!(content, size, digest, start);
    class(Received).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("A file that has come in."),
        annotate(content, py!(IO[bytes])),
        annotate(size, int),
        annotate(digest, str),
        annotate(start, bytes)
    ])
}

fn received_def() -> FunctionDef {
    names!(chunks, max_bytes, size, digest, file, take, chunk, error, start);
    async_def(received)
        .decorator(asynccontextmanager)
        .params([param(chunks, py!(AsyncIterator[bytes])), param(max_bytes, int)])
        .returns(py!(AsyncGenerator[(Received, None)]))
        .body(block![
            docstring(
                "Take a body in, and forget it in the end; what is too large is not read on."
            ),
            assign(py!((size, digest)), py!((0, sha256()))),
            with_as(
                py!(SpooledTemporaryFile(IN_MEMORY_BYTES)),
                file,
                block![
                    {
                        names!(chunk);
                        def(take).params([param(chunk, bytes)]).returns(none()).body(block![
                            do_(py!(digest.update(chunk))),
                            do_(py!(file.write(chunk)))
                        ])
                    },
                    try_([async_for(
                        chunk,
                        chunks,
                        block![
                            aug_assign(size, Operator::Add, py!(len(chunk))),
                            if_(py!(size > max_bytes), [raise(py!(too_large()))]),
                            do_(py!(to_thread.run_sync(take, chunk).await))
                        ]
                    )])
                    .except_as(
                        ClientDisconnect,
                        error,
                        [raise_from(py!(BadRequestError("The body ended too early.")), error)]
                    ),
                    do_(py!(file.seek(0))),
                    assign(start, py!(file.read(START_BYTES))),
                    do_(py!(file.seek(0))),
                    do_(py!(yield_!(Received(file, size, digest.hexdigest(), start))))
                ]
            )
        ])
}
