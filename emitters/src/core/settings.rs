//! `backend/app/core/settings.py`: the settings of the application, read from the environment.

use crate::python::builtins::{
    ValueError, classmethod, frozenset, isinstance, len, object, set, sorted, str,
};
use crate::python::fastapi::{Depends, Request};
use crate::python::pydantic::{
    BaseSettings, Field, SecretStr, SettingsConfigDict, field_validator, model_validator,
};
use crate::python::sqlalchemy::{URL, make_url};
use crate::python::standard::{Annotated, SELF_TYPE, StrEnum, secrets};
use crate::spec::{EmailBackend, Spec};
use astgen_pyast::make;
use astgen_pyast::prelude::*;

mod fields;

pub use fields::{
    DefaultValue, Given, METRICS_PORT, Setting, WORKER_METRICS_PORT, fields, has_own_quota,
};

/// The secret of the compose file: whoever reads it knows it, and production refuses it.
pub const PUBLISHED_SECRET: &str = "for development only, and known to everybody";

vocabulary! {
    "app.core.settings": SECRET_BYTES, PUBLISHED, REQUIRED_IN_PRODUCTION, ASYNCPG_NAMES, ASYNCPG_OPTIONS,
        IGNORED_OPTIONS, Environment, SmtpSecurity, generated_secret, for_asyncpg, refuse_weak, Settings, get_settings, SettingsDep;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let is_smtp = spec.email.backend == EmailBackend::Smtp;
    module("app.core.settings")
        .docstring("The settings of the application, read from the environment.")
        .body(block![
            assign(SECRET_BYTES, 32),
            assign(PUBLISHED, PUBLISHED_SECRET),
            assign(REQUIRED_IN_PRODUCTION, tuple(required_in_production(spec))),
            assign(ASYNCPG_NAMES, py!(dict!("sslmode" => "ssl")))
                .comment("What libpq calls its options in a URL, and what asyncpg does."),
            assign(ASYNCPG_OPTIONS, words(ASYNCPG)),
            assign(IGNORED_OPTIONS, words(IGNORED)),
            environment_class(),
            is_smtp.then(smtp_security_class),
            generated_secret_def(),
            for_asyncpg_def(),
            refuse_weak_def(),
            settings_class(spec),
            get_settings_def(),
            assign(SettingsDep, py!(Annotated[(Settings, Depends(get_settings))]))
        ])
}

/// What asyncpg takes as texts, and the dialect of SQLAlchemy of what it hands on.
const ASYNCPG: &[&str] = &[
    "gsslib",
    "host",
    "krbsrvname",
    "passfile",
    "port",
    "prepared_statement_cache_size",
    "ssl",
    "target_session_attrs",
];

/// What platforms hand out and asyncpg can do without: it binds no channel, and has its own time limit.
const IGNORED: &[&str] = &["application_name", "channel_binding", "connect_timeout", "gssencmode"];

fn words(words: &[&str]) -> Expr {
    py!(frozenset({ make::set(words.iter().copied()) }))
}

fn environment_class() -> ClassDef {
    names!(DEVELOPMENT, TEST, PRODUCTION);
    class(Environment).base(StrEnum).body(block![
        docstring("Where the application runs."),
        assign(DEVELOPMENT, "development"),
        assign(TEST, "test"),
        assign(PRODUCTION, "production")
    ])
}

/// The settings whose defaults are good for development only.
#[must_use]
pub fn required_in_production(spec: &Spec) -> Vec<&'static str> {
    let mut required = vec!["secret_key", "database_url", "frontend_url", "allowed_hosts"];
    if spec.email.backend == EmailBackend::Smtp {
        required.push("smtp_host");
        required.extend(spec.email.sender.is_none().then_some("email_sender"));
    }
    required.extend(spec.storage.has_bucket().then_some("s3_bucket"));
    required.extend(spec.jobs.has_workers().then_some("redis_url"));
    required.extend(spec.observability.has_token().then_some("metrics_token"));
    required
}

fn smtp_security_class() -> ClassDef {
    names!(STARTTLS, TLS, NONE);
    class(SmtpSecurity).base(StrEnum).body(block![
        docstring("How the connection to the mail server is protected."),
        assign(STARTTLS, "starttls"),
        assign(TLS, "tls"),
        assign(NONE, "none")
    ])
}

fn generated_secret_def() -> FunctionDef {
    def(generated_secret).returns(SecretStr).body(block![
        docstring("Make a secret that lives as long as this process."),
        return_(py!(SecretStr(secrets.token_urlsafe(SECRET_BYTES))))
    ])
}

fn for_asyncpg_def() -> FunctionDef {
    names!(url, query, refused);
    def(for_asyncpg).params([param(url, URL)]).returns(URL).body(block![
        docstring(
            "Say what libpq would take in the words of asyncpg, or refuse it.\n\
             \n\
             Certificates are files: PGSSLROOTCERT, PGSSLCERT and PGSSLKEY name them."
        ),
        assign(
            query,
            py!(dict!(ASYNCPG_NAMES.get(name, name) => value
                for (name, value) in url.query.items() if not_in!(name, IGNORED_OPTIONS)))
        ),
        assign(refused, py!(sorted(set(query) - ASYNCPG_OPTIONS))),
        if_(
            refused,
            [raise(py!(ValueError(f!("asyncpg takes no {} in a URL", ", ".join(refused)))))]
        ),
        return_(py!(url.set(drivername = "postgresql+asyncpg", query = query)))
    ])
}

fn settings_class(spec: &Spec) -> ClassDef {
    names!(model_config);
    class(Settings).base(BaseSettings).body(block![
        docstring("Everything that differs between one deployment and another."),
        assign(
            model_config,
            py!(SettingsConfigDict(
                env_file = ".env",
                env_ignore_empty = true,
                extra = "ignore",
                frozen = true,
                hide_input_in_errors = true
            ))
        ),
        declarations(spec),
        settings_name_the_driver(spec),
        settings_split_list(&fields(spec)),
        settings_require_in_production()
    ])
}

fn declarations(spec: &Spec) -> Vec<Stmt> {
    let mut declarations: Vec<Stmt> = fields(spec).iter().map(declaration).collect();
    if let Some(first) = declarations.first_mut() {
        *first = first.clone().paragraph();
    }
    declarations
}

fn declaration(setting: &Setting) -> Stmt {
    let default = match &setting.default {
        DefaultValue::Environment => kw("default", py!(Environment.DEVELOPMENT)),
        DefaultValue::Member(member, _) => kw("default", member),
        DefaultValue::Text(text) => kw("default", text),
        DefaultValue::Number(number) => kw("default", *number),
        DefaultValue::Switch(is_on) => kw("default", *is_on),
        DefaultValue::Texts(texts) => kw("default", list(texts)),
        DefaultValue::Made(factory) => kw("default_factory", factory),
        DefaultValue::Missing => kw("default", none()),
    };
    let (bounds, description) = (setting.bounds.clone(), setting.description);
    let field = py!(Field(..[default], ..bounds, description = description));
    ann_assign(setting.name, &setting.annotation, field)
}

fn settings_name_the_driver(spec: &Spec) -> FunctionDef {
    names!(cls, url, parsed);
    let urls = fields(spec).into_iter().map(|setting| setting.name.as_str());
    let urls = urls.filter(|name| name.ends_with("database_url")).map(arg);
    def("name_the_driver")
        .decorator(py!(field_validator(..urls)))
        .decorator(classmethod)
        .params([untyped(cls), param(url, py!(str | None))])
        .returns(py!(str | None))
        .body(block![
            docstring("Accept the URLs that hosting platforms hand out."),
            if_(
                py!(url == None
                    || !url.startswith(("postgres:", "postgresql:", "postgresql+asyncpg:"))),
                [return_(url)]
            ),
            assign(parsed, py!(for_asyncpg(make_url(url)))),
            return_(py!(parsed.render_as_string(hide_password = false)))
        ])
}

fn settings_split_list(fields: &[Setting]) -> FunctionDef {
    let lists = fields.iter().filter(|setting| setting.is_list());
    let lists = lists.map(|setting| arg(setting.name.as_str()));
    names!(cls, value);
    def("split_list")
        .decorator(py!(field_validator(..lists, mode = "before")))
        .decorator(classmethod)
        .params([untyped(cls), param(value, object)])
        .returns(object)
        .body(block![
            docstring("Read a comma-separated list, leaving out what is blank."),
            if_(py!(!isinstance(value, str)), [return_(value)]),
            return_(py!(list!(item.strip() for item in value.split(",") if item.strip())))
        ])
}

fn settings_require_in_production() -> FunctionDef {
    names!(missing, secret);
    def("require_in_production")
        .decorator(py!(model_validator(mode = "after")))
        .params([untyped("self")])
        .returns(SELF_TYPE)
        .body(block![
            docstring("Refuse to start in production with what is good for development only."),
            if_(py!(is_not!(self.environment, Environment.PRODUCTION)), [return_(py!(self))]),
            assign(
                missing,
                py!(list!(name.upper() for name in REQUIRED_IN_PRODUCTION
                    if not_in!(name, self.model_fields_set)))
            ),
            if_(
                missing,
                [raise(py!(ValueError(f!("{} must be set in production", ", ".join(missing)))))]
            ),
            do_(py!(refuse_weak("SECRET_KEY", self.secret_key))),
            for_(
                secret,
                py!(self.previous_secret_keys),
                [do_(py!(refuse_weak("PREVIOUS_SECRET_KEYS", secret)))]
            ),
            return_(py!(self))
        ])
}

fn refuse_weak_def() -> FunctionDef {
    names!(setting, secret, text);
    def(refuse_weak).params([param(setting, str), param(secret, SecretStr)]).returns(none()).body(
        block![
            docstring("Refuse a secret that is published or can be guessed."),
            assign(text, py!(secret.get_secret_value())),
            if_(
                py!(text == PUBLISHED),
                [raise(py!(ValueError(f!("{} is known to everybody: make another", setting))))]
            ),
            if_(
                py!(len(text.encode()) < SECRET_BYTES),
                [raise(py!(ValueError(f!("{} needs at least {} bytes", setting, SECRET_BYTES))))]
            )
        ],
    )
}

fn get_settings_def() -> FunctionDef {
    names!(request, settings);
    def(get_settings).params([param(request, Request)]).returns(Settings).body(block![
        docstring("Return the settings that the application was created with."),
        ann_assign(settings, Settings, py!(request.app.state.settings)),
        return_(settings)
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec;
    use astgen_pyast::print_module;

    fn printed(source: &str) -> String {
        let spec = spec::read(source, "astgen.toml").expect("a good spec");
        print_module(&emit(&spec))
    }

    #[test]
    fn acme() {
        let settings = printed(include_str!("../../../examples/acme.toml"));
        insta::assert_snapshot!("settings_acme", settings);
    }

    #[test]
    fn what_the_spec_says_is_the_default() {
        let settings = printed(
            "[project]\nname = \"my-app\"\n[auth]\naccess_token_lifetime = \"30m\"\n\
             [organizations]\ninvitation_lifetime = \"2d\"\n",
        );
        assert!(settings.contains("\"sqlite+aiosqlite:///./my_app.db\""), "{settings}");
        assert!(settings.contains("default=1800, ge=60"), "{settings}");
        assert!(settings.contains("default=172800, ge=60"), "{settings}");
    }

    #[test]
    fn what_is_switched_off_has_no_setting() {
        let source = "[project]\nname = \"app\"\n[observability]\nmetrics = false\n";
        let settings = printed(source);
        for word in ["stripe", "webhook", "metrics"] {
            assert!(!settings.contains(word), "{word} in {settings}");
        }
    }
}
