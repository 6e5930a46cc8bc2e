//! `backend/app/core/client.py`: where a request comes from.

use crate::core::settings::SettingsDep;
use crate::python::builtins::{ValueError, any, bool, reversed, str};
use crate::python::fastapi::{Depends, Request};
use crate::python::standard::{
    Annotated, IPv4Network, IPv6Network, Sequence, dataclass, ip_address as parse_address,
};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.client": MAX_USER_AGENT_LENGTH, MAX_ADDRESS_LENGTH, Network, Client,
        get_client, origin, is_within, ClientDep;
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
            assign(peer, py!(if request.client == None { "" } else { request.client.host })),
            assign(lines, py!(",".join(request.headers.getlist("X-Forwarded-For")))),
            assign(hops, py!(list!(hop.strip() for hop in lines.split(",") if hop.strip()))),
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

fn is_within_def() -> FunctionDef {
    names!(address, networks, parsed);
    def(is_within)
        .params([param(address, str), param(networks, py!(Sequence[Network]))])
        .returns(bool)
        .body(block![
            docstring("Tell whether an address belongs to one of the networks."),
            try_([assign(parsed, py!(parse_address(address)))])
                .except(ValueError, [return_(false)]),
            return_(py!(any(generator!(in_!(parsed, network) for network in networks))))
        ])
}
