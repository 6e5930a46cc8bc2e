//! Text to tree, through `rustpython-parser`, with its sharp edges taken off.
//!
//! A byte order mark is dropped, every kind of line ending is accepted, and no input panics or
//! overflows the stack: nesting that is too deep is refused before it reaches the parser.

use rustpython_ast::Stmt;
use rustpython_ast::text_size::TextRange;
use rustpython_parser::Parse;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How deep brackets, blocks and prefix operators may nest in a text that is to be parsed.
///
/// A test parses, compares, prints and drops this depth of each construct.
pub const MAX_DEPTH: usize = 200;

/// The stack that [`on_large_stack`] reserves. Only what is used is backed by memory.
const LARGE_STACK: usize = 512 << 20;

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
/// When `source` is not the Python that the parser knows, or nests deeper than [`MAX_DEPTH`].
///
/// ```
/// let body = astgen_pyast::parse_module("x = 1\r\n").unwrap();
/// assert_eq!(body.len(), 1);
/// let failure = astgen_pyast::parse_module("x = 1\ny = = 2\n").unwrap_err();
/// assert_eq!((failure.line, failure.column), (2, 5));
/// ```
pub fn parse_module(source: &str) -> Result<Vec<Stmt<TextRange>>, ParseFailure> {
    let text = source.strip_prefix('\u{feff}').unwrap_or(source);
    let parsed = catch_unwind(AssertUnwindSafe(|| Vec::<Stmt>::parse(text, "<module>")));
    match parsed {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) => Err(failure(source, error.offset.into(), error.error.to_string())),
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

fn failure(source: &str, offset: usize, message: String) -> ParseFailure {
    let before = source.get(..offset).unwrap_or(source);
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    ParseFailure {
        message,
        offset,
        line: 1 + before.matches('\n').count(),
        column: 1 + before[start..].chars().count(),
    }
}
