//! The `astgen` command line. Only this file knows exit codes.
#![forbid(unsafe_code)]

mod cli;
mod commands;

use clap::{CommandFactory, Parser};
use cli::{Cli, Command};
use commands::Outcome;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Init(args) => commands::init(&args),
        Command::Build(args) => commands::build(&args),
        Command::Diff(args) => commands::diff(&args),
        Command::ApplyPlan(args) => commands::apply_plan(&args),
        Command::Audit(args) => commands::audit(&args),
        Command::Check(args) => commands::check(&args),
        Command::Merge(args) => commands::merge(&args),
        Command::Schema(args) => commands::schema(&args),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "astgen", &mut script);
            Ok(Outcome::done(script))
        }
        Command::Man => commands::man(Cli::command()),
    };
    match result {
        Ok(outcome) => finish(&outcome),
        Err(error) => {
            eprintln!("{:?}", miette::Report::new(error));
            ExitCode::from(2)
        }
    }
}

fn finish(outcome: &Outcome) -> ExitCode {
    match io::stdout().write_all(&outcome.data).and_then(|()| io::stdout().flush()) {
        // Who reads the output may stop reading.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            eprintln!("cannot write to standard output: {error}");
            ExitCode::from(2)
        }
        _ if outcome.something_is_left => ExitCode::from(1),
        _ => ExitCode::SUCCESS,
    }
}
