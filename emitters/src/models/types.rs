//! `backend/app/models/types.py`: column types that mean the same on SQLite and on PostgreSQL.

use crate::migrations::columns::enum_length;
use crate::python::builtins::{TYPE, ValueError, int, isinstance, list, property, str};
use crate::python::sqlalchemy::{
    BigInteger, DateTime, Dialect, Enum, Numeric, TypeDecorator, TypeEngine,
};
use crate::python::standard::{Any, Decimal, StrEnum, UTC, datetime};
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.models.types": ENUM_LENGTH, UTCDateTime, ExactDecimal, text_enum, stored_values;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("app.models.types")
        .docstring("Column types that mean the same on SQLite and on PostgreSQL.")
        .body(block![
            assign(ENUM_LENGTH, enum_length(spec)),
            utc_date_time_class(),
            exact_decimal_class(),
            text_enum_def(),
            stored_values_def()
        ])
}

fn utc_date_time_class() -> ClassDef {
    names!(r#impl, cache_ok);
    class(UTCDateTime).base(py!(TypeDecorator[datetime])).body(block![
        docstring("A point in time; SQLite drops the zone, so it is put back on reading."),
        assign(r#impl, py!(DateTime(timezone = true))),
        assign(cache_ok, true),
        python_type(datetime),
        utc_date_time_process_bind_param(),
        utc_date_time_process_result_value()
    ])
}

fn python_type(kind: Import) -> FunctionDef {
    def("python_type")
        .decorator(property)
        .params([untyped("self")])
        .returns(py!(TYPE[kind]))
        .body(block![docstring("Tell what a value is in Python."), return_(kind)])
}

fn utc_date_time_process_bind_param() -> FunctionDef {
    names!(value, dialect);
    def("process_bind_param")
        .params([untyped("self"), param(value, py!(datetime | None)), param(dialect, Dialect)])
        .returns(py!(datetime | None))
        .body(block![
            docstring("Store in UTC; a time without a zone is a mistake of the caller."),
            if_(py!(value == None), [return_(none())]),
            if_(
                py!(value.tzinfo == None),
                [raise(py!(ValueError("A datetime without a time zone cannot be stored")))]
            ),
            return_(py!(value.astimezone(UTC)))
        ])
}

fn utc_date_time_process_result_value() -> FunctionDef {
    names!(value, dialect);
    def("process_result_value")
        .params([untyped("self"), param(value, py!(datetime | None)), param(dialect, Dialect)])
        .returns(py!(datetime | None))
        .body(block![
            docstring("Read in UTC."),
            if_(py!(value == None), [return_(none())]),
            if_(py!(value.tzinfo == None), [return_(py!(value.replace(tzinfo = UTC)))]),
            return_(py!(value.astimezone(UTC)))
        ])
}

fn exact_decimal_class() -> ClassDef {
    names!(r#impl, cache_ok);
    class(ExactDecimal).base(py!(TypeDecorator[Decimal])).body(block![
        docstring("A decimal; SQLite has none, so there it is counted in its last digit."),
        assign(r#impl, Numeric),
        assign(cache_ok, true),
        python_type(Decimal),
        exact_decimal_init(),
        exact_decimal_load_dialect_impl(),
        exact_decimal_process_bind_param(),
        exact_decimal_process_result_value()
    ])
}

fn exact_decimal_init() -> FunctionDef {
    names!(precision, scale);
    def("__init__")
        .params([untyped("self"), param(precision, int), param(scale, int)])
        .returns(none())
        .body(block![
            docstring("Take as many digits as NUMERIC(precision, scale) does."),
            do_(py!(super().__init__(precision, scale))),
            assign(py!(self.precision), precision),
            assign(py!(self.scale), scale)
        ])
}

fn exact_decimal_load_dialect_impl() -> FunctionDef {
    names!(dialect);
    def("load_dialect_impl")
        .params([untyped("self"), param(dialect, Dialect)])
        .returns(py!(TypeEngine[Any]))
        .body(block![
            docstring("Use an integer column on SQLite."),
            if_(
                py!(dialect.name == "sqlite"),
                [return_(py!(dialect.type_descriptor(BigInteger())))]
            ),
            return_(py!(dialect.type_descriptor(Numeric(self.precision, self.scale))))
        ])
}

fn exact_decimal_process_bind_param() -> FunctionDef {
    names!(value, dialect);
    def("process_bind_param")
        .params([untyped("self"), param(value, py!(Decimal | None)), param(dialect, Dialect)])
        .returns(py!(Decimal | int | None))
        .body(block![
            docstring("Move the point behind the last digit on SQLite."),
            if_(py!(value == None || dialect.name != "sqlite"), [return_(value)]),
            return_(py!(int(value.scaleb(self.scale))))
        ])
}

fn exact_decimal_process_result_value() -> FunctionDef {
    names!(value, dialect);
    def("process_result_value")
        .params([untyped("self"), param(value, py!(Decimal | int | None)), param(dialect, Dialect)])
        .returns(py!(Decimal | None))
        .body(block![
            docstring("Move the point back."),
            if_(py!(value == None || isinstance(value, Decimal)), [return_(value)]),
            return_(py!(Decimal(value).scaleb(-self.scale)))
        ])
}

fn text_enum_def() -> FunctionDef {
    names!(values);
    def(text_enum).params([param(values, py!(TYPE[StrEnum]))]).returns(Enum).body(block![
        docstring("Store an enum by value, as text, so that a new value needs no migration."),
        return_(py!(Enum(
            values,
            native_enum = false,
            create_constraint = false,
            length = ENUM_LENGTH,
            values_callable = stored_values
        )))
    ])
}

fn stored_values_def() -> FunctionDef {
    names!(values);
    def(stored_values).params([param(values, py!(TYPE[StrEnum]))]).returns(py!(list[str])).body(
        block![
            docstring("Return what is stored for each value of an enum."),
            return_(py!(list!(value.value for value in values)))
        ],
    )
}
