//! What a row holds.

use super::billing::Currency;
use super::entity::EntityNames;
use super::storage::FileType;
use astgen_pyast::Name;
use serde::{Deserialize, Serialize};

/// A field of an entity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Field {
    /// The name in the spec: `due_at`, or `project` for a reference.
    #[serde(serialize_with = "super::as_text")]
    pub name: Name,
    /// The attribute and the column: `due_at`, or `project_id` for a reference.
    #[serde(serialize_with = "super::as_text")]
    pub column: Name,
    /// What people read: `Due at`.
    pub title: String,
    /// One sentence for the documentation; may be empty.
    pub description: String,
    /// The type and what goes with it.
    pub kind: FieldKind,
    /// Whether it may be missing, `null`.
    pub optional: bool,
    /// Whether no two rows of one organization have the same value.
    pub unique: bool,
    /// Whether the spec asks for a database index. References always have one, unique fields need none.
    pub index: bool,
}

/// The type of a field. A default is `None` where the spec gives none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum FieldKind {
    /// Characters, without NUL.
    Text(Text),
    /// A whole number of 64 bits.
    Integer(Integer),
    /// A number with a fixed count of digits after the point.
    Decimal(Decimal),
    /// True or false.
    Boolean {
        /// The value of a new row that names none.
        default: Option<bool>,
    },
    /// A calendar day.
    Date {
        /// The value of a new row that names none.
        default: Option<DateDefault>,
    },
    /// A moment, kept in UTC.
    DateTime {
        /// The value of a new row that names none.
        default: Option<DateTimeDefault>,
    },
    /// One of some texts.
    Enum(Enum),
    /// Any JSON value.
    Json {
        /// The value of a new row that names none.
        default: Option<JsonDefault>,
    },
    /// A UUID.
    Uuid,
    /// An e-mail address.
    Email,
    /// An absolute `http` or `https` address.
    Url {
        /// The value of a new row that names none.
        default: Option<String>,
    },
    /// An amount of money in one currency.
    Money(Money),
    /// Another row of the same organization: of an entity, or a stored file.
    Reference(Reference),
}

/// Bounds of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Text {
    /// The fewest characters.
    pub min_length: u32,
    /// The most characters.
    pub max_length: u32,
    /// The value of a new row that names none.
    pub default: Option<String>,
}

/// Bounds of a whole number; within 64 bits where the spec names none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Integer {
    /// The least value.
    pub minimum: i64,
    /// The greatest value.
    pub maximum: i64,
    /// The value of a new row that names none.
    pub default: Option<i64>,
}

/// The shape of a decimal number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decimal {
    /// All digits.
    pub precision: u8,
    /// The digits after the point.
    pub scale: u8,
    /// The value of a new row that names none, with exactly `scale` digits after the point: `-12.50`.
    pub default: Option<String>,
}

/// The default of a date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum DateDefault {
    /// The day on which the row is made, in UTC.
    Today,
    /// Always the same day.
    Day {
        /// 1 to 9999.
        year: u16,
        /// 1 to 12.
        month: u8,
        /// 1 to 31.
        day: u8,
    },
}

/// The default of a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum DateTimeDefault {
    /// The moment at which the row is made.
    Now,
}

/// The default of a JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum JsonDefault {
    /// `{}`.
    Object,
    /// `[]`.
    Array,
}

/// One of some texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Enum {
    /// The Python enum: `TaskStatus`.
    #[serde(serialize_with = "super::as_text")]
    pub class: Name,
    /// The values, in the order of the spec.
    pub values: Vec<EnumValue>,
    /// The value of a new row that names none.
    pub default: Option<EnumValue>,
}

/// A value of an enum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnumValue {
    /// The stored text: `in progress`.
    pub value: String,
    /// The member of the Python enum: `IN_PROGRESS`.
    #[serde(serialize_with = "super::as_text")]
    pub constant: Name,
}

/// An amount of money, kept as a whole number of the currency's smallest unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Money {
    /// The currency of every value.
    pub currency: Currency,
    /// The least amount.
    pub minimum: i64,
    /// The greatest amount.
    pub maximum: i64,
    /// The amount of a new row that names none.
    pub default: Option<i64>,
}

/// Another row of the same organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reference {
    /// The entity pointed at; for a file, the names of what the product keeps of files.
    pub to: Box<EntityNames>,
    /// What happens to this row when the other one is deleted.
    pub on_delete: OnDelete,
    /// Whether the other table is made after this one ([`super::Spec::creation_order`]), so that the
    /// foreign key has to be added when both exist. Only optional references in a cycle are.
    pub is_deferred: bool,
    /// What the field takes, where it points at a stored file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<File>,
}

/// What happens to a row when the one it points at is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnDelete {
    /// It is deleted too.
    Cascade,
    /// The other one cannot be deleted.
    Restrict,
    /// It points at nothing.
    SetNull,
}

impl OnDelete {
    /// What SQL calls it; `None` where the database does what it does anyway.
    #[must_use]
    pub fn sql(self) -> Option<&'static str> {
        match self {
            OnDelete::Cascade => Some("CASCADE"),
            OnDelete::SetNull => Some("SET NULL"),
            OnDelete::Restrict => None,
        }
    }
}

/// The files that a field takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct File {
    /// The most bytes.
    pub max_size: u64,
    /// The media types that are taken; empty for all that the storage takes.
    pub types: Vec<FileType>,
}

impl Field {
    /// Whether a new row can be made without naming this field.
    #[must_use]
    pub fn has_default(&self) -> bool {
        match &self.kind {
            FieldKind::Text(text) => text.default.is_some(),
            FieldKind::Integer(integer) => integer.default.is_some(),
            FieldKind::Decimal(decimal) => decimal.default.is_some(),
            FieldKind::Boolean { default } => default.is_some(),
            FieldKind::Date { default } => default.is_some(),
            FieldKind::DateTime { default } => default.is_some(),
            FieldKind::Enum(choice) => choice.default.is_some(),
            FieldKind::Json { default } => default.is_some(),
            FieldKind::Url { default } => default.is_some(),
            FieldKind::Money(money) => money.default.is_some(),
            FieldKind::Uuid | FieldKind::Email | FieldKind::Reference(_) => false,
        }
    }
}
