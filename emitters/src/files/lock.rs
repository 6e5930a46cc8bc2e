//! The locked packages. `tools/lock.py` writes the data.

use serde::Deserialize;
use std::collections::HashSet;
use std::sync::LazyLock;

/// A package at one version.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Package {
    /// Its normalized name.
    pub name: String,
    /// What it is asked for beside itself: `toml` of `coverage[toml]`. pip wants them named, too.
    pub extras: Vec<String>,
    /// The version.
    pub version: String,
    /// Where it is installed (PEP 508); `None` is everywhere.
    pub marker: Option<String>,
    /// The packages that need it, by name.
    pub required_by: Vec<String>,
    /// The hash of every file of the version: `sha256:…`.
    pub hashes: Vec<String>,
}

#[derive(Deserialize)]
struct Lock {
    packages: Vec<Package>,
}

/// Every locked package, by name: those of a project that uses all that a spec can switch on.
#[must_use]
pub fn packages() -> &'static [Package] {
    static LOCK: LazyLock<Lock> = LazyLock::new(|| {
        serde_json::from_str(include_str!("lock.json")).expect("tools/lock.py writes a lock")
    });
    &LOCK.packages
}

/// Some packages with all that they need, by name.
#[must_use]
pub fn closure<'a>(roots: impl IntoIterator<Item = &'a str>) -> Vec<&'static Package> {
    let mut needed: HashSet<&str> = HashSet::new();
    let mut found: Vec<&str> = roots.into_iter().collect();
    while let Some(name) = found.pop() {
        if needed.insert(name) {
            let requirements = packages().iter().filter(|package| {
                package.required_by.iter().any(|requirer| requirer.as_str() == name)
            });
            found.extend(requirements.map(|package| package.name.as_str()));
        }
    }
    packages().iter().filter(|package| needed.contains(package.name.as_str())).collect()
}
