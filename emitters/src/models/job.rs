//! `backend/app/models/job.py`: jobs: work that was asked for, and what became of it.

use crate::models::base::{Base, Record};
use crate::models::types::{UTCDateTime, text_enum};
use crate::python::builtins::{dict, int, str};
use crate::python::sqlalchemy::{ForeignKey, Index, JSON, Mapped, String, Text, mapped_column};
use crate::python::standard::{Any, StrEnum, UUID, datetime};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.models.job": JobStatus, Job;
}

/// The module.
#[must_use]
pub fn emit(is_traced: bool) -> Module {
    module("app.models.job")
        .docstring("Jobs: work that was asked for, and what became of it.")
        .body(block![job_status_class(), job_class(is_traced)])
}

fn job_status_class() -> ClassDef {
    names!(QUEUED, RUNNING, SUCCEEDED, DEAD, CANCELED);
    class(JobStatus).base(StrEnum).body(block![
        docstring("Where a job stands."),
        assign(QUEUED, "queued"),
        assign(RUNNING, "running"),
        assign(SUCCEEDED, "succeeded"),
        assign(DEAD, "dead"),
        assign(CANCELED, "canceled")
    ])
}

fn job_class(is_traced: bool) -> ClassDef {
    names!(
        __tablename__,
        __table_args__,
        organization_id,
        kind,
        payload,
        status,
        attempts,
        max_attempts,
        run_at,
        dispatched_at,
        leased_until,
        finished_at,
        error,
        request_id,
        traceparent,
        unique_key
    );
    class(Job).base(Record).base(Base).body(block![
        docstring("A job. The row is the job; a queue only carries its id."),
        assign(__tablename__, "jobs"),
        assign(
            __table_args__,
            py!((
                Index(None, "status", "run_at"),
                Index(None, "organization_id", "created_at", "id")
            ))
        ),
        ann_assign(
            organization_id,
            py!(Mapped[UUID | None]),
            py!(mapped_column(ForeignKey("organizations.id", ondelete = "CASCADE")))
        )
        .paragraph(),
        ann_assign(kind, py!(Mapped[str]), py!(mapped_column(String(64)))),
        ann_assign(payload, py!(Mapped[dict[(str, Any)]]), py!(mapped_column(JSON))),
        ann_assign(
            status,
            py!(Mapped[JobStatus]),
            py!(mapped_column(text_enum(JobStatus), default = JobStatus.QUEUED))
        ),
        ann_assign(attempts, py!(Mapped[int]), py!(mapped_column(default = 0))),
        annotate(max_attempts, py!(Mapped[int])),
        ann_assign(run_at, py!(Mapped[datetime]), py!(mapped_column(UTCDateTime))),
        ann_assign(dispatched_at, py!(Mapped[datetime | None]), py!(mapped_column(UTCDateTime))),
        ann_assign(leased_until, py!(Mapped[datetime | None]), py!(mapped_column(UTCDateTime))),
        ann_assign(finished_at, py!(Mapped[datetime | None]), py!(mapped_column(UTCDateTime))),
        ann_assign(error, py!(Mapped[str | None]), py!(mapped_column(Text))),
        ann_assign(request_id, py!(Mapped[str]), py!(mapped_column(String(64)))),
        is_traced.then(|| ann_assign(
            traceparent,
            py!(Mapped[str | None]),
            py!(mapped_column(String(55)))
        )
        .comment("What asked for it, as the header of W3C Trace Context has it.")),
        ann_assign(
            unique_key,
            py!(Mapped[str | None]),
            py!(mapped_column(String(128), unique = true))
        )
    ])
}
