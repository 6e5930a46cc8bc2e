//! AnyIO.

astgen_pyast::vocabulary! {
    "anyio": CapacityLimiter, to_thread;
}
