"""What the process is told from outside, typed. A wrong or missing variable stops the start and is named."""

from __future__ import annotations

import os
import secrets
import zoneinfo
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self

from django.core.exceptions import ImproperlyConfigured
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from notifications.domain.addresses import Network, networks_read

BASE_DIR = Path(__file__).resolve().parent.parent


class Environment(BaseSettings):
    """Environment variables (or lines of `.env`), one field each. Empty means absent."""

    model_config = SettingsConfigDict(
        env_file=BASE_DIR / ".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", frozen=True
    )

    debug: bool = False
    secret_key: SecretStr | None = None
    allowed_hosts: Annotated[list[str], NoDecode] = Field(default_factory=lambda: ["127.0.0.1", "localhost", "[::1]"])
    csrf_trusted_origins: Annotated[list[str], NoDecode] = Field(default_factory=list)
    selflearn_https: bool = False
    """The site is reached over HTTPS alone: redirects, secure cookies, HSTS (docs/DEPLOY.md)."""
    selflearn_hsts_seconds: int = Field(default=31_536_000, ge=0)
    """How long browsers keep to HTTPS; a year. Begin with an hour: what browsers remember cannot be taken back."""
    selflearn_behind_proxy: bool = False
    """TLS ends at a proxy that sets `X-Forwarded-Proto` itself and removes what callers send under that name."""
    language_code: Literal["ru", "en"] = "ru"
    time_zone: str = "UTC"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    database_url: str = ""
    maas_database_url: str = ""
    q_broker_url: str = ""
    selflearn_var: Path = BASE_DIR / "var"
    """Everything that a run of this checkout leaves behind: database, generated key, reports."""
    selflearn_test_suffix: str = ""

    selflearn_llm: Literal["offline", "openai"] = "offline"
    openai_api_key: SecretStr | None = None
    openai_base_url: str = ""
    selflearn_model: str = "gpt-4o-mini"
    selflearn_model_complex: str = "gpt-4o"
    selflearn_judge_model: str = "gpt-4o"
    selflearn_embedding_model: str = ""
    selflearn_prices: str = ""
    """JSON such as {"model": [0.15, 0.6]}: USD per million tokens of prompt and answer, beside the known prices."""
    selflearn_api_rate: int = Field(default=3000, ge=1)
    """Requests a minute that one token or person may make to the API."""
    selflearn_site_url: str = "http://127.0.0.1:8000"
    """Where people reach the site: links in notifications begin with it."""
    selflearn_notify_networks: str = ""
    """Private networks that webhooks may be sent to, such as `10.0.0.0/8, 127.0.0.0/8`; the public ones always may."""
    email_host: str = ""
    """Empty: no mail is sent, and the delivery log says so."""
    email_port: int = Field(default=25, ge=1, le=65535)
    email_host_user: str = ""
    email_host_password: SecretStr | None = None
    email_use_tls: bool = False
    email_use_ssl: bool = False
    default_from_email: str = "selflearn@localhost"
    maas_url: str = ""
    maas_token: SecretStr | None = None
    maas_patience_seconds: float = Field(default=300.0, ge=0)
    """How long one call of a student elsewhere lets itself be told to slow down."""

    @field_validator("allowed_hosts", "csrf_trusted_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("selflearn_var")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value if value.is_absolute() else BASE_DIR / value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            zoneinfo.ZoneInfo(value)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"no time zone is called {value!r}") from error
        return value

    @field_validator("database_url", "maas_database_url")
    @classmethod
    def _postgresql(cls, value: str) -> str:
        if value and not value.startswith(("postgresql://", "postgres://")):
            raise ValueError("must start with postgresql:// (or be empty for the embedded server)")
        return value

    @field_validator("selflearn_notify_networks")
    @classmethod
    def _networks(cls, value: str) -> str:
        networks_read(value)
        return value

    @field_validator("maas_url", "openai_base_url", "selflearn_site_url")
    @classmethod
    def _http(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/")

    @field_validator("q_broker_url")
    @classmethod
    def _redis(cls, value: str) -> str:
        if value and not value.startswith(("redis://", "rediss://")):
            raise ValueError("must start with redis:// (or be empty for PostgreSQL)")
        return value

    @model_validator(mode="after")
    def _model_reachable(self) -> Self:
        if self.selflearn_llm == "openai" and self.openai_api_key is None and not self.openai_base_url:
            raise ValueError("OPENAI_API_KEY: needed when SELFLEARN_LLM=openai and OPENAI_BASE_URL is empty")
        return self

    @model_validator(mode="after")
    def _one_kind_of_tls(self) -> Self:
        if self.email_use_tls and self.email_use_ssl:
            raise ValueError("EMAIL_USE_TLS and EMAIL_USE_SSL: set one of them")
        return self

    @property
    def notify_networks(self) -> tuple[Network, ...]:
        return networks_read(self.selflearn_notify_networks)

    @property
    def embedded(self) -> bool:
        """Whether any of the two databases lives in the embedded server."""
        return not (self.database_url and self.maas_database_url)

    def signing_key(self) -> str:
        """`SECRET_KEY`, or on a developer's machine one generated once under `var/`.

        Raises `ImproperlyConfigured` where a server is configured and no key is given: processes on several machines
        must share one.
        """
        if self.secret_key is not None:
            return self.secret_key.get_secret_value()
        if self.debug or not self.database_url:
            try:
                return _generated_key(self.selflearn_var / "secret_key")
            except OSError as error:
                raise ImproperlyConfigured(
                    f"SELFLEARN_VAR: cannot write to {self.selflearn_var}: {error.strerror or error}"
                ) from error
        raise ImproperlyConfigured("SECRET_KEY: must be set when DATABASE_URL points to a server and DEBUG is off")


def _generated_key(path: Path) -> str:
    """Read the key, or make it. Two first starts at once: `link` lets one of them win, both read the winner's."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(64))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


def _sentence(error: ValidationError) -> str:
    """One line per wrong variable; the value itself stays out, it may be a secret."""
    lines = []
    for item in error.errors(include_url=False, include_input=False):
        name = str(item["loc"][0]).upper() + ": " if item["loc"] else ""
        lines.append(name + item["msg"].removeprefix("Value error, "))
    return "; ".join(lines)


def read_environment() -> Environment:
    """Raises `ImproperlyConfigured` with the names of the variables that are wrong."""
    try:
        return Environment()
    except ValidationError as error:
        raise ImproperlyConfigured(f"environment: {_sentence(error)}") from None


@cache
def environment() -> Environment:
    return read_environment()
