//! `backend/app/core/outbound.py`: requests to addresses that people name: to the internet at large, and never
//! inside.

use crate::core::settings::{Environment, Settings};
use crate::core::tracing::{note_status, traced_call};
use crate::python::aiohttp::{
    AbstractResolver, ClientSession, ClientTimeout, ResolveResult, StreamReader, TCPConnector,
    ThreadedResolver,
};
use crate::python::builtins::{
    OSError, ValueError, any, bool, int, isinstance, len, list, str, tuple,
};
use crate::python::standard::{IPv6Address, Mapping, NamedTuple, ip_address, ip_network, socket};
use crate::python::yarl::URL;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.outbound": CONNECT_SECONDS, ANSWER_SECONDS, KEPT_BYTES, UNICAST, REFUSED,
        AddressRefusedError, Answer, Outbound, PublicResolver, is_public, is_address, read_start;
}

/// What is not the internet at large, of IPv4 (IANA's registry of special addresses, and one of Azure) and of the
/// unicast addresses of IPv6.
const NETWORKS: [&str; 22] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "192.175.48.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
];

/// The module.
#[must_use]
pub fn emit(is_traced: bool) -> Module {
    module("app.core.outbound")
        .docstring(
            "Requests to addresses that people name: to the internet, and never inside.\n\
             \n\
             What a name leads to is looked up once, checked, and then connected to: a second\n\
             look-up could have another answer. Redirects are not followed.",
        )
        .body(block![
            assign(CONNECT_SECONDS, 5),
            assign(ANSWER_SECONDS, 15),
            assign(KEPT_BYTES, 2048),
            assign(UNICAST, py!(ip_network("2000::/3")))
                .comment("Of IPv6 all else is local, or an address of IPv4 in another form."),
            assign(
                REFUSED,
                py!(tuple(generator!(ip_network(network) for network in { tuple_of(NETWORKS) })))
            )
            .comment("What is special, local, or the metadata service of a cloud."),
            address_refused_error_class(),
            answer_class(),
            outbound_class(is_traced),
            public_resolver_class(),
            is_public_def(),
            is_address_def(),
            read_start_def()
        ])
}

fn tuple_of(texts: [&'static str; 22]) -> Expr {
    astgen_pyast::make::tuple(texts)
}

fn address_refused_error_class() -> ClassDef {
    class(AddressRefusedError).base(OSError).body([docstring("No request may go to this address.")])
}

fn answer_class() -> ClassDef {
    names!(status, body);
    class(Answer).base(NamedTuple).body(block![
        docstring("What came back: a status and the start of a body."),
        annotate(status, int),
        annotate(body, str)
    ])
}

fn outbound_class(is_traced: bool) -> ClassDef {
    class(Outbound).body(block![
        docstring("Sends requests, each on a connection of its own."),
        outbound_init(),
        outbound_parse(),
        outbound_post(is_traced)
    ])
}

fn outbound_init() -> FunctionDef {
    names!(settings);
    def("__init__").params([untyped("self"), param(settings, Settings)]).returns(none()).body(
        block![
            docstring("Take from the settings what is allowed beside https to public addresses."),
            assign(py!(self.reaches_private), py!(settings.webhook_private_addresses)),
            assign(py!(self.needs_https), py!(is_!(settings.environment, Environment.PRODUCTION)))
        ],
    )
}

fn outbound_parse() -> FunctionDef {
    names!(text, url, host, error);
    let schemes = py!(if self.needs_https { ("https",) } else { ("http", "https") });
    def("parse").params([untyped("self"), param(text, str)]).returns(URL).body(block![
        docstring("Read an address, or say why no request may go there."),
        try_([assign(url, py!(URL(text)))]).except_as(
            ValueError,
            error,
            [raise_from(py!(AddressRefusedError("This is no address.")), error)]
        ),
        if_(
            py!(not_in!(url.scheme, { schemes })),
            [raise(py!(AddressRefusedError("The address has to begin with https://.")))]
        ),
        assign(host, py!(url.host || "")),
        if_(
            py!(!host || url.user != None || url.password != None),
            [raise(py!(AddressRefusedError("The address needs a host, and no password.")))]
        ),
        if_(
            py!(is_address(host) && !(self.reaches_private || is_public(host))),
            [raise(py!(AddressRefusedError("The address is not a public one.")))]
        ),
        return_(url)
    ])
}

fn outbound_post(is_traced: bool) -> FunctionDef {
    names!(text, body, headers, url, connector, timeout, session, response, span);
    let note = is_traced.then(|| do_(py!(note_status(span, response.status))));
    let request = async_with_as(
        py!(ClientSession(connector = connector, timeout = timeout, auto_decompress = false)),
        session,
        block![note, return_(py!(Answer(response.status, read_start(response.content).await)))],
    )
    .and_as(
        py!(session.post(url, data = body.encode(), headers = headers, allow_redirects = false)),
        response,
    );
    async_def("post")
        .params([
            untyped("self"),
            param(text, str),
            param(body, str),
            param(headers, py!(Mapping[(str, str)])),
        ])
        .returns(Answer)
        .body(block![
            docstring(
                "Send a body to an address, and return the answer, whatever its status.\n\
                 \n\
                 Without one there is an `aiohttp.ClientError` or an `OSError`."
            ),
            assign(url, py!(self.parse(text))),
            assign(
                connector,
                py!(TCPConnector(
                    resolver = PublicResolver(reaches_private = self.reaches_private),
                    use_dns_cache = false,
                    force_close = true
                ))
            ),
            assign(
                timeout,
                py!(ClientTimeout(total = ANSWER_SECONDS, sock_connect = CONNECT_SECONDS))
            ),
            match is_traced {
                true => with_as(py!(traced_call("POST", url.host || "")), span, [request]),
                false => request,
            }
        ])
}

fn public_resolver_class() -> ClassDef {
    names!(reaches_private, host, port, family, found, one);
    class(PublicResolver).base(AbstractResolver).body(block![
        docstring("Looks names up, and returns no address that is not public."),
        def("__init__")
            .params([untyped("self"), star(), param(reaches_private, bool)])
            .returns(none())
            .body(block![
                docstring("Prepare to ask the system."),
                assign(py!(self.reaches_private), reaches_private),
                assign(py!(self.system), py!(ThreadedResolver()))
            ]),
        async_def("resolve")
            .params([
                untyped("self"),
                param(host, str),
                param(port, int).default(0),
                param(family, py!(socket.AddressFamily)).default(py!(socket.AF_INET)),
            ])
            .returns(py!(list[ResolveResult]))
            .body(block![
                docstring("Look a name up; one that leads inside is refused altogether."),
                assign(found, py!(self.system.resolve(host, port, family).await)),
                if_(
                    py!(!self.reaches_private
                        && any(generator!(!is_public(one["host"]) for one in found))),
                    [raise(py!(AddressRefusedError("The address is not a public one.")))]
                ),
                return_(found)
            ]),
        async_def("close")
            .params([untyped("self")])
            .returns(none())
            .body(block![docstring("Let go of nothing."), do_(py!(self.system.close().await))])
    ])
}

fn is_public_def() -> FunctionDef {
    names!(text, address);
    def(is_public).params([param(text, str)]).returns(bool).body(block![
        docstring("Tell whether an address is of the internet at large."),
        assign(address, py!(ip_address(text))),
        if_(py!(isinstance(address, IPv6Address) && not_in!(address, UNICAST)), [return_(false)]),
        return_(py!(!any(generator!(in_!(address, network) for network in REFUSED))))
    ])
}

fn is_address_def() -> FunctionDef {
    names!(host);
    def(is_address).params([param(host, str)]).returns(bool).body(block![
        docstring("Tell whether a host is an address, and no name that is looked up."),
        try_([do_(py!(ip_address(host)))]).except(ValueError, [return_(false)]),
        return_(true)
    ])
}

fn read_start_def() -> FunctionDef {
    names!(content, start, chunk);
    async_def(read_start).params([param(content, StreamReader)]).returns(str).body(block![
        docstring("Read the start of a body, and leave the rest."),
        assign(start, py!(b"")),
        while_(
            py!(walrus!(chunk, content.read(KEPT_BYTES - len(start)).await)),
            [aug_assign(start, Operator::Add, chunk)]
        ),
        return_(py!(start.decode(errors = "replace").replace("\0", "\u{fffd}")))
    ])
}
