//! `backend/app/services/storage.py`: where the bytes of files are: what every store can do.

use crate::core::errors::UnavailableError;
use crate::python::builtins::{ValueError, bool, bytes, classmethod, int, list, property, str};
use crate::python::fastapi::{Depends, Request};
use crate::python::standard::{
    Annotated, AsyncGenerator, IO, Mapping, NamedTuple, Protocol, SELF_TYPE, UUID, dataclass,
    datetime, timedelta,
};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.storage": StorageError, Place, Blob, SignedRequest, Found, Storage,
        get_storage, StorageDep;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.services.storage")
        .docstring("Where the bytes of files are: what every store can do.")
        .body(block![
            storage_error_class(),
            place_class(),
            blob_class(),
            signed_request_class(),
            found_class(),
            storage_class(),
            get_storage_def(),
            assign(StorageDep, py!(Annotated[(Storage, Depends(get_storage))]))
        ])
}

fn storage_error_class() -> ClassDef {
    names!(code);
    class(StorageError).base(UnavailableError).body(block![
        docstring("The store does not answer, or not as it should; the caller may try again."),
        assign(code, "storage_unavailable")
    ])
}

fn place_class() -> ClassDef {
    names!(organization_id, file_id);
    class(Place).base(NamedTuple).body(block![
        docstring("Where a file is in the store: below its organization, under a random name."),
        annotate(organization_id, UUID),
        annotate(file_id, UUID),
        place_key(),
        place_parse()
    ])
}

fn place_key() -> FunctionDef {
    def("key").decorator(property).params([untyped("self")]).returns(str).body(block![
        docstring("Write the place as the store knows it."),
        return_(py!(f!("{}/{}", self.organization_id, self.file_id)))
    ])
}

fn place_parse() -> FunctionDef {
    names!(cls, key, organization_id, _separator, file_id, place);
    def("parse")
        .decorator(classmethod)
        .params([untyped(cls), param(key, str)])
        .returns(py!(SELF_TYPE | None))
        .body(block![
            docstring("Read a place; what something else has put into the store has none."),
            assign(py!((organization_id, _separator, file_id)), py!(key.partition("/"))),
            try_([assign(place, py!(cls(UUID(organization_id), UUID(file_id))))])
                .except(ValueError, [return_(none())]),
            return_(py!(if place.key == key { place } else { None }))
        ])
}

fn blob_class() -> ClassDef {
    names!(place, content_type, size, sha256);
    class(Blob).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The bytes of a file, as they have to be."),
        annotate(place, Place),
        annotate(content_type, str),
        annotate(size, int),
        annotate(sha256, str)
    ])
}

fn signed_request_class() -> ClassDef {
    names!(method, url, headers, expires_at);
    class(SignedRequest).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("A request that anybody may send who knows it, for a while."),
        annotate(method, str),
        annotate(url, str),
        annotate(headers, py!(Mapping[(str, str)])),
        annotate(expires_at, datetime)
    ])
}

fn found_class() -> ClassDef {
    names!(size, sha256, content_type, start);
    class(Found).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("What the store says of a file; no type where it keeps none."),
        annotate(size, int),
        annotate(sha256, py!(str | None)),
        annotate(content_type, py!(str | None)),
        annotate(start, bytes),
        found_is_as_promised()
    ])
}

fn found_is_as_promised() -> FunctionDef {
    names!(blob);
    def("is_as_promised").params([untyped("self"), param(blob, Blob)]).returns(bool).body(block![
        docstring("Tell whether these are the bytes that were announced."),
        return_(py!(self.size == blob.size
            && self.sha256 == blob.sha256
            && in_!(self.content_type, set!(None, blob.content_type))))
    ])
}

fn storage_class() -> ClassDef {
    class(Storage).base(Protocol).body(block![
        docstring("A store of files. What it cannot do for now is a `StorageError`."),
        storage_sign_upload(),
        storage_sign_download(),
        storage_put(),
        storage_find(),
        storage_delete(),
        storage_places(),
        storage_probe()
    ])
}

fn storage_sign_upload() -> FunctionDef {
    names!(blob, lifetime);
    def("sign_upload")
        .params([untyped("self"), param(blob, Blob), param(lifetime, timedelta)])
        .returns(SignedRequest)
        .body(block![
            docstring("Let somebody store these bytes and no others."),
            do_(py!(ellipsis!()))
        ])
}

fn storage_sign_download() -> FunctionDef {
    names!(place, name, content_type, lifetime);
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
            docstring("Return an address from which a browser saves the file under a name."),
            do_(py!(ellipsis!()))
        ])
}

fn storage_put() -> FunctionDef {
    names!(blob, content);
    async_def("put")
        .params([untyped("self"), param(blob, Blob), param(content, py!(IO[bytes]))])
        .returns(none())
        .body(block![docstring("Store a file, whole or not at all."), do_(py!(ellipsis!()))])
}

fn storage_find() -> FunctionDef {
    names!(place);
    async_def("find")
        .params([untyped("self"), param(place, Place)])
        .returns(py!(Found | None))
        .body(block![docstring("Look at a file, if it is there."), do_(py!(ellipsis!()))])
}

fn storage_delete() -> FunctionDef {
    names!(place);
    async_def("delete").params([untyped("self"), param(place, Place)]).returns(none()).body(block![
        docstring("Remove a file; that it is not there is no error."),
        do_(py!(ellipsis!()))
    ])
}

fn storage_places() -> FunctionDef {
    names!(before);
    def("places")
        .params([untyped("self"), param(before, datetime)])
        .returns(py!(AsyncGenerator[(list[Place], None)]))
        .body(block![
            docstring("Name every file that was stored before a time, some at once."),
            do_(py!(ellipsis!()))
        ])
}

fn storage_probe() -> FunctionDef {
    async_def("probe").params([untyped("self")]).returns(none()).body(block![
        docstring("Find out whether a file could be stored now."),
        do_(py!(ellipsis!()))
    ])
}

fn get_storage_def() -> FunctionDef {
    names!(request, storage);
    def(get_storage).params([param(request, Request)]).returns(Storage).body(block![
        docstring("Return the store of the application."),
        ann_assign(storage, Storage, py!(request.app.state.storage)),
        return_(storage)
    ])
}
