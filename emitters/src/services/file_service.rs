//! `backend/app/services/file_service.py`: files of the bound tenant: their rows, and what the store has of
//! them.

use crate::core::database::flush;
use crate::core::errors::{ConflictError, GoneError, NotFoundError};
use crate::core::file_types::{FileType, begins_like, display_name};
use crate::core::org_rbac::{PrincipalDep, TenantSessionDep};
use crate::core::pagination::{PageRequest, Slice, fetch_page};
use crate::core::payers::payer_for;
use crate::core::settings::{SettingsDep, has_own_quota};
use crate::models::base::utcnow;
use crate::models::stored_file::{FileStatus, StoredFile};
use crate::python::anyio::CancelScope;
use crate::python::builtins::{__name__, BaseException, bool, bytes, int, str, tuple};
use crate::python::fastapi::Depends;
use crate::python::sqlalchemy::select;
use crate::python::standard::{
    Annotated, AsyncIterator, UUID, dataclass, logging, timedelta, uuid4,
};
use crate::schemas::file::FileCreate;
use crate::services::file_quota::require_space;
use crate::services::file_receiver::{Received, received};
use crate::services::storage::{Blob, Place, SignedRequest, StorageDep, StorageError};
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.file_service": logger, UPLOAD_LIFETIME, DOWNLOAD_LIFETIME, IN_USE,
        FileService, place_of, blob_of, require_start, FileServiceDep;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("app.services.file_service")
        .docstring("Files of the bound tenant: their rows, and what the store has of them.")
        .body(block![
            assign(logger, py!(logging.getLogger(__name__))),
            assign(UPLOAD_LIFETIME, py!(timedelta(minutes = 30))).paragraph(),
            assign(DOWNLOAD_LIFETIME, py!(timedelta(minutes = 5))),
            assign(IN_USE, "Something still needs the file."),
            file_service_class(spec),
            place_of_def(),
            blob_of_def(),
            require_start_def(),
            assign(FileServiceDep, py!(Annotated[(FileService, Depends(FileService))]))
        ])
}

fn file_service_class(spec: &Spec) -> ClassDef {
    let has_own_quota = has_own_quota(spec);
    names!(session, principal, storage, settings);
    class(FileService).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The rules for files. No transaction is open while the store is asked."),
        annotate(session, TenantSessionDep),
        annotate(principal, PrincipalDep),
        annotate(storage, StorageDep),
        has_own_quota.then(|| annotate(settings, SettingsDep)),
        file_service_page(),
        file_service_get(),
        file_service_get_stored(),
        file_service_sign_upload(),
        file_service_reserve(spec),
        file_service_upload(),
        file_service_blob_received(),
        file_service_complete(),
        file_service_finish(),
        file_service_sign_download(),
        file_service_delete(),
        file_service_discard(),
        file_service_forget()
    ])
}

fn file_service_page() -> FunctionDef {
    names!(page, stored);
    async_def("page")
        .params([untyped("self"), param(page, PageRequest)])
        .returns(py!(Slice[StoredFile]))
        .body(block![
            docstring("List the files that are there, newest first."),
            assign(stored, py!(select(StoredFile).r#where(StoredFile.status == FileStatus.STORED))),
            return_(py!(fetch_page(self.session, stored, StoredFile, page).await))
        ])
}

fn file_service_get() -> FunctionDef {
    names!(file_id, lock, file);
    async_def("get")
        .params([untyped("self"), param(file_id, UUID), star(), param(lock, bool).default(false)])
        .returns(StoredFile)
        .body(block![
            docstring("Return a file, be it there yet or not, or answer 404."),
            assign(
                file,
                py!(self
                    .session
                    .get(StoredFile, file_id, with_for_update = lock, populate_existing = lock)
                    .await)
            ),
            if_(py!(file == None), [raise(py!(NotFoundError("There is no such file.")))]),
            return_(file)
        ])
}

fn file_service_get_stored() -> FunctionDef {
    names!(file_id, file);
    async_def("get_stored")
        .params([untyped("self"), param(file_id, UUID)])
        .returns(StoredFile)
        .body(block![
            docstring("Return a file whose bytes are there, or answer 404."),
            assign(file, py!(self.get(file_id).await)),
            if_(
                py!(is_not!(file.status, FileStatus.STORED)),
                [raise(py!(NotFoundError("There is no such file yet.")))]
            ),
            return_(file)
        ])
}

fn file_service_sign_upload() -> FunctionDef {
    names!(payload, file);
    async_def("sign_upload")
        .params([untyped("self"), param(payload, FileCreate)])
        .returns(py!(tuple[(StoredFile, SignedRequest)]))
        .body(block![
            docstring("Make room for a file that the client will send to the store by itself."),
            assign(file, py!(self.reserve(payload.name, payload.content_type, payload.size).await)),
            assign(py!(file.sha256), py!(payload.sha256)),
            return_(py!((file, self.storage.sign_upload(blob_of(file), UPLOAD_LIFETIME))))
        ])
}

fn file_service_reserve(spec: &Spec) -> FunctionDef {
    let has_own_quota = has_own_quota(spec);
    let payer = match &spec.billing {
        Some(billing) if !has_own_quota => payer_for(billing, py!(self.principal)),
        _ => py!(self.principal.organization),
    };
    let allowed = has_own_quota.then(|| kw("allowed", py!(self.settings.storage_quota_megabytes)));
    names!(name, content_type, size, file);
    async_def("reserve")
        .params([
            untyped("self"),
            param(name, str),
            param(content_type, FileType),
            param(size, int),
        ])
        .returns(StoredFile)
        .body(block![
            docstring("Add a file that is still to come; until then its room is taken."),
            do_(py!(require_space(self.session, { payer }, size, ..allowed).await)),
            assign(
                file,
                py!(StoredFile(
                    id = uuid4(),
                    uploader_id = self.principal.user.id,
                    name = display_name(name),
                    content_type = content_type.value,
                    size = size,
                    expires_at = utcnow() + UPLOAD_LIFETIME
                ))
            ),
            do_(py!(self.session.add(file))),
            do_(py!(self.session.flush().await)),
            return_(file)
        ])
}

fn file_service_upload() -> FunctionDef {
    names!(name, content_type, chunks, max_bytes, file, content, blob);
    async_def("upload")
        .params([
            untyped("self"),
            param(name, str),
            param(content_type, FileType),
            param(chunks, py!(AsyncIterator[bytes])),
            param(max_bytes, int),
        ])
        .returns(StoredFile)
        .body(block![
            docstring("Take a file in and store it; what goes wrong leaves nothing behind."),
            assign(file, py!(self.reserve(name, content_type, max_bytes).await)),
            do_(py!(self.session.commit().await)),
            try_(block![
                async_with_as(
                    py!(received(chunks, max_bytes)),
                    content,
                    block![
                        assign(blob, py!(self.blob_received(file, content))),
                        do_(py!(self.storage.put(blob, content.content).await))
                    ]
                ),
                return_(py!(self.finish(file.id, blob).await))
            ])
            .except(
                BaseException,
                block![
                    with(
                        py!(CancelScope(shield = true)),
                        block![
                            do_(py!(self.session.rollback().await)),
                            do_(py!(self.forget(file).await))
                        ]
                    ),
                    reraise()
                ]
            )
        ])
}

fn file_service_blob_received() -> FunctionDef {
    names!(file, content);
    def("blob_received")
        .params([untyped("self"), param(file, StoredFile), param(content, Received)])
        .returns(Blob)
        .body(block![
            docstring("Describe what came in, unless it is not what it was said to be."),
            do_(py!(require_start(file.content_type, content.start))),
            return_(py!(Blob(place_of(file), file.content_type, content.size, content.digest)))
        ])
}

fn file_service_complete() -> FunctionDef {
    names!(file_id, file, blob, found);
    async_def("complete").params([untyped("self"), param(file_id, UUID)]).returns(StoredFile).body(
        block![
            docstring("Note that a file is in the store, once we have seen it there."),
            assign(file, py!(self.get(file_id).await)),
            if_(py!(is_!(file.status, FileStatus.STORED)), [return_(file)]),
            assign(blob, py!(blob_of(file))),
            do_(py!(self.session.commit().await)),
            assign(found, py!(self.storage.find(blob.place).await)),
            if_(
                py!(found == None),
                [raise(py!(ConflictError(
                    "The file is not in the store.",
                    code = "upload_missing"
                )))]
            ),
            if_(
                py!(!found.is_as_promised(blob)),
                block![
                    do_(py!(self.discard(file).await)),
                    raise(py!(ConflictError(
                        "The file is another one than was announced.",
                        code = "upload_differs"
                    )))
                ]
            ),
            try_([do_(py!(require_start(blob.content_type, found.start)))])
                .except(ConflictError, block![do_(py!(self.discard(file).await)), reraise()]),
            return_(py!(self.finish(file_id, blob).await))
        ],
    )
}

fn file_service_finish() -> FunctionDef {
    names!(file_id, blob, file);
    async_def("finish")
        .params([untyped("self"), param(file_id, UUID), param(blob, Blob)])
        .returns(StoredFile)
        .body(block![
            docstring("Have a file be there, unless the room for it has been given away by now."),
            assign(file, py!(self.get(file_id, lock = true).await)),
            if_(
                py!(file.expires_at != None && file.expires_at <= utcnow()),
                [raise(py!(GoneError("The file came too late.", code = "upload_expired")))]
            ),
            assign(py!(file.size), py!(blob.size)),
            assign(py!(file.sha256), py!(blob.sha256)),
            assign(py!(file.status), py!(FileStatus.STORED)),
            assign(py!(file.expires_at), none()),
            do_(py!(self.session.commit().await)),
            return_(file)
        ])
}

fn file_service_sign_download() -> FunctionDef {
    names!(file_id, file);
    async_def("sign_download").params([untyped("self"), param(file_id, UUID)]).returns(str).body(
        block![
            docstring("Return an address that gives a file away, for a short while."),
            assign(file, py!(self.get_stored(file_id).await)),
            return_(py!(self.storage.sign_download(
                place_of(file),
                file.name,
                file.content_type,
                DOWNLOAD_LIFETIME
            )))
        ],
    )
}

fn file_service_delete() -> FunctionDef {
    names!(file_id);
    async_def("delete").params([untyped("self"), param(file_id, UUID)]).returns(none()).body(
        block![
            docstring("Remove a file; its bytes may stay a little longer if the store is away."),
            do_(py!(self.discard(self.get(file_id).await).await))
        ],
    )
}

fn file_service_discard() -> FunctionDef {
    names!(file);
    async_def("discard").params([untyped("self"), param(file, StoredFile)]).returns(none()).body(
        block![
            docstring("Remove a row, and then the bytes; what the store keeps is swept up later."),
            do_(py!(self.forget(file).await)),
            try_([do_(py!(self.storage.delete(place_of(file)).await))]).except(
                StorageError,
                [do_(py!(logger.warning("The bytes of a deleted file stay", exc_info = true)))]
            )
        ],
    )
}

fn file_service_forget() -> FunctionDef {
    names!(file, row);
    async_def("forget").params([untyped("self"), param(file, StoredFile)]).returns(none()).body(
        block![
            docstring("Remove a row, for good."),
            assign(row, py!(self.session.get(StoredFile, file.id, with_for_update = true).await)),
            if_(
                py!(row != None),
                block![
                    do_(py!(self.session.delete(row).await)),
                    do_(py!(flush(self.session, conflict = IN_USE).await))
                ]
            ),
            do_(py!(self.session.commit().await))
        ],
    )
}

fn place_of_def() -> FunctionDef {
    names!(file);
    def(place_of).params([param(file, StoredFile)]).returns(Place).body(block![
        docstring("Return where the bytes of a file are."),
        return_(py!(Place(file.organization_id, file.id)))
    ])
}

fn blob_of_def() -> FunctionDef {
    names!(file);
    def(blob_of).params([param(file, StoredFile)]).returns(Blob).body(block![
        docstring("Describe the bytes of a file that was announced."),
        return_(py!(Blob(place_of(file), file.content_type, file.size, file.sha256 || "")))
    ])
}

fn require_start_def() -> FunctionDef {
    names!(content_type, start);
    def(require_start).params([param(content_type, str), param(start, bytes)]).returns(none()).body(
        block![
            docstring("Refuse a file whose first bytes are not those of its type."),
            if_(
                py!(!begins_like(content_type, start)),
                [raise(py!(ConflictError(
                    f!("The file is not of the type {}.", content_type),
                    code = "wrong_file_type"
                )))]
            )
        ],
    )
}
