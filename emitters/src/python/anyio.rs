//! AnyIO.

astgen_pyast::vocabulary! {
    "anyio": CapacityLimiter, fail_after, to_thread;
}
