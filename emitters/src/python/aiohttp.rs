//! aiohttp: the HTTP client of the Stripe library, and the server that stands in for Stripe in tests.

astgen_pyast::vocabulary! {
    "aiohttp": ClientTimeout, web;
}
