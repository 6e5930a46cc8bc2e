//! `astgen diff`

use super::{Outcome, colours, folder, json};
use crate::cli;
use astgen::diff::{FileDiff, diff as changes, page, stat, text};
use astgen::disk::Root;
use astgen::plan::Plan;
use astgen::{Error, journal, planning, project, rebuild};
use std::io::{IsTerminal, Write, stdout};
use std::process::{Command, Stdio};

/// What pages through a long diff when neither `ASTGEN_PAGER` nor `PAGER` says.
const PAGER: &str = "less -FRX";

/// `astgen diff`
pub fn diff(args: &cli::Diff) -> Result<Outcome, Error> {
    let root = folder::named(args.project.as_deref())?;
    let plan = plan(args, &root)?;
    let files = changes(&root, &plan)?;
    let something_is_left = args.exit_code && !files.is_empty();
    if let Some(out) = &args.html {
        project::replace(out, page(&plan, &files).as_bytes())?;
        eprintln!("wrote {}", out.display());
        return Ok(Outcome { data: Vec::new(), something_is_left });
    }
    if args.json {
        return Ok(Outcome { data: json(&files), something_is_left });
    }
    let data = shown(args, &plan, &files).into_bytes();
    let data = if args.no_pager || !stdout().is_terminal() { data } else { page_through(data) };
    Ok(Outcome { data, something_is_left })
}

/// The plan that regeneration has for the project as it is, or, when there is no spec, the one that lies there.
fn plan(args: &cli::Diff, root: &Root) -> Result<Plan, Error> {
    if journal::is_interrupted(root) {
        eprintln!(
            "note: a run was stopped half-way here; the next `astgen build` or `astgen apply-plan --apply` ends it"
        );
    }
    match folder::spec_of(root, args.spec.as_deref())? {
        Some(spec) => {
            let planned = planning::plan(root, &spec)?;
            planned.notes.iter().for_each(|note| eprintln!("note: {note}"));
            Ok(planned.plan)
        }
        None => rebuild::read_plan(root),
    }
}

fn shown(args: &cli::Diff, plan: &Plan, files: &[FileDiff]) -> String {
    let style = colours(args.color, &stdout());
    let mut shown = if args.stat { stat(files, style) } else { text(files, style) };
    for settled in &plan.settled {
        let line = format!("keep     {}  {}\n", settled.path, settled.reason);
        shown.push_str(&style.faint(&line));
    }
    shown
}

/// Gives the text to the pager. What no pager took is returned.
fn page_through(text: Vec<u8>) -> Vec<u8> {
    let named = |name| std::env::var(name).ok().filter(|pager| !pager.trim().is_empty());
    let pager =
        named("ASTGEN_PAGER").or_else(|| named("PAGER")).unwrap_or_else(|| PAGER.to_owned());
    let mut words = pager.split_whitespace();
    let Some(program) = words.next() else { return text };
    let child = Command::new(program).args(words).stdin(Stdio::piped()).spawn();
    let Ok(mut child) = child else { return text };
    if let Some(mut stdin) = child.stdin.take() {
        // Who pages may stop reading.
        let _ = stdin.write_all(&text);
    }
    match child.wait() {
        Ok(status) if status.success() => Vec::new(),
        _ => text,
    }
}
