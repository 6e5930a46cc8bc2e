//! `backend/app/services/local_storage.py`: files in a folder of the server, behind addresses that it signs
//! itself.

use crate::core::errors::{ForbiddenError, NotFoundError};
use crate::core::file_types::START_BYTES;
use crate::core::security::{Purpose, Signer};
use crate::core::settings::Settings;
use crate::models::base::utcnow;
use crate::python::anyio::to_thread;
use crate::python::builtins::{
    FileNotFoundError, OSError, bytes, dict, int, isinstance, len, list, range, str,
};
use crate::python::fastapi::Depends;
use crate::python::standard::{
    Annotated, AsyncGenerator, IO, Path, TemporaryFile, UTC, UUID, dataclass, datetime,
    file_digest, shutil, suppress, timedelta, uuid4,
};
use crate::services::storage::{Blob, Found, Place, SignedRequest, StorageDep, StorageError};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.local_storage": ROUTE, INCOMING, BATCH, Download, LocalStorage,
        get_local_storage, LocalStorageDep;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.services.local_storage")
        .docstring("Files in a folder of the server, behind addresses that it signs itself.")
        .body(block![
            assign(ROUTE, "/files/content"),
            assign(INCOMING, "incoming").comment(
                "Files that are not complete yet, in the folder of the store: no UUID is called so."
            ),
            assign(BATCH, 500),
            download_class(),
            local_storage_class(),
            get_local_storage_def(),
            assign(LocalStorageDep, py!(Annotated[(LocalStorage, Depends(get_local_storage))]))
        ])
}

fn download_class() -> ClassDef {
    names!(place, name, content_type);
    class(Download).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("What a signed address gives away."),
        annotate(place, Place),
        annotate(name, str),
        annotate(content_type, str)
    ])
}

fn local_storage_class() -> ClassDef {
    class(LocalStorage).body(block![
        docstring("A store on the disk of the server; every process has to see the same folder."),
        local_storage_init(),
        local_storage_sign_upload(),
        local_storage_sign_download(),
        local_storage_sign(),
        local_storage_read_upload(),
        local_storage_read_download(),
        local_storage_read(),
        local_storage_path(),
        local_storage_put(),
        local_storage_write(),
        local_storage_find(),
        local_storage_look(),
        local_storage_delete(),
        local_storage_remove(),
        local_storage_places(),
        local_storage_walk(),
        local_storage_probe(),
        local_storage_touch()
    ])
}

fn local_storage_init() -> FunctionDef {
    names!(settings);
    def("__init__").params([untyped("self"), param(settings, Settings)]).returns(none()).body(
        block![
            docstring("Prepare to store; the folder is made when the first file comes."),
            assign(py!(self.folder), py!(Path(settings.storage_folder).resolve())),
            assign(py!(self.public_url), py!((settings.public_url || "").rstrip("/"))),
            assign(py!(self.signer), py!(Signer(settings)))
        ],
    )
}

fn local_storage_sign_upload() -> FunctionDef {
    names!(blob, lifetime, claims, url, headers);
    let signed = py!(dict!(
        "organization" => str(blob.place.organization_id),
        "content_type" => blob.content_type,
        "size" => str(blob.size),
        "sha256" => blob.sha256
    ));
    def("sign_upload")
        .params([untyped("self"), param(blob, Blob), param(lifetime, timedelta)])
        .returns(SignedRequest)
        .body(block![
            docstring("Sign what may be stored: where, of which type, which bytes and until when."),
            assign(claims, signed),
            assign(url, py!(self.sign(Purpose.UPLOAD, blob.place, lifetime, claims))),
            assign(headers, py!(dict!("Content-Type" => blob.content_type))),
            return_(py!(SignedRequest("PUT", url, headers, utcnow() + lifetime)))
        ])
}

fn local_storage_sign_download() -> FunctionDef {
    names!(place, name, content_type, lifetime, claims);
    let signed = py!(dict!(
        "organization" => str(place.organization_id),
        "content_type" => content_type,
        "name" => name
    ));
    def("sign_download")
        .params([
            untyped("self"),
            param(place, Place),
            param(name, str),
            param(content_type, str),
            param(lifetime, timedelta),
        ])
        .returns(str)
        .body(block![
            docstring("Sign what may be read, as what, and until when."),
            assign(claims, signed),
            return_(py!(self.sign(Purpose.DOWNLOAD, place, lifetime, claims)))
        ])
}

fn local_storage_sign() -> FunctionDef {
    names!(purpose, place, lifetime, claims, token);
    def("sign")
        .params([
            untyped("self"),
            param(purpose, Purpose),
            param(place, Place),
            param(lifetime, timedelta),
            param(claims, py!(dict[(str, str)])),
        ])
        .returns(str)
        .body(block![
            docstring("Return an address of ours with a token for one purpose."),
            assign(token, py!(self.signer.sign(purpose, place.file_id, lifetime, claims))),
            return_(py!(f!("{}{}?token={}", self.public_url, ROUTE, token)))
        ])
}

fn local_storage_read_upload() -> FunctionDef {
    names!(token, claims, place);
    def("read_upload").params([untyped("self"), param(token, str)]).returns(Blob).body(block![
        docstring("Return what a token allows to be stored, or answer 403."),
        assign(claims, py!(self.read(Purpose.UPLOAD, token))),
        assign(place, py!(Place(UUID(claims["organization"]), UUID(claims["sub"])))),
        return_(py!(Blob(place, claims["content_type"], int(claims["size"]), claims["sha256"])))
    ])
}

fn local_storage_read_download() -> FunctionDef {
    names!(token, claims, place);
    def("read_download").params([untyped("self"), param(token, str)]).returns(Download).body(
        block![
            docstring("Return what a token allows to be read, or answer 403."),
            assign(claims, py!(self.read(Purpose.DOWNLOAD, token))),
            assign(place, py!(Place(UUID(claims["organization"]), UUID(claims["sub"])))),
            return_(py!(Download(place, claims["name"], claims["content_type"])))
        ],
    )
}

fn local_storage_read() -> FunctionDef {
    names!(purpose, token, claims);
    def("read")
        .params([untyped("self"), param(purpose, Purpose), param(token, str)])
        .returns(py!(dict[(str, str)]))
        .body(block![
            docstring("Return the claims of a token that was signed for a purpose."),
            assign(claims, py!(self.signer.read(purpose, token))),
            if_(
                py!(claims == None),
                [raise(py!(ForbiddenError(
                    "The address is not valid any more.",
                    code = "signature_invalid"
                )))]
            ),
            return_(claims)
        ])
}

fn local_storage_path() -> FunctionDef {
    names!(place);
    def("path").params([untyped("self"), param(place, Place)]).returns(Path).body(block![
        docstring("Return where a file is; its place is made of UUIDs and leads nowhere else."),
        return_(py!(self.folder / str(place.organization_id) / str(place.file_id)))
    ])
}

fn local_storage_put() -> FunctionDef {
    names!(blob, content, error);
    async_def("put")
        .params([untyped("self"), param(blob, Blob), param(content, py!(IO[bytes]))])
        .returns(none())
        .body(block![
            docstring("Store a file, whole or not at all."),
            try_([do_(py!(to_thread.run_sync(self.write, blob.place, content).await))]).except_as(
                OSError,
                error,
                [raise_from(py!(StorageError("The file cannot be stored now.")), error)]
            )
        ])
}

fn local_storage_write() -> FunctionDef {
    names!(place, content, incoming, file, target);
    def("write")
        .params([untyped("self"), param(place, Place), param(content, py!(IO[bytes]))])
        .returns(none())
        .body(block![
            docstring("Write beside the place, and move there in one step."),
            assign(incoming, py!(self.folder / INCOMING / uuid4().hex)),
            do_(py!(incoming.parent.mkdir(parents = true, exist_ok = true))),
            try_(block![
                with_as(
                    py!(incoming.open("xb")),
                    file,
                    [do_(py!(shutil.copyfileobj(content, file)))]
                ),
                assign(target, py!(self.path(place))),
                do_(py!(target.parent.mkdir(exist_ok = true))),
                do_(py!(incoming.replace(target)))
            ])
            .finally([do_(py!(incoming.unlink(missing_ok = true)))])
        ])
}

fn local_storage_find() -> FunctionDef {
    names!(place, error);
    async_def("find")
        .params([untyped("self"), param(place, Place)])
        .returns(py!(Found | None))
        .body(block![
            docstring("Look at a file, and digest it."),
            try_([return_(py!(to_thread.run_sync(self.look, self.path(place)).await))]).except_as(
                OSError,
                error,
                [raise_from(py!(StorageError("The file cannot be read now.")), error)]
            )
        ])
}

fn local_storage_look() -> FunctionDef {
    names!(path, file, digest, size);
    def("look").params([untyped("self"), param(path, Path)]).returns(py!(Found | None)).body(
        block![
            docstring("Read a file from one end to the other."),
            try_([with_as(
                py!(path.open("rb")),
                file,
                block![
                    assign(digest, py!(file_digest(file, "sha256").hexdigest())),
                    assign(size, py!(file.tell())),
                    do_(py!(file.seek(0))),
                    return_(py!(Found(size, digest, None, file.read(START_BYTES))))
                ]
            )])
            .except(FileNotFoundError, [return_(none())])
        ],
    )
}

fn local_storage_delete() -> FunctionDef {
    names!(place, error);
    async_def("delete").params([untyped("self"), param(place, Place)]).returns(none()).body(block![
        docstring("Remove a file, and the folder of an organization that has no other."),
        try_([do_(py!(to_thread.run_sync(self.remove, self.path(place)).await))]).except_as(
            OSError,
            error,
            [raise_from(py!(StorageError("The file cannot be removed now.")), error)]
        )
    ])
}

fn local_storage_remove() -> FunctionDef {
    names!(path);
    def("remove").params([untyped("self"), param(path, Path)]).returns(none()).body(block![
        docstring("Remove a file; a folder that is not empty stays."),
        do_(py!(path.unlink(missing_ok = true))),
        with(py!(suppress(OSError)), [do_(py!(path.parent.rmdir()))])
    ])
}

fn local_storage_places() -> FunctionDef {
    names!(before, found, start);
    async_def("places")
        .params([untyped("self"), param(before, datetime)])
        .returns(py!(AsyncGenerator[(list[Place], None)]))
        .body(block![
            docstring("Name the files that were stored before a time; forget what never came in."),
            assign(found, py!(to_thread.run_sync(self.walk, before).await)),
            for_(
                start,
                py!(range(0, len(found), BATCH)),
                [do_(py!(yield_!(found[start..start + BATCH])))]
            )
        ])
}

fn local_storage_walk() -> FunctionDef {
    names!(before, found, path, place);
    def("walk").params([untyped("self"), param(before, datetime)]).returns(py!(list[Place])).body(
        block![
            docstring("Go through the folder."),
            ann_assign(found, py!(list[Place]), py!([])),
            for_(
                path,
                py!(self.folder.glob("*/*")),
                block![
                    with(
                        py!(suppress(FileNotFoundError)),
                        [if_(
                            py!(datetime.fromtimestamp(path.stat().st_mtime, UTC) >= before),
                            [continue_()]
                        )]
                    ),
                    assign(place, py!(Place.parse(path.relative_to(self.folder).as_posix()))),
                    if_(py!(place != None), [do_(py!(found.append(place)))]).elif(
                        py!(path.parent.name == INCOMING),
                        [do_(py!(path.unlink(missing_ok = true)))]
                    )
                ]
            ),
            return_(found)
        ],
    )
}

fn local_storage_probe() -> FunctionDef {
    names!(error);
    async_def("probe").params([untyped("self")]).returns(none()).body(block![
        docstring("Find out whether a file could be stored now."),
        try_([do_(py!(to_thread.run_sync(self.touch, abandon_on_cancel = true).await))]).except_as(
            OSError,
            error,
            [raise_from(py!(StorageError("The folder of files cannot be written to.")), error)]
        )
    ])
}

fn local_storage_touch() -> FunctionDef {
    names!(incoming);
    def("touch").params([untyped("self")]).returns(none()).body(block![
        docstring("Write a file, and remove it."),
        assign(incoming, py!(self.folder / INCOMING)),
        do_(py!(incoming.mkdir(parents = true, exist_ok = true))),
        with(py!(TemporaryFile(dir = incoming)), [pass()])
    ])
}

fn get_local_storage_def() -> FunctionDef {
    names!(storage);
    def(get_local_storage).params([param(storage, StorageDep)]).returns(LocalStorage).body(block![
        docstring("Return the store, if the addresses that it signs are ours."),
        if_(
            py!(!isinstance(storage, LocalStorage)),
            [raise(py!(NotFoundError("Files are kept elsewhere.")))]
        ),
        return_(storage)
    ])
}
