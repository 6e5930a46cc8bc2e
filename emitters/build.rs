//! Gives the crate the digest of all source that decides what is generated: two builds of astgen with one
//! version number and other emitters can be told apart.

use std::fs;
use std::path::{Path, PathBuf};

const FOLDERS: [&str; 3] = ["src", "../pyast/src", "../pyast/macros/src"];

fn main() {
    let mut files = Vec::new();
    for folder in FOLDERS {
        println!("cargo::rerun-if-changed={folder}");
        collect(Path::new(folder), &mut files);
    }
    files.sort();
    let mut hash = 0xcbf2_9ce4_8422_2325;
    for file in files {
        let name = file.to_string_lossy().replace('\\', "/");
        fold(&mut hash, name.as_bytes());
        fold(&mut hash, &fs::read(&file).unwrap_or_default());
    }
    println!("cargo::rustc-env=ASTGEN_SOURCE={hash:016x}");
}

/// Source files; snapshots of tests decide nothing.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_none_or(|kind| kind != "snap") {
            files.push(path);
        }
    }
}

/// FNV-1a, the same with every compiler.
fn fold(hash: &mut u64, bytes: &[u8]) {
    for byte in bytes {
        *hash = (*hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
}
