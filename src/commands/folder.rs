//! Which project a command is about.

use astgen::disk::{Root, STATE};
use astgen::plan::PLAN;
use astgen::state::State;
use astgen::{Error, spec_file};
use astgen_emitters::spec::Spec;
use std::path::{Path, PathBuf};

/// Where projects are built when no folder is named.
const PROJECTS: &str = "production_projects";
/// The spec's name when none is named.
const SPEC: &str = "astgen.toml";

/// Where the project of a spec is built.
pub fn of_spec(spec: &Spec, out: Option<&Path>) -> PathBuf {
    out.map_or_else(|| Path::new(PROJECTS).join(&spec.project.name), Path::to_owned)
}

/// The project that a command names: a folder, or a name below `production_projects`. Without a name, it is the
/// folder where the command runs, or the project of the spec that is there.
pub fn named(project: Option<&Path>) -> Result<Root, Error> {
    let folder = match project {
        Some(named) if named.is_dir() => named.to_owned(),
        Some(named) => {
            let below = Path::new(PROJECTS).join(named);
            if !below.is_dir() {
                return Err(Error::NoProject(named.to_owned()));
            }
            below
        }
        None if is_project(Path::new(".")) => PathBuf::from("."),
        None => {
            let folder = of_spec(&spec_file::read(Path::new(SPEC))?, None);
            if !folder.is_dir() {
                return Err(Error::NoProject(folder));
            }
            folder
        }
    };
    Root::open(&folder)
}

fn is_project(folder: &Path) -> bool {
    folder.join(STATE).exists() || folder.join(PLAN).exists()
}

/// The spec of a project: the one that is named, the one in the project, or the one where the command runs, if
/// it is for a project of the same name. `None` when there is none.
pub fn spec_of(root: &Root, named: Option<&Path>) -> Result<Option<Spec>, Error> {
    if let Some(named) = named {
        return spec_file::read(named).map(Some);
    }
    let own = root.path().join(SPEC);
    if own.is_file() {
        return spec_file::read(&own).map(Some);
    }
    if !Path::new(SPEC).is_file() {
        return Ok(None);
    }
    let spec = spec_file::read(Path::new(SPEC))?;
    let project = State::read(root)?.map(|state| state.manifest.project).unwrap_or_default();
    let is_its_own = project.is_empty() || project == spec.project.name;
    Ok(is_its_own.then_some(spec))
}
