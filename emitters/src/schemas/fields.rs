//! `backend/app/schemas/fields.py`: field types that accept what their JSON schema says, and nothing else.

use crate::core::passwords::is_common;
use crate::entity_filters::{Filter, filters};
use crate::python::builtins::{
    OverflowError, UnicodeEncodeError, ValueError, bool, dict, float, int, isinstance, list,
    object, str,
};
use crate::python::pydantic::{
    AfterValidator, AwareDatetime, BeforeValidator, Field, JsonValue, PydanticCustomError,
};
use crate::python::standard::{Annotated, Callable, Decimal, UTC, date, datetime, math, re};
use crate::spec::{FieldKind, Spec};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.schemas.fields": NO_NUL, ISO_DATE, DECIMAL, MAILBOX, LABEL, EMAIL, text_of_date,
        text_of_datetime, in_utc, whole_number, text_of_decimal, scaled, storable, uncommon,
        is_unicode, Email, Password, IsoDate, UtcDatetime, JsonObject, integer_of_text, INTEGER,
        QueryInteger, Search;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let password = &spec.auth.password;
    let filters: Vec<Filter<'_>> = spec.entities.iter().flat_map(filters).collect();
    let has_search = spec.entities.iter().any(|entity| !entity.search.is_empty());
    let has_integer = filters
        .iter()
        .any(|filter| matches!(filter.field().kind, FieldKind::Integer(_) | FieldKind::Money(_)));
    let (shortest, longest) = (u32::from(password.min_length), u32::from(password.max_length));
    module("app.schemas.fields")
        .docstring("Field types that accept what their JSON schema says, and nothing else.")
        .body(block![
            assign(NO_NUL, "^[^\\x00]*$"),
            assign(ISO_DATE, py!(re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}"))),
            assign(DECIMAL, py!(re.compile("-?[0-9]+([.][0-9]+)?"))),
            has_integer.then(|| assign(INTEGER, py!(re.compile("-?[0-9]{1,19}")))),
            assign(MAILBOX, "[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}").paragraph(),
            assign(LABEL, "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"),
            assign(EMAIL, py!(f!("^{}@{}([.]{})+$", MAILBOX, LABEL, LABEL))),
            text_of_date_def(),
            text_of_datetime_def(),
            in_utc_def(),
            whole_number_def(),
            text_of_decimal_def(),
            scaled_def(),
            storable_def(),
            uncommon_def(),
            is_unicode_def(),
            has_integer.then(integer_of_text_def),
            assign(
                Email,
                py!(Annotated
                    [(str, Field(max_length = 254, pattern = EMAIL), AfterValidator(str.lower))])
            ),
            assign(
                Password,
                py!(Annotated[(
                    str,
                    Field(min_length = shortest, max_length = longest, pattern = NO_NUL),
                    AfterValidator(uncommon)
                )])
            ),
            assign(IsoDate, py!(Annotated[(date, BeforeValidator(text_of_date))])),
            assign(
                UtcDatetime,
                py!(Annotated
                    [(AwareDatetime, BeforeValidator(text_of_datetime), AfterValidator(in_utc))])
            ),
            assign(JsonObject, py!(Annotated[(dict[(str, JsonValue)], AfterValidator(storable))])),
            has_integer.then(|| assign(
                QueryInteger,
                py!(Annotated[(int, BeforeValidator(integer_of_text))])
            )),
            has_search.then(|| assign(
                Search,
                py!(Annotated[(str, Field(min_length = 1, max_length = 100, pattern = NO_NUL))])
            ))
        ])
}

fn text_of_date_def() -> FunctionDef {
    names!(value);
    def(text_of_date).params([param(value, object)]).returns(object).body(block![
        docstring("Accept a date as text only: Pydantic would take a number for a timestamp."),
        if_(py!(isinstance(value, str) && ISO_DATE.fullmatch(value)), [return_(value)]),
        raise(py!(ValueError("a date is written as YYYY-MM-DD")))
    ])
}

fn text_of_datetime_def() -> FunctionDef {
    names!(value);
    def(text_of_datetime).params([param(value, object)]).returns(object).body(block![
        docstring("Accept a time as text only: Pydantic would take a number for a timestamp."),
        if_(py!(isinstance(value, str) && ISO_DATE.r#match(value)), [return_(value)]),
        raise(py!(ValueError("a time is written as in RFC 3339")))
    ])
}

fn in_utc_def() -> FunctionDef {
    names!(value);
    def(in_utc).params([param(value, datetime)]).returns(datetime).body(block![
        docstring("Convert to UTC, where the calendar reaches that far."),
        try_([return_(py!(value.astimezone(UTC)))]).except(
            OverflowError,
            [raise_from(py!(ValueError("the time is out of range")), none())]
        )
    ])
}

fn whole_number_def() -> FunctionDef {
    names!(value);
    def(whole_number).params([param(value, object)]).returns(object).body(block![
        docstring("Accept 4.0 where an integer is due: in JSON it is one."),
        if_(py!(isinstance(value, float) && value.is_integer()), [return_(py!(int(value)))]),
        return_(value)
    ])
}

fn text_of_decimal_def() -> FunctionDef {
    names!(value);
    def(text_of_decimal).params([param(value, object)]).returns(object).body(block![
        docstring("Accept a decimal as text only: a JSON number would be rounded on its way."),
        if_(py!(isinstance(value, str) && DECIMAL.fullmatch(value)), [return_(value)]),
        raise(py!(ValueError("a decimal is written as text, such as 12.50")))
    ])
}

fn scaled_def() -> FunctionDef {
    names!(scale, unit, quantize);
    def(scaled).params([param(scale, int)]).returns(py!(Callable[([Decimal], Decimal)])).body(
        block![
            docstring("Write a decimal with all of its digits behind the point."),
            assign(unit, py!(Decimal(1).scaleb(-scale))),
            {
                names!(value);
                def(quantize)
                    .params([param(value, Decimal)])
                    .returns(Decimal)
                    .body([return_(py!(value.quantize(unit)))])
            },
            return_(quantize)
        ],
    )
}

fn storable_def() -> FunctionDef {
    names!(value, remaining, item);
    def(storable)
        .params([param(value, py!(dict[(str, JsonValue)]))])
        .returns(py!(dict[(str, JsonValue)]))
        .body(block![
            docstring("Refuse numbers and texts that an answer could not hold."),
            ann_assign(remaining, py!(list[JsonValue]), py!([value])),
            while_(
                remaining,
                block![
                    assign(item, py!(remaining.pop())),
                    if_(
                        py!(isinstance(item, dict)),
                        block![
                            do_(py!(remaining.extend(item.keys()))),
                            do_(py!(remaining.extend(item.values())))
                        ]
                    )
                    .elif(py!(isinstance(item, list)), [do_(py!(remaining.extend(item)))])
                    .elif(
                        py!(isinstance(item, float) && !math.isfinite(item)),
                        [raise(py!(ValueError("a number is out of range")))]
                    )
                    .elif(
                        py!(isinstance(item, str) && !is_unicode(item)),
                        [raise(py!(ValueError("a text has half a character")))]
                    )
                ]
            ),
            return_(value)
        ])
}

fn uncommon_def() -> FunctionDef {
    names!(password);
    def(uncommon).params([param(password, str)]).returns(str).body(block![
        docstring("Refuse a password that anyone would guess."),
        if_(
            py!(is_common(password)),
            [raise(py!(PydanticCustomError("common_password", "this password is too common")))]
        ),
        return_(password)
    ])
}

fn is_unicode_def() -> FunctionDef {
    names!(text);
    def(is_unicode).params([param(text, str)]).returns(bool).body(block![
        docstring("Tell whether a text can be encoded: JSON can name half of a surrogate pair."),
        try_([do_(py!(text.encode()))]).except(UnicodeEncodeError, [return_(false)]),
        return_(true)
    ])
}

fn integer_of_text_def() -> FunctionDef {
    names!(value);
    def(integer_of_text).params([param(value, object)]).returns(object).body(block![
        docstring("Accept digits in a query: Pydantic would take spaces and underscores too."),
        if_(py!(isinstance(value, str) && INTEGER.fullmatch(value)), [return_(py!(int(value)))]),
        raise(py!(ValueError("a whole number is written in digits")))
    ])
}
