//! Text to tree, through `rustpython-parser`, with its sharp edges taken off.
//!
//! A byte order mark is dropped, every kind of line ending is accepted, and no input panics or
//! overflows the stack: nesting that is too deep is refused before it reaches the parser.
//!
//! # What the parser misreads
//!
//! Found by comparing with CPython 3.12 on its standard library and some 3,300 installed files:
//!
//! - a lone surrogate (`"\ud800"`) becomes U+FFFD, which no Rust string could hold otherwise;
//! - `(x): int` is read as `x: int`: it does not keep apart the annotation that is not evaluated;
//! - `match x,:` is read as `match x:`;
//! - escapes in a format spec (`f"{x:\n}"`) are not read: the backslash stays;
//! - a line that starts with a name `match`, `case` or `type` and has a colon further on
//!   (`match[a]: int`) is refused, as if it were that statement;
//! - an `except*` without handlers cannot be told from `try: … finally: …`.
//!
//! It refuses what came after Python 3.11's f-strings: quotes of the same kind, backslashes or
//! comments in a replacement field (PEP 701), `except A, B:` without parentheses (PEP 758),
//! defaults of type parameters (PEP 696) and t-strings (PEP 750).

pub use crate::nesting::{MAX_CHAIN, MAX_DEPTH};

use crate::nesting;
use rustpython_ast::Stmt;
use rustpython_ast::text_size::TextRange;
use rustpython_parser::Parse;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The stack that [`on_large_stack`] reserves. Only what is used is backed by memory.
const LARGE_STACK: usize = 512 << 20;

const TOO_DEEP: &str = "nested too deeply";

/// A text that is not Python, or more than the parser can take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct ParseFailure {
    /// What is wrong.
    pub message: String,
    /// Where, in bytes from the start of the text.
    pub offset: usize,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
}

/// The statements of a module.
///
/// # Errors
/// When `source` is not the Python that the parser knows, or nests deeper than [`MAX_DEPTH`] or
/// [`MAX_CHAIN`]. Positions in the tree count from behind a byte order mark, those of a failure
/// from the start of `source`.
///
/// ```
/// let body = astgen_pyast::parse_module("x = 1\r\n").unwrap();
/// assert_eq!(body.len(), 1);
/// let failure = astgen_pyast::parse_module("x = 1\ny = = 2\n").unwrap_err();
/// assert_eq!((failure.line, failure.column), (2, 5));
/// ```
pub fn parse_module(source: &str) -> Result<Vec<Stmt<TextRange>>, ParseFailure> {
    let text = source.strip_prefix('\u{feff}').unwrap_or(source);
    let skipped = source.len() - text.len();
    if let Err(deep) = nesting::check(text) {
        return Err(failure(source, skipped + deep.offset, TOO_DEEP.to_owned()));
    }
    match catch_unwind(AssertUnwindSafe(|| Vec::<Stmt>::parse(text, "<module>"))) {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) => {
            let offset = skipped + usize::from(error.offset);
            Err(failure(source, offset, error.error.to_string()))
        }
        Err(_) => Err(failure(source, 0, "the parser cannot read this text".to_owned())),
    }
}

/// Runs `work` where recursion over a deep tree does not overflow: parsing, printing, comparing,
/// cloning and dropping all recurse. A tree made inside should be dropped inside.
///
/// ```
/// let printed = astgen_pyast::on_large_stack(|| {
///     astgen_pyast::parse_module("x = 1\n").map(|body| astgen_pyast::print(&body))
/// });
/// assert_eq!(printed.unwrap(), "x = 1\n");
/// ```
pub fn on_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(LARGE_STACK).spawn_scoped(scope, work);
        match thread.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(error) => panic!("no thread for a deep tree: {error}"),
        }
    })
}

/// Where `source` nests too deeply to be parsed, printed and dropped on an ordinary stack, in bytes.
///
/// ```
/// use astgen_pyast::parse::too_deep;
/// assert_eq!(too_deep("x = (1)\n"), None);
/// assert!(too_deep(&"(".repeat(10_000)).is_some());
/// ```
#[must_use]
pub fn too_deep(source: &str) -> Option<usize> {
    nesting::check(source).err().map(|deep| deep.offset)
}

fn failure(source: &str, offset: usize, message: String) -> ParseFailure {
    let mut offset = offset.min(source.len());
    while !source.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = &source[..offset];
    let start = before.rfind(['\n', '\r']).map_or(0, |newline| newline + 1);
    let unified = before.replace("\r\n", "\n");
    let columns = before[start..].chars().filter(|char| *char != '\u{feff}').count();
    let line = 1 + unified.matches(['\n', '\r']).count();
    ParseFailure { message, offset, line, column: 1 + columns }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{erase, first_difference, print};

    #[track_caller]
    fn check(source: &str, expected: &str) {
        assert_eq!(print(&parse_module(source).unwrap()), expected);
    }

    #[track_caller]
    fn check_failure(source: &str, line: usize, column: usize) {
        let failure = parse_module(source).unwrap_err();
        assert_eq!((failure.line, failure.column), (line, column), "{failure}");
    }

    #[test]
    fn line_endings() {
        check("x = 1\r\ny = 2\r\n", "x = 1\ny = 2\n");
        check("x = 1\ry = 2\r", "x = 1\ny = 2\n");
        check("if a:\r    b\r", "if a:\n    b\n");
        check("x = '''a\r\nb\rc'''\r\n", "x = \"a\\nb\\nc\"\n");
        check("\u{feff}x = 1", "x = 1\n");
        check("", "");
    }

    #[test]
    fn failures() {
        check_failure("x = = 1", 1, 5);
        check_failure("x = 1\r\ny = = 2", 2, 5);
        check_failure("\u{feff}x = = 1", 1, 5);
        check_failure("x = 1\n  y = 2\n", 2, 1);
        check_failure("x = \0", 1, 6);
        for source in [
            "\0", "(", "'", "x = '\\", "f'{", "f'{a'", "\\", "x = 1j.", "0_", "'\\N{", "f'{a!x}'",
            "\u{2028}", "if", "\t\t\0",
        ] {
            assert!(parse_module(source).is_err(), "{source:?}");
        }
    }

    #[test]
    fn every_construct_near_its_limit() {
        // The stack that a main thread has.
        let thread = std::thread::Builder::new().stack_size(8 << 20);
        thread.spawn(near_the_limit).unwrap().join().unwrap();
    }

    fn near_the_limit() {
        // The printer may add brackets of its own.
        const MAX_DEPTH: usize = super::MAX_DEPTH - 10;
        const MAX_CHAIN: usize = super::MAX_CHAIN - 10;
        let depth = MAX_DEPTH;
        let nested = |open: &str, close: &str| {
            format!("x = {}a{}\n", open.repeat(depth), close.repeat(depth))
        };
        let blocks = |header: &str| {
            let lines = (0..depth).map(|i| format!("{}{header}\n", " ".repeat(i)));
            lines.collect::<String>() + &" ".repeat(depth) + "pass\n"
        };
        let sources = [
            nested("[", "]"),
            nested("(", ",)"),
            nested("f(", ")"),
            nested("{a: ", "}"),
            nested("a[", "]"),
            nested("[b for b in ", "]"),
            nested("(yield ", ")"),
            blocks("if a:"),
            blocks("def f():"),
            blocks("class A:"),
            blocks("for a in b:"),
            format!("x = a{}\n", " + a".repeat(MAX_CHAIN)),
            format!("x = a{}\n", "**a".repeat(MAX_CHAIN / 2)),
            format!("x = {}a\n", "-".repeat(MAX_CHAIN)),
            format!("x = {}a\n", "not ".repeat(MAX_CHAIN)),
            format!("x = {}a\n", "lambda: ".repeat(MAX_DEPTH)),
            format!("x = {}a\n", "a if b else ".repeat(MAX_CHAIN)),
            format!("x = a{}\n", ".b".repeat(MAX_CHAIN)),
            format!("x = a{}\n", "()".repeat(MAX_CHAIN)),
            format!("x = a{}\n", ".b()".repeat(MAX_CHAIN / 2)),
            format!("if a:\n    b\n{}", "elif a:\n    b\n".repeat(MAX_CHAIN)),
        ];
        for source in sources {
            let tree = parse_module(&source).unwrap();
            let again = parse_module(&print(&tree)).expect(&source[..20]);
            assert_eq!(first_difference(&tree, &again), None);
            assert_eq!(erase(&tree), erase(&tree.clone()));
        }
    }
}
