//! `astgen build`

use super::{Outcome, colours, folder, json};
use crate::cli;
use astgen::apply::{Deed, Effect, effect};
use astgen::disk::Root;
use astgen::plan::Plan;
use astgen::planning::Planned;
use astgen::project::{Standing, create, standing};
use astgen::{Error, alembic, rebuild, spec_file, summary};
use astgen_emitters::spec::Spec;
use serde::Serialize;
use std::io::stderr;
use std::path::{Path, PathBuf};

/// What a build did or plans to do, as JSON.
#[derive(Debug, Default, Serialize)]
struct Built {
    /// The project's folder.
    folder: String,
    /// Whether the files are written, and not only planned.
    applied: bool,
    created: Vec<String>,
    updated: Vec<String>,
    merged: Vec<String>,
    deleted: Vec<String>,
    conflicts: Vec<String>,
    /// Files that stay as they are although other text is generated for them now.
    kept: Vec<String>,
    /// Files for which nothing else is generated.
    unchanged: usize,
    notes: Vec<String>,
}

/// `astgen build`
pub fn build(args: &cli::Build) -> Result<Outcome, Error> {
    let spec = spec_file::read(&args.spec)?;
    let folder = folder::of_spec(&spec, args.out.as_deref());
    match standing(&folder, &spec)? {
        Standing::New => build_new(args, &spec, folder),
        Standing::Existing => build_again(args, &spec, &folder),
    }
}

fn build_new(args: &cli::Build, spec: &Spec, folder: PathBuf) -> Result<Outcome, Error> {
    let created = create(&folder, spec)?;
    if args.json {
        let folder = folder.display().to_string();
        let built = Built { folder, applied: true, created, ..Built::default() };
        return Ok(Outcome::done(json(&built)));
    }
    eprintln!("{}: {} files created", folder.display(), created.len());
    Ok(Outcome::default())
}

fn build_again(args: &cli::Build, spec: &Spec, folder: &Path) -> Result<Outcome, Error> {
    let root = Root::open(folder)?;
    let mut planned = rebuild::plan(&root, spec)?;
    let effect = if args.apply {
        let (effect, recovered) = rebuild::apply(&root, &planned.plan)?;
        planned.notes.extend(recovered);
        effect
    } else {
        effect(&root, &planned.plan)?
    };
    let something_is_left = effect.has_conflicts();
    if args.json {
        let data = json(&built(folder, args.apply, &planned, &effect));
        return Ok(Outcome { data, something_is_left });
    }
    planned.notes.iter().for_each(|note| eprintln!("note: {note}"));
    if planned.plan.is_empty() {
        eprintln!("{} is up to date ({} files)", folder.display(), planned.unchanged);
        return Ok(Outcome::default());
    }
    eprint!("{}", summary::summary(&planned.plan, &effect, colours(args.color, &stderr())));
    say_next(&root, &planned.plan, args.apply, &effect);
    Ok(Outcome { data: Vec::new(), something_is_left })
}

fn say_next(root: &Root, plan: &Plan, applied: bool, effect: &Effect) {
    if let Some(brought) = alembic::brought(plan) {
        eprintln!("{brought}");
    }
    if let Some(revision) = alembic::revision(root, plan) {
        eprintln!("{revision}");
    }
    let folder = root.path().display();
    if !applied {
        eprintln!(
            "the plan is in {}; nothing else was changed",
            root.path().join("plan.json").display()
        );
        eprintln!(
            "next: `astgen diff {folder}` to review it, `astgen apply-plan {folder} --apply` to apply it"
        );
    } else if effect.has_conflicts() {
        super::apply_plan::say_how_to_resolve(root, effect);
    }
}

fn built(folder: &Path, applied: bool, planned: &Planned, effect: &Effect) -> Built {
    let of = |deed: Deed| -> Vec<String> { effect.of(deed).map(ToString::to_string).collect() };
    Built {
        folder: folder.display().to_string(),
        applied,
        created: of(Deed::Created),
        updated: of(Deed::Updated),
        merged: of(Deed::Merged),
        deleted: of(Deed::Deleted),
        conflicts: [of(Deed::Conflict), of(Deed::ConflictInWork)].concat(),
        kept: planned.plan.settled.iter().map(|settled| settled.path.to_string()).collect(),
        unchanged: planned.unchanged,
        notes: planned.notes.clone(),
    }
}
