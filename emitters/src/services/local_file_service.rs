//! `backend/app/services/local_file_service.py`: what signed addresses of this server give and take, whoever
//! has them.

use crate::core::database::DatabaseDep;
use crate::core::errors::{ConflictError, NotFoundError};
use crate::models::stored_file::{FileStatus, StoredFile};
use crate::python::anyio::anyio;
use crate::python::builtins::{bytes, str, tuple};
use crate::python::fastapi::Depends;
use crate::python::standard::{Annotated, AsyncIterator, Path, dataclass};
use crate::services::file_receiver::received;
use crate::services::local_storage::{Download, LocalStorageDep};
use crate::services::storage::Place;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.local_file_service": LocalFileService, LocalFileServiceDep;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.services.local_file_service")
        .docstring("What signed addresses of this server give and take, whoever has them.")
        .body(block![
            local_file_service_class(),
            assign(
                LocalFileServiceDep,
                py!(Annotated[(LocalFileService, Depends(LocalFileService))])
            )
        ])
}

fn local_file_service_class() -> ClassDef {
    names!(database, storage);
    class(LocalFileService).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The store of the server, from outside."),
        annotate(database, DatabaseDep),
        annotate(storage, LocalStorageDep),
        local_file_service_store(),
        local_file_service_require_pending(),
        local_file_service_open()
    ])
}

fn local_file_service_store() -> FunctionDef {
    names!(token, content_type, chunks, blob, content, is_as_signed);
    async_def("store")
        .params([
            untyped("self"),
            param(token, str),
            param(content_type, str),
            param(chunks, py!(AsyncIterator[bytes])),
        ])
        .returns(none())
        .body(block![
            docstring("Take the bytes in that the token is for, and no others."),
            assign(blob, py!(self.storage.read_upload(token))),
            do_(py!(self.require_pending(blob.place).await)),
            async_with_as(
                py!(received(chunks, blob.size)),
                content,
                block![
                    assign(
                        is_as_signed,
                        py!(content_type == blob.content_type
                            && content.size == blob.size
                            && content.digest == blob.sha256)
                    ),
                    if_(
                        py!(!is_as_signed),
                        [raise(py!(ConflictError(
                            "The address is for another file.",
                            code = "upload_differs"
                        )))]
                    ),
                    do_(py!(self.storage.put(blob, content.content).await))
                ]
            )
        ])
}

fn local_file_service_require_pending() -> FunctionDef {
    names!(place, session, file);
    async_def("require_pending")
        .params([untyped("self"), param(place, Place)])
        .returns(none())
        .body(block![
            docstring("Refuse what nobody waits for any more."),
            async_with_as(
                py!(self.database.tenant_session(place.organization_id)),
                session,
                [assign(file, py!(session.get(StoredFile, place.file_id).await))]
            ),
            if_(
                py!(file == None || is_not!(file.status, FileStatus.PENDING)),
                [raise(py!(NotFoundError("Nobody waits for this file.")))]
            )
        ])
}

fn local_file_service_open() -> FunctionDef {
    names!(token, download, path);
    async_def("open")
        .params([untyped("self"), param(token, str)])
        .returns(py!(tuple[(Path, Download)]))
        .body(block![
            docstring("Return the file that the token is for, or answer 404."),
            assign(download, py!(self.storage.read_download(token))),
            assign(path, py!(self.storage.path(download.place))),
            if_(
                py!(!anyio.Path(path).is_file().await),
                [raise(py!(NotFoundError("There is no such file.")))]
            ),
            return_(py!((path, download)))
        ])
}
