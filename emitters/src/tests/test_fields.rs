//! `backend/tests/test_fields.py`: field types.

use crate::python::builtins::{chr, float, object, str};
use crate::python::pydantic::{BaseModel, BeforeValidator, StrictInt, ValidationError};
use crate::python::pytest::pytest;
use crate::python::standard::Annotated;
use crate::schemas::fields::{Email, IsoDate, JsonObject, UtcDatetime, whole_number};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_fields": HALF, Fields;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("tests.test_fields").docstring("Field types.").body(block![
        assign(HALF, py!(chr(0xD800))),
        fields_class(),
        test_what_is_accepted(),
        test_a_document_is_kept_as_it_is(),
        test_what_is_refused(),
        test_half_a_character_is_refused()
    ])
}

fn fields_class() -> ClassDef {
    names!(email, number, date, time, document);
    class(Fields).base(BaseModel).body(block![
        docstring("One field of each type."),
        ann_assign(email, Email, "ada@example.com"),
        ann_assign(number, py!(Annotated[(StrictInt, BeforeValidator(whole_number))]), 1),
        ann_assign(date, py!(IsoDate | None), none()),
        ann_assign(time, py!(UtcDatetime | None), none()),
        ann_assign(document, py!(JsonObject | None), none())
    ])
}

fn test_what_is_accepted() -> FunctionDef {
    names!(name, sent, read, fields);
    def("test_what_is_accepted")
        .decorator(py!(pytest.mark.parametrize(
            ("name", "sent", "read"),
            [
                ("email", "Ada@Example.com", "ada@example.com"),
                ("email", "a.b+c@sub.example.co", "a.b+c@sub.example.co"),
                ("email", "o'brien@example.com", "o'brien@example.com"),
                ("number", 4, 4),
                ("number", 4.0, 4),
                ("date", "2026-01-31", "2026-01-31"),
                ("time", "2026-01-31T12:00:00+02:00", "2026-01-31T10:00:00Z"),
                ("time", "2026-01-31T12:00:00.123456Z", "2026-01-31T12:00:00.123456Z")
            ]
        )))
        .params([param(name, str), param(sent, object), param(read, object)])
        .returns(none())
        .body(block![
            assign(fields, py!(Fields.model_validate(dict!(name => sent)))),
            assert_(py!(fields.model_dump(mode = "json")[name] == read))
        ])
}

fn test_a_document_is_kept_as_it_is() -> FunctionDef {
    names!(document);
    def("test_a_document_is_kept_as_it_is").returns(none()).body(block![
        assign(document, py!(dict!("a" => [1, 1.5, None, true, dict!("b" => "\u{0}")]))),
        assert_(py!(Fields.model_validate(dict!("document" => document)).document == document))
    ])
}

fn test_what_is_refused() -> FunctionDef {
    names!(name, sent);
    def("test_what_is_refused")
        .decorator(py!(pytest.mark.parametrize(
            ("name", "sent"),
            [
                ("email", "ada@example"),
                ("email", "ada@example.com\n"),
                ("email", "a" * 243 + "@example.com"),
                ("number", 4.5),
                ("number", "4"),
                ("number", true),
                ("number", float("inf")),
                ("date", 0),
                ("date", "1"),
                ("date", "2026-02-30"),
                ("date", "2026-01-31T12:00:00"),
                ("time", 0),
                ("time", "1"),
                ("time", "2026-01-31T12:00:00"),
                ("time", "0001-01-01T00:00:00+14:00"),
                ("time", "9999-12-31T23:59:59-14:00"),
                ("document", []),
                ("document", dict!("a" => [float("inf")])),
                ("document", dict!("a" => dict!("b" => float("nan"))))
            ]
        )))
        .params([param(name, str), param(sent, object)])
        .returns(none())
        .body(with(
            py!(pytest.raises(ValidationError)),
            [do_(py!(Fields.model_validate(dict!(name => sent))))],
        ))
}

fn test_half_a_character_is_refused() -> FunctionDef {
    names!(document);
    def("test_half_a_character_is_refused").returns(none()).body(block![
        for_(
            document,
            py!((dict!("a" => HALF), dict!(HALF => "a"))),
            with(
                py!(pytest.raises(ValidationError)),
                [do_(py!(Fields.model_validate(dict!("document" => document))))]
            )
        ),
        with(
            py!(pytest.raises(ValidationError)),
            [do_(py!(Fields.model_validate(dict!("email" => f!("{}@example.com", HALF)))))]
        )
    ])
}
