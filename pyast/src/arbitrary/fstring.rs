//! f-strings that Python 3.11 can read: what a field holds needs neither quotes of its own nor a
//! backslash, and a format spec has no escapes.

use super::expression::{atoms, compounds};
use super::literal::{constant, plain_text, text};
use super::maybe;
use proptest::prelude::*;
use rustpython_ast::{Constant, ConversionFlag, Expr, ExprFormattedValue, ExprJoinedStr};

/// An f-string with any text, and fields that may hold other f-strings.
pub fn fstring() -> impl Strategy<Value = Expr<()>> {
    let plain = plain_text().prop_map(|text| constant(Constant::Str(text)));
    let leaf = prop_oneof![3 => atoms(), 1 => plain];
    let value = leaf.prop_recursive(2, 8, 3, compounds);
    joined(text(), value.boxed())
}

fn joined(
    text: impl Strategy<Value = String> + 'static,
    value: BoxedStrategy<Expr<()>>,
) -> impl Strategy<Value = Expr<()>> {
    let text = text.prop_filter("it would not be there", |text| !text.is_empty());
    let text = text.prop_map(|text| constant(Constant::Str(text))).boxed();
    let part = (maybe(text.clone()), field(value));
    (prop::collection::vec(part, 0..3), maybe(text)).prop_map(|(parts, last)| {
        let parts = parts.into_iter().flat_map(|(text, field)| text.into_iter().chain([field]));
        join(parts.chain(last).collect())
    })
}

fn join(values: Vec<Expr<()>>) -> Expr<()> {
    Expr::JoinedStr(ExprJoinedStr { range: (), values })
}

fn field(value: BoxedStrategy<Expr<()>>) -> impl Strategy<Value = Expr<()>> {
    let conversion = prop::sample::select(vec![
        ConversionFlag::None,
        ConversionFlag::Str,
        ConversionFlag::Ascii,
        ConversionFlag::Repr,
    ]);
    let nested = bare_field(value.clone(), conversion.clone().boxed(), None);
    let piece =
        prop_oneof!["[a-z0-9.<>%, ]{1,6}".prop_map(|text| constant(Constant::Str(text))), nested];
    let spec = prop::collection::vec(piece, 1..3).prop_map(merged);
    maybe(spec.prop_map(join))
        .prop_flat_map(move |spec| bare_field(value.clone(), conversion.clone().boxed(), spec))
}

/// A parser makes one constant of texts that follow each other.
fn merged(pieces: Vec<Expr<()>>) -> Vec<Expr<()>> {
    let mut pieces = pieces;
    pieces.dedup_by(|next, before| next.is_constant_expr() && before.is_constant_expr());
    pieces
}

fn bare_field(
    value: BoxedStrategy<Expr<()>>,
    conversion: BoxedStrategy<ConversionFlag>,
    spec: Option<Expr<()>>,
) -> impl Strategy<Value = Expr<()>> {
    (value, conversion).prop_map(move |(value, conversion)| {
        Expr::FormattedValue(ExprFormattedValue {
            range: (),
            value: Box::new(value),
            conversion,
            format_spec: spec.clone().map(Box::new),
        })
    })
}
