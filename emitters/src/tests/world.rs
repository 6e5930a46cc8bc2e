//! `backend/tests/world.py`: the world around the application: people with tokens, mailboxes, and Stripe.
//!
//! Whatever the spec, `Caller.organization` is an organization in which a test can begin: the one that
//! came with the account or was founded for it, in its trial or with a subscription.

use crate::core::client::Client;
use crate::core::cookies::{
    CSRF_COOKIE, CSRF_HEADER, REFRESH_COOKIE, REFRESH_PATH, SESSION_COOKIE,
};
use crate::core::database::Database;
use crate::core::plans::has_flags;
use crate::core::settings::Settings;
use crate::models::base::utcnow;
use crate::models::package::{
    AuthSession, BillingEvent, Email, EmailSuppression, FeatureFlag, Job, Organization, TotpFactor,
    TrialRedemption, User,
};
use crate::python::builtins::{dict, list, object, property, str};
use crate::python::fastapi::FastAPI;
use crate::python::httpx2::{AsyncClient, Response};
use crate::python::pyotp::TOTP;
use crate::python::sqlalchemy::{UpdateBase, delete, update};
use crate::python::standard::{
    EmailMessage, SimpleCookie, dataclass, field, shutil, timedelta, uuid4,
};
use crate::services::mailer::{MemoryMailer, plain_body};
use crate::services::organization_service::OrganizationService;
use crate::services::session_service::SessionService;
use crate::services::trial_service::TrialService;
use crate::spec::{AuthMode, PasswordRules, Spec, Totp};
use crate::tests::casting::{given_plan, has_trial};
use crate::tests::fake_stripe::FakeStripe;
use crate::tests::world_billing::{dealings_with_stripe, find_payer_def, signature_def};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.world": PASSWORD, WEBHOOK_SECRET, Caller, World, cookies_of;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let bills = spec.billing.is_some();
    module("tests.world")
        .docstring(if bills {
            "The world around the application: people with tokens, mailboxes, and Stripe."
        } else {
            "The world around the application: people with tokens, and mailboxes."
        })
        .body(block![
            assign(PASSWORD, password(&spec.auth.password)),
            bills.then(|| assign(WEBHOOK_SECRET, "whsec_tests")),
            caller_class(spec),
            world_class(spec),
            spec.auth.has_cookies().then(cookies_of_def),
            bills.then(signature_def),
            spec.billing.as_ref().map(find_payer_def)
        ])
}

/// `async def test_…(world: World) -> None: …`
#[must_use]
pub fn world_test(test: &'static str) -> FunctionDef {
    async_def(test).params([param("world", World)]).returns(none())
}

/// `ada = await world.sign_up("ada@example.com")`
#[must_use]
pub fn sign_up(world: Name, person: Name) -> Stmt {
    let address = format!("{}@example.com", person.as_str());
    assign(person, py!(world.sign_up(address).await))
}

/// The same, for somebody who has confirmed their address.
#[must_use]
pub fn sign_up_verified(world: Name, person: Name) -> [Stmt; 2] {
    [sign_up(world, person), do_(py!(world.verify(person).await))]
}

/// `organization_id = await ada.organization()`
#[must_use]
pub fn first_organization(person: Name, organization_id: Name) -> Stmt {
    assign(organization_id, py!(person.organization().await))
}

/// Ends the subscription that a test's organization begins with, where it begins with one.
#[must_use]
pub fn unsubscribed(spec: &Spec, world: Name, person: Name) -> Option<Stmt> {
    let organization = py!(person.organization().await);
    given_plan(spec).map(|_| do_(py!(world.end_subscription(organization).await)))
}

/// Takes the subscription away that the first organization of an account has, or its trial.
#[must_use]
pub fn end_of_subscription(spec: &Spec, world: Name, organization_id: Name) -> Stmt {
    do_(match has_trial(spec) {
        true => py!(world.end_trial(organization_id).await),
        false => py!(world.end_subscription(organization_id).await),
    })
}

/// A good password of this product.
fn password(rules: &PasswordRules) -> &'static str {
    const SHORT: &str = "correct horse battery";
    /// As long as the longest that is required, and as the shortest that may be the most.
    const LONG: &str = "correct horse battery staple with as many letters as anyone asks";
    if usize::from(rules.min_length) <= SHORT.len() { SHORT } else { LONG }
}

fn caller_class(spec: &Spec) -> ClassDef {
    names!(http, email, token, refresh_token, csrf_token);
    let mode = spec.auth.mode;
    class(Caller).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("A signed-in user."),
        annotate(http, AsyncClient),
        annotate(email, str),
        annotate(token, str),
        annotate(refresh_token, str),
        (mode == AuthMode::Cookie).then(|| annotate(csrf_token, str)),
        caller_headers(mode),
        (mode == AuthMode::Cookie).then(caller_with_cookie),
        caller_send(),
        caller_get(),
        caller_post(),
        caller_patch(),
        caller_delete(),
        caller_organization(spec),
        caller_found(spec)
    ])
}

fn caller_headers(mode: AuthMode) -> FunctionDef {
    let headers = match mode {
        AuthMode::Bearer | AuthMode::Both => {
            py!(dict!("Authorization" => f!("Bearer {}", self.token)))
        }
        AuthMode::Cookie => py!(self.with_cookie(SESSION_COOKIE, self.token)),
    };
    def("headers")
        .decorator(property)
        .params([untyped("self")])
        .returns(py!(dict[(str, str)]))
        .body(block![docstring("Return what a request of the user is known by."), return_(headers)])
}

fn caller_with_cookie() -> FunctionDef {
    names!(name, token, cookies);
    def("with_cookie")
        .params([untyped("self"), param(name, str), param(token, str)])
        .returns(py!(dict[(str, str)]))
        .body(block![
            docstring("Return the headers of a page of ours that sends a token in a cookie."),
            assign(cookies, py!(f!("{}={}; {}={}", name, token, CSRF_COOKIE, self.csrf_token))),
            return_(py!(dict!("Cookie" => cookies, CSRF_HEADER => self.csrf_token)))
        ])
}

fn caller_send() -> FunctionDef {
    names!(method, path, body, if_match, headers);
    async_def("send")
        .params([
            untyped("self"),
            param(method, str),
            param(path, str),
            param(body, object).default(none()),
            star(),
            param(if_match, py!(str | None)).default(none()),
        ])
        .returns(Response)
        .body(block![
            docstring("Send a request of the user."),
            assign(headers, py!(self.headers)),
            if_(py!(if_match != None), [assign(py!(headers["If-Match"]), if_match)]),
            return_(py!(self.http.request(method, path, json = body, headers = headers).await))
        ])
}

fn caller_get() -> FunctionDef {
    names!(path);
    async_def("get")
        .params([untyped("self"), param(path, str)])
        .returns(Response)
        .body(block![docstring("Read something."), return_(py!(self.send("GET", path).await))])
}

fn caller_post() -> FunctionDef {
    names!(path, body);
    async_def("post")
        .params([untyped("self"), param(path, str), param(body, object)])
        .returns(Response)
        .body(block![
            docstring("Add something."),
            return_(py!(self.send("POST", path, body).await))
        ])
}

/// The version to change; any, unless a test is about versions.
fn if_match_param() -> [Param; 2] {
    names!(if_match);
    [star(), param(if_match, py!(str | None)).default("*")]
}

fn caller_patch() -> FunctionDef {
    names!(path, body, if_match);
    async_def("patch")
        .params([untyped("self"), param(path, str), param(body, object)])
        .params(if_match_param())
        .returns(Response)
        .body(block![
            docstring("Change something, in whatever version it is."),
            return_(py!(self.send("PATCH", path, body, if_match = if_match).await))
        ])
}

fn caller_delete() -> FunctionDef {
    names!(path, if_match);
    async_def("delete")
        .params([untyped("self"), param(path, str)])
        .params(if_match_param())
        .returns(Response)
        .body(block![
            docstring("Remove something, in whatever version it is."),
            return_(py!(self.send("DELETE", path, if_match = if_match).await))
        ])
}

fn caller_organization(spec: &Spec) -> FunctionDef {
    let which = match spec.organizations.personal {
        true => "the organization that came with the account",
        false => "the first organization of the account",
    };
    let state = match (has_trial(spec), given_plan(spec)) {
        (true, _) => "; it is in its trial",
        (false, Some(_)) => "; it has a subscription",
        (false, None) => "",
    };
    names!(page, oldest);
    async_def("organization").params([untyped("self")]).returns(str).body(block![
        docstring(format!("Return {which}{state}.")),
        assign(page, py!(self.get("/organizations?limit=100").await.json())),
        ann_assign(oldest, str, py!(page["items"][-1]["organization"]["id"])),
        return_(oldest)
    ])
}

fn caller_found(spec: &Spec) -> FunctionDef {
    let text = match (has_trial(spec), given_plan(spec)) {
        (true, _) => "Found another organization; it has no trial and no subscription.",
        (false, Some(_)) => "Found another organization; it has no subscription.",
        (false, None) => "Found another organization.",
    };
    names!(name, created, organization_id);
    async_def("found").params([untyped("self"), param(name, str)]).returns(str).body(block![
        docstring(text),
        assign(created, py!(self.post("/organizations", dict!("name" => name)).await)),
        ann_assign(organization_id, str, py!(created.json()["organization"]["id"])),
        return_(organization_id)
    ])
}

fn world_class(spec: &Spec) -> ClassDef {
    names!(app, http, stripe, secrets);
    let has_totp = spec.auth.has_totp();
    class(World).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The application from outside, and what it sends out."),
        annotate(app, FastAPI),
        annotate(http, AsyncClient),
        spec.billing.as_ref().map(|_| annotate(stripe, FakeStripe)),
        has_totp.then(|| ann_assign(
            secrets,
            py!(dict[(str, str)]),
            py!(field(default_factory = dict[(str, str)]))
        )
        .comment("What the devices for one-time codes know, by address.")),
        world_database(),
        world_outbox(),
        world_forget(spec),
        world_mailed_token(),
        world_register(),
        world_login(),
        world_caller(spec.auth.mode),
        world_open_account(spec),
        world_sign_up(spec),
        world_verify(),
        world_reauthenticate(has_totp),
        world_sign_in(spec),
        has_totp.then(|| [world_enroll(), world_code(), world_answer()]),
        world_refresh(spec.auth.mode),
        world_grow_stale(),
        world_change(),
        world_invite(),
        world_member(),
        spec.billing.as_ref().map(|billing| dealings_with_stripe(spec, billing))
    ])
}

fn world_database() -> FunctionDef {
    names!(database);
    def("database").decorator(property).params([untyped("self")]).returns(Database).body(block![
        docstring("Return the database of the application."),
        ann_assign(database, Database, py!(self.app.state.database)),
        return_(database)
    ])
}

fn world_outbox() -> FunctionDef {
    names!(mailer);
    def("outbox")
        .decorator(property)
        .params([untyped("self")])
        .returns(py!(list[EmailMessage]))
        .body(block![
            docstring("Return the mails so far."),
            ann_assign(mailer, MemoryMailer, py!(self.app.state.mailer)),
            return_(py!(mailer.outbox))
        ])
}

fn world_forget(spec: &Spec) -> FunctionDef {
    let has_files = spec.storage.is_on();
    names!(connection, model);
    let models = [Organization, User, Job, Email, EmailSuppression];
    let events = spec.billing.iter().map(|_| BillingEvent);
    let trials = spec.billing.as_ref().and_then(|it| it.trial).map(|_| TrialRedemption);
    let flags = spec.billing.iter().filter(|one| has_flags(one)).map(|_| FeatureFlag);
    async_def("forget").params([untyped("self")]).returns(none()).body(block![
        docstring("Remove every row and every mail."),
        async_with_as(
            py!(self.database.engine.begin()),
            connection,
            for_(
                model,
                tuple(models.into_iter().chain(events).chain(flags).chain(trials)),
                [do_(py!(connection.execute(delete(model)).await))]
            )
        ),
        do_(py!(self.outbox.clear())),
        has_files.then(|| {
            names!(settings);
            block![
                ann_assign(settings, Settings, py!(self.app.state.settings)),
                do_(py!(shutil.rmtree(settings.storage_folder, ignore_errors = true)))
            ]
        })
    ])
}

fn world_mailed_token() -> FunctionDef {
    def("mailed_token").params([untyped("self")]).returns(str).body(block![
        docstring("Return the token in the last mail."),
        return_(py!(plain_body(self.outbox[-1]).rsplit(maxsplit = 1)[-1]))
    ])
}

fn world_register() -> FunctionDef {
    names!(email, password, body);
    async_def("register")
        .params([untyped("self"), param(email, str), param(password, str).default(PASSWORD)])
        .returns(Response)
        .body(block![
            docstring("Send a registration."),
            assign(body, py!(dict!("email" => email, "password" => password))),
            return_(py!(self.http.post("/auth/register", json = body).await))
        ])
}

fn world_login() -> FunctionDef {
    names!(email, password, body);
    async_def("login")
        .params([untyped("self"), param(email, str), param(password, str).default(PASSWORD)])
        .returns(Response)
        .body(block![
            docstring("Send a sign-in."),
            assign(body, py!(dict!("email" => email, "password" => password))),
            return_(py!(self.http.post("/auth/login", json = body).await))
        ])
}

fn world_caller(mode: AuthMode) -> FunctionDef {
    names!(email, response, tokens, cookies, token, refresh_token);
    let body = match mode {
        AuthMode::Bearer | AuthMode::Both => block![
            assign(tokens, py!(response.json())),
            return_(py!(Caller(self.http, email, tokens["access_token"], tokens["refresh_token"])))
        ],
        AuthMode::Cookie => block![
            assign(cookies, py!(cookies_of(response))),
            assign(
                py!((token, refresh_token)),
                py!((cookies[SESSION_COOKIE].value, cookies[REFRESH_COOKIE].value))
            ),
            return_(py!(Caller(
                self.http,
                email,
                token,
                refresh_token,
                response.json()["csrf_token"]
            )))
        ],
    };
    def("caller")
        .params([untyped("self"), param(email, str), param(response, Response)])
        .returns(Caller)
        .body(block![docstring("Return whose session an answer hands over."), body])
}

/// Most tests begin with an account, and few are about how one is made.
fn world_open_account(spec: &Spec) -> FunctionDef {
    names!(email, state, session, user, tokens);
    let has_session = opens_session(spec);
    let client = py!(Client("127.0.0.1", "tests"));
    let sessions = py!(SessionService(session, state.settings, state.signer, client));
    let password_hash = py!(state.password_hasher.hash(PASSWORD).await);
    let caller = py!(Caller(self.http, email, tokens.access_token, tokens.refresh_token));
    async_def("open_account")
        .params([untyped("self"), param(email, str)])
        .returns(if has_session { Caller.into_expr() } else { none() })
        .body(block![
            docstring(match has_session {
                true => "Leave what a registration and a sign-in leave, but for the mail.",
                false => "Leave what a registration leaves, but for its mail.",
            }),
            assign(state, py!(self.app.state)),
            assign(user, py!(User(email = email, password_hash = password_hash))),
            async_with_as(
                py!(self.database.session()),
                session,
                block![
                    do_(py!(session.add(user))),
                    do_(py!(session.flush().await)),
                    spec.organizations.personal.then(|| found_personal_organization(spec, session)),
                    has_session.then(|| assign(tokens, py!(sessions.open(user).await))),
                    do_(py!(session.commit().await))
                ]
            ),
            has_session.then(|| return_(caller))
        ])
}

/// Whether a session of a new account needs no answer: cookies are set by one, and so are one-time codes.
fn opens_session(spec: &Spec) -> bool {
    spec.auth.has_tokens() && spec.auth.totp != Totp::Required
}

fn found_personal_organization(spec: &Spec, session: Name) -> Vec<Stmt> {
    names!(email, state, user, trials, organizations);
    let services = match has_trial(spec) {
        true => block![
            assign(trials, py!(TrialService(session, state.signer))),
            assign(organizations, py!(OrganizationService(session, trials)))
        ],
        false => block![assign(organizations, py!(OrganizationService(session)))],
    };
    block![services, do_(py!(organizations.create(user, email.partition("@")[0]).await))]
}

fn world_sign_up(spec: &Spec) -> FunctionDef {
    names!(email, caller);
    let opened = py!(self.open_account(email).await);
    let first = match spec.organizations.personal {
        true => py!(caller.organization().await),
        false => py!(caller.found("a company").await),
    };
    let prepared = match given_plan(spec) {
        Some(_) => Some(py!(self.start_subscription(first).await)),
        None => (!spec.organizations.personal).then_some(first),
    };
    let (opened, signed_in) = match opens_session(spec) {
        true => (None, opened),
        false => (Some(do_(opened)), py!(self.sign_in(email).await)),
    };
    async_def("sign_up").params([untyped("self"), param(email, str)]).returns(Caller).body(block![
        docstring(match (spec.organizations.personal, given_plan(spec)) {
            (true, None) => "Open an account and sign in.",
            (true, Some(_)) => "Open an account, sign in and subscribe.",
            (false, None) => "Open an account, sign in and found an organization.",
            (false, Some(_)) => "Open an account, sign in, found an organization and subscribe.",
        }),
        opened,
        match prepared {
            None => block![return_(signed_in)],
            Some(prepared) => block![assign(caller, signed_in), do_(prepared), return_(caller)],
        }
    ])
}

fn world_refresh(mode: AuthMode) -> FunctionDef {
    names!(caller, body, headers);
    let sent = match mode {
        AuthMode::Bearer | AuthMode::Both => block![
            assign(body, py!(dict!("refresh_token" => caller.refresh_token))),
            return_(py!(self.http.post("/auth/refresh", json = body).await))
        ],
        AuthMode::Cookie => block![
            assign(headers, py!(caller.with_cookie(REFRESH_COOKIE, caller.refresh_token))),
            return_(py!(self.http.post(REFRESH_PATH, headers = headers).await))
        ],
    };
    async_def("refresh")
        .params([untyped("self"), param(caller, Caller)])
        .returns(Response)
        .body(block![docstring("Send the refresh token of a session."), sent])
}

fn cookies_of_def() -> FunctionDef {
    names!(response, cookies, line);
    def(cookies_of).params([param(response, Response)]).returns(py!(SimpleCookie)).body(block![
        docstring("Read the cookies that an answer sets."),
        assign(cookies, py!(SimpleCookie())),
        for_(line, py!(response.headers.get_list("Set-Cookie")), [do_(py!(cookies.load(line)))]),
        return_(cookies)
    ])
}

fn world_grow_stale() -> FunctionDef {
    names!(earlier);
    async_def("grow_stale").params([untyped("self")]).returns(none()).body(block![
        docstring("Let the last sign-in of everybody be a while ago."),
        assign(earlier, py!(utcnow() - timedelta(days = 1))),
        do_(py!(self.change(update(AuthSession).values(authenticated_at = earlier)).await))
    ])
}

fn world_change() -> FunctionDef {
    names!(statement, session);
    async_def("change")
        .params([untyped("self"), param(statement, UpdateBase)])
        .returns(none())
        .body(block![
            docstring("Change rows behind the back of the application."),
            async_with_as(
                py!(self.database.session()),
                session,
                block![
                    do_(py!(session.execute(statement).await)),
                    do_(py!(session.commit().await))
                ]
            )
        ])
}

fn world_verify() -> FunctionDef {
    names!(caller, of_caller);
    async_def("verify").params([untyped("self"), param(caller, Caller)]).returns(none()).body(
        block![
            docstring("Take it that somebody has confirmed their address."),
            assign(of_caller, py!(update(User).r#where(User.email == caller.email))),
            do_(py!(self.change(of_caller.values(email_verified_at = utcnow())).await))
        ],
    )
}

fn world_reauthenticate(has_totp: bool) -> FunctionDef {
    names!(caller, body);
    let code = has_totp.then(|| {
        if_(
            py!(in_!(caller.email, self.secrets)),
            [assign(py!(body["code"]), py!(self.code(caller.email).await))],
        )
    });
    async_def("reauthenticate")
        .params([untyped("self"), param(caller, Caller)])
        .returns(Response)
        .body(block![
            docstring("Show again what a sign-in asks for."),
            assign(body, py!(dict!("password" => PASSWORD))),
            code,
            return_(py!(caller.post("/auth/reauthenticate", body).await))
        ])
}

fn world_sign_in(spec: &Spec) -> FunctionDef {
    names!(email, password, response, caller);
    let answered = spec.auth.has_totp().then(|| {
        if_(
            py!(in_!("challenge", response.json())),
            [assign(response, py!(self.answer(email, response.json()["challenge"]).await))],
        )
    });
    let caller_of = py!(self.caller(email, response));
    let is_required = spec.auth.totp == Totp::Required;
    async_def("sign_in")
        .params([untyped("self"), param(email, str), param(password, str).default(PASSWORD)])
        .returns(Caller)
        .body(block![
            docstring(if is_required {
                "Open a session of an account, which gets one-time codes first."
            } else {
                "Open a session of an account."
            }),
            assign(response, py!(self.login(email, password).await)),
            assert_that(py!(response.status_code == 200), py!(response.text)),
            answered,
            match is_required {
                false => block![return_(caller_of)],
                true => block![
                    assign(caller, caller_of),
                    if_(
                        py!(caller.get("/auth/totp").await.json()["enabled_at"] == None),
                        [do_(py!(self.enroll(caller).await))]
                    ),
                    return_(caller)
                ],
            }
        ])
}

fn world_enroll() -> FunctionDef {
    names!(caller, enrolled, enabled, codes);
    async_def("enroll")
        .params([untyped("self"), param(caller, Caller)])
        .returns(py!(list[str]))
        .body(block![
            docstring("Set one-time codes up and return the backup codes."),
            assign(enrolled, py!(caller.post("/auth/totp/enroll", None).await)),
            assert_that(py!(enrolled.status_code == 200), py!(enrolled.text)),
            assign(py!(self.secrets[caller.email]), py!(enrolled.json()["secret"])),
            assign(
                enabled,
                py!(caller
                    .post("/auth/totp/enable", dict!("code" => self.code(caller.email).await))
                    .await)
            ),
            assert_that(py!(enabled.status_code == 200), py!(enabled.text)),
            ann_assign(codes, py!(list[str]), py!(enabled.json()["codes"])),
            return_(codes)
        ])
}

fn world_code() -> FunctionDef {
    names!(email);
    async_def("code").params([untyped("self"), param(email, str)]).returns(str).body(block![
        docstring("Return a code of the device, as if none had been used in this time step."),
        do_(py!(self.change(update(TotpFactor).values(last_step = None)).await)),
        return_(py!(TOTP(self.secrets[email]).now()))
    ])
}

fn world_answer() -> FunctionDef {
    names!(email, challenge, body);
    async_def("answer")
        .params([untyped("self"), param(email, str), param(challenge, str)])
        .returns(Response)
        .body(block![
            docstring("Answer the challenge of a sign-in with a code of the device."),
            assign(body, py!(dict!("challenge" => challenge, "code" => self.code(email).await))),
            return_(py!(self.http.post("/auth/totp/challenge", json = body).await))
        ])
}

fn world_invite() -> FunctionDef {
    names!(inviter, organization_id, email, role, path, response);
    async_def("invite")
        .params([
            untyped("self"),
            param(inviter, Caller),
            param(organization_id, str),
            param(email, str),
            param(role, str),
        ])
        .returns(str)
        .body(block![
            docstring("Invite an address and return the token from its mailbox."),
            assign(path, py!(f!("/organizations/{}/invitations", organization_id))),
            assign(
                response,
                py!(inviter.post(path, dict!("email" => email, "role" => role)).await)
            ),
            assert_that(py!(response.status_code == 201), py!(response.text)),
            return_(py!(self.mailed_token()))
        ])
}

fn world_member() -> FunctionDef {
    names!(owner, organization_id, role, member, token, response);
    async_def("member")
        .params([
            untyped("self"),
            param(owner, Caller),
            param(organization_id, str),
            param(role, str),
        ])
        .returns(Caller)
        .body(block![
            docstring("Sign somebody up who then joins an organization."),
            assign(member, py!(self.sign_up(f!("{}-{}@example.com", role, uuid4().hex)).await)),
            do_(py!(self.verify(member).await)),
            assign(token, py!(self.invite(owner, organization_id, member.email, role).await)),
            assign(
                response,
                py!(member.post("/invitations/accept", dict!("token" => token)).await)
            ),
            assert_that(py!(response.status_code == 201), py!(response.text)),
            return_(member)
        ])
}
