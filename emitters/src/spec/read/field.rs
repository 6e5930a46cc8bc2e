//! `[entities.….fields]`.

use super::address::WebAddress;
use super::billing::CurrencyCode;
use super::quantity::Size;
use super::scalar::{DateOrToday, EmptyJson, decimal};
use super::services::MAX_FILE_SIZE;
use super::shape::{Boolean, Choice, Line, List, Shape, Whole, unknown_word};
use super::table::{Placed, Table};
use crate::spec::error::{Place, Problem, SpecError, quoted};
use crate::spec::{
    DateTimeDefault, EnumValue, FieldKind, FileType, Integer, Money, OnDelete, Text, text,
};
use astgen_pyast::Name;
use std::collections::HashMap;
use std::ops::RangeInclusive;

/// A field before the other entities are known.
#[derive(Debug)]
pub struct RawField {
    pub title: Option<String>,
    pub description: String,
    pub optional: bool,
    pub unique: bool,
    pub index: bool,
    pub kind: RawKind,
}

/// A type; references and the classes of enums are still to be resolved.
#[derive(Debug)]
pub enum RawKind {
    Done(FieldKind),
    Enum { values: Vec<EnumValue>, default: Option<EnumValue> },
    Reference { to: Placed<String>, on_delete: OnDelete },
    File(RawFile),
}

/// A stored file, before it is known what the storage takes.
#[derive(Debug)]
pub struct RawFile {
    pub place: Place,
    pub max_size: Option<Placed<u64>>,
    pub types: Vec<FileType>,
    pub on_delete: OnDelete,
}

/// The types of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Integer,
    Decimal,
    Boolean,
    Date,
    DateTime,
    Enum,
    Json,
    Uuid,
    Email,
    Url,
    Money,
    Reference,
    File,
}

/// The types by name.
pub const KINDS: &[(&str, Kind)] = &[
    ("text", Kind::Text),
    ("integer", Kind::Integer),
    ("decimal", Kind::Decimal),
    ("boolean", Kind::Boolean),
    ("date", Kind::Date),
    ("datetime", Kind::DateTime),
    ("enum", Kind::Enum),
    ("json", Kind::Json),
    ("uuid", Kind::Uuid),
    ("email", Kind::Email),
    ("url", Kind::Url),
    ("money", Kind::Money),
    ("reference", Kind::Reference),
    ("file", Kind::File),
];

const ON_DELETE: &[(&str, OnDelete)] = &[
    ("cascade", OnDelete::Cascade),
    ("restrict", OnDelete::Restrict),
    ("set_null", OnDelete::SetNull),
];

/// A row cannot outlive a file that it needs, and no file takes rows with it.
const ON_DELETE_OF_FILE: &[(&str, OnDelete)] =
    &[("restrict", OnDelete::Restrict), ("set_null", OnDelete::SetNull)];

const FILE_TYPES: [(&str, FileType); FileType::ALL.len()] = {
    let mut types = [("", FileType::Text); FileType::ALL.len()];
    let mut place = 0;
    while place < types.len() {
        let file_type = FileType::ALL[place];
        types[place] = (file_type.media_type(), file_type);
        place += 1;
    }
    types
};

const MOMENTS: &[(&str, DateTimeDefault)] = &[("now", DateTimeDefault::Now)];

/// A mebicharacter: more belongs in a file.
const MAX_TEXT: u32 = 1_048_576;

/// A default stands in the code.
const MAX_DEFAULT_TEXT: usize = 10_000;

/// What JavaScript clients can count in whole units of the smallest coin.
const MOST_MONEY: i64 = 9_007_199_254_740_991;

/// PostgreSQL takes index rows of at most 2,704 bytes, and a character has up to four.
const LONGEST_INDEXED: u32 = 640;

/// Reads a field of some type.
pub fn field(kind: Kind, table: &mut Table<'_>) -> Option<RawField> {
    let title = table.optional(
        "title",
        "What people read. By default the name with spaces.",
        Line(1..=120),
    );
    let description = table.or(
        "description",
        "One sentence for the documentation.",
        Line(0..=500),
        String::new(),
    );
    let optional = table.or("optional", "Whether it may be missing.", Boolean, false);
    let unique = table.or(
        "unique",
        "Whether no two rows of one organization have the same value.",
        Boolean,
        false,
    );
    let index = table.or("index", "Whether the database keeps an index of it.", Boolean, false);

    let raw = match kind {
        Kind::Text => text(table).map(FieldKind::Text).map(RawKind::Done),
        Kind::Integer => integer(table).map(FieldKind::Integer).map(RawKind::Done),
        Kind::Decimal => decimal(table).map(FieldKind::Decimal).map(RawKind::Done),
        Kind::Boolean => Some(RawKind::Done(boolean(table))),
        Kind::Date => Some(RawKind::Done(date(table))),
        Kind::DateTime => Some(RawKind::Done(datetime(table))),
        Kind::Enum => choice(table),
        Kind::Json => Some(RawKind::Done(json(table))),
        Kind::Uuid => Some(RawKind::Done(FieldKind::Uuid)),
        Kind::Email => Some(RawKind::Done(FieldKind::Email)),
        Kind::Url => Some(RawKind::Done(url(table))),
        Kind::Money => money(table).map(FieldKind::Money).map(RawKind::Done),
        Kind::Reference => reference(optional, table),
        Kind::File => Some(RawKind::File(file(optional, table))),
    };
    if unique || index {
        check_indexed(raw.as_ref(), table);
    }
    Some(RawField {
        title: title.map(|title| title.value),
        description,
        optional,
        unique,
        index,
        kind: raw?,
    })
}

fn text(table: &mut Table<'_>) -> Option<Text> {
    let min_length = table.optional(
        "min_length",
        "The fewest characters. By default 1, or 0 where the default is empty.",
        Whole(0..=MAX_TEXT),
    );
    let max_length =
        table.optional("max_length", "The most characters. By default 255.", Whole(1..=MAX_TEXT));
    let default = table.optional(
        "default",
        "The value of a new row that names none.",
        Line(0..=MAX_DEFAULT_TEXT),
    );
    let place = max_length.as_ref().map_or_else(|| table.place(), |max| max.place.clone());
    let max_length = max_length.map_or(255, |max| max.value);
    let is_empty = default.as_ref().is_some_and(|default| default.value.is_empty());
    let min_length = min_length.map_or(u32::from(!is_empty), |min| min.value);
    if max_length < min_length {
        return inconsistent(
            table,
            place,
            format!("no text has {min_length} to {max_length} characters"),
        );
    }
    if let Some(Placed { value, place }) = &default {
        let length = value.chars().count();
        if !(min_length as usize..=max_length as usize).contains(&length) {
            let sentence = format!(
                "the default has {length} characters, and the field {min_length} to {max_length}"
            );
            return inconsistent(table, place.clone(), sentence);
        }
    }
    Some(Text { min_length, max_length, default: default.map(|default| default.value) })
}

fn integer(table: &mut Table<'_>) -> Option<Integer> {
    let (minimum, maximum, default) = bounded(table, i64::MIN..=i64::MAX)?;
    Some(Integer { minimum, maximum, default })
}

fn money(table: &mut Table<'_>) -> Option<Money> {
    let currency = table.required("currency", "The currency of every value: `usd`.", CurrencyCode);
    let (minimum, maximum, default) = bounded(table, -MOST_MONEY..=MOST_MONEY)?;
    Some(Money { currency: currency?.value, minimum, maximum, default })
}

fn bounded(table: &mut Table<'_>, range: RangeInclusive<i64>) -> Option<(i64, i64, Option<i64>)> {
    let (least, most) = (*range.start(), *range.end());
    let minimum = table.or("minimum", "The least value.", Whole(least..=most), least);
    let maximum = table.optional("maximum", "The greatest value.", Whole(least..=most));
    let default =
        table.optional("default", "The value of a new row that names none.", Whole(least..=most));
    let place = maximum.as_ref().map_or_else(|| table.place(), |maximum| maximum.place.clone());
    let maximum = maximum.map_or(most, |maximum| maximum.value);
    if maximum < minimum {
        return inconsistent(table, place, format!("no number is {minimum} to {maximum}"));
    }
    if let Some(Placed { value, place }) = &default
        && !(minimum..=maximum).contains(value)
    {
        let sentence = match *value > maximum {
            true => format!("the default {value} is more than {maximum}"),
            false => format!("the default {value} is less than {minimum}"),
        };
        return inconsistent(table, place.clone(), sentence);
    }
    Some((minimum, maximum, default.map(|default| default.value)))
}

fn boolean(table: &mut Table<'_>) -> FieldKind {
    FieldKind::Boolean { default: default(table, Boolean) }
}

fn date(table: &mut Table<'_>) -> FieldKind {
    FieldKind::Date { default: default(table, DateOrToday) }
}

fn datetime(table: &mut Table<'_>) -> FieldKind {
    FieldKind::DateTime { default: default(table, Choice(MOMENTS)) }
}

fn json(table: &mut Table<'_>) -> FieldKind {
    FieldKind::Json { default: default(table, EmptyJson) }
}

fn url(table: &mut Table<'_>) -> FieldKind {
    FieldKind::Url { default: default(table, WebAddress) }
}

fn default<S: Shape>(table: &mut Table<'_>, shape: S) -> Option<S::Value> {
    let default = table.optional("default", "The value of a new row that names none.", shape);
    default.map(|default| default.value)
}

fn choice(table: &mut Table<'_>) -> Option<RawKind> {
    let written = table.required("values", "The texts it may have.", List(Line(1..=63), 1..=200));
    let default =
        table.optional("default", "The value of a new row that names none.", Line(1..=63));

    let mut values: Vec<EnumValue> = Vec::new();
    let mut constants: HashMap<Name, Place> = HashMap::new();
    for Placed { value, place } in written?.value {
        let Some(constant) = member(&value, &place, &constants, table) else {
            continue;
        };
        constants.insert(constant, place);
        values.push(EnumValue { value, constant });
    }
    let default = match default {
        None => None,
        Some(Placed { value: word, place }) => {
            let chosen = values.iter().find(|value| value.value == word).cloned();
            if chosen.is_none() {
                let words = values.iter().map(|value| value.value.as_str());
                table.report(unknown_word(&word, words, &place));
            }
            chosen
        }
    };
    Some(RawKind::Enum { values, default })
}

/// The member of the Python enum for a value, or an error when there is none or another has it.
fn member(
    value: &str,
    place: &Place,
    constants: &HashMap<Name, Place>,
    table: &mut Table<'_>,
) -> Option<Name> {
    let constant = text::constant(value).and_then(|constant| Name::parse(&constant).ok());
    let Some(constant) = constant else {
        let problem = Problem::BadText {
            found: quoted(value),
            expected: "a text with an ASCII letter or digit",
        };
        let help = "the value becomes a member of a Python enum: write it in ASCII, such as `open`";
        table.report(SpecError::new(place.clone(), problem).help(help));
        return None;
    };
    let Some(first) = constants.get(&constant) else {
        return Some(constant);
    };
    let sentence = format!("two values would be the member `{constant}` of a Python enum");
    table.report(
        SpecError::new(place.clone(), Problem::Inconsistent(sentence))
            .other(first.clone(), "the other one")
            .help("let them differ in more than case, spaces and signs"),
    );
    None
}

fn reference(optional: bool, table: &mut Table<'_>) -> Option<RawKind> {
    let to = table.required("to", "The entity that it points at.", Line(1..=63));
    let about = "What happens to this row when the other one is deleted. By default `restrict`.";
    let written = table.optional("on_delete", about, Choice(ON_DELETE));
    let help = "add `optional = true`, or write `on_delete = \"cascade\"` or `\"restrict\"`";
    let on_delete = on_delete(written, optional, help, table);
    Some(RawKind::Reference { to: to?, on_delete })
}

/// What happens to a row; none that must name another can be left naming nothing.
fn on_delete(
    written: Option<Placed<OnDelete>>,
    optional: bool,
    help: &'static str,
    table: &mut Table<'_>,
) -> OnDelete {
    if let Some(Placed { value: OnDelete::SetNull, place }) = &written
        && !optional
    {
        let sentence = "`set_null` needs a field that may be missing".to_owned();
        table.report(SpecError::new(place.clone(), Problem::Inconsistent(sentence)).help(help));
    }
    written.map_or(OnDelete::Restrict, |on_delete| on_delete.value)
}

fn file(optional: bool, table: &mut Table<'_>) -> RawFile {
    let about = "The greatest file, up to what the storage takes. By default as much.";
    let max_size = table.optional("max_size", about, Size(MAX_FILE_SIZE));
    let written = table.optional(
        "content_types",
        "The media types that are taken: `image/png`. By default all that the storage takes.",
        List(Choice(&FILE_TYPES), 1..=FILE_TYPES.len()),
    );
    let mut types: Vec<FileType> = Vec::new();
    for one in written.into_iter().flat_map(|written| written.value) {
        if !types.contains(&one.value) {
            types.push(one.value);
        }
    }
    let about =
        "What happens to this row when the file is deleted. By default `restrict`: the file stays.";
    let written = table.optional("on_delete", about, Choice(ON_DELETE_OF_FILE));
    let help = "add `optional = true`, or write `on_delete = \"restrict\"`";
    let on_delete = on_delete(written, optional, help, table);
    RawFile { place: table.place(), max_size, types, on_delete }
}

/// What cannot be looked up has no index.
fn check_indexed(raw: Option<&RawKind>, table: &mut Table<'_>) {
    let Some(RawKind::Done(kind)) = raw else {
        return;
    };
    let reason = match kind {
        FieldKind::Json { .. } => "a `json` field has no order that an index could keep",
        FieldKind::Url { .. } => "a `url` field may be longer than what PostgreSQL can index",
        FieldKind::Text(text) if text.max_length > LONGEST_INDEXED => {
            "a text of more than 640 characters may be longer than what PostgreSQL can index"
        }
        _ => return,
    };
    let help = match kind {
        FieldKind::Text(_) => "leave out `unique` and `index`, or lower `max_length`",
        FieldKind::Url { .. } => "leave out `unique` and `index`, or make it a `text`",
        _ => "leave out `unique` and `index`",
    };
    let error = SpecError::new(table.place(), Problem::Inconsistent(reason.to_owned()));
    table.report(error.help(help));
}

/// Reports what does not fit together.
pub fn inconsistent<T>(table: &mut Table<'_>, place: Place, sentence: String) -> Option<T> {
    table.report(SpecError::new(place, Problem::Inconsistent(sentence)));
    None
}
