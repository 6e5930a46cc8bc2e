//! `backend/tests/test_settings.py`: settings.

use crate::core::settings::{Environment, PUBLISHED, REQUIRED_IN_PRODUCTION, Settings};
use crate::python::builtins::{dict as dict_type, isinstance, len, repr, str};
use crate::python::pydantic::{SecretStr, ValidationError};
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::{create_async_engine, make_url};
use crate::python::standard::{Any, Path};
use crate::spec::{EmailBackend, Spec};
use astgen_pyast::make;
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_settings": LONG_SECRET, PRODUCTION;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("tests.test_settings").docstring("Settings.").body(block![
        assign(LONG_SECRET, py!(SecretStr("x" * 32))),
        ann_assign(PRODUCTION, py!(dict_type[(str, Any)]), production_settings(spec)),
        test_development_makes_a_secret_for_each_process(),
        test_production_refuses_to_start_without(),
        test_production_refuses_a_short_secret(),
        test_production_refuses_the_secret_of_the_compose_file(),
        test_production_refuses_weak_earlier_secrets(),
        test_production_starts_with_all_of_it(),
        test_production_starts_from_the_environment(),
        test_postgresql_urls_name_the_driver(spec),
        test_options_of_libpq_are_those_of_asyncpg(),
        test_what_asyncpg_cannot_take_is_refused(),
        test_what_a_url_keeps(),
        spec.billing.as_ref().map(|_| [
            test_webhook_secrets_are_separated_by_commas(),
            test_an_empty_webhook_secret_is_none()
        ]),
        test_earlier_secrets_are_separated_by_commas(),
        test_an_empty_value_counts_as_none(spec.observability.has_token()),
        test_secrets_are_not_shown(),
        test_what_is_refused_is_not_shown()
    ])
}

fn test_development_makes_a_secret_for_each_process() -> FunctionDef {
    names!(first, second);
    def("test_development_makes_a_secret_for_each_process").returns(none()).body(block![
        assign(py!((first, second)), py!((Settings().secret_key, Settings().secret_key))),
        assert_(py!(first != second)),
        assert_(py!(len(first.get_secret_value()) >= 32))
    ])
}

/// What production needs, as arguments of `Settings`.
fn production_settings(spec: &Spec) -> Expr {
    let mut settings = vec![
        ("environment", py!(Environment.PRODUCTION)),
        ("secret_key", py!(LONG_SECRET)),
        ("database_url", string("postgresql://acme:acme@database/acme")),
        ("frontend_url", string("https://app.example.com")),
        ("allowed_hosts", list(["api.example.com"])),
    ];
    if spec.email.backend == EmailBackend::Smtp {
        settings.push(("smtp_host", string("mail.example.com")));
        settings.push(("email_sender", string("hello@example.com")));
    }
    if spec.storage.has_bucket() {
        settings.push(("s3_bucket", string("acme-files")));
    }
    if spec.jobs.has_workers() {
        settings.push(("redis_url", string("redis://redis:6379")));
    }
    if spec.observability.has_token() {
        settings.push(("metrics_token", py!(SecretStr("a token"))));
    }
    dict(settings)
}

fn test_production_refuses_to_start_without() -> FunctionDef {
    names!(name, settings);
    let others = py!(dict!(key => value for (key, value) in PRODUCTION.items() if key != name));
    def("test_production_refuses_to_start_without")
        .decorator(py!(pytest.mark.parametrize("name", REQUIRED_IN_PRODUCTION)))
        .params([param(name, str)])
        .returns(none())
        .body(block![
            assign(settings, others),
            with(
                py!(pytest.raises(ValidationError, r#match = f!("{} must be set", name.upper()))),
                [do_(py!(Settings(**settings)))]
            )
        ])
}

fn test_production_refuses_a_short_secret() -> FunctionDef {
    names!(settings);
    def("test_production_refuses_a_short_secret").returns(none()).body(block![
        ann_assign(
            settings,
            py!(dict_type[(str, Any)]),
            py!(dict!(**PRODUCTION, "secret_key" => "x" * 31))
        ),
        with(
            py!(pytest.raises(ValidationError, r#match = "at least 32 bytes")),
            [do_(py!(Settings(**settings)))]
        )
    ])
}

fn test_production_refuses_the_secret_of_the_compose_file() -> FunctionDef {
    names!(settings);
    def("test_production_refuses_the_secret_of_the_compose_file").returns(none()).body(block![
        ann_assign(
            settings,
            py!(dict_type[(str, Any)]),
            py!(dict!(**PRODUCTION, "secret_key" => PUBLISHED))
        ),
        with(
            py!(pytest.raises(ValidationError, r#match = "known to everybody")),
            [do_(py!(Settings(**settings)))]
        )
    ])
}

fn test_production_refuses_weak_earlier_secrets() -> FunctionDef {
    names!(settings, secret, reason);
    def("test_production_refuses_weak_earlier_secrets")
        .decorator(py!(pytest.mark.parametrize(
            ("secret", "reason"),
            [("x" * 31, "at least 32 bytes"), (PUBLISHED, "known to everybody")]
        )))
        .params([param(secret, str), param(reason, str)])
        .returns(none())
        .body(block![
            ann_assign(
                settings,
                py!(dict_type[(str, Any)]),
                py!(dict!(**PRODUCTION, "previous_secret_keys" => [LONG_SECRET, secret]))
            ),
            with(
                py!(pytest
                    .raises(ValidationError, r#match = f!("PREVIOUS_SECRET_KEYS .*{}", reason))),
                [do_(py!(Settings(**settings)))]
            )
        ])
}

fn test_production_starts_with_all_of_it() -> FunctionDef {
    def("test_production_starts_with_all_of_it").returns(none()).body([assert_(py!(Settings(
        **PRODUCTION
    )
    .secret_key
        == LONG_SECRET))])
}

/// As a container has it: texts, and no file.
fn test_production_starts_from_the_environment() -> FunctionDef {
    names!(monkeypatch, tmp_path, name, value, text, settings);
    def("test_production_starts_from_the_environment")
        .params([param(monkeypatch, py!(pytest.MonkeyPatch)), param(tmp_path, Path)])
        .returns(none())
        .body(block![
            do_(py!(monkeypatch.chdir(tmp_path))),
            for_(
                py!((name, value)),
                py!(PRODUCTION.items()),
                block![
                    assign(
                        text,
                        py!(if isinstance(value, SecretStr) {
                            value.get_secret_value()
                        } else {
                            str(value)
                        })
                    ),
                    do_(py!(monkeypatch.setenv(name.upper(), text)))
                ]
            ),
            do_(py!(monkeypatch.setenv("ALLOWED_HOSTS", "api.example.com"))),
            assign(settings, py!(Settings())),
            assert_(py!(settings.allowed_hosts == ["api.example.com"]))
        ])
}

fn test_options_of_libpq_are_those_of_asyncpg() -> FunctionDef {
    names!(given, query, url, options);
    let cases: [(&str, &[(&str, &str)]); 5] = [
        ("sslmode=require", &[("ssl", "require")]),
        ("sslmode=require&channel_binding=require", &[("ssl", "require")]),
        ("sslmode=disable&connect_timeout=10&application_name=us", &[("ssl", "disable")]),
        ("ssl=verify-full", &[("ssl", "verify-full")]),
        ("channel_binding=prefer", &[]),
    ];
    let cases = cases.map(|(given, query)| py!((given, { make::dict(query.iter().copied()) })));
    def("test_options_of_libpq_are_those_of_asyncpg")
        .decorator(py!(pytest.mark.parametrize(("given", "query"), { list(cases) })))
        .params([param(given, str), param(query, py!(dict_type[(str, str)]))])
        .returns(none())
        .body(block![
            assign(
                url,
                py!(Settings(database_url = f!("postgres://db/acme?{}", given)).database_url)
            ),
            assert_(py!(make_url(url).query == query)),
            assign(
                options,
                py!(create_async_engine(url).dialect.create_connect_args(make_url(url))[1])
            ),
            assert_(py!(options.keys() - set!("host", "database") == query.keys()))
        ])
}

fn test_what_asyncpg_cannot_take_is_refused() -> FunctionDef {
    names!(option);
    def("test_what_asyncpg_cannot_take_is_refused")
        .decorator(py!(pytest.mark.parametrize("option", ["sslrootcert", "pgbouncer", "options"])))
        .params([param(option, str)])
        .returns(none())
        .body([with(
            py!(pytest
                .raises(ValidationError, r#match = f!("asyncpg takes no {} in a URL", option))),
            [do_(py!(Settings(
                database_url = f!("postgresql://db/acme?sslmode=require&{}=x", option)
            )))],
        )])
}

fn test_what_a_url_keeps() -> FunctionDef {
    names!(url);
    let urls = [
        "postgresql+asyncpg://us:p%40ss%3Fw@db:5433/acme",
        "postgresql+asyncpg://us@/acme?host=%2Frun%2Fpostgresql",
        "sqlite+aiosqlite:///./acme.db?mode=ro",
        "postgresql+psycopg://db/acme?sslmode=require",
    ];
    def("test_what_a_url_keeps")
        .decorator(py!(pytest.mark.parametrize("url", [..urls])))
        .params([param(url, str)])
        .returns(none())
        .body([assert_(py!(Settings(database_url = url).database_url == url))])
}

fn test_postgresql_urls_name_the_driver(spec: &Spec) -> FunctionDef {
    names!(scheme, settings);
    let rest = format!("://db/{}", spec.project.identifier.as_str());
    let driver = format!("postgresql+asyncpg{rest}");
    def("test_postgresql_urls_name_the_driver")
        .decorator(py!(pytest
            .mark
            .parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])))
        .params([param(scheme, str)])
        .returns(none())
        .body(block![
            assign(
                settings,
                py!(Settings(database_url = { f_string([formatted(scheme), string(rest)]) }))
            ),
            assert_(py!(settings.database_url == driver))
        ])
}

fn test_earlier_secrets_are_separated_by_commas() -> FunctionDef {
    names!(monkeypatch, secrets);
    def("test_earlier_secrets_are_separated_by_commas")
        .params([param(monkeypatch, py!(pytest.MonkeyPatch))])
        .returns(none())
        .body(block![
            do_(py!(monkeypatch.setenv("PREVIOUS_SECRET_KEYS", "one, two,,"))),
            assign(secrets, py!(Settings().previous_secret_keys)),
            assert_(py!(list!(secret.get_secret_value() for secret in secrets) == ["one", "two"]))
        ])
}

fn test_webhook_secrets_are_separated_by_commas() -> FunctionDef {
    names!(monkeypatch, secrets);
    def("test_webhook_secrets_are_separated_by_commas")
        .params([param(monkeypatch, py!(pytest.MonkeyPatch))])
        .returns(none())
        .body(block![
            do_(py!(monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", "one, two,,"))),
            assign(secrets, py!(Settings().stripe_webhook_secrets)),
            assert_(py!(list!(secret.get_secret_value() for secret in secrets) == ["one", "two"]))
        ])
}

fn test_an_empty_webhook_secret_is_none() -> FunctionDef {
    names!(monkeypatch);
    def("test_an_empty_webhook_secret_is_none")
        .params([param(monkeypatch, py!(pytest.MonkeyPatch))])
        .returns(none())
        .body(block![
            do_(py!(monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", ""))),
            assert_(py!(Settings().stripe_webhook_secrets == []))
        ])
}

fn test_an_empty_value_counts_as_none(has_token: bool) -> FunctionDef {
    names!(monkeypatch);
    let set = has_token.then(|| do_(py!(monkeypatch.setenv("METRICS_TOKEN", ""))));
    let read = has_token.then(|| assert_(py!(Settings().metrics_token == None)));
    def("test_an_empty_value_counts_as_none")
        .params([param(monkeypatch, py!(pytest.MonkeyPatch))])
        .returns(none())
        .body(block![
            set,
            do_(py!(monkeypatch.setenv("SECRET_KEY", ""))),
            read,
            assert_(py!(Settings().secret_key.get_secret_value()))
        ])
}

fn test_secrets_are_not_shown() -> FunctionDef {
    def("test_secrets_are_not_shown")
        .returns(none())
        .body([assert_(py!(not_in!("xxx", repr(Settings(secret_key = LONG_SECRET)))))])
}

fn test_what_is_refused_is_not_shown() -> FunctionDef {
    names!(refused);
    def("test_what_is_refused_is_not_shown").returns(none()).body(block![
        with_as(
            py!(pytest.raises(ValidationError)),
            refused,
            [do_(py!(Settings(database_url = "postgresql://us:hidden@db/acme?pgbouncer=true")))]
        ),
        assert_(py!(not_in!("hidden", str(refused.value))))
    ])
}
