"""The settings of the application, read from the environment."""

import secrets
from enum import StrEnum
from typing import Annotated, Self

from fastapi import Depends, Request
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

SECRET_BYTES = 32
REQUIRED_IN_PRODUCTION = ("secret_key", "frontend_url")


class Environment(StrEnum):
    """Where the application runs."""

    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


def generated_secret() -> SecretStr:
    """Make a secret that lives as long as this process."""
    return SecretStr(secrets.token_urlsafe(SECRET_BYTES))


class Settings(BaseSettings):
    """Everything that differs between one deployment and another."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    environment: Environment = Field(
        default=Environment.DEVELOPMENT, description="development, test or production."
    )
    secret_key: SecretStr = Field(
        default_factory=generated_secret,
        description="Signs every token; production needs its own, 32 bytes or more.",
    )
    previous_secret_keys: Annotated[list[SecretStr], NoDecode] = Field(
        default_factory=list[SecretStr],
        description="Earlier values of SECRET_KEY, comma-separated; they sign nothing.",
    )
    database_url: str = Field(
        default="sqlite+aiosqlite:///./ledger.db",
        description="The database, as the role that serves requests.",
    )
    migration_database_url: str | None = Field(
        default=None, description="The same database as the role that owns the tables."
    )
    database_pool_size: int = Field(
        default=10,
        ge=1,
        description="Connections to PostgreSQL that one process keeps open.",
    )
    maintenance_database_url: str | None = Field(
        default=None,
        description="The same as a role with BYPASSRLS, for work across tenants.",
    )
    access_token_seconds: int = Field(
        default=900, ge=60, description="How long an access token is valid."
    )
    session_seconds: int = Field(
        default=2592000, ge=60, description="How long a session lives without use."
    )
    fresh_session_seconds: int = Field(
        default=600,
        ge=60,
        description="How long after a sign-in dangerous acts need no password.",
    )
    reset_token_seconds: int = Field(
        default=3600, ge=60, description="How long the link in a reset mail is valid."
    )
    verification_token_seconds: int = Field(
        default=86400,
        ge=60,
        description="How long the link in a verification mail is valid.",
    )
    invitation_seconds: int = Field(
        default=604800, ge=60, description="How long an invitation can be accepted."
    )
    password_time_cost: int = Field(
        default=2, ge=1, description="Argon2id: passes over the memory."
    )
    password_memory_kib: int = Field(
        default=19456, ge=8, description="Argon2id: memory for one hash."
    )
    password_workers: int = Field(
        default=2, ge=1, description="Passwords that are hashed at the same time."
    )
    max_body_bytes: int = Field(
        default=1048576, ge=1024, description="The largest request body that is read."
    )
    frontend_url: str = Field(
        default="http://localhost:3000",
        pattern="^https?://[^/?#]+(/[^?#]*[^/?#])?$",
        description="Where the links in mails lead.",
    )
    email_sender: str = Field(
        default="no-reply@localhost",
        pattern="^[^@\\s]+@[^@\\s]+$",
        description="The address that mails come from.",
    )
    job_poll_seconds: int = Field(
        default=5,
        ge=0,
        description="How often to look for jobs that are due; 0 is never.",
    )
    stripe_secret_key: SecretStr | None = Field(
        default=None,
        description="The key to ask Stripe with; without it there are events only.",
    )
    stripe_api_base: str = Field(
        default="https://api.stripe.com", description="Where Stripe answers."
    )
    stripe_webhook_secrets: Annotated[list[SecretStr], NoDecode] = Field(
        default_factory=list[SecretStr],
        description="Signing secrets, comma-separated; with none the webhook is off.",
    )
    billing_worker: bool = Field(
        default=True, description="Process the events of Stripe in this process."
    )
    billing_return_origins: Annotated[list[str], NoDecode] = Field(
        default=["http://localhost:3000"],
        description="Where Stripe may send people back to, comma-separated.",
    )
    books_closed: bool = Field(
        default=False, description="Whether the books of the period are closed."
    )
    metrics_token: SecretStr | None = Field(
        default=None, description="The bearer token that /metrics asks for, if any."
    )
    log_level: str = Field(
        default="INFO",
        pattern="^(DEBUG|INFO|WARNING|ERROR)$",
        description="The least severe records that are logged.",
    )

    @field_validator(
        "database_url", "migration_database_url", "maintenance_database_url"
    )
    @classmethod
    def name_the_driver(cls, url: str | None) -> str | None:
        """Accept the URLs that hosting platforms hand out."""
        if url is None:
            return None
        for scheme in ("postgres://", "postgresql://"):
            if url.startswith(scheme):
                return "postgresql+asyncpg://" + url.removeprefix(scheme)
        return url

    @field_validator(
        "previous_secret_keys",
        "stripe_webhook_secrets",
        "billing_return_origins",
        mode="before",
    )
    @classmethod
    def split_list(cls, value: object) -> object:
        """Read a comma-separated list, leaving out what is blank."""
        if not isinstance(value, str):
            return value
        return [item.strip() for item in value.split(",") if item.strip()]

    @model_validator(mode="after")
    def require_in_production(self) -> Self:
        """Refuse to start in production with what is good for development only."""
        if self.environment is not Environment.PRODUCTION:
            return self
        missing = [
            name.upper()
            for name in REQUIRED_IN_PRODUCTION
            if name not in self.model_fields_set
        ]
        if missing:
            raise ValueError(f"{', '.join(missing)} must be set in production")
        if len(self.secret_key.get_secret_value().encode()) < SECRET_BYTES:
            raise ValueError(f"SECRET_KEY needs at least {SECRET_BYTES} bytes")
        return self


def get_settings(request: Request) -> Settings:
    """Return the settings that the application was created with."""
    settings: Settings = request.app.state.settings
    return settings


SettingsDep = Annotated[Settings, Depends(get_settings)]
