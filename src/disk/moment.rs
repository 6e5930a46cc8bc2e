//! The moments between two changes of the disk. A test stops the process at one of them, to see what the next run
//! makes of what is there; a release build has none.

/// Where a test stops the process: at the moment of this number, from 0.
#[cfg(debug_assertions)]
const STOP_AT: &str = "ASTGEN_STOP_AT";

/// Passes a moment, or ends the process with SIGKILL when a test wants it to end here.
#[cfg(debug_assertions)]
pub fn moment() {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicUsize, Ordering};
    static WANTED: OnceLock<Option<usize>> = OnceLock::new();
    static PASSED: AtomicUsize = AtomicUsize::new(0);
    let wanted = WANTED.get_or_init(|| std::env::var(STOP_AT).ok()?.parse().ok());
    if wanted.is_some() && *wanted == Some(PASSED.fetch_add(1, Ordering::Relaxed)) {
        let itself = std::process::id().to_string();
        let killed = std::process::Command::new("kill").args(["-KILL", &itself]).status();
        unreachable!("the process goes on: {killed:?}");
    }
}

/// Nothing: only tests stop here.
#[cfg(not(debug_assertions))]
pub const fn moment() {}
