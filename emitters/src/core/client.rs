//! `backend/app/core/client.py`: where a request comes from.

use crate::python::builtins::str;
use crate::python::fastapi::{Depends, Request};
use crate::python::standard::{Annotated, dataclass};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.client": MAX_USER_AGENT_LENGTH, Client, get_client, ClientDep;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.core.client").docstring("Where a request comes from.").body(block![
        assign(MAX_USER_AGENT_LENGTH, 255),
        client_class(),
        get_client_def(),
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
    names!(request, address, agent);
    def(get_client).params([param(request, Request)]).returns(Client).body(block![
        docstring("Describe the sender of the request."),
        assign(address, py!(if request.client == None { "" } else { request.client.host })),
        assign(agent, py!(request.headers.get("User-Agent", ""))),
        return_(py!(Client(address, agent[..MAX_USER_AGENT_LENGTH])))
    ])
}
