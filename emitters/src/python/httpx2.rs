//! httpx2: the HTTP client of the tests.

astgen_pyast::vocabulary! {
    "httpx2": ASGITransport, AsyncClient, Response;
}
