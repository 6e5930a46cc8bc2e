//! `backend/app/core/protection.py`: what stands around the application: security headers, origins, host names.

use crate::core::errors::answer_http;
use crate::core::raw_headers::sent_header;
use crate::core::settings::{Environment, Settings};
use crate::python::asgi;
use crate::python::builtins::{any, bool, dict, frozenset, list, str};
use crate::python::fastapi::{ASGIApp, CORSMiddleware, HTTPException, Headers, Request};
use crate::python::standard::{HTTPStatus, Mapping, Sequence, urlsplit};
use crate::spec::{Auth, Spec};
use astgen_pyast::make;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.protection": EVERY_HOST, PROBES, DOCUMENTATION, POLICY, HEADERS, TRANSPORT_SECURITY,
        METHODS, SENT_HEADERS, READ_HEADERS, SecurityHeadersMiddleware, TrustedHostMiddleware, protect,
        browser_origins, is_trusted;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let has_cookies = spec.auth.has_cookies();
    module("app.core.protection")
        .docstring("What stands around the application: security headers, origins, host names.")
        .body(block![
            assign(EVERY_HOST, "*"),
            assign(PROBES, probes(spec)),
            assign(DOCUMENTATION, py!(frozenset(set!("/docs", "/docs/oauth2-redirect", "/redoc")))),
            assign(POLICY, "default-src 'none'; frame-ancestors 'none'"),
            headers(),
            assign(TRANSPORT_SECURITY, "max-age=63072000; includeSubDomains"),
            assign(METHODS, py!(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"))),
            sent_headers(&spec.auth),
            read_headers(),
            security_headers_middleware_class(),
            trusted_host_middleware_class(),
            protect_def(has_cookies),
            browser_origins_def(),
            is_trusted_def()
        ])
}

/// Who asks for these names an address of the machine, and reads what needs no name.
fn probes(spec: &Spec) -> Expr {
    let metrics = spec.observability.is_public().then_some("/metrics");
    let health = ["/health", "/health/live", "/health/ready"];
    py!(frozenset({ make::set(health.into_iter().chain(metrics)) }))
}

fn headers() -> Stmt {
    assign(
        HEADERS,
        py!(dict!(
            "Cache-Control" => "no-store",
            "Cross-Origin-Opener-Policy" => "same-origin",
            "Referrer-Policy" => "no-referrer",
            "X-Content-Type-Options" => "nosniff",
            "X-Frame-Options" => "DENY"
        )),
    )
}

fn sent_headers(auth: &Auth) -> Stmt {
    let names = ["Content-Type", "Idempotency-Key", "If-Match", "X-Request-ID"];
    let header = auth.has_tokens().then_some("Authorization");
    let token = auth.has_cookies().then_some("X-CSRF-Token");
    assign(SENT_HEADERS, tuple(header.into_iter().chain(names).chain(token)))
}

fn read_headers() -> Stmt {
    let names = [
        "Content-Disposition",
        "ETag",
        "Idempotent-Replayed",
        "Location",
        "RateLimit-Limit",
        "RateLimit-Remaining",
        "RateLimit-Reset",
        "Retry-After",
        "X-Request-ID",
    ];
    assign(READ_HEADERS, tuple(names))
}

fn security_headers_middleware_class() -> ClassDef {
    class(SecurityHeadersMiddleware).body(block![
        docstring("Tell browsers what they must not do; an answer may say otherwise of itself."),
        security_headers_middleware_init(),
        security_headers_middleware_call()
    ])
}

fn security_headers_middleware_init() -> FunctionDef {
    names!(app, headers);
    def("__init__")
        .params([
            untyped("self"),
            param(app, ASGIApp),
            star(),
            param(headers, py!(Mapping[(str, str)])),
        ])
        .returns(none())
        .body(block![
            docstring("Wrap an application."),
            assign(py!(self.app), app),
            assign(py!(self.headers), py!(Headers(headers).raw)),
            assign(
                py!(self.headers_of_data),
                py!(Headers(dict!(**headers, "Content-Security-Policy" => POLICY)).raw)
            )
        ])
}

fn security_headers_middleware_call() -> FunctionDef {
    names!(scope, receive, is_page, added, send_protected);
    asgi::call().body(block![
        docstring("Add what an answer does not have; the pages of `/docs` load scripts."),
        asgi::pass_on(),
        assign(is_page, py!(in_!(scope["path"], DOCUMENTATION))),
        assign(added, py!(if is_page { self.headers } else { self.headers_of_data })),
        {
            names!(message, sent, names, others);
            asgi::sending(
                send_protected,
                block![
                    assign(sent, py!(message.get("headers", []))),
                    assign(names, py!(set!(name for (name, _value) in sent))),
                    assign(others, py!(list!(pair for pair in added if not_in!(pair[0], names)))),
                    assign(py!(message["headers"]), py!([*sent, *others]))
                ],
            )
        },
        do_(py!(self.app(scope, receive, send_protected).await))
    ])
}

fn trusted_host_middleware_class() -> ClassDef {
    class(TrustedHostMiddleware).body(block![
        docstring("Refuse requests for hosts that are not ours; probes of platforms may pass."),
        trusted_host_middleware_init(),
        trusted_host_middleware_call()
    ])
}

fn trusted_host_middleware_init() -> FunctionDef {
    names!(app, allowed_hosts);
    def("__init__")
        .params([
            untyped("self"),
            param(app, ASGIApp),
            star(),
            param(allowed_hosts, py!(Sequence[str])),
        ])
        .returns(none())
        .body(block![
            docstring("Wrap an application."),
            assign(py!(self.app), app),
            assign(py!(self.allowed_hosts), py!(list!(host.lower() for host in allowed_hosts)))
        ])
}

fn trusted_host_middleware_call() -> FunctionDef {
    names!(scope, receive, send, host, refused, answer);
    asgi::call().body(block![
        docstring("Let a request through, or answer that it is lost."),
        asgi::pass_on_if(py!(scope["type"] != "http" || in_!(scope["path"], PROBES))),
        assign(host, py!(sent_header(scope, b"host"))),
        asgi::pass_on_if(py!(is_trusted(host, self.allowed_hosts))),
        assign(refused, py!(HTTPException(HTTPStatus.BAD_REQUEST, "This host is not ours."))),
        assign(answer, py!(answer_http(Request(scope), refused).await)),
        do_(py!(answer(scope, receive, send).await))
    ])
}

fn protect_def(has_cookies: bool) -> FunctionDef {
    let credentials = has_cookies.then(|| kw("allow_credentials", true));
    names!(app, settings, shared, headers);
    def(protect).params([param(app, ASGIApp), param(settings, Settings)]).returns(ASGIApp).body(
        block![
            docstring("Put headers on every answer, and let browsers call from our own origins."),
            assign(
                shared,
                py!(CORSMiddleware(
                    app,
                    allow_origins = browser_origins(settings),
                    allow_methods = METHODS,
                    allow_headers = SENT_HEADERS,
                    expose_headers = READ_HEADERS,
                    ..credentials
                ))
            ),
            assign(headers, py!(dict(HEADERS))),
            if_(
                py!(is_!(settings.environment, Environment.PRODUCTION)),
                [assign(py!(headers["Strict-Transport-Security"]), TRANSPORT_SECURITY)]
            ),
            return_(py!(SecurityHeadersMiddleware(shared, headers = headers)))
        ],
    )
}

fn browser_origins_def() -> FunctionDef {
    names!(settings, frontend, others);
    def(browser_origins).params([param(settings, Settings)]).returns(py!(list[str])).body(block![
        docstring("Name the origins whose scripts may call, the frontend's first."),
        assign(frontend, py!(urlsplit(settings.frontend_url))),
        assign(others, py!(list!(origin.rstrip("/") for origin in settings.cors_origins))),
        return_(py!([f!("{}://{}", frontend.scheme, frontend.netloc), *others]))
    ])
}

fn is_trusted_def() -> FunctionDef {
    names!(host, allowed, address, _separator, port, name);
    def(is_trusted)
        .params([param(host, str), param(allowed, py!(Sequence[str]))])
        .returns(bool)
        .body(block![
            docstring("Tell whether a host is one of ours: `*.example.com` is every one below."),
            if_(py!(in_!(EVERY_HOST, allowed)), [return_(true)]),
            assign(py!((address, _separator, port)), py!(host.lower().rpartition(":"))),
            assign(name, py!(if address && port.isdecimal() { address } else { host.lower() })),
            return_(py!(any(generator!(
                name == pattern || pattern.startswith("*.") && name.endswith(pattern[1..])
                for pattern in allowed
            ))))
        ])
}
