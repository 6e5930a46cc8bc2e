//! `backend/tests/test_outbound.py`: where requests may go that somebody else has named.

use crate::core::outbound::{AddressRefusedError, Outbound, is_public};
use crate::core::settings::{Environment, Settings};
use crate::python::aiohttp::ClientError;
use crate::python::builtins::{OSError, int, len, list, object, str, tuple};
use crate::python::pytest::pytest;
use crate::python::standard::{Any, socket};
use crate::tests::receiver::Receiver;
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_outbound": outbound;
}

const INSIDE: [&str; 25] = [
    "0.0.0.1",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "ff02::1",
];
const OUTSIDE: [&str; 4] = ["1.1.1.1", "8.8.8.8", "172.32.0.1", "2606:4700:4700::1111"];

const REFUSED: [&str; 9] = [
    "http://example.com/",
    "ftp://example.com/",
    "https://127.0.0.1/",
    "https://[::1]/",
    "https://[::ffff:169.254.169.254]/latest/meta-data",
    "https://user:password@example.com/",
    "https://example.com:port/",
    "https:///path",
    "//example.com",
];

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("tests.test_outbound")
        .docstring("Where requests may go that somebody else has named.")
        .body(block![
            outbound_def(),
            test_what_is_inside(),
            test_what_is_outside(),
            test_addresses_that_are_refused(),
            test_names_that_lead_inside_are_refused(),
            test_a_name_is_looked_up_once()
        ])
}

fn outbound_def() -> FunctionDef {
    names!(settings);
    def(outbound).params([param(settings, Settings)]).returns(Outbound).body(block![
        docstring("Send as production does, but for the port and the certificate."),
        return_(py!(Outbound(
            settings.model_copy(update = dict!("webhook_private_addresses" => false))
        )))
    ])
}

fn table_test(
    test: &'static str,
    addresses: impl IntoIterator<Item = &'static str>,
) -> FunctionDef {
    names!(address);
    def(test)
        .decorator(py!(pytest.mark.parametrize("address", [..addresses])))
        .params([param(address, str)])
        .returns(none())
}

fn test_what_is_inside() -> FunctionDef {
    names!(address);
    table_test("test_what_is_inside", INSIDE).body([assert_(py!(!is_public(address)))])
}

fn test_what_is_outside() -> FunctionDef {
    names!(address);
    table_test("test_what_is_outside", OUTSIDE).body([assert_(py!(is_public(address)))])
}

fn test_addresses_that_are_refused() -> FunctionDef {
    names!(settings, address, update, production);
    table_test("test_addresses_that_are_refused", REFUSED).params([param(settings, Settings)]).body(
        block![
            assign(
                update,
                py!(dict!(
                    "environment" => Environment.PRODUCTION,
                    "webhook_private_addresses" => false
                ))
            ),
            assign(production, py!(Outbound(settings.model_copy(update = update)))),
            assert_(py!(production.parse("https://example.com/a?b=c").host == "example.com")),
            with(py!(pytest.raises(AddressRefusedError)), [do_(py!(production.parse(address)))])
        ],
    )
}

fn test_names_that_lead_inside_are_refused() -> FunctionDef {
    names!(settings, receiver, port, host);
    async_def("test_names_that_lead_inside_are_refused")
        .params([param(settings, Settings), param(receiver, Receiver)])
        .returns(none())
        .body(block![
            assign(port, py!(receiver.url.rsplit(":", 1)[1])),
            for_(
                host,
                py!(("localhost", "127.1", "2130706433", "0x7f000001")),
                [with(
                    py!(pytest.raises((ClientError, OSError))),
                    [do_(py!(outbound(settings)
                        .post(f!("http://{}:{}/", host, port), "", dict!())
                        .await))]
                )]
            ),
            assert_(py!(receiver.received == []))
        ])
}

fn test_a_name_is_looked_up_once() -> FunctionDef {
    names!(settings, receiver, monkeypatch, port, looked_up, look_up, found, answer, host);
    async_def("test_a_name_is_looked_up_once")
        .params([
            param(settings, Settings),
            param(receiver, Receiver),
            param(monkeypatch, py!(pytest.MonkeyPatch)),
        ])
        .returns(none())
        .body(block![
            docstring("So it cannot lead somewhere else after it was checked."),
            assign(port, py!(int(receiver.url.rsplit(":", 1)[1]))),
            ann_assign(looked_up, py!(list[str]), py!([])),
            {
                names!(_port, _options);
                def(look_up)
                    .params([
                        param(host, str),
                        param(_port, object),
                        varargs(name("_"), object),
                        kwargs(_options, object),
                    ])
                    .returns(py!(list[tuple[(Any, ellipsis!())]]))
                    .body(block![
                        do_(py!(looked_up.append(host))),
                        assign(found, py!(("127.0.0.1", port))),
                        return_(py!([(socket.AF_INET, socket.SOCK_STREAM, 6, "", found)]))
                    ])
            },
            do_(py!(monkeypatch.setattr(socket, "getaddrinfo", look_up))),
            assign(
                answer,
                py!(Outbound(settings)
                    .post(f!("http://receiver.example:{}/", port), "", dict!())
                    .await)
            ),
            assert_(py!(answer.status == 204)),
            assert_(py!(looked_up == ["receiver.example"])),
            assert_(py!(len(receiver.received) == 1)),
            with(
                py!(pytest.raises((ClientError, OSError))),
                [do_(py!(outbound(settings)
                    .post(f!("http://receiver.example:{}/", port), "", dict!())
                    .await))]
            ),
            assert_(py!(len(receiver.received) == 1))
        ])
}
