//! Regenerating an existing project: finish what was stopped, plan, write the plan, and apply it if that is
//! wanted.

use crate::Error;
use crate::apply::{self, Effect};
use crate::disk::{Entry, Root};
use crate::journal::{self, Recovered};
use crate::plan::{CONFLICTS, PLAN, Plan};
use crate::planning::{self, Planned};
use astgen_emitters::spec::Spec;

/// Plans the regeneration of a project and writes `plan.json` and `conflicts.json`; nothing else changes. When there
/// is nothing to do, no plan is written, and one that lies there says so from now on.
///
/// # Errors
/// When another run is at work, or the operating system refuses.
pub fn plan(root: &Root, spec: &Spec) -> Result<Planned, Error> {
    let _lock = root.lock()?;
    let recovered = recover(root)?;
    let mut planned = planning::plan(root, spec)?;
    planned.notes.splice(0..0, recovered);
    let texts = [(PLAN, planned.plan.text()), (CONFLICTS, planned.plan.conflicts_text())];
    for (path, text) in texts {
        if !planned.plan.is_empty() || root.exists(path.as_ref()) {
            root.replace(path, text.as_bytes())?;
        }
    }
    Ok(planned)
}

/// Reads the plan of a project.
///
/// # Errors
/// When there is none, or what is there is no plan.
pub fn read_plan(root: &Root) -> Result<Plan, Error> {
    let path = root.path().join(PLAN);
    match root.read(PLAN)? {
        Entry::Missing => Err(Error::NoPlan(path)),
        Entry::Other(what) => Err(Error::Stale { files: vec![(PLAN.to_owned(), what.to_owned())] }),
        Entry::File(bytes) => {
            Plan::parse_bytes(&bytes).map_err(|reason| Error::NotAPlan { path, reason })
        }
    }
}

/// Applies a plan: all of it, or nothing.
///
/// # Errors
/// When another run is at work, a file is not what the plan saw any more, or the operating system refuses.
pub fn apply(root: &Root, plan: &Plan) -> Result<(Effect, Option<String>), Error> {
    let _lock = root.lock()?;
    let recovered = recover(root)?;
    Ok((apply::apply(root, plan)?, recovered))
}

/// Ends a run that was stopped, and says so.
///
/// # Errors
/// When that cannot be done.
pub fn recover(root: &Root) -> Result<Option<String>, Error> {
    Ok(match journal::recover(root)? {
        Recovered::Nothing => None,
        Recovered::Finished => {
            Some("an earlier run was stopped half-way: it is finished now".to_owned())
        }
        Recovered::Undone => Some(
            "an earlier run was stopped half-way, and files changed since: it is undone now"
                .to_owned(),
        ),
    })
}
