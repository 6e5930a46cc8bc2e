//! `backend/app/schemas/comment.py`: requests and responses about comments.

use crate::python::builtins::str;
use crate::python::pydantic::Field;
use crate::python::standard::{Annotated, UUID, datetime};
use crate::schemas::base::{Page, RequestModel, ResponseModel, absent};
use crate::schemas::fields::NO_NUL;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.schemas.comment": CommentBody, CommentCreate, CommentUpdate, CommentRead, CommentPage;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.schemas.comment").docstring("Requests and responses about comments.").body(block![
        assign(
            CommentBody,
            py!(Annotated[(str, Field(min_length = 1, max_length = 5000, pattern = NO_NUL))])
        ),
        comment_create_class(),
        comment_update_class(),
        comment_read_class(),
        comment_page_class()
    ])
}

fn comment_create_class() -> ClassDef {
    names!(task_id, body);
    class(CommentCreate).base(RequestModel).body(block![
        docstring("A new comment."),
        annotate(task_id, UUID),
        annotate(body, CommentBody)
    ])
}

fn comment_update_class() -> ClassDef {
    names!(task_id, body);
    class(CommentUpdate).base(RequestModel).body(block![
        docstring("A change of a comment; what is left out stays as it is."),
        ann_assign(task_id, UUID, py!(Field(default_factory = absent))),
        ann_assign(body, CommentBody, py!(Field(default_factory = absent)))
    ])
}

fn comment_read_class() -> ClassDef {
    names!(id, created_at, updated_at, task_id, body);
    class(CommentRead).base(ResponseModel).body(block![
        docstring("A comment."),
        annotate(id, UUID),
        annotate(created_at, datetime),
        annotate(updated_at, datetime),
        annotate(task_id, UUID),
        annotate(body, str)
    ])
}

fn comment_page_class() -> ClassDef {
    class(CommentPage)
        .base(py!(Page[CommentRead]))
        .body(block![docstring("A part of the list of comments.")])
}
