//! `backend/app/models/base.py`: what every table has in common.

use crate::models::types::UTCDateTime;
use crate::python::sqlalchemy::{DeclarativeBase, ForeignKey, Mapped, MetaData, mapped_column};
use crate::python::standard::{UTC, UUID, datetime, uuid4};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.models.base": utcnow, Base, Record, TenantScoped;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.models.base").docstring("What every table has in common.").body(block![
        utcnow_def(),
        base_class(),
        record_class(),
        tenant_scoped_class()
    ])
}

fn utcnow_def() -> FunctionDef {
    def(utcnow)
        .returns(datetime)
        .body(block![docstring("Return the current time in UTC."), return_(py!(datetime.now(UTC)))])
}

fn base_class() -> ClassDef {
    names!(metadata);
    class(Base).base(DeclarativeBase).body(block![docstring("The base of every model."), assign(metadata, py!(MetaData(naming_convention = dict!("pk" => "pk_%(table_name)s", "fk" => "fk_%(table_name)s_%(column_0_N_name)s", "uq" => "uq_%(table_name)s_%(column_0_N_name)s", "ix" => "ix_%(table_name)s_%(column_0_N_name)s"))))])
}

fn record_class() -> ClassDef {
    names!(id, created_at, updated_at);
    class(Record).body(block![
        docstring("A row with a random key that knows when it was made and changed."),
        ann_assign(id, py!(Mapped[UUID]), py!(mapped_column(primary_key = true, default = uuid4))),
        ann_assign(
            created_at,
            py!(Mapped[datetime]),
            py!(mapped_column(UTCDateTime, default = utcnow))
        ),
        ann_assign(
            updated_at,
            py!(Mapped[datetime]),
            py!(mapped_column(UTCDateTime, default = utcnow, onupdate = utcnow))
        )
    ])
}

fn tenant_scoped_class() -> ClassDef {
    names!(organization_id);
    class(TenantScoped).base(Record).body(block![
        docstring("A row that belongs to one organization and is invisible to every other."),
        ann_assign(
            organization_id,
            py!(Mapped[UUID]),
            py!(mapped_column(ForeignKey("organizations.id", ondelete = "CASCADE")))
        )
    ])
}
