//! `backend/app/models/feature_flag.py`: how far flags are out, where that is not as the code says.

use crate::models::base::{Base, Record};
use crate::python::builtins::{bool, int, str};
use crate::python::sqlalchemy::{Mapped, String, mapped_column};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.models.feature_flag": FeatureFlag;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.models.feature_flag")
        .docstring("How far flags are out, where that is not as the code says.")
        .body(block![feature_flag_class()])
}

fn feature_flag_class() -> ClassDef {
    names!(__tablename__, name, is_killed, rollout);
    class(FeatureFlag).base(Record).base(Base).body(block![
        docstring("What somebody decided about a flag while the application runs."),
        assign(__tablename__, "feature_flags"),
        ann_assign(name, py!(Mapped[str]), py!(mapped_column(String(64), unique = true)))
            .paragraph(),
        ann_assign(is_killed, py!(Mapped[bool]), py!(mapped_column(default = false)))
            .comment("Off for everybody, whatever else is said."),
        ann_assign(rollout, py!(Mapped[int | None]), py!(mapped_column()))
            .comment("How many payers in a hundred; none leaves it to the code.")
    ])
}
