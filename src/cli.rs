//! The command line: what can be said, and nothing of what it does.

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use std::path::PathBuf;

/// Generates a complete multi-tenant FastAPI backend from a small spec, through a typed Python AST.
///
/// A first project:
///
///     astgen init my-product          writes my-product/astgen.toml
///     astgen build my-product/astgen.toml
///
/// Later, after a change of the spec or with a newer astgen, whatever you edited in the project:
///
///     astgen build my-product/astgen.toml         plans, and writes plan.json
///     astgen apply-plan my-product --apply        does what the plan says
///
/// Exit codes: 0 done; 1 done, but something is left to a person; 2 bad input, nothing changed.
#[derive(Debug, Parser)]
#[command(name = "astgen", version, verbatim_doc_comment, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a commented starter spec.
    Init(Init),
    /// Build a project from a spec, or plan how one that is there comes up to date.
    Build(Build),
    /// Show what regeneration would change, by definition and by line.
    Diff(Diff),
    /// Show what the plan of a project does, and do it.
    ApplyPlan(ApplyPlan),
    /// Check that every route still has the guards that the spec gives it, whatever people edited.
    Audit(Audit),
    /// Merge three versions of a file; works as a git merge driver.
    Merge(Merge),
    /// Print every Python file below a path from its syntax tree, read it back, and compare the trees.
    Check(Check),
    /// Print the JSON Schema of `astgen.toml`, for editors, or of `plan.json`.
    Schema(Schema),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page.
    Man,
}

/// `astgen init`
#[derive(Debug, Args)]
pub struct Init {
    /// The folder of the new spec; it is made where it is missing. Its name becomes the project's.
    #[arg(default_value = ".", value_hint = ValueHint::DirPath)]
    pub folder: PathBuf,
}

/// When text is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless the variable `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Build a project from a spec, or plan how one that is there comes up to date.
///
/// A new project is written at once. For one that is there, `plan.json` and `conflicts.json` are written into
/// it and nothing else changes: review them with `astgen diff`, then run `astgen apply-plan --apply`. What people
/// edited stays: what is new lands beside their edits, and where both clash, the file is left to them.
///
/// Exit codes: 0 done; 1 planned or done, but a conflict is left to a person; 2 bad input, nothing changed.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct Build {
    /// The spec.
    #[arg(default_value = "astgen.toml", value_hint = ValueHint::FilePath)]
    pub spec: PathBuf,
    /// The project's folder [default: production_projects/<name>]
    #[arg(long, short, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
    /// Apply the plan at once: all of it, or nothing.
    #[arg(long)]
    pub apply: bool,
    /// Print what was done, or is planned, as JSON.
    #[arg(long)]
    pub json: bool,
    /// When to colour the summary.
    #[arg(long, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    pub color: Colour,
}

/// Show what regeneration would change in a project, by definition first, by line below it.
///
///     astgen diff                          the project of ./astgen.toml, or the current folder
///     astgen diff my-product --stat        how much of each file
///     astgen diff --html review.html       one page to review, conflicts first
///
/// The spec is SPEC, or astgen.toml in the project or in the current folder; without any, the plan that `astgen
/// build` wrote is shown. Nothing is changed.
///
/// Exit codes: 0 done; 1 with --exit-code, when something would change; 2 bad input.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct Diff {
    /// A project's folder, or its name below production_projects [default: the current folder, or the project of ./astgen.toml]
    #[arg(value_hint = ValueHint::DirPath)]
    pub project: Option<PathBuf>,
    /// The spec.
    #[arg(long, value_name = "SPEC", value_hint = ValueHint::FilePath)]
    pub spec: Option<PathBuf>,
    /// Only say how many lines of each file change.
    #[arg(long, conflicts_with_all = ["json", "html"])]
    pub stat: bool,
    /// Print the diff as JSON.
    #[arg(long, conflicts_with = "html")]
    pub json: bool,
    /// Write the diff as one HTML page that needs nothing else.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub html: Option<PathBuf>,
    /// Exit with 1 when something would change.
    #[arg(long)]
    pub exit_code: bool,
    /// When to colour the diff.
    #[arg(long, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    pub color: Colour,
    /// Do not page through the diff on a terminal; else ASTGEN_PAGER, PAGER or `less -FRX` does.
    #[arg(long)]
    pub no_pager: bool,
}

/// Show what the plan of a project does, and do it.
///
///     astgen apply-plan my-product                         what `--apply` would do
///     astgen apply-plan my-product --apply                 do it: all of it, or nothing
///     astgen apply-plan my-product --resolve app/x.py      app/x.py.new is edited: it becomes app/x.py
///
/// A file that changed since the plan was made stops it, and nothing is changed. A run that is stopped half-way is
/// finished or undone by the next one. Files in conflict stay as they are; `<path>.new` beside each shows what
/// clashes between git's markers.
///
/// Exit codes: 0 done; 1 done, but a conflict is left to a person; 2 bad input, nothing changed.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct ApplyPlan {
    /// A project's folder, or its name below production_projects [default: the current folder, or the project of ./astgen.toml]
    #[arg(value_hint = ValueHint::DirPath)]
    pub project: Option<PathBuf>,
    /// Write the files.
    #[arg(long)]
    pub apply: bool,
    /// Only show what would be done; this is the default.
    #[arg(long, conflicts_with = "apply")]
    pub dry_run: bool,
    /// End the conflict of a file: the edited `PATH.new` becomes the file.
    #[arg(long, value_name = "PATH", conflicts_with_all = ["apply", "dry_run", "autogenerate"])]
    pub resolve: Option<PathBuf>,
    /// With --resolve: keep the file as it is.
    #[arg(long, requires = "resolve", conflicts_with = "theirs")]
    pub ours: bool,
    /// With --resolve: take the generated file.
    #[arg(long, requires = "resolve")]
    pub theirs: bool,
    /// Print the command that makes the migration for the plan's changes of models; nothing is run.
    #[arg(long, conflicts_with = "apply")]
    pub autogenerate: bool,
    /// Print what is done as JSON.
    #[arg(long)]
    pub json: bool,
    /// When to colour the summary.
    #[arg(long, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    pub color: Colour,
}

/// Check that every generated route still has its guards, in the files as they are on disk.
///
///     astgen audit                         the project of ./astgen.toml, or the current folder
///     astgen audit my-product --json       for machines
///
/// A route is found wherever people put it: renamed, moved to another module, decorated, mounted under another
/// prefix. Routes that people added are listed with the guards that they carry. The guards are those that the
/// spec gives (SPEC, or astgen.toml in the project or in the current folder); without a spec, those that were
/// generated last.
///
/// Reading proves that a guard is named where FastAPI runs it. It does not prove that the guard's own code still
/// refuses what it did, that nothing replaces it at run time (`app.dependency_overrides`), or what routes do that
/// are added by a call or in a loop; what is seen of that is listed.
///
/// In CI, and as a hook before each commit (.pre-commit-config.yaml):
///
///     - { id: astgen-audit, name: astgen audit, entry: astgen audit, language: system, pass_filenames: false }
///
/// Exit codes: 0 all there; 1 a guard is missing, or a file cannot be read; 2 bad input.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct Audit {
    /// A project's folder, or its name below production_projects [default: the current folder, or the project of ./astgen.toml]
    #[arg(value_hint = ValueHint::DirPath)]
    pub project: Option<PathBuf>,
    /// The spec.
    #[arg(long, value_name = "SPEC", value_hint = ValueHint::FilePath)]
    pub spec: Option<PathBuf>,
    /// Print the report as JSON.
    #[arg(long)]
    pub json: bool,
}

/// `astgen schema`
#[derive(Debug, Args)]
pub struct Schema {
    /// Of which format.
    #[arg(value_enum, default_value_t = SchemaOf::Spec)]
    pub of: SchemaOf,
}

/// The formats that have a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// `astgen.toml`
    Spec,
    /// `plan.json`
    Plan,
}

/// `astgen check`
#[derive(Debug, Args)]
pub struct Check {
    /// Files, or folders whose `.py` and `.pyi` files are checked.
    #[arg(required = true, value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
    /// Print the report as JSON.
    #[arg(long)]
    pub json: bool,
}

/// `astgen merge`
///
/// As a git merge driver for all Python files of a repository:
///
///     git config merge.astgen.driver "astgen merge %O %A %B -o %A -p %P"
///     echo "*.py merge=astgen" >> .gitattributes
///
/// Exit codes: 0 clean; 1 with conflicts; 2 bad input, nothing written.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct Merge {
    /// The common ancestor.
    #[arg(value_hint = ValueHint::FilePath)]
    pub base: PathBuf,
    /// Your version: what theirs did not have to change stays as it is here, byte for byte.
    #[arg(value_hint = ValueHint::FilePath)]
    pub ours: PathBuf,
    /// The version that wants in.
    #[arg(value_hint = ValueHint::FilePath)]
    pub theirs: PathBuf,
    /// Where to write the result [default: standard output]
    #[arg(long, short, value_name = "OUT", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
    /// The file's path in the repository: its name says how to read it [default: OURS]
    #[arg(long, short, value_name = "PATH")]
    pub path: Option<PathBuf>,
    /// Print what clashes as JSON on standard error.
    #[arg(long)]
    pub json: bool,
}
