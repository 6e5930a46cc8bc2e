//! `astgen apply-plan`

use super::{Outcome, colours, folder, json};
use crate::cli;
use astgen::apply::{Effect, effect};
use astgen::disk::Root;
use astgen::resolve::{Choice, resolve};
use astgen::{Error, alembic, journal, rebuild, summary};
use serde::Serialize;
use std::io::stderr;
use std::path::Path;

/// What becomes of a file, as JSON.
#[derive(Debug, Serialize)]
struct Line {
    path: String,
    result: astgen::apply::Deed,
}

/// What an apply does or did, as JSON.
#[derive(Debug, Serialize)]
struct Report {
    applied: bool,
    files: Vec<Line>,
    #[serde(skip_serializing_if = "Option::is_none")]
    migration: Option<String>,
}

/// `astgen apply-plan`
pub fn apply_plan(args: &cli::ApplyPlan) -> Result<Outcome, Error> {
    let root = folder::named(args.project.as_deref())?;
    if let Some(path) = &args.resolve {
        return resolve_one(args, &root, path);
    }
    if args.autogenerate {
        return autogenerate(&root);
    }
    let plan = rebuild::read_plan(&root)?;
    let (effect, recovered) = if args.apply {
        rebuild::apply(&root, &plan)?
    } else {
        (effect(&root, &plan)?, waiting(&root))
    };
    let something_is_left = effect.has_conflicts();
    let migration = alembic::revision(&root, &plan);
    if args.json {
        let files =
            effect.deeds.iter().map(|(path, deed)| Line { path: path.to_string(), result: *deed });
        let migration = migration.map(|it| it.command);
        let report = Report { applied: args.apply, files: files.collect(), migration };
        return Ok(Outcome { data: json(&report), something_is_left });
    }
    recovered.iter().for_each(|note| eprintln!("note: {note}"));
    eprint!("{}", summary::summary(&plan, &effect, colours(args.color, &stderr())));
    alembic::brought(&plan).iter().for_each(|brought| eprintln!("{brought}"));
    migration.iter().for_each(|migration| eprintln!("{migration}"));
    if !args.apply {
        eprintln!("nothing was written; `--apply` does it");
    } else if effect.has_conflicts() {
        say_how_to_resolve(&root, &effect);
    }
    Ok(Outcome { data: Vec::new(), something_is_left })
}

fn waiting(root: &Root) -> Option<String> {
    journal::is_interrupted(root).then(|| {
        "an earlier run was stopped half-way; `--apply` finishes or undoes it first".to_owned()
    })
}

/// What a person does with files in conflict.
pub fn say_how_to_resolve(root: &Root, effect: &Effect) {
    let deeds = effect.deeds.iter();
    let path = deeds.filter(|(_, deed)| deed.is_conflict()).map(|(path, _)| path).next();
    let Some(path) = path else { return };
    let command = format!("astgen apply-plan {} --resolve {path}", root.path().display());
    eprintln!("each file in conflict is as it was, with a `.new` beside it: edit that, then run");
    eprintln!(
        "  {command}            (or with --ours, to keep your file, or --theirs, to take the generated one)"
    );
}

fn resolve_one(args: &cli::ApplyPlan, root: &Root, path: &Path) -> Result<Outcome, Error> {
    let choice = match (args.ours, args.theirs) {
        (true, _) => Choice::Ours,
        (_, true) => Choice::Theirs,
        _ => Choice::Edited,
    };
    let _lock = root.lock()?;
    rebuild::recover(root)?;
    // A shell completes paths from where it is.
    let path = path.strip_prefix(root.path()).unwrap_or(path);
    let left = resolve(root, &path.to_string_lossy(), choice)?;
    if args.json {
        return Ok(Outcome { data: json(&left), something_is_left: !left.is_empty() });
    }
    eprintln!("{} is resolved", path.display());
    if !left.is_empty() {
        let left: Vec<String> = left.iter().map(ToString::to_string).collect();
        eprintln!("still in conflict: {}", left.join(", "));
    }
    Ok(Outcome { data: Vec::new(), something_is_left: !left.is_empty() })
}

/// Prints the command that makes the migration, and runs nothing.
fn autogenerate(root: &Root) -> Result<Outcome, Error> {
    let plan = rebuild::read_plan(root)?;
    if let Some(brought) = alembic::brought(&plan) {
        eprintln!("{brought}");
        return Ok(Outcome::default());
    }
    match alembic::revision(root, &plan) {
        Some(revision) => Ok(Outcome::done(format!("{}\n", revision.command))),
        None => {
            eprintln!("the plan changes no table: no migration is needed");
            Ok(Outcome::default())
        }
    }
}
