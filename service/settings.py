"""The settings: one table of names, defaults and meanings, from which flags, help and documentation come.

A setting is taken from the flag of `kerasdoctor serve`, else from the environment (`KERASDOCTOR_PORT`), else from the TOML file
that `KERASDOCTOR_CONFIG` or `--config` names, else it has its default.
"""

from __future__ import annotations

import ipaddress
import os
import re
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from ..errors import InputError

PREFIX = "KERASDOCTOR_"
CONFIG = f"{PREFIX}CONFIG"
MIB = 1 << 20


def _home() -> Path:
    """Where programs keep a user's data, by the XDG base directory specification."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "kerasdoctor"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class Settings(BaseSettings):
    """Every setting of the service. Sizes are in MiB, times in the unit that the name ends with."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    host: str = Field("127.0.0.1", description="the address to listen on; any but loopback needs keys (or --open)")
    port: int = Field(8080, ge=0, le=65535, description="the port to listen on")
    workers: int = Field(1, ge=1, le=64, description="processes that serve")
    public_url: str = Field(
        "", description="the address by which people reach it, behind a proxy: https://doctor.example.org"
    )
    hosts: str = Field("", description="more host names that it answers to, with commas between")
    open: bool = Field(default=False, description="serve other addresses than loopback without keys")
    keys: bool = Field(default=False, description="ask for keys on loopback too")
    proxies: str = Field(
        "", description="addresses of proxies whose X-Forwarded-* headers are believed, with commas between"
    )

    data: Path = Field(
        default_factory=_home,
        description="the folder of the database and the files, where those have no URL",
        json_schema_extra={"shown": "~/.local/share/kerasdoctor"},
    )
    database: str = Field(
        "", description="the database's URL: sqlite:///FILE or postgresql://…; default: SQLite in the data folder"
    )
    files: str = Field(
        "", description="where uploads are kept: a folder or any URL of fsspec; default: in the data folder"
    )

    max_text_mib: int = Field(1, ge=1, le=16, description="the longest text of a message")
    max_upload_mib: int = Field(2048, ge=1, description="the largest file that may be uploaded")
    max_stored_mib: int = Field(8192, ge=1, description="all files of one owner together")
    keep_uploads_hours: float = Field(24, gt=0, description="how long an uploaded file is kept")
    keep_chats_days: float = Field(30, gt=0, description="how long a chat is kept after its last message")
    messages_per_minute: int = Field(30, ge=1, description="messages and diagnoses of one owner or address")
    requests_per_minute: int = Field(600, ge=1, description="all requests of one owner or address")

    max_chats: int = Field(1000, ge=1, description="chats that one owner has at a time")
    max_uploads: int = Field(
        500, ge=1, description="files that one owner has at a time, those that are not whole among them"
    )
    silence_seconds: float = Field(
        60,
        gt=0,
        description="how long a connection may be silent before it is closed, in the middle of a request or an answer",
    )

    live: bool = Field(
        default=True,
        description="let models be run and repaired in the sandbox when people ask for it (needs TensorFlow here)",
    )
    jobs: int = Field(2, ge=1, le=64, description="answers that one process works on at a time")
    leave_seconds: float = Field(
        20, gt=0, description="a job is cancelled when those who watched it are gone for so long"
    )
    stop_seconds: float = Field(10, gt=0, description="how long a stop waits for what is under way")

    secret: SecretStr = Field(SecretStr(""), description="what Slack's tokens are encrypted with: any long random text")
    slack_signing_secret: SecretStr = Field(SecretStr(""), description="the signing secret of the Slack app")
    slack_client_id: str = Field("", description="the client id of the Slack app, for installing it in workspaces")
    slack_client_secret: SecretStr = Field(SecretStr(""), description="the client secret of the Slack app")
    slack_bot_token: SecretStr = Field(SecretStr(""), description="the bot token, where one workspace only is served")
    slack_webhook_token: SecretStr = Field(
        SecretStr(""), description="the token of a plain outgoing webhook, for setups without an app"
    )
    slack_api_url: str = Field("https://slack.com/api/", description="the address of Slack's API")
    slack_max_file_mib: int = Field(50, ge=1, description="the largest file that is fetched from Slack")

    metrics: bool = Field(default=True, description="serve /metrics for Prometheus")
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="the least level that is logged")
    log_json: bool = Field(default=False, description="write logs as JSON, one object a line")

    @field_validator("data")
    @classmethod
    def _whole(cls, data: Path) -> Path:
        return data.expanduser().absolute()

    @model_validator(mode="after")
    def _defaults(self) -> Self:
        set_default = object.__setattr__  # the table is frozen for everyone else
        if not self.database:
            set_default(self, "database", f"sqlite:///{self.data / 'kerasdoctor.db'}")
        if not self.files:
            set_default(self, "files", str(self.data / "files"))
        return self

    @field_validator("public_url")
    @classmethod
    def _address(cls, url: str) -> str:
        if url and not re.fullmatch(r"https?://[^/?#@\s]+/?", url):
            raise ValueError("expected http:// or https:// and a host, without a path")
        return url.rstrip("/")

    @property
    def on_loopback(self) -> bool:
        """Whether it serves this machine only: it listens there, and no public address leads to it."""
        return _is_loopback(self.host) and (
            not self.public_url or _is_loopback(urlsplit(self.public_url).hostname or "")
        )

    @property
    def needs_keys(self) -> bool:
        """Whether a request must come with a key (or the cookie of someone who signed in with one)."""
        return self.keys or not (self.on_loopback or self.open)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, then the environment, then the TOML file."""
        del dotenv_settings, file_secret_settings
        path = os.environ.get(CONFIG)
        file = (TomlConfigSettingsSource(settings_cls, path),) if path else ()
        return (init_settings, env_settings, *file)


class Row(NamedTuple):
    """A setting as people read of it; `flag` is empty for a secret, which would show in the list of processes."""

    name: str
    flag: str
    variable: str
    default: str
    meaning: str


def settings_table() -> list[Row]:
    """All settings, in their order."""
    return [_row(name, field) for name, field in Settings.model_fields.items()]


def _row(name: str, field: FieldInfo) -> Row:
    secret, flag = field.annotation is SecretStr, f"--{name.replace('_', '-')}"
    extra = field.json_schema_extra
    shown = extra.get("shown") if isinstance(extra, dict) else None
    default = "" if secret else str(shown or field.default)
    if field.annotation is bool:
        default, flag = ("yes", f"--no-{flag[2:]}") if field.default else ("no", flag)
    return Row(name, "" if secret else flag, f"{PREFIX}{name.upper()}", default, field.description or "")


def load_settings(**flags: Any) -> Settings:  # noqa: ANN401 - what the flags hold
    """The settings with these flags.

    Raises:
        InputError: a value is not usable, or the file cannot be read; every problem is named with what was expected.
    """
    path = os.environ.get(CONFIG)
    if path and not Path(path).is_file():
        raise InputError(f"{CONFIG}={path}: there is no such file; expected a TOML file with settings")
    try:
        return Settings(**flags)
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg']}" for e in error.errors())
        raise InputError(f"settings: {told}") from None
    except ValueError as error:  # the file is no TOML
        raise InputError(f"settings: {path}: {error}") from None
