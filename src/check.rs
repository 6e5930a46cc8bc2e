//! The round trip over a tree of Python files: parse, print, parse again, compare.

mod file;

use crate::Error;
use file::Checked;
use rayon::prelude::*;
use serde::Serialize;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use walkdir::WalkDir;

/// Stack of a checking thread in bytes: parser, printer and the trees' own `Drop` recurse. Only what a
/// file needs is ever touched.
const STACK_SIZE: usize = 512 << 20;

/// What the check of a tree found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// All files that were looked at.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Bytes that made the round trip, per second, in millions.
    pub megabytes_per_second: f64,
    /// Files that the parser does not accept: nothing is known about them.
    pub refused: Vec<Finding>,
    /// Files whose printed text differs in meaning: faults of astgen.
    pub failures: Vec<Finding>,
}

/// A file with what was found in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The file.
    #[serde(serialize_with = "crate::path_text::serialize")]
    pub path: PathBuf,
    /// The line, from 1, where one is known.
    pub line: Option<usize>,
    /// The column in characters, from 1, where one is known.
    pub column: Option<usize>,
    /// What is wrong.
    pub message: String,
}

/// The Python files at and below `paths`, sorted.
///
/// # Errors
/// When a path does not exist or a folder cannot be read.
pub fn python_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for path in paths {
        if !fs::metadata(path).map_err(Error::io("open", path))?.is_dir() {
            files.push(path.clone());
            continue;
        }
        for entry in WalkDir::new(path) {
            let entry = entry.map_err(|error| {
                let place = error.path().unwrap_or(path).to_owned();
                Error::io("open", &place)(error.into())
            })?;
            let is_python =
                entry.path().extension().is_some_and(|kind| kind == "py" || kind == "pyi");
            if is_python && entry.file_type().is_file() {
                files.push(entry.into_path());
            }
        }
    }
    files.sort();
    files.dedup();
    Ok(files)
}

/// Checks every file, on all cores; `progress` is called after each.
///
/// # Errors
/// When the threads cannot be started.
pub fn check(files: &[PathBuf], progress: &(dyn Fn() + Sync)) -> Result<Report, Error> {
    let pool = rayon::ThreadPoolBuilder::new().stack_size(STACK_SIZE).build().map_err(|error| {
        Error::io("start threads for", Path::new("astgen check"))(std::io::Error::other(error))
    })?;
    let start = Instant::now();
    let checked: Vec<Checked> = pool.install(|| {
        let checked = files.par_iter().map(|path| {
            let checked = file::check(path);
            progress();
            checked
        });
        checked.collect()
    });
    Ok(report(checked, start.elapsed()))
}

fn report(checked: Vec<Checked>, time: Duration) -> Report {
    let files = checked.len();
    let (mut bytes, mut equal) = (0, 0);
    let (mut refused, mut failures) = (Vec::new(), Vec::new());
    for checked in checked {
        match checked {
            Checked::Equal(size) => {
                bytes += size;
                equal += size;
            }
            Checked::Refused(size, finding) => {
                bytes += size;
                refused.push(finding);
            }
            Checked::Failed(size, finding) => {
                bytes += size;
                failures.push(finding);
            }
        }
    }
    let seconds = time.as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a speed for people to read")]
    let megabytes_per_second = equal as f64 / 1e6 / seconds.max(1e-9);
    Report { files, bytes, seconds, megabytes_per_second, refused, failures }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kind, findings) in
            [("refused by the parser", &self.refused), ("FAILED", &self.failures)]
        {
            for finding in findings {
                write!(f, "{}", finding.path.display())?;
                if let (Some(line), Some(column)) = (finding.line, finding.column) {
                    write!(f, ":{line}:{column}")?;
                }
                writeln!(f, ": {kind}: {}", finding.message)?;
            }
        }
        let equal = self.files - self.refused.len() - self.failures.len();
        writeln!(
            f,
            "{} files, {:.1} MB: {equal} equal, {} refused by the parser, {} failed ({:.1} MB/s)",
            self.files,
            self.bytes as f64 / 1e6,
            self.refused.len(),
            self.failures.len(),
            self.megabytes_per_second,
        )
    }
}
