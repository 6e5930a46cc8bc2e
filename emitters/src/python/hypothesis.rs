//! Hypothesis: properties in the emitted tests.

astgen_pyast::vocabulary! {
    "hypothesis": HealthCheck, given, settings, strategies as st;
}
