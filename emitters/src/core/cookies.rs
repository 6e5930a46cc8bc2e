//! `backend/app/core/cookies.py`: the session in cookies, and what keeps other sites from using it.

use crate::core::errors::ForbiddenError;
use crate::core::protection::browser_origins;
use crate::core::security::{Purpose, SignerDep};
use crate::core::settings::SettingsDep;
use crate::python::builtins::{any, bool, frozenset, int, property, str};
use crate::python::fastapi::{Depends, Request, Response};
use crate::python::standard::{Annotated, UUID, dataclass, hmac};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.cookies": SESSION_COOKIE, REFRESH_COOKIE, REFRESH_PATH, CSRF_COOKIE, CSRF_HEADER,
        HARMLESS, OWN_SITES, Cookies, CookiesDep;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.core.cookies")
        .docstring("The session in cookies, and what keeps other sites from using it.")
        .body(block![
            assign(SESSION_COOKIE, "__Host-session"),
            assign(REFRESH_COOKIE, "__Secure-refresh"),
            assign(REFRESH_PATH, "/auth/refresh"),
            assign(CSRF_COOKIE, "__Host-csrf"),
            assign(CSRF_HEADER, "X-CSRF-Token"),
            assign(HARMLESS, py!(frozenset(set!("GET", "HEAD", "OPTIONS")))),
            assign(OWN_SITES, py!((None, "same-origin", "none")))
                .comment("What `Sec-Fetch-Site` says where a browser names no origin."),
            cookies_class(),
            assign(CookiesDep, py!(Annotated[(Cookies, Depends(Cookies))]))
        ])
}

fn cookies_class() -> ClassDef {
    names!(request, response, settings, signer);
    class(Cookies).decorator(py!(dataclass(frozen = true))).body(block![
        docstring(
            "The cookies of a session, as they come and as they go.\n\
             \n\
             A browser sends them whoever made it ask. So what changes something has to come from\n\
             a page of ours, and with the token that only such a page can read."
        ),
        annotate(request, Request),
        annotate(response, Response),
        annotate(settings, SettingsDep),
        annotate(signer, SignerDep),
        refresh_token_property(),
        keep_def(),
        drop_def(),
        guard_def(),
        refuse_foreign_def(),
        refuse_forged_def(),
        set_def()
    ])
}

fn refresh_token_property() -> FunctionDef {
    def("refresh_token")
        .decorator(property)
        .params([untyped("self")])
        .returns(py!(str | None))
        .body(block![
            docstring("Return the refresh token that came in a cookie."),
            return_(py!(self.request.cookies.get(REFRESH_COOKIE)))
        ])
}

fn keep_def() -> FunctionDef {
    names!(session_id, access_token, refresh_token, token, seconds, session_seconds);
    def("keep")
        .params([
            untyped("self"),
            param(session_id, UUID),
            param(access_token, str),
            param(refresh_token, str),
        ])
        .returns(str)
        .body(block![
            docstring("Put a session into cookies and return the token against forged requests."),
            do_(py!(self.refuse_foreign())),
            assign(token, py!(self.signer.digest(Purpose.CSRF, str(session_id)))),
            assign(seconds, py!(self.settings.access_token_seconds)),
            assign(session_seconds, py!(self.settings.session_seconds)),
            do_(py!(self.set(SESSION_COOKIE, access_token, seconds))),
            do_(py!(self.set(CSRF_COOKIE, token, session_seconds, is_readable = true))),
            do_(py!(self.set(REFRESH_COOKIE, refresh_token, session_seconds, path = REFRESH_PATH))),
            return_(token)
        ])
}

fn drop_def() -> FunctionDef {
    def("drop").params([untyped("self")]).returns(none()).body(block![
        docstring("Have the browser forget the session."),
        do_(py!(self.set(SESSION_COOKIE, "", 0))),
        do_(py!(self.set(CSRF_COOKIE, "", 0, is_readable = true))),
        do_(py!(self.set(REFRESH_COOKIE, "", 0, path = REFRESH_PATH)))
    ])
}

fn guard_def() -> FunctionDef {
    names!(session_id);
    def("guard").params([untyped("self"), param(session_id, UUID)]).returns(none()).body(block![
        docstring("Refuse a request that changes something and was made by another site."),
        if_(
            py!(not_in!(self.request.method, HARMLESS)),
            block![do_(py!(self.refuse_foreign())), do_(py!(self.refuse_forged(session_id)))]
        )
    ])
}

fn refuse_foreign_def() -> FunctionDef {
    names!(headers, origin, site, is_own);
    def("refuse_foreign").params([untyped("self")]).returns(none()).body(block![
        docstring("Refuse a request that does not come from a page of ours."),
        assign(headers, py!(self.request.headers)),
        assign(py!((origin, site)), py!((headers.get("Origin"), headers.get("Sec-Fetch-Site")))),
        if_(py!(origin == None), [assign(is_own, py!(in_!(site, OWN_SITES)))]).else_([assign(
            is_own,
            py!(site != "cross-site"
                && (origin.partition("://")[2] == headers.get("Host")
                    || in_!(origin, browser_origins(self.settings))))
        )]),
        if_(
            py!(!is_own),
            [raise(py!(ForbiddenError(
                "The request comes from another site.",
                code = "foreign_origin"
            )))]
        )
    ])
}

fn refuse_forged_def() -> FunctionDef {
    names!(session_id, sent, stored, expected, one);
    let is_known = py!(any(generator!(
        hmac.compare_digest(sent.encode(), one.encode()) for one in expected
    )));
    def("refuse_forged").params([untyped("self"), param(session_id, UUID)]).returns(none()).body(
        block![
            docstring("Refuse a request without the token that only a page of ours can read."),
            assign(sent, py!(self.request.headers.get(CSRF_HEADER, ""))),
            assign(stored, py!(self.request.cookies.get(CSRF_COOKIE, ""))),
            assign(expected, py!(self.signer.digests(Purpose.CSRF, str(session_id)))),
            if_(
                py!(sent != stored || !is_known),
                [raise(py!(ForbiddenError(
                    "The CSRF token is missing or wrong.",
                    code = "csrf_token_invalid"
                )))]
            )
        ],
    )
}

fn set_def() -> FunctionDef {
    names!(name, value, seconds, path, is_readable);
    def("set")
        .params([
            untyped("self"),
            param(name, str),
            param(value, str),
            param(seconds, int),
            star(),
            param(path, str).default("/"),
            param(is_readable, bool).default(false),
        ])
        .returns(none())
        .body(block![
            docstring("Set a cookie that goes to this host only, over TLS only."),
            do_(py!(self.response.set_cookie(
                name,
                value,
                max_age = seconds,
                path = path,
                secure = true,
                httponly = !is_readable,
                samesite = "lax"
            )))
        ])
}
