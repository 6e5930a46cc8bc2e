//! Bytes that are printed, and the seconds that astgen and ruff's code generator take for it, on one thread,
//! parsing aside: the raw figures for `figures.py`.
//!
//! Files that one of the two parsers does not accept are removed from the folder, so that every peer prints
//! the same ones: point it at a copy.

use astgen_pyast::{on_large_stack, parse_module, print};
use ruff_python_codegen::{Generator, Indentation};
use ruff_source_file::LineEnding;
use std::fs;
use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

const RUNS: usize = 5;

fn main() {
    let folder = std::env::args_os().nth(1).expect("usage: printing FOLDER");
    let files: Vec<PathBuf> = walkdir::WalkDir::new(folder)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .collect();
    let (bytes, ours, theirs) = on_large_stack(|| measure(&files));
    println!("{bytes} {} {}", ours.as_secs_f64(), theirs.as_secs_f64());
}

fn measure(files: &[PathBuf]) -> (usize, Duration, Duration) {
    let (mut bytes, mut ours, mut theirs) = (0, Duration::ZERO, Duration::ZERO);
    let indentation = Indentation::default();
    for path in files {
        let source = fs::read_to_string(path).unwrap_or_default();
        let (Ok(tree), Ok(other)) =
            (parse_module(&source), ruff_python_parser::parse_module(&source))
        else {
            fs::remove_file(path).expect("a copy can be changed");
            continue;
        };
        bytes += source.len();
        ours += least(|| {
            black_box(print(&tree));
        });
        theirs += least(|| {
            for stmt in other.suite() {
                black_box(Generator::new(&indentation, LineEnding::Lf).stmt(stmt));
            }
        });
    }
    (bytes, ours, theirs)
}

fn least(mut work: impl FnMut()) -> Duration {
    (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .min()
        .unwrap_or_default()
}
