//! `backend/app/core/client.py`: where a request comes from.

use crate::core::settings::SettingsDep;
use crate::python::builtins::{ValueError, any, bool, isinstance, reversed, str};
use crate::python::fastapi::{Depends, Request};
use crate::python::standard::{
    Annotated, IPv4Network, IPv6Address, IPv6Network, Sequence, dataclass,
    ip_address as parse_address,
};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.client": MAX_USER_AGENT_LENGTH, MAX_ADDRESS_LENGTH, Network, Client,
        get_client, origin, is_within, plain, ClientDep;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.core.client").docstring("Where a request comes from.").body(block![
        assign(MAX_USER_AGENT_LENGTH, 255),
        assign(MAX_ADDRESS_LENGTH, 45),
        assign(Network, py!(IPv4Network | IPv6Network)).paragraph(),
        client_class(),
        get_client_def(),
        origin_def(),
        is_within_def(),
        plain_def(),
        assign(ClientDep, py!(Annotated[(Client, Depends(get_client))]))
    ])
}

fn client_class() -> ClassDef {
    names!(ip_address, user_agent);
    class(Client).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("What the network and the caller's program say of themselves."),
        annotate(ip_address, str),
        annotate(user_agent, str)
    ])
}

fn get_client_def() -> FunctionDef {
    names!(request, settings, peer, lines, hops, address, agent);
    def(get_client)
        .params([param(request, Request), param(settings, SettingsDep)])
        .returns(Client)
        .body(block![
            docstring("Describe the sender of the request."),
            assign(peer, py!(if request.client == None { "" } else { plain(request.client.host) })),
            assign(lines, py!(",".join(request.headers.getlist("X-Forwarded-For")))),
            assign(hops, py!(list!(plain(hop.strip()) for hop in lines.split(",") if hop.strip()))),
            assign(address, py!(origin([*hops, peer], settings.trusted_proxies))),
            assign(agent, py!(request.headers.get("User-Agent", ""))),
            return_(py!(Client(address[..MAX_ADDRESS_LENGTH], agent[..MAX_USER_AGENT_LENGTH])))
        ])
}

fn origin_def() -> FunctionDef {
    names!(hops, proxies, hop);
    def(origin)
        .params([param(hops, py!(Sequence[str])), param(proxies, py!(Sequence[Network]))])
        .returns(str)
        .body(block![
            docstring("Return the last hop that is no proxy of ours: anybody can write the rest."),
            for_(hop, py!(reversed(hops)), if_(py!(!is_within(hop, proxies)), [return_(hop)])),
            return_(py!(hops[0]))
        ])
}

fn plain_def() -> FunctionDef {
    names!(hop, host, parsed);
    def(plain).params([param(hop, str)]).returns(str).body(block![
        docstring("Return an address without a port, and IPv4 as such; other text as it is."),
        assign(host, hop),
        if_(py!(hop.startswith("[")), [assign(host, py!(hop.removeprefix("[").partition("]")[0]))]),
        if_(py!(hop.count(":") == 1), [assign(host, py!(hop.partition(":")[0]))]),
        try_([assign(parsed, py!(parse_address(host)))]).except(ValueError, [return_(hop)]),
        if_(
            py!(isinstance(parsed, IPv6Address) && parsed.ipv4_mapped != None),
            [return_(py!(str(parsed.ipv4_mapped)))]
        ),
        return_(host)
    ])
}

fn is_within_def() -> FunctionDef {
    names!(address, networks, parsed);
    def(is_within)
        .params([param(address, str), param(networks, py!(Sequence[Network]))])
        .returns(bool)
        .body(block![
            docstring("Tell whether an address belongs to one of the networks."),
            try_([assign(parsed, py!(parse_address(plain(address))))])
                .except(ValueError, [return_(false)]),
            return_(py!(any(generator!(in_!(parsed, network) for network in networks))))
        ])
}
