//! Every operator with every operand in every place keeps its tree, with as few parentheses as
//! that takes.

use astgen_pyast::arbitrary::shapes::{SHAPES, expressions_of_depth_two, filled, is_grammatical};
use astgen_pyast::{first_difference, parse_module, print, print_expr};
use rustpython_ast::{Expr, Stmt};

/// Every place of a statement that takes an expression.
const STATEMENTS: [&str; 34] = [
    "_",
    "a = _",
    "a[_] = b = _",
    "a += _",
    "a: _",
    "a: _ = _",
    "return _",
    "return _, _",
    "raise _",
    "raise _ from _",
    "assert _",
    "assert _, _",
    "del a[_]",
    "if _: a",
    "while _: a",
    "for a in _: a",
    "with _: a",
    "with _ as a: a",
    "with _, _ as a: a",
    "match _:\n    case a if _: a",
    "try: a\nexcept _: a",
    "try: a\nexcept* _ as a: a",
    "@_\ndef f(a: _ = _, *b: _) -> _: a",
    "@_\nclass A(_, *_, a=_): a",
    "def f[T: _](): a",
    "type A = _",
    "async def f(): await _",
    "a = yield _",
    "for a[_] in b: a",
    "async with _: a",
    "a = (_,)",
    "a = _, _",
    "a @= _",
    "def f(): return _",
];

#[track_caller]
fn check(source: &str) -> Vec<Stmt> {
    let tree = parse_module(source).unwrap_or_else(|failure| panic!("{failure}\n{source}"));
    let text = print(&tree);
    let again = parse_module(&text).unwrap_or_else(|failure| panic!("{failure}\n{source}\n{text}"));
    assert_eq!(first_difference(&tree, &again), None, "{source}\n{text}");
    assert_eq!(print(&again), text);
    tree
}

#[test]
fn every_expression_of_depth_two() {
    for source in expressions_of_depth_two() {
        check(&format!("a = {source}"));
    }
}

#[test]
fn every_expression_in_every_statement() {
    for source in
        expressions_of_depth_two().step_by(3).chain(SHAPES.map(|shape| filled(shape, "a")))
    {
        for statement in STATEMENTS {
            check(&filled(statement, &source));
        }
    }
}

/// Takes away each pair of parentheses that stands alone, and sees that the tree changes.
#[test]
fn no_parentheses_too_many() {
    let operators = SHAPES.iter().filter(|shape| shape.starts_with('(') && !shape.contains(','));
    for outer in operators.clone() {
        for inner in operators.clone().filter(|inner| is_grammatical(outer, &filled(inner, "a"))) {
            let source = filled(outer, &filled(inner, "a"));
            let tree = check(&format!("a = {source}"));
            let Stmt::Assign(assign) = &tree[0] else { panic!("{source}") };
            let text = print_expr(&assign.value);
            if let Some(bare) = without_pair(&text)
                && let Ok(other) = parse_module(&format!("a = {bare}"))
                && !is_kept_on_purpose(&text)
            {
                assert!(first_difference(&tree, &other).is_some(), "{text} could be {bare}");
            }
        }
    }
}

/// The text without the first pair of parentheses that is no call's.
fn without_pair(text: &str) -> Option<String> {
    let open = text.char_indices().find(|(at, char)| {
        *char == '('
            && !text[..*at]
                .ends_with(|before: char| before.is_alphanumeric() || ")]".contains(before))
    })?;
    let mut depth = 0;
    for (at, char) in text.char_indices().skip(open.0) {
        depth += match char {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        if depth == 0 {
            return Some(format!(
                "{}{}{}",
                &text[..open.0],
                &text[open.0 + 1..at],
                &text[at + 1..]
            ));
        }
    }
    None
}

/// `a or (b and c)`, `-(a**b)`, generators, and walruses and yields at the end of things.
fn is_kept_on_purpose(text: &str) -> bool {
    text.contains(" or (")
        || text.contains(") or ")
        || ["-(", "+(", "~("].iter().any(|sign| text.contains(sign) && text.contains("**"))
        || text.contains(" for ")
        || text.contains("lambda")
        || text.contains(" := ")
        || text.contains("*(")
}

#[test]
fn the_expressions_are_many() {
    assert!(expressions_of_depth_two().count() > 2000);
    let body = parse_module("a + b").unwrap();
    assert!(matches!(&body[0], Stmt::Expr(stmt) if matches!(*stmt.value, Expr::BinOp(_))));
}
