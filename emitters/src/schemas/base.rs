//! `backend/app/schemas/base.py`: what the shapes of requests and of responses have in common.

use crate::python::builtins::{int, list, str};
use crate::python::pydantic::{BaseModel, ConfigDict};
use crate::python::standard::{Any, Callable, Generic, TypeVar};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.schemas.base": ItemT, RequestModel, ResponseModel, Page, nothing, absent;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.schemas.base")
        .docstring("What the shapes of requests and of responses have in common.")
        .body(block![
            assign(ItemT, py!(TypeVar("ItemT"))),
            request_model_class(),
            response_model_class(),
            page_class(),
            nothing_def(),
            ann_assign(absent, py!(Callable[([], Any)]), nothing)
                .comment(
                    "Stands in for a field that a change leaves out, whatever its type: read \
                         a change with"
                )
                .comment(
                    "`model_dump(exclude_unset=True)`, which holds what was sent and null \
                         only where the"
                )
                .comment("field may be null.")
        ])
}

fn request_model_class() -> ClassDef {
    names!(model_config);
    class(RequestModel).base(BaseModel).body(block![
        docstring("A body that is refused when it has a field that nobody reads."),
        assign(model_config, py!(ConfigDict(extra = "forbid")))
    ])
}

fn response_model_class() -> ClassDef {
    names!(model_config);
    class(ResponseModel).base(BaseModel).body(block![
        docstring("An answer that is read from the attributes of a row."),
        assign(model_config, py!(ConfigDict(from_attributes = true)))
    ])
}

fn page_class() -> ClassDef {
    names!(items, next_cursor, total);
    class(Page).base(ResponseModel).base(py!(Generic[ItemT])).body(block![
        docstring("A part of a list."),
        annotate(items, py!(list[ItemT])),
        annotate(next_cursor, py!(str | None)),
        ann_assign(total, py!(int | None), none())
            .comment("What the whole list has, if somebody asked for it.")
    ])
}

fn nothing_def() -> FunctionDef {
    def(nothing).returns(none()).body(block![docstring("Return nothing.")])
}
