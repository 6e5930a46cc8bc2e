//! The commands: each turns its arguments into an [`Outcome`].

mod apply_plan;
mod audit;
mod build;
mod diff;
mod folder;

pub use apply_plan::apply_plan;
pub use audit::audit;
pub use build::build;
pub use diff::diff;

use crate::cli;
use crate::cli::Colour;
use astgen::merge::conflict::Labels;
use astgen::merge::{Language, merge_file};
use astgen::style::Style;
use astgen::{Error, check, plan, project};
use astgen_emitters::spec;
use indicatif::{ProgressBar, ProgressStyle};
use std::fs;
use std::io::{IsTerminal, stderr};
use std::path::{Path, PathBuf};

/// What a command has to say on standard output, and whether it leaves something to a person.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Bytes for standard output.
    pub data: Vec<u8>,
    /// Exit code 1 instead of 0.
    pub something_is_left: bool,
}

impl Outcome {
    /// All is done.
    pub fn done(data: impl Into<Vec<u8>>) -> Outcome {
        Outcome { data: data.into(), something_is_left: false }
    }
}

/// `astgen init`
pub fn init(args: &cli::Init) -> Result<Outcome, Error> {
    let folder = fs::canonicalize(&args.folder).unwrap_or_else(|_| args.folder.clone());
    let name =
        folder.file_name().map_or_else(|| "my-product".into(), |name| name.to_string_lossy());
    let path = args.folder.join("astgen.toml");
    project::write_new(&path, &spec::starter(&name))?;
    eprintln!("wrote {}", path.display());
    eprintln!("next: edit it, then run `astgen build {}`", path.display());
    Ok(Outcome::default())
}

/// `astgen check`
pub fn check(args: &cli::Check) -> Result<Outcome, Error> {
    let files = check::python_files(&args.paths)?;
    // A panic of the parser or the printer is told with its file, in the report.
    std::panic::set_hook(Box::new(|_| ()));
    let bar = progress_bar(files.len());
    let report = check::check(&files, &|| bar.inc(1))?;
    bar.finish_and_clear();
    let something_is_left = !report.failures.is_empty();
    let data = if args.json { json(&report) } else { Vec::new() };
    if !args.json {
        eprint!("{report}");
    }
    Ok(Outcome { data, something_is_left })
}

/// `astgen merge`
pub fn merge(args: &cli::Merge) -> Result<Outcome, Error> {
    let read = |path: &Path| fs::read(path).map_err(Error::io("read", path));
    let (base, ours, theirs) = (read(&args.base)?, read(&args.ours)?, read(&args.theirs)?);
    let path = args.path.as_ref().unwrap_or(&args.ours);
    let language = Language::of(path);
    let merged = merge_file(language, &base, &ours, &theirs, &Labels::default())
        .map_err(|reason| Error::NotMergeable { path: path.clone(), reason })?;
    if args.json {
        eprint!("{}", String::from_utf8_lossy(&json(&merged.conflicts)));
    } else {
        for conflict in &merged.conflicts {
            eprintln!("{}:{}: {conflict}", path.display(), conflict.line);
        }
    }
    let something_is_left = !merged.conflicts.is_empty();
    match &args.out {
        Some(out) => {
            project::replace(out, &merged.bytes)?;
            Ok(Outcome { data: Vec::new(), something_is_left })
        }
        None => Ok(Outcome { data: merged.bytes, something_is_left }),
    }
}

fn progress_bar(files: usize) -> ProgressBar {
    if !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} files, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(files as u64).with_style(style)
}

/// `astgen schema`
pub fn schema(args: &cli::Schema) -> Result<Outcome, Error> {
    let schema = match args.of {
        cli::SchemaOf::Spec => spec::json_schema(),
        cli::SchemaOf::Plan => plan::json_schema(),
    };
    Ok(Outcome::done(json(&schema)))
}

/// `astgen man`
pub fn man(command: clap::Command) -> Result<Outcome, Error> {
    let mut page = Vec::new();
    let place: PathBuf = "standard output".into();
    clap_mangen::Man::new(command).render(&mut page).map_err(Error::io("write to", &place))?;
    Ok(Outcome::done(page))
}

/// Whether what is written to `stream` is coloured.
fn colours(wanted: Colour, stream: &impl IsTerminal) -> Style {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    match wanted {
        Colour::Always => Style::Coloured,
        Colour::Auto if stream.is_terminal() && !is_set("NO_COLOR") => Style::Coloured,
        Colour::Auto | Colour::Never => Style::Plain,
    }
}

fn json(value: &impl serde::Serialize) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(value).unwrap_or_default();
    text.push(b'\n');
    text
}
