//! The command line: what can be said, and nothing of what it does.

use clap::{Args, Parser, Subcommand, ValueHint};
use std::path::PathBuf;

/// Generates a complete multi-tenant FastAPI backend from a small spec, through a typed Python AST.
///
/// A first project:
///
///     astgen init my-product          writes my-product/astgen.toml
///     astgen build my-product/astgen.toml
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
    /// Build a project from a spec.
    Build(Build),
    /// Merge three versions of a file; works as a git merge driver.
    Merge(Merge),
    /// Print every Python file below a path from its syntax tree, read it back, and compare the trees.
    Check(Check),
    /// Print the JSON Schema of `astgen.toml`, for editors.
    Schema,
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

/// `astgen build`
#[derive(Debug, Args)]
pub struct Build {
    /// The spec.
    #[arg(default_value = "astgen.toml", value_hint = ValueHint::FilePath)]
    pub spec: PathBuf,
    /// The project's folder [default: production_projects/<name>]
    #[arg(long, short, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
    /// Print what was done as JSON.
    #[arg(long)]
    pub json: bool,
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
