//! `astgen audit`

use super::{Outcome, folder, json};
use crate::cli;
use astgen::audit::audit as compare;
use astgen::disk::{Entry, Listed, Root};
use astgen::state::{State, read_texts};
use astgen::{Error, ProjectPath};
use std::path::{Path, PathBuf};

/// The folder that Python runs in.
const BACKEND: &str = "backend";

/// Folders whose routes nobody serves.
const NOT_SERVED: [&str; 6] =
    ["tests", "migrations", "venv", "env", "node_modules", "site-packages"];

/// `astgen audit`
pub fn audit(args: &cli::Audit) -> Result<Outcome, Error> {
    let root = folder::named(args.project.as_deref())?;
    let generated = generated(args, &root)?;
    let mut found = Vec::new();
    read_below(&root, Path::new(BACKEND), &mut found)?;
    let report = compare(&generated, &found);
    let something_is_left = report.is_failed();
    let data = if args.json { json(&report) } else { report.to_string().into_bytes() };
    Ok(Outcome { data, something_is_left })
}

/// The application as its spec says it, or, when there is no spec, as it was generated last.
fn generated(args: &cli::Audit, root: &Root) -> Result<Vec<(String, String)>, Error> {
    if let Some(spec) = folder::spec_of(root, args.spec.as_deref())? {
        let files = astgen_emitters::generate_printed(&spec).into_iter();
        return Ok(files.filter_map(|file| served(&file.path, || file.text)).collect());
    }
    let Some(state) = State::read(root)? else {
        return Err(Error::NothingToAudit(root.path().to_owned()));
    };
    let texts = read_texts(root)?;
    let text = |path: &ProjectPath| state.bases(path).iter().find_map(|digest| texts.get(digest));
    let paths = state.manifest.files.keys();
    Ok(paths
        .filter_map(|path| Some((path.as_str(), text(path)?)))
        .filter_map(|(path, text)| served(path, || text.to_owned()))
        .collect())
}

/// A file of the application, with its path relative to the folder that Python runs in.
fn served(path: &str, text: impl FnOnce() -> String) -> Option<(String, String)> {
    let below = Path::new(path).strip_prefix(BACKEND).ok()?;
    let is_served = !below.iter().any(|part| NOT_SERVED.iter().any(|it| part == *it));
    (is_served && path.ends_with(".py")).then(|| (below.display().to_string(), text()))
}

/// Reads the Python files below a folder. Hidden folders and virtual environments are somebody else's.
fn read_below(root: &Root, folder: &Path, found: &mut Vec<(String, String)>) -> Result<(), Error> {
    for (name, listed) in root.list(folder) {
        let path: PathBuf = folder.join(&name);
        match listed {
            Listed::Folder => {
                let is_environment = root.exists(&path.join("pyvenv.cfg"));
                if !name.starts_with('.') && !NOT_SERVED.contains(&&*name) && !is_environment {
                    read_below(root, &path, found)?;
                }
            }
            Listed::File { .. } if name.ends_with(".py") => {
                if let Entry::File(bytes) = root.read(&path)? {
                    let text = String::from_utf8_lossy(&bytes);
                    let text = text.trim_start_matches('\u{feff}');
                    found.extend(served(&path.to_string_lossy(), || text.to_owned()));
                }
            }
            Listed::File { .. } => (),
        }
    }
    Ok(())
}
