//! Constants.

use num_bigint::BigInt;
use proptest::prelude::*;
use rustpython_ast::{Constant, Expr, ExprConstant};

pub fn constant(value: Constant) -> Expr<()> {
    Expr::Constant(ExprConstant { range: (), value, kind: None })
}

/// Any literal.
pub fn literal() -> impl Strategy<Value = Expr<()>> {
    let value = prop_oneof![
        1 => Just(Constant::None),
        1 => any::<bool>().prop_map(Constant::Bool),
        1 => Just(Constant::Ellipsis),
        3 => text().prop_map(Constant::Str),
        1 => prop::collection::vec(any::<u8>(), 0..12).prop_map(Constant::Bytes),
        3 => number(),
    ];
    value.prop_map(constant)
}

/// Any number that a literal can stand for: none is negative.
pub fn number() -> impl Strategy<Value = Constant> {
    let float = prop_oneof![
        any::<f64>().prop_filter("no literal stands for it", |float| !float.is_nan()),
        Just(f64::INFINITY),
        Just(0.0),
        Just(1e16),
        Just(1e-5),
    ];
    let float = float.prop_map(f64::abs);
    prop_oneof![
        any::<u8>().prop_map(|int| Constant::Int(int.into())),
        any::<u128>().prop_map(|int| Constant::Int(BigInt::from(int) * int)),
        float.clone().prop_map(Constant::Float),
        float.prop_map(|imag| Constant::Complex { real: 0.0, imag }),
    ]
}

/// Any text: quotes, backslashes, line breaks, and what hides from readers.
pub fn text() -> impl Strategy<Value = String> {
    let awkward = prop::sample::select(vec![
        "'",
        "\"",
        "\\",
        "\n",
        "\r",
        "\t",
        " ",
        "{",
        "}",
        "#",
        "\0",
        "\u{1b}",
        "\u{85}",
        "\u{200b}",
        "\u{202e}",
        "\u{2028}",
        "\u{feff}",
        "\u{fffd}",
        "\u{e0001}",
        "é",
        "数",
        "e\u{301}",
        "🦀",
        "\"\"\"",
        "'''",
        "\\N{BULLET}",
        "astgen:end",
        "a rather long text for a line",
    ]);
    let piece = prop_oneof![
        awkward.prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
        plain_text()
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

/// Text that needs no escape whatever the quotes.
pub fn plain_text() -> impl Strategy<Value = String> {
    "[a-z ]{0,12}"
}

/// Text as docstrings have it: lines, mostly indented.
pub fn docstring() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        3 => "( {4}| {8})[a-z\"'.]{1,12}",
        1 => "[a-z\"\\\\ ]{0,8}",
        1 => Just(String::new()),
        1 => Just("    ".to_owned()),
        1 => Just("        ".to_owned()),
    ];
    let lines = (plain_text(), prop::collection::vec(line, 0..5));
    let docstring = lines.prop_map(|(first, lines)| {
        std::iter::once(first).chain(lines).collect::<Vec<_>>().join("\n")
    });
    prop_oneof![3 => docstring, 1 => text()]
}
