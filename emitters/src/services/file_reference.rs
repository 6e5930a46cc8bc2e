//! `backend/app/services/file_reference.py`: what the fields take that point at stored files.

use crate::core::errors::{ConflictError, raise_reference_missing};
use crate::core::file_types::{self, FileType};
use crate::models::stored_file::{FileStatus, StoredFile};
use crate::python::builtins::{frozenset, int};
use crate::python::sqlalchemy::AsyncSession;
use crate::python::standard::{UUID, dataclass};
use crate::spec::{Field, FieldKind, File, Spec};
use astgen_pyast::make;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.file_reference": FileRule, require_file;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.services.file_reference")
        .docstring("What the fields take that point at stored files.")
        .body(block![file_rule_class(), require_file_def()])
}

/// Whether any field of a spec points at a file.
#[must_use]
pub fn is_used(spec: &Spec) -> bool {
    let mut fields = spec.entities.iter().flat_map(|entity| &entity.fields);
    fields.any(|field| file_of(field).is_some())
}

/// What a field takes, if it points at a file.
#[must_use]
pub fn file_of(field: &Field) -> Option<&File> {
    match &field.kind {
        FieldKind::Reference(reference) => reference.file.as_ref(),
        _ => None,
    }
}

/// The constant with what a field takes: `MANUAL_FILE`.
#[must_use]
pub fn rule_name(field: &Field) -> Name {
    let name = field.name.as_str().to_ascii_uppercase();
    Name::parse(&format!("{name}_FILE")).unwrap_or(field.name)
}

/// `MANUAL_FILE = FileRule(10000000, frozenset({FileType.PDF}))`
#[must_use]
pub fn rule(field: &Field, file: &File) -> Stmt {
    let types = (!file.types.is_empty()).then(|| {
        let types = make::set(file.types.iter().map(|one| file_types::member(*one)));
        arg(py!(frozenset(types)))
    });
    let max_bytes = file.max_size;
    assign(rule_name(field), py!(FileRule(max_bytes, ..types)))
}

fn file_rule_class() -> ClassDef {
    names!(max_bytes, types);
    class(FileRule).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The files that a field takes."),
        annotate(max_bytes, int),
        ann_assign(types, py!(frozenset[FileType]), py!(frozenset(FileType)))
    ])
}

fn require_file_def() -> FunctionDef {
    names!(session, file_id, rule, file);
    async_def(require_file)
        .params([param(session, AsyncSession), param(file_id, UUID), param(rule, FileRule)])
        .returns(none())
        .body(block![
            docstring("Refuse a file that the tenant does not have, or a field does not take."),
            assign(file, py!(session.get(StoredFile, file_id).await)),
            if_(
                py!(file == None || is_not!(file.status, FileStatus.STORED)),
                [raise_reference_missing("file")]
            ),
            if_(
                py!(file.size > rule.max_bytes),
                [raise(py!(ConflictError(
                    f!("The file has more than {} bytes.", rule.max_bytes),
                    code = "file_too_large"
                )))]
            ),
            if_(
                py!(not_in!(file.content_type, rule.types)),
                [raise(py!(ConflictError(
                    f!("A file of the type {} is not taken here.", file.content_type),
                    code = "wrong_file_type"
                )))]
            )
        ])
}
