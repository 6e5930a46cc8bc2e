//! `backend/app/models/base.py`: what every table has in common.

use crate::models::types::UTCDateTime;
use crate::python::builtins::{dict, int, str};
use crate::python::sqlalchemy::{DeclarativeBase, ForeignKey, Mapped, MetaData, mapped_column};
use crate::python::standard::{Any, ClassVar, UTC, UUID, datetime, uuid4};
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.models.base": utcnow, Base, Entry, Record, Audited, TenantScoped, Versioned, SoftDeletable;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let has_trash = spec.has_soft_delete();
    module("app.models.base").docstring("What every table has in common.").body(block![
        utcnow_def(),
        base_class(),
        entry_class(),
        record_class(),
        audited_class(),
        tenant_scoped_class(),
        versioned_class(),
        has_trash.then(soft_deletable_class)
    ])
}

fn utcnow_def() -> FunctionDef {
    def(utcnow)
        .returns(datetime)
        .body(block![docstring("Return the current time in UTC."), return_(py!(datetime.now(UTC)))])
}

fn base_class() -> ClassDef {
    names!(metadata);
    class(Base).base(DeclarativeBase).body(block![
        docstring("The base of every model."),
        assign(
            metadata,
            py!(MetaData(
                naming_convention = dict!(
                    "pk" => "pk_%(table_name)s",
                    "fk" => "fk_%(table_name)s_%(column_0_N_name)s",
                    "uq" => "uq_%(table_name)s_%(column_0_N_name)s",
                    "ix" => "ix_%(table_name)s_%(column_0_N_name)s"
                )
            )),
        )
    ])
}

fn entry_class() -> ClassDef {
    names!(id, created_at);
    class(Entry).body(block![
        docstring("A row with a random key that knows when it was made."),
        ann_assign(id, py!(Mapped[UUID]), py!(mapped_column(primary_key = true, default = uuid4))),
        ann_assign(
            created_at,
            py!(Mapped[datetime]),
            py!(mapped_column(UTCDateTime, default = utcnow))
        )
    ])
}

fn record_class() -> ClassDef {
    names!(updated_at);
    class(Record).base(Entry).body(block![
        docstring("A row that also knows when it was changed."),
        ann_assign(
            updated_at,
            py!(Mapped[datetime]),
            py!(mapped_column(UTCDateTime, default = utcnow, onupdate = utcnow))
        )
    ])
}

fn audited_class() -> ClassDef {
    class(Audited)
        .base(Record)
        .body(block![docstring("A row whose changes are written down in the audit log.")])
}

fn tenant_scoped_class() -> ClassDef {
    names!(organization_id);
    class(TenantScoped).base(Entry).body(block![
        docstring("A row that belongs to one organization and is invisible to every other."),
        ann_assign(
            organization_id,
            py!(Mapped[UUID]),
            py!(mapped_column(ForeignKey("organizations.id", ondelete = "CASCADE")))
        )
    ])
}

fn versioned_class() -> ClassDef {
    names!(row_version, __mapper_args__);
    class(Versioned).base(Audited).base(TenantScoped).body(block![
        docstring("A row of a tenant that counts its changes, so that none is made unseen."),
        ann_assign(row_version, py!(Mapped[int]), py!(mapped_column())),
        ann_assign(
            __mapper_args__,
            py!(ClassVar[dict[(str, Any)]]),
            py!(dict!("version_id_col" => row_version))
        )
    ])
}

fn soft_deletable_class() -> ClassDef {
    names!(deleted_at);
    class(SoftDeletable).base(Versioned).body(block![
        docstring("A row that is hidden when it is deleted, until it is restored or purged."),
        ann_assign(deleted_at, py!(Mapped[datetime | None]), py!(mapped_column(UTCDateTime)))
    ])
}
