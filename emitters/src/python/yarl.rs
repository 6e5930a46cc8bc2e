//! yarl: addresses, as aiohttp reads them.

astgen_pyast::vocabulary! {
    "yarl": URL;
}
