//! Bytes that are printed, and the seconds that astgen, ruff's code generator and ruff's formatter take for
//! them, on one thread, reading and parsing aside: the raw figures for `figures.py`.
//!
//! All print the same: what astgen prints from the files of a folder. So there are no comments, which a
//! formatter has to place and the others do not know. Files that one of the parsers or printers does not
//! accept are left out; the others are written into a second folder, for the peers that are not Rust.
#![forbid(unsafe_code)]

use astgen_pyast::{on_large_stack, parse_module, print};
use ruff_python_codegen::{Generator, Indentation};
use ruff_python_formatter::{PyFormatOptions, format_module_ast};
use ruff_python_parser::{Mode, ParseOptions, parse};
use ruff_python_trivia::TriviaRanges;
use ruff_source_file::LineEnding;
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Of these the fastest counts, file by file: another process may come in between.
const RUNS: usize = 7;

#[derive(Default)]
struct Figures {
    files: usize,
    bytes: usize,
    astgen: Duration,
    generator: Duration,
    formatter: Duration,
}

fn main() {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(folder), Some(printed)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: printing FOLDER PRINTED");
        std::process::exit(2);
    };
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter();
    let files = entries.filter_map(Result::ok).map(walkdir::DirEntry::into_path);
    let files: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|kind| kind == "py")).collect();
    let Figures { files, bytes, astgen, generator, formatter } =
        on_large_stack(|| measure(&files, &printed));
    let [astgen, generator, formatter] =
        [astgen, generator, formatter].map(|time| time.as_secs_f64());
    println!("{files} {bytes} {astgen} {generator} {formatter}");
}

fn measure(files: &[PathBuf], printed: &Path) -> Figures {
    let mut figures = Figures::default();
    for path in files {
        let source = fs::read_to_string(path).unwrap_or_default();
        let text = parse_module(&source).map(|tree| print(&tree)).unwrap_or_default();
        if let Some([astgen, generator, formatter]) = times(&text) {
            let copy = printed.join(format!("{}.py", figures.files));
            fs::write(copy, &text).expect("the second folder can be written");
            figures.files += 1;
            figures.bytes += text.len();
            figures.astgen += astgen;
            figures.generator += generator;
            figures.formatter += formatter;
        }
    }
    figures
}

fn times(text: &str) -> Option<[Duration; 3]> {
    let tree = parse_module(text).ok()?;
    let parsed = ruff_python_parser::parse_module(text).ok()?;
    let module = parse(text, ParseOptions::from(Mode::Module)).ok()?;
    let options = PyFormatOptions::default;
    let indentation = Indentation::default();
    let format = || {
        let trivia = TriviaRanges::from(module.tokens());
        format_module_ast(&module, &trivia, text, options()).ok()?.print().ok()
    };
    format()?;
    let astgen = least(|| {
        black_box(print(&tree));
    });
    let generator = least(|| {
        for stmt in parsed.suite() {
            black_box(Generator::new(&indentation, LineEnding::Lf).stmt(stmt));
        }
    });
    let formatter = least(|| {
        black_box(format());
    });
    Some([astgen, generator, formatter])
}

fn least(mut work: impl FnMut()) -> Duration {
    let runs = (0..RUNS).map(|_| {
        let start = Instant::now();
        work();
        start.elapsed()
    });
    runs.min().unwrap_or_default()
}
