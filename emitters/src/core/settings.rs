//! `backend/app/core/settings.py`: the settings of the application, read from the environment.

use crate::python::builtins::{ValueError, classmethod, int, isinstance, len, list, object, str};
use crate::python::fastapi::{Depends, Request};
use crate::python::pydantic::{
    BaseSettings, Field, NoDecode, SecretStr, SettingsConfigDict, field_validator, model_validator,
};
use crate::python::standard::{Annotated, SELF_TYPE, StrEnum, secrets};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.settings": SECRET_BYTES, Environment, generated_secret, Settings, get_settings,
        SettingsDep;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.core.settings")
        .docstring("The settings of the application, read from the environment.")
        .body(block![
            assign(SECRET_BYTES, 32),
            environment_class(),
            generated_secret_def(),
            settings_class(),
            get_settings_def(),
            assign(SettingsDep, py!(Annotated[(Settings, Depends(get_settings))]))
        ])
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

fn generated_secret_def() -> FunctionDef {
    def(generated_secret).returns(SecretStr).body(block![
        docstring("Make a secret that lives as long as this process."),
        return_(py!(SecretStr(secrets.token_urlsafe(SECRET_BYTES))))
    ])
}

fn settings_class() -> ClassDef {
    names!(
        model_config,
        environment,
        secret_key,
        database_url,
        migration_database_url,
        database_pool_size,
        access_token_seconds,
        verification_token_seconds,
        invitation_seconds,
        password_time_cost,
        password_memory_kib,
        password_workers,
        max_body_bytes,
        stripe_webhook_secrets,
        metrics_token,
        log_level
    );
    class(Settings).base(BaseSettings).body(block![
        docstring("Everything that differs between one deployment and another."),
        assign(
            model_config,
            py!(SettingsConfigDict(env_file = ".env", extra = "ignore", frozen = true))
        ),
        ann_assign(
            environment,
            Environment,
            py!(Field(
                default = Environment.DEVELOPMENT,
                description = "development, test or production."
            ))
        )
        .paragraph(),
        ann_assign(
            secret_key,
            SecretStr,
            py!(Field(
                default_factory = generated_secret,
                description = "Signs every token; production needs its own, 32 bytes or more."
            ))
        ),
        ann_assign(
            database_url,
            str,
            py!(Field(
                default = "sqlite+aiosqlite:///./acme.db",
                description = "The database, as the role that serves requests."
            ))
        ),
        ann_assign(
            migration_database_url,
            py!(str | None),
            py!(Field(
                default = None,
                description = "The same database as the role that owns the tables."
            ))
        ),
        ann_assign(
            database_pool_size,
            int,
            py!(Field(
                default = 10,
                ge = 1,
                description = "Connections to PostgreSQL that one process keeps open."
            ))
        ),
        ann_assign(
            access_token_seconds,
            int,
            py!(Field(default = 900, ge = 60, description = "How long an access token is valid."))
        ),
        ann_assign(
            verification_token_seconds,
            int,
            py!(Field(
                default = 86_400,
                ge = 60,
                description = "How long the link in a verification mail is valid."
            ))
        ),
        ann_assign(
            invitation_seconds,
            int,
            py!(Field(
                default = 604_800,
                ge = 60,
                description = "How long an invitation can be accepted."
            ))
        ),
        ann_assign(
            password_time_cost,
            int,
            py!(Field(default = 2, ge = 1, description = "Argon2id: passes over the memory."))
        ),
        ann_assign(
            password_memory_kib,
            int,
            py!(Field(default = 19_456, ge = 8, description = "Argon2id: memory for one hash."))
        ),
        ann_assign(
            password_workers,
            int,
            py!(Field(
                default = 2,
                ge = 1,
                description = "Passwords that are hashed at the same time."
            ))
        ),
        ann_assign(
            max_body_bytes,
            int,
            py!(Field(
                default = 1_048_576,
                ge = 1024,
                description = "The largest request body that is read."
            ))
        ),
        ann_assign(
            stripe_webhook_secrets,
            py!(Annotated[(list[SecretStr], NoDecode)]),
            py!(Field(
                default_factory = list[SecretStr],
                description = "Signing secrets, comma-separated; with none the webhook is off."
            ))
        ),
        ann_assign(
            metrics_token,
            py!(SecretStr | None),
            py!(Field(
                default = None,
                description = "The bearer token that /metrics asks for, if any."
            ))
        ),
        ann_assign(
            log_level,
            str,
            py!(Field(
                default = "INFO",
                pattern = "^(DEBUG|INFO|WARNING|ERROR)$",
                description = "The least severe records that are logged."
            ))
        ),
        settings_name_the_driver(),
        settings_split_secrets(),
        settings_require_secrets_in_production()
    ])
}

fn settings_name_the_driver() -> FunctionDef {
    names!(cls, url, scheme);
    def("name_the_driver")
        .decorator(py!(field_validator("database_url", "migration_database_url")))
        .decorator(classmethod)
        .params([untyped(cls), param(url, py!(str | None))])
        .returns(py!(str | None))
        .body(block![
            docstring("Accept the URLs that hosting platforms hand out."),
            if_(py!(url == None), [return_(none())]),
            for_(
                scheme,
                py!(("postgres://", "postgresql://")),
                if_(
                    py!(url.startswith(scheme)),
                    [return_(py!("postgresql+asyncpg://" + url.removeprefix(scheme)))]
                )
            ),
            return_(url)
        ])
}

fn settings_split_secrets() -> FunctionDef {
    names!(cls, value);
    def("split_secrets")
        .decorator(py!(field_validator("stripe_webhook_secrets", mode = "before")))
        .decorator(classmethod)
        .params([untyped(cls), param(value, object)])
        .returns(object)
        .body(block![
            docstring("Read a comma-separated list, leaving out what is blank."),
            if_(py!(!isinstance(value, str)), [return_(value)]),
            return_(py!(list!(secret.strip() for secret in value.split(",") if secret.strip())))
        ])
}

fn settings_require_secrets_in_production() -> FunctionDef {
    def("require_secrets_in_production")
        .decorator(py!(model_validator(mode = "after")))
        .params([untyped("self")])
        .returns(SELF_TYPE)
        .body(block![
            docstring("Refuse to start in production with a missing or a short secret."),
            if_(py!(is_not!(self.environment, Environment.PRODUCTION)), [return_(py!(self))]),
            if_(
                py!(not_in!("secret_key", self.model_fields_set)),
                [raise(py!(ValueError("SECRET_KEY must be set in production")))]
            ),
            if_(
                py!(len(self.secret_key.get_secret_value().encode()) < SECRET_BYTES),
                [raise(py!(ValueError(f!("SECRET_KEY needs at least {} bytes", SECRET_BYTES))))]
            ),
            return_(py!(self))
        ])
}

fn get_settings_def() -> FunctionDef {
    names!(request, settings);
    def(get_settings).params([param(request, Request)]).returns(Settings).body(block![
        docstring("Return the settings that the application was created with."),
        ann_assign(settings, Settings, py!(request.app.state.settings)),
        return_(settings)
    ])
}
