//! uvicorn: the server.

astgen_pyast::vocabulary! {
    "uvicorn": Config, Server;
}
