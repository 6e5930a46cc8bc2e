//! Patterns.

use super::expression::name;
use super::identifier;
use super::literal::{constant, number, text};
use proptest::collection::vec;
use proptest::prelude::*;
use rustpython_ast::{
    Constant, Expr, ExprAttribute, ExprContext, Identifier, Pattern, PatternMatchAs,
    PatternMatchClass, PatternMatchMapping, PatternMatchOr, PatternMatchSequence,
    PatternMatchSingleton, PatternMatchStar, PatternMatchValue,
};

/// Any pattern.
///
/// ```
/// # use proptest::prelude::*;
/// use astgen_pyast::arbitrary;
/// proptest!(|(pattern in arbitrary::pattern())| prop_assert_eq!(&pattern, &pattern.clone()));
/// ```
pub fn pattern() -> impl Strategy<Value = Pattern<()>> {
    let value = value().prop_map(|value| {
        Pattern::MatchValue(PatternMatchValue { range: (), value: value.into() })
    });
    let singleton =
        prop::sample::select(vec![Constant::None, Constant::Bool(true), Constant::Bool(false)]);
    let leaf = prop_oneof![
        2 => value,
        1 => singleton.prop_map(|value| Pattern::MatchSingleton(PatternMatchSingleton { range: (), value })),
        1 => capture().prop_map(|name| capture_pattern(None, Some(name))),
        1 => Just(capture_pattern(None, None)),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4)
                .prop_map(|patterns| Pattern::MatchOr(PatternMatchOr { range: (), patterns })),
            (inner.clone(), capture())
                .prop_map(|(pattern, name)| capture_pattern(Some(pattern.into()), Some(name))),
            sequence(inner.clone()),
            mapping(inner.clone()),
            class(inner),
        ]
    })
}

/// `_` binds nothing.
fn capture() -> impl Strategy<Value = Identifier> {
    identifier().prop_filter("a wildcard", |name| name.as_str() != "_")
}

fn capture_pattern(pattern: Option<Box<Pattern<()>>>, name: Option<Identifier>) -> Pattern<()> {
    Pattern::MatchAs(PatternMatchAs { range: (), pattern, name })
}

fn value() -> impl Strategy<Value = Expr<()>> {
    prop_oneof![
        number().prop_map(constant),
        text().prop_map(|text| constant(Constant::Str(text))),
        dotted()
    ]
}

fn dotted() -> impl Strategy<Value = Expr<()>> {
    (capture(), vec(identifier(), 1..3)).prop_map(|(first, rest)| {
        rest.into_iter().fold(name(first, ExprContext::Load), |value, attr| {
            Expr::Attribute(ExprAttribute {
                range: (),
                value: value.into(),
                attr,
                ctx: ExprContext::Load,
            })
        })
    })
}

fn sequence(inner: BoxedStrategy<Pattern<()>>) -> impl Strategy<Value = Pattern<()>> {
    let star = super::maybe(capture())
        .prop_map(|name| Pattern::MatchStar(PatternMatchStar { range: (), name }));
    (vec(inner, 0..3), super::maybe(star)).prop_map(|(mut patterns, star)| {
        patterns.extend(star);
        Pattern::MatchSequence(PatternMatchSequence { range: (), patterns })
    })
}

fn mapping(inner: BoxedStrategy<Pattern<()>>) -> impl Strategy<Value = Pattern<()>> {
    (vec((value(), inner), 0..3), super::maybe(capture())).prop_map(|(items, rest)| {
        let (keys, patterns) = items.into_iter().unzip();
        Pattern::MatchMapping(PatternMatchMapping { range: (), keys, patterns, rest })
    })
}

fn class(inner: BoxedStrategy<Pattern<()>>) -> impl Strategy<Value = Pattern<()>> {
    let cls = prop_oneof![capture().prop_map(|id| name(id, ExprContext::Load)), dotted()];
    let keywords = (super::identifiers(0..3), vec(inner.clone(), 3));
    (cls, vec(inner, 0..3), keywords).prop_map(|(cls, patterns, (kwd_attrs, mut kwd_patterns))| {
        kwd_patterns.truncate(kwd_attrs.len());
        let cls = cls.into();
        Pattern::MatchClass(PatternMatchClass { range: (), cls, patterns, kwd_attrs, kwd_patterns })
    })
}
