//! `backend/app/models/stored_file.py`: files: what is known of them; their bytes are in the store.

use crate::models::base::{Base, Versioned};
use crate::models::types::{UTCDateTime, text_enum};
use crate::python::builtins::{int, str};
use crate::python::sqlalchemy::{
    BigInteger, ForeignKey, Index, Mapped, String, UniqueConstraint, mapped_column,
};
use crate::python::standard::{StrEnum, UUID, datetime};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.models.stored_file": FileStatus, StoredFile;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.models.stored_file")
        .docstring("Files: what is known of them; their bytes are in the store.")
        .body(block![file_status_class(), stored_file_class()])
}

fn file_status_class() -> ClassDef {
    names!(PENDING, STORED);
    class(FileStatus).base(StrEnum).body(block![
        docstring("Whether the bytes of a file are there."),
        assign(PENDING, "pending"),
        assign(STORED, "stored")
    ])
}

fn stored_file_class() -> ClassDef {
    names!(
        __tablename__,
        __table_args__,
        uploader_id,
        name,
        content_type,
        size,
        sha256,
        status,
        expires_at
    );
    class(StoredFile).base(Versioned).base(Base).body(block![
        docstring(
            "A file of an organization.\n\
             \n\
             While it is pending, its size is what it may become. Nothing in the store is called\n\
             by the name that a person gave."
        ),
        assign(__tablename__, "files"),
        assign(
            __table_args__,
            py!((
                UniqueConstraint("organization_id", "id"),
                Index(None, "organization_id", "created_at", "id"),
                Index(None, "uploader_id")
            ))
        ),
        ann_assign(
            uploader_id,
            py!(Mapped[UUID | None]),
            py!(mapped_column(ForeignKey("users.id", ondelete = "SET NULL")))
        )
        .paragraph(),
        ann_assign(name, py!(Mapped[str]), py!(mapped_column(String(255)))),
        ann_assign(content_type, py!(Mapped[str]), py!(mapped_column(String(127)))),
        ann_assign(size, py!(Mapped[int]), py!(mapped_column(BigInteger))),
        ann_assign(sha256, py!(Mapped[str | None]), py!(mapped_column(String(64)))),
        ann_assign(
            status,
            py!(Mapped[FileStatus]),
            py!(mapped_column(text_enum(FileStatus), default = FileStatus.PENDING))
        ),
        ann_assign(expires_at, py!(Mapped[datetime | None]), py!(mapped_column(UTCDateTime)))
    ])
}
