//! Comments and regions: where they go, and that no text gets out of them.

use astgen_pyast::{Annotation, Region, Trivia, erase, parse_module, print, region_digest};
use rustpython_ast::Stmt;
use rustpython_ast::fold::{Fold, Foldable};
use rustpython_ast::text_size::TextRange;
use std::convert::Infallible;

/// Gives the node whose text is `at` some trivia.
struct Annotate<'a> {
    source: &'a str,
    at: &'a str,
    trivia: Option<Trivia>,
}

impl Fold<TextRange> for Annotate<'_> {
    type TargetU = Annotation;
    type Error = Infallible;
    type UserContext = TextRange;

    fn will_map_user(&mut self, range: &TextRange) -> TextRange {
        *range
    }

    fn map_user(&mut self, _: TextRange, range: TextRange) -> Result<Annotation, Infallible> {
        let is_meant = &self.source[range] == self.at;
        let trivia = if is_meant { self.trivia.take() } else { None };
        Ok(Annotation { trivia: trivia.map(Box::new), ..Annotation::default() })
    }
}

fn annotated(source: &str, at: &str, trivia: Trivia) -> String {
    let tree = parse_module(source).unwrap();
    let bare = erase(&tree);
    let mut annotate = Annotate { source, at, trivia: Some(trivia) };
    let Ok(tree): Result<Vec<Stmt<Annotation>>, Infallible> = tree.fold(&mut annotate);
    assert_eq!(annotate.trivia, None, "no node is {at:?}");
    let text = print(&tree);
    assert_eq!(erase(&parse_module(&text).unwrap()), bare, "{text}");
    text
}

#[track_caller]
fn check_leading(source: &str, at: &str, comment: &str, expected: &str) {
    let trivia = Trivia { leading: vec![comment.to_owned()], ..Trivia::default() };
    assert_eq!(annotated(source, at, trivia), expected);
}

#[track_caller]
fn check_trailing(source: &str, at: &str, comment: &str, expected: &str) {
    let trivia = Trivia { trailing: Some(comment.to_owned()), ..Trivia::default() };
    assert_eq!(annotated(source, at, trivia), expected);
}

fn region(source: &str, at: &str) -> String {
    let region = Some(Region { id: "api.f".to_owned() });
    annotated(source, at, Trivia { region, ..Trivia::default() })
}

#[test]
fn above_a_statement() {
    check_leading("x = 1", "x = 1", "why", "# why\nx = 1\n");
    check_leading("if a:\n    x = 1", "x = 1", "why", "if a:\n    # why\n    x = 1\n");
    check_leading(
        "@a\ndef f():\n    pass",
        "def f():\n    pass",
        "why",
        "# why\n@a\ndef f():\n    pass\n",
    );
    check_leading("import a\nimport b", "import b", "why", "import a\n\n# why\nimport b\n");
    check_leading("x = 1", "x = 1", "", "#\nx = 1\n");
}

#[test]
fn at_the_end_of_a_line() {
    check_trailing("x = 1", "x = 1", "why", "x = 1  # why\n");
    check_trailing(
        "def f():\n    pass",
        "def f():\n    pass",
        "why",
        "def f():  # why\n    pass\n",
    );
    check_trailing("x = 1", "x = 1", "", "x = 1\n");
}

#[test]
fn a_comment_that_does_not_fit_goes_above() {
    let comment = "c".repeat(81);
    check_trailing("x = 1", "x = 1", &comment[..79], &format!("x = 1  # {}\n", &comment[..79]));
    check_trailing("x = 1", "x = 1", &comment, &format!("# {comment}\nx = 1\n"));
    let pragma = format!("noqa: {comment}");
    check_trailing("x = 1", "x = 1", &pragma, &format!("x = 1  # {pragma}\n"));
}

#[test]
fn of_a_node_without_a_line() {
    check_leading("x = f(a, b=1)", "b=1", "why", "# why\nx = f(a, b=1)\n");
    check_trailing("x = f(a, b=1)", "a", "why", "# why\nx = f(a, b=1)\n");
    check_leading("from a import b, c", "c", "why", "# why\nfrom a import b, c\n");
    check_leading("import a\nimport b", "b", "why", "import a\n\n# why\nimport b\n");
    check_leading("def f(a):\n    pass", "a", "why", "# why\ndef f(a):\n    pass\n");
    check_leading(
        "if a:\n    b\nelif c:\n    d",
        "c",
        "why",
        "if a:\n    b\n# why\nelif c:\n    d\n",
    );
    check_leading(
        "match a:\n    case 1:\n        b",
        "1",
        "why",
        "match a:\n    # why\n    case 1:\n        b\n",
    );
    check_leading("@a\nclass B: ...", "a", "why", "# why\n@a\nclass B: ...\n");
    check_leading("def f(): ...", "...", "why", "# why\ndef f(): ...\n");
    check_leading("f'{a}'", "f'{a}'", "why", "# why\nf\"{a}\"\n");
}

#[test]
fn of_an_exception_handler() {
    let source = "try:\n    a\nexcept B:\n    c";
    check_leading(source, "except B:\n    c", "why", "try:\n    a\n# why\nexcept B:\n    c\n");
}

#[test]
fn no_text_gets_out_of_a_comment() {
    check_leading(
        "x",
        "x",
        "a\nb\r\nc\u{2028}d\u{85}e\u{c}f",
        "# a\n# b\n#\n# c\n# d\n# e\n# f\nx\n",
    );
    check_trailing("x", "x", "a\nimport os", "# a\n# import os\nx\n");
    check_leading("x", "x", "\u{202e}\0\u{1b}[2J", "# \\u202e\\x00\\x1b[2J\nx\n");
}

#[test]
fn no_comment_passes_for_another() {
    check_leading("x", "x", "astgen:end api.f", "# 'astgen:end api.f'\nx\n");
    check_leading("x", "x", "fmt: off", "# 'fmt: off'\nx\n");
    check_leading("x", "x", "-*- coding: latin-1 -*-", "# -*- coding : latin-1 -*-\nx\n");
}

#[test]
fn regions_of_definitions_end_in_their_body() {
    let digest = region_digest("def f():\n    pass\n");
    let expected =
        format!("# astgen:begin api.f {digest}\ndef f():\n    pass\n    # astgen:end api.f\n");
    assert_eq!(region("def f(): pass", "def f(): pass"), expected);
    let digest = region_digest("def f():\n    ...\n");
    let expected =
        format!("# astgen:begin api.f {digest}\ndef f():\n    ...\n    # astgen:end api.f\n");
    assert_eq!(region("def f(): ...", "def f(): ..."), expected);
}

#[test]
fn regions_of_other_statements_end_after_them() {
    let digest = region_digest("x = 1");
    let expected =
        format!("if a:\n    # astgen:begin api.f {digest}\n    x = 1\n    # astgen:end api.f\n");
    assert_eq!(region("if a: x = 1", "x = 1"), expected);
}

#[test]
fn a_region_that_ends_in_a_definition() {
    let text = region("class A:\n    def f(self): pass", "class A:\n    def f(self): pass");
    assert!(text.ends_with("        pass\n\n    # astgen:end api.f\n"), "{text}");
}

#[test]
fn digests_know_neither_indentation_nor_line_endings() {
    assert_eq!(region_digest("\n  a\n    b\n\n"), region_digest("a\r\n  b"));
    assert_ne!(region_digest("a\nb"), region_digest("a\n\nb"));
    assert_eq!(region_digest("").len(), 12);
}
