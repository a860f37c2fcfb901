"""Settings: the environment, read once, checked whole, frozen.

Every problem is reported at once, by the variable's name and never with its value: an address
holds a password. docs/settings.md and .env.example are generated from here.
"""

import os
from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from adapters import settings_checks as checks
from adapters.settings_gateway import GatewaySettings
from adapters.settings_wallets import WalletSettings
from adapters.vault import KeyRing
from domain.kernel.ids import Category

SECRET_KEY_LENGTH_MIN = 32


class Environment(StrEnum):
    """Where this process runs. Production refuses everything that only a sandbox may do."""

    SANDBOX = "sandbox"
    PRODUCTION = "production"


class BybitEnvironment(StrEnum):
    """Which Bybit the feed follows; one word chooses all addresses."""

    SANDBOX = "sandbox"
    RECORDING = "recording"
    TESTNET = "testnet"
    DEMO = "demo"
    MAINNET = "mainnet"


class LogFormat(StrEnum):
    """``auto``: readable in a terminal, JSON otherwise."""

    AUTO = "auto"
    CONSOLE = "console"
    JSON = "json"


class SettingsError(Exception):
    """The environment cannot be used; ``problems`` holds one sentence each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def _words(value: object) -> object:
    return [w.strip() for w in value.split(",") if w.strip()] if isinstance(value, str) else value


class CoreSettings(BaseSettings):
    """Where the process runs, and what it talks to."""

    model_config = SettingsConfigDict(
        env_prefix="OKD_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    environment: Environment = Field(
        Environment.PRODUCTION,
        validate_default=True,
        description="`sandbox` or `production`. `./dev run` says sandbox; nothing else does.",
    )
    allow_insecure_transport: bool = Field(
        False,
        description="Accept PostgreSQL and Redis addresses without TLS off this machine "
        "(a private network that encrypts by itself).",
    )
    database_url: SecretStr = Field(
        validation_alias="DATABASE_URL",
        description="PostgreSQL as the runtime role `okd_app`: "
        "`postgresql://okd_app:...@host/okd?sslmode=verify-full`.",
    )
    database_owner_url: SecretStr | None = Field(
        None,
        validation_alias="DATABASE_OWNER_URL",
        description="PostgreSQL as `okd_owner`; for `app.py migrate` alone.",
    )
    redis_url: SecretStr = Field(
        validation_alias="REDIS_URL",
        description="Redis or Valkey: `rediss://...` or `unix:///...`.",
    )
    redis_prefix: str = Field(
        "okd",
        pattern=r"^[a-z][a-z0-9_-]{0,40}$",
        description="First part of every key and channel; one per deployment that shares a Redis.",
    )
    secret_key: SecretStr = Field(
        min_length=SECRET_KEY_LENGTH_MIN,
        description="Signs cursors and links; at least 32 characters, the same in all processes. "
        "Make one with `openssl rand -hex 32`.",
    )
    firebase_project: str = Field(
        "demo-okd",
        pattern=r"^[a-z][a-z0-9-]{3,28}[a-z0-9]$",
        validate_default=True,
        description="The Firebase project whose users sign in here. "
        "Production needs one of its own.",
    )
    firebase_tenant: str = Field(
        "",
        pattern=r"^[A-Za-z0-9-]{0,40}$",
        description="The Identity Platform tenant, where the project has tenants.",
    )
    firebase_certificates_url: str = Field(
        checks.GOOGLE_CERTIFICATES,
        description="Where the certificates of ID tokens are; another one in a sandbox only.",
    )
    firebase_service_account: SecretStr | None = Field(
        None,
        validate_default=True,
        description="The service account that administers Firebase: its JSON, or the path of a "
        "file that holds it.",
    )
    vault_keys: SecretStr | None = Field(
        None,
        validate_default=True,
        description="Master keys of personal data, `name:base64,...`, the active one first. "
        'Make one with `echo "k1:$(openssl rand -base64 32)"`.',
    )
    blind_index_key: SecretStr | None = Field(
        None,
        min_length=SECRET_KEY_LENGTH_MIN,
        validate_default=True,
        description="Finds people by an encrypted address; at least 32 characters, never changed "
        "once there are users. Make one with `openssl rand -hex 32`.",
    )
    bybit_environment: BybitEnvironment = Field(
        BybitEnvironment.MAINNET,
        description="`sandbox`, `recording`, `testnet`, `demo` or `mainnet`. "
        "Public market data needs no key.",
    )
    bybit_rest_url: str | None = Field(
        None,
        validate_default=True,
        description="Overrides the environment's REST address; needed for the sandbox.",
    )
    bybit_ws_url: str | None = Field(
        None,
        validate_default=True,
        description="Overrides the environment's stream address; needed for the sandbox.",
    )
    categories: Annotated[tuple[Category, ...], NoDecode] = Field(
        (Category.LINEAR, Category.SPOT),
        description="Product categories to follow, separated by commas.",
    )
    always_on_symbols: Annotated[tuple[str, ...], NoDecode] = Field(
        ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT", "DOGEUSDT"),
        description="Symbols followed in every category even when nobody watches.",
    )
    host: str = Field("127.0.0.1", description="Address the web process listens on.")
    port: int = Field(8000, ge=0, le=65535, description="Port of the web process.")
    listen_fd: int | None = Field(
        None,
        description="A listening socket inherited from the launcher; instead of host and port.",
    )
    operations_port: int = Field(
        9000,
        ge=0,
        le=65535,
        description="Port of `/livez`, `/readyz`, `/metrics` for operators, in every role.",
    )
    operations_fd: int | None = Field(
        None, description="The same as an inherited listening socket."
    )
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Browser origins besides our own that may call, separated by commas."
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Addresses or networks of proxies whose `X-Forwarded-For` is believed; "
        "without it everybody behind one counts as one address.",
    )
    database_pool_size: int = Field(
        8, ge=1, le=100, description="PostgreSQL connections of one process."
    )
    database_timeout_seconds: float = Field(
        5.0, gt=0, le=60, description="Longest wait for one answer of PostgreSQL."
    )
    redis_timeout_seconds: float = Field(
        1.0, gt=0, le=30, description="Longest wait for one answer of Redis."
    )
    bybit_timeout_seconds: float = Field(
        5.0, gt=0, le=60, description="Longest wait for one answer of Bybit's REST interface."
    )
    drain_seconds: float = Field(
        2.0,
        ge=0,
        le=60,
        description="After SIGTERM: how long to keep accepting while readiness says no.",
    )
    log_format: LogFormat = Field(LogFormat.AUTO, description="`auto`, `console` or `json`.")
    log_level: str = Field(
        "info", pattern=r"^(debug|info|warning|error)$", description="Least severe level written."
    )

    @model_validator(mode="before")
    @classmethod
    def _split_lists(cls, values: dict[str, Any]) -> dict[str, Any]:
        lists = ("categories", "always_on_symbols", "allowed_origins", "trusted_proxies")
        return {k: _words(v) if k in lists else v for k, v in values.items()}

    @property
    def production(self) -> bool:
        return self.environment is Environment.PRODUCTION

    # Field by field rather than on the whole: pydantic checks the whole only when every field is
    # right, and a person wants all problems in one go.

    @field_validator("database_url", "database_owner_url", "redis_url")
    @classmethod
    def _check_transport(cls, url: SecretStr | None, known: ValidationInfo) -> SecretStr | None:
        exempt = not _is_production(known) or known.data.get("allow_insecure_transport")
        if url is None or exempt or checks.protected(url.get_secret_value()):
            return url
        raise ValueError("crosses a network without TLS; use it, or OKD_ALLOW_INSECURE_TRANSPORT=1")

    @field_validator("environment")
    @classmethod
    def _check_emulators(cls, chosen: Environment) -> Environment:
        if chosen is Environment.PRODUCTION and (named := checks.emulators(os.environ)):
            raise ValueError(f"production refuses to start while {named} is set")
        return chosen

    @field_validator("firebase_project")
    @classmethod
    def _check_project(cls, project: str, known: ValidationInfo) -> str:
        return checks.project(project) if _is_production(known) else project

    @field_validator("firebase_certificates_url")
    @classmethod
    def _check_certificates(cls, url: str, known: ValidationInfo) -> str:
        return checks.certificates_url(url) if _is_production(known) else url

    @field_validator("firebase_service_account")
    @classmethod
    def _check_account(cls, given: SecretStr | None, known: ValidationInfo) -> SecretStr | None:
        if given is None:
            return _needed_in_production(given, known)
        return SecretStr(checks.service_account(given.get_secret_value()))

    @field_validator("vault_keys")
    @classmethod
    def _check_vault(cls, keys: SecretStr | None, known: ValidationInfo) -> SecretStr | None:
        if keys is not None:
            KeyRing.parse(keys.get_secret_value())
        return _needed_in_production(keys, known)

    @field_validator("blind_index_key")
    @classmethod
    def _check_index(cls, key: SecretStr | None, known: ValidationInfo) -> SecretStr | None:
        return _needed_in_production(key, known)

    @field_validator("bybit_environment")
    @classmethod
    def _check_bybit(cls, chosen: BybitEnvironment, known: ValidationInfo) -> BybitEnvironment:
        if chosen in _LOCAL and _is_production(known):
            raise ValueError("production never follows a sandbox exchange")
        return chosen

    @field_validator("bybit_rest_url", "bybit_ws_url")
    @classmethod
    def _check_address(cls, address: str | None, known: ValidationInfo) -> str | None:
        if address is None and known.data.get("bybit_environment") in _LOCAL:
            raise ValueError("is needed to reach the sandbox exchange")
        return address


class Settings(WalletSettings, GatewaySettings, CoreSettings):
    """Everything a process is told from outside."""


_LOCAL = (BybitEnvironment.SANDBOX, BybitEnvironment.RECORDING)


def _is_production(known: ValidationInfo) -> bool:
    return known.data.get("environment", Environment.PRODUCTION) is Environment.PRODUCTION


def _needed_in_production(secret: SecretStr | None, known: ValidationInfo) -> SecretStr | None:
    if secret is None and _is_production(known):
        raise ValueError("is missing")
    return secret


def load_settings(**overrides: Any) -> Settings:  # noqa: ANN401  # any setting by its name
    """Read the environment. Raises SettingsError with every problem in it."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise SettingsError(_sentences(error)) from None


def _sentences(error: ValidationError) -> list[str]:
    sentences: list[str] = []
    for problem in error.errors(include_url=False, include_input=False, include_context=False):
        name = str(problem["loc"][0])
        variable = name if name.isupper() else f"OKD_{name.upper()}"
        reason = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "missing":
            reason = "is missing"
        sentences.append(f"{variable}: {reason}")
    return sentences
