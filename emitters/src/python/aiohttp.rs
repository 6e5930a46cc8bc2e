//! aiohttp: the client of Stripe and of webhooks, and the servers that stand in for others in tests.

astgen_pyast::vocabulary! {
    "aiohttp": ClientError, ClientSession, ClientTimeout, StreamReader, TCPConnector, ThreadedResolver, web;
    "aiohttp.abc": AbstractResolver, ResolveResult;
}
