//! From a tree to text: one file per idea of the grammar, on top of [`crate::layout`].

mod arguments;
mod blank_lines;
mod chain;
mod comment;
mod compound;
mod comprehension;
mod definition;
mod display;
mod docstring;
mod expression;
mod fstring;
mod import;
mod lambda;
mod number;
mod operators;
mod parameters;
mod parentheses;
mod pattern;
mod region;
mod statement;
mod string;
mod type_parameters;

pub use region::region_digest;

use crate::annotation::Annotated;
use crate::layout::{Checkpoint, Layout, Parens};
use fstring::Quotes;
use rustpython_ast::{Expr, Stmt};

/// The bytes that most modules have room in.
const USUAL_SIZE: usize = 16 << 10;

/// The text of a module: what `ruff format` would leave as it is, ending in one newline.
///
/// ```
/// let body = astgen_pyast::parse_module("x  =  [ 1,2 ]").unwrap();
/// assert_eq!(astgen_pyast::print(&body), "x = [1, 2]\n");
/// ```
#[must_use]
pub fn print<R: Annotated>(body: &[Stmt<R>]) -> String {
    let mut doc = Doc { layout: Layout::with_capacity(USUAL_SIZE), ..Doc::default() };
    blank_lines::block(&mut doc, body, blank_lines::Block::Module);
    let mut text = doc.layout.into_text();
    text.shrink_to_fit();
    text
}

/// The text of an expression, on one line.
///
/// ```
/// let body = astgen_pyast::parse_module("(a)+(b)").unwrap();
/// let sum = body[0].as_expr_stmt().unwrap();
/// assert_eq!(astgen_pyast::print_expr(&sum.value), "a + b");
/// ```
#[must_use]
pub fn print_expr<R: Annotated>(expr: &Expr<R>) -> String {
    let mut doc = Doc::default();
    expression::expr(&mut doc, expr);
    doc.layout.into_text()
}

/// What may have to go above a statement, once it is known whether it has comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Before {
    #[default]
    Nothing,
    /// A blank line, if there are comments.
    BlankIfCommented,
    /// A blank line, if there are none.
    BlankUnlessCommented,
}

/// What the printing functions write to: the layout, and what they must hand to each other.
#[derive(Default)]
struct Doc {
    layout: Layout,
    depth: usize,
    /// Which quotes a literal may use where it stands.
    quotes: Quotes,
    /// The comment that ends the next logical line.
    trailing: Option<String>,
    /// Where the comments above the current statement end.
    anchor: usize,
    before: Before,
    /// Comments that wait for the statement they belong to.
    hoisted: Vec<String>,
}

impl Doc {
    fn text(&mut self, text: &str) {
        self.layout.text(text);
    }

    fn line(&mut self) {
        self.layout.line();
    }

    fn soft(&mut self) {
        self.layout.soft();
    }

    fn gap(&mut self) {
        self.layout.gap();
    }

    fn comma(&mut self) {
        self.layout.comma();
    }

    fn group(&mut self, content: impl FnOnce(&mut Doc)) {
        let opened = self.layout.group();
        content(self);
        self.layout.end(opened);
    }

    /// `brackets` are two ASCII characters: `()`, `[]` or `{}`.
    fn bracket(&mut self, brackets: [char; 2], content: impl FnOnce(&mut Doc)) {
        let opened = self.layout.open(brackets[0]);
        content(self);
        self.layout.close(opened, brackets[1]);
    }

    fn parens(&mut self, parens: Parens, content: impl FnOnce(&mut Doc)) {
        let opened = self.layout.parens(parens);
        content(self);
        self.layout.end(opened);
    }

    fn whole(&mut self, content: impl FnOnce(&mut Doc)) {
        let opened = self.layout.whole();
        content(self);
        self.layout.end(opened);
    }

    /// Items with a comma after each but the last, which gets one when the lines break.
    fn items<T>(&mut self, items: impl IntoIterator<Item = T>, item: impl FnMut(&mut Doc, T)) {
        if self.joined(items, item) > 1 {
            self.comma();
        }
    }

    /// Items with a comma and a possible line break between them; returns how many.
    fn joined<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut item: impl FnMut(&mut Doc, T),
    ) -> usize {
        let mut count = 0;
        for one in items {
            if count > 0 {
                self.text(",");
                self.line();
            }
            item(self, one);
            count += 1;
        }
        count
    }

    /// Content whose lines never break.
    fn frozen(&mut self, content: impl FnOnce(&mut Doc)) {
        let start: Checkpoint = self.layout.checkpoint();
        content(self);
        self.layout.freeze(start);
    }
}

const PARENTHESES: [char; 2] = ['(', ')'];
const SQUARE: [char; 2] = ['[', ']'];
const CURLY: [char; 2] = ['{', '}'];
