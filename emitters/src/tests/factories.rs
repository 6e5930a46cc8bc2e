//! `backend/tests/factories.py`: rows to start a test from, made through the API.

use crate::entity_names::joined;
use crate::python::builtins::{self, dict, list, str};
use crate::python::standard::{Any, uuid4};
use crate::services::file_reference;
use crate::spec::{
    Decimal, Entity, EntityNames, Field, FieldKind, FileType, Integer, JsonDefault, Money,
    Reference, Spec, Text,
};
use crate::tests::world::Caller;
use crate::wording::{indefinite, noun};
use astgen_pyast::make;
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.factories": Row, created, create_file, every_row;
}

/// The module; none where there is nothing to make.
#[must_use]
pub fn emit(spec: &Spec) -> Option<Module> {
    let docstring = "Rows to start a test from, made through the API.";
    let factories = |entity| [body_def(entity), create_def(entity)];
    let factories: Vec<_> = spec.entities.iter().map(factories).collect();
    (!factories.is_empty()).then(|| {
        module("tests.factories").docstring(docstring).body(block![
            assign(Row, py!(dict[(str, Any)])),
            created_def(),
            every_row_def(),
            file_reference::is_used(spec).then(create_file_def),
            factories
        ])
    })
}

/// The function that writes the body of a new row: `project_body`.
#[must_use]
pub fn body_of(entity: &EntityNames) -> Import {
    Import { name: Some(joined(entity.name.as_str(), name("body"))), ..created }
}

/// What adds a row that a reference can point at: `await create_project(caller, organization_id)`.
#[must_use]
pub fn target(
    reference: &Reference,
    caller: impl IntoExpr,
    organization_id: impl IntoExpr,
) -> Expr {
    let (caller, organization_id) = (caller.into_expr(), organization_id.into_expr());
    let Some(file) = &reference.file else {
        let create = create(&reference.to);
        return py!(create(caller, organization_id).await);
    };
    let sample = file.types.first().map(|file_type| sample_file(*file_type));
    let sample = sample.into_iter().flatten().map(arg);
    py!(create_file(caller, organization_id, ..sample).await)
}

/// A media type, and a file that is of it.
#[must_use]
pub fn sample_file(file_type: FileType) -> [Expr; 2] {
    let content: &[u8] = match file_type {
        FileType::Png => b"\x89PNG\r\n\x1a\n",
        FileType::Jpeg => b"\xff\xd8\xff",
        FileType::Gif => b"GIF89a",
        FileType::WebP => b"RIFF....WEBP",
        FileType::Pdf => b"%PDF-",
        FileType::Zip => b"PK\x03\x04",
        FileType::Mp4 => b"....ftyp",
        FileType::Mp3 => b"ID3",
        FileType::Text | FileType::Csv => b"a text",
        FileType::Json => b"{}",
    };
    [string(file_type.media_type()), bytes(content)]
}

/// The function that adds a row: `create_project`.
#[must_use]
pub fn create(entity: &EntityNames) -> Import {
    Import { name: Some(joined("create", entity.name)), ..created }
}

fn created_def() -> FunctionDef {
    names!(caller, path, body, response, row);
    async_def(created)
        .params([param(caller, Caller), param(path, str), param(body, Row)])
        .returns(Row)
        .body(block![
            docstring("Post a body and return the answer."),
            assign(response, py!(caller.post(path, body).await)),
            assert_that(py!(response.status_code == 201), py!(response.text)),
            ann_assign(row, Row, py!(response.json())),
            return_(row)
        ])
}

fn every_row_def() -> FunctionDef {
    names!(caller, path, page, rows);
    async_def(every_row)
        .params([param(caller, Caller), param(path, str)])
        .returns(py!(list[Row]))
        .body(block![
            docstring("Read a list to its end; the path has a query already."),
            assign(page, py!(caller.get(path).await.json())),
            ann_assign(rows, py!(list[Row]), py!(page["items"])),
            while_(
                py!(page["next_cursor"] != None),
                block![
                    assign(
                        page,
                        py!(caller.get(f!("{}&cursor={}", path, page["next_cursor"])).await.json())
                    ),
                    do_(py!(rows.extend(page["items"])))
                ]
            ),
            return_(rows)
        ])
}

fn create_file_def() -> FunctionDef {
    names!(caller, organization_id, content_type, content, sent, row);
    let [text, sample] = sample_file(FileType::Text);
    async_def(create_file)
        .params([
            param(caller, Caller),
            param(organization_id, str),
            param(content_type, str).default(text),
            param(content, builtins::bytes).default(sample),
        ])
        .returns(Row)
        .body(block![
            docstring("Send a file."),
            assign(
                sent,
                py!(caller
                    .http
                    .post(
                        f!("/organizations/{}/files/upload", organization_id),
                        params = dict!("name" => "a file"),
                        content = content,
                        headers = dict!(**caller.headers, "Content-Type" => content_type)
                    )
                    .await)
            ),
            assert_that(py!(sent.status_code == 201), py!(sent.text)),
            ann_assign(row, Row, py!(sent.json())),
            return_(row)
        ])
}

fn body_def(entity: &Entity) -> FunctionDef {
    names!(caller, organization_id, _caller, _organization_id);
    let title = noun(&entity.names.title);
    let value = |field: &Field| match &field.kind {
        FieldKind::Reference(reference) if !field.optional => {
            let row = target(reference, caller, organization_id);
            py!(row["id"])
        }
        _ => sample(field),
    };
    let is_needed =
        |field: &Field| !field.optional && matches!(field.kind, FieldKind::Reference(_));
    let (caller, organization_id) = match entity.fields.iter().any(is_needed) {
        true => (caller, organization_id),
        false => (_caller, _organization_id),
    };
    async_def(body_of(&entity.names))
        .params([param(caller, Caller), param(organization_id, str)])
        .returns(Row)
        .body([
            docstring(format!("Return the body of a new {title}.")),
            return_(make::dict(entity.fields.iter().map(|one| (one.column.as_str(), value(one))))),
        ])
}

fn create_def(entity: &Entity) -> FunctionDef {
    names!(caller, organization_id, body);
    let title = noun(&entity.names.title);
    let write = body_of(&entity.names);
    let path = f_string([
        string("/organizations/"),
        formatted(organization_id),
        string(format!("/{}", entity.names.path)),
    ]);
    async_def(create(&entity.names))
        .params([param(caller, Caller), param(organization_id, str)])
        .returns(Row)
        .body([
            docstring(format!("Add {}.", indefinite(&title))),
            assign(body, py!(write(caller, organization_id).await)),
            return_(py!(created(caller, path, body).await)),
        ])
}

/// A value for a field, as a request says it; another one each time where the field is unique.
#[must_use]
pub fn sample(field: &Field) -> Expr {
    let some = || py!(uuid4().hex);
    match &field.kind {
        FieldKind::Text(text) => sample_text(text, field.unique),
        FieldKind::Integer(Integer { minimum, maximum, .. }) => {
            sample_integer(1, *minimum, *maximum, field.unique)
        }
        FieldKind::Money(Money { minimum, maximum, .. }) => {
            sample_integer(1250, *minimum, *maximum, field.unique)
        }
        FieldKind::Decimal(decimal) => sample_decimal(decimal, field.unique),
        FieldKind::Boolean { .. } => py!(false),
        FieldKind::Date { .. } => string("2026-01-31"),
        FieldKind::DateTime { .. } => string("2026-01-31T12:00:00Z"),
        FieldKind::Enum(choice) => {
            choice.values.first().map_or_else(none, |one| string(&one.value))
        }
        FieldKind::Json { default: Some(JsonDefault::Array) } => py!(["value", 1, None]),
        FieldKind::Json { .. } => py!(dict!("key" => ["value", 1, None])),
        FieldKind::Uuid => py!(str(uuid4())),
        FieldKind::Email if field.unique => f_string([formatted(some()), string("@example.com")]),
        FieldKind::Email => string("somebody@example.com"),
        FieldKind::Url { .. } if field.unique => {
            f_string([string("https://example.com/"), formatted(some())])
        }
        FieldKind::Url { .. } => string("https://example.com/a-page"),
        // Required ones are made by their own factories.
        FieldKind::Reference(_) => none(),
    }
}

fn sample_text(text: &Text, unique: bool) -> Expr {
    const HEX_DIGITS: u32 = 32;
    let Text { min_length, max_length, .. } = *text;
    if unique && max_length < HEX_DIGITS {
        py!(uuid4().hex[..{ max_length }])
    } else if unique && min_length > HEX_DIGITS {
        py!(uuid4().hex.ljust({ min_length }, "x"))
    } else if unique {
        py!(uuid4().hex)
    } else {
        plain_text("a text", text)
    }
}

/// A text, or as many letters as it takes where that has not the right length.
#[must_use]
pub fn plain_text(words: &str, text: &Text) -> Expr {
    let length = u32::try_from(words.len()).unwrap_or(u32::MAX);
    match length.clamp(text.min_length, text.max_length) {
        fits if fits == length => string(words),
        fits => py!("x" * fits),
    }
}

fn sample_integer(usual: i64, minimum: i64, maximum: i64, unique: bool) -> Expr {
    const ENOUGH: i64 = 1_000_000_000;
    if !unique {
        return integer(usual.clamp(minimum, maximum));
    }
    let least = usual.clamp(minimum, maximum.saturating_sub(ENOUGH).max(minimum));
    let count = maximum.saturating_sub(least).saturating_add(1).min(ENOUGH);
    py!({ least } + uuid4().int % count)
}

fn sample_decimal(decimal: &Decimal, unique: bool) -> Expr {
    let (scale, whole) =
        (usize::from(decimal.scale), decimal.precision.saturating_sub(decimal.scale));
    let fraction = match scale {
        0 => String::new(),
        _ => format!(".{:0<scale$}", 5),
    };
    if unique && whole > 0 {
        let count = 10_i64.pow(u32::from(whole.min(9)));
        return f_string([formatted(py!(uuid4().int % count)), string(fraction)]);
    }
    let whole = ["0", "1", "12"][usize::from(whole.min(2))];
    string(format!("{whole}{fraction}"))
}
