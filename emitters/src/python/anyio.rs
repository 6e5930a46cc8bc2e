//! AnyIO.

use astgen_pyast::{Import, import_module};

astgen_pyast::vocabulary! {
    "anyio": CancelScope, CapacityLimiter, create_task_group, fail_after, run_process, sleep, to_thread;
}

/// `import anyio`
#[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
pub const anyio: Import = import_module("anyio");
