//! `backend/app/schemas/file.py`: requests and responses about files.

use crate::core::file_types::{FileType, MAX_FILE_BYTES, MAX_NAME_LENGTH};
use crate::python::builtins::{dict, int, str};
use crate::python::pydantic::{BeforeValidator, Field, StrictInt};
use crate::python::standard::{Annotated, UUID, datetime};
use crate::schemas::base::{Page, RequestModel, ResponseModel};
use crate::schemas::fields::{NO_NUL, whole_number};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.schemas.file": FileName, FileSize, Digest, FileCreate, FileRead, SignedUpload, FilePage;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.schemas.file").docstring("Requests and responses about files.").body(block![
        assign(
            FileName,
            py!(Annotated
                [(str, Field(min_length = 1, max_length = MAX_NAME_LENGTH, pattern = NO_NUL))])
        ),
        assign(
            FileSize,
            py!(Annotated
                [(StrictInt, Field(ge = 0, le = MAX_FILE_BYTES), BeforeValidator(whole_number))])
        ),
        assign(Digest, py!(Annotated[(str, Field(pattern = "^[0-9a-f]{64}$"))])),
        file_create_class(),
        file_read_class(),
        signed_upload_class(),
        file_page_class()
    ])
}

fn file_create_class() -> ClassDef {
    names!(name, content_type, size, sha256);
    class(FileCreate).base(RequestModel).body(block![
        docstring("A file that the client will send to the store."),
        annotate(name, FileName),
        annotate(content_type, FileType),
        annotate(size, FileSize),
        annotate(sha256, Digest)
    ])
}

fn file_read_class() -> ClassDef {
    names!(id, created_at, name, content_type, size, sha256, uploader_id);
    class(FileRead).base(ResponseModel).body(block![
        docstring("A file."),
        annotate(id, UUID),
        annotate(created_at, datetime),
        annotate(name, str),
        annotate(content_type, str),
        annotate(size, int),
        annotate(sha256, py!(str | None)),
        annotate(uploader_id, py!(UUID | None))
    ])
}

fn signed_upload_class() -> ClassDef {
    names!(file, method, url, headers, expires_at);
    class(SignedUpload).base(ResponseModel).body(block![
        docstring("A file to come, and the request that brings it."),
        annotate(file, FileRead),
        annotate(method, str),
        annotate(url, str),
        annotate(headers, py!(dict[(str, str)])),
        annotate(expires_at, datetime)
    ])
}

fn file_page_class() -> ClassDef {
    class(FilePage).base(py!(Page[FileRead])).body([docstring("A part of the list of files.")])
}
