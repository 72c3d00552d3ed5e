"""Every setting, typed. Says all that is wrong at once, and stays shut. Read in `main` and the command line alone.

Names are `BROKER_…` in the environment. There is no default for what is secret or decides safety; an unknown
`BROKER_…` name is a fault, because a misspelt safety setting must not be silently ignored. What is secret may lie in a
file instead (`BROKER_DATABASE_URL_FILE`), which no process list and no dump of an environment shows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "BROKER_"
# Each may be given as the path of a file that holds it, under its name + `_FILE`.
SECRET = ("database_url", "vault_url", "reader_url", "opa_token", "smtp_password")
FILE = "_FILE"
_LOG_NAME = re.compile(r"[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~-]+)*/log")


class SettingsFaults(ValueError):
    """The settings cannot be used. `faults` names each setting and what is wrong, never its value."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Settings(BaseSettings):
    """All settings of one broker node."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True)

    profile: Annotated[
        Literal["production", "demo", "test"],
        Field(description="What kind of life this node lives", examples=["production"]),
    ]
    public_url: Annotated[
        str,
        Field(
            description="The address callers use, such as https://broker.example.dk",
            examples=["https://broker.example.dk"],
        ),
    ]
    registry: Annotated[Path, Field(description="The registry file (YAML)", examples=["/etc/borgerbro/registry.yaml"])]
    policies: Annotated[Path, Field(description="The folder of rules and law tables", examples=["/app/policies"])]
    candidate_policies: Annotated[
        Path | None,
        Field(
            description="Folders laid out as policies/, which a DPO may try on past months; none: no what-if",
            examples=["/etc/borgerbro/candidates"],
        ),
    ] = None
    database_url: Annotated[str, Field(description="PostgreSQL, as the application role")]
    vault_url: Annotated[str, Field(description="The second database: keys and handles, with a role of its own")]
    reader_url: Annotated[
        str | None,
        Field(description="PostgreSQL, as the reader's role, for checks of whole logs; none: as the application role"),
    ] = None
    witness_policy: Annotated[
        Path | None,
        Field(
            description="Which witnesses cosign, the checkpointer's policy (C2SP tlog-policy), for overseers' pages "
            "and citizens' browsers; none: shown unchecked",
            examples=["/etc/borgerbro/witnesses"],
        ),
    ] = None
    key_folder: Annotated[
        Path, Field(description="Folder of key files, readable by this user alone", examples=["/run/secrets/keys"])
    ]
    log_name: Annotated[
        str | None,
        Field(
            description="What logs are called, without scheme and ending in /log; default the public address + /log",
            examples=["broker.example.dk/log"],
        ),
    ] = None
    node_name: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Za-z0-9.-]{1,64}$",
            description="What the log calls this node when it takes a registry into use; default the machine's name",
        ),
    ] = None
    host: Annotated[str, Field(description="Address to listen on")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535, description="Port to listen on; 0 chooses one")] = 8080
    opa_url: Annotated[
        str | None, Field(description="An OPA server; none: an opa on PATH, else the embedded engine")
    ] = None
    opa_token: Annotated[str | None, Field(description="Bearer token for the OPA server", repr=False)] = None
    policy_engine: Annotated[
        Literal["server", "spawned", "embedded"] | None, Field(description="Name the engine instead of choosing")
    ] = None
    policy_shadow_share: Annotated[
        float, Field(ge=0, le=1, description="Share of an OPA server's decisions that the embedded engine judges again")
    ] = 0.01
    unverified_law: Annotated[
        str, Field(description="Law rows production may use though nobody verified them: table/row or table/*, commas")
    ] = ""
    fixed_clock: Annotated[datetime | None, Field(description="A standing clock, for demo and test only")] = None
    clock_file: Annotated[
        Path | None, Field(description="A file holding the moment, moved by the demo; demo and test only")
    ] = None
    most_body_bytes: Annotated[int, Field(ge=1024, description="Largest request body")] = 65536
    most_head_bytes: Annotated[int, Field(ge=4096, description="Largest head of a request: address and headers")] = (
        65536
    )
    request_seconds: Annotated[float, Field(gt=0, description="How long a request may take to arrive whole")] = 15.0
    source_deadline_seconds: Annotated[
        float, Field(gt=0, description="What a source gets where its entry says nothing")
    ] = 3.0
    database_deadline_seconds: Annotated[
        float, Field(gt=0, description="What a statement gets, and the wait for a connection; then it is a no (503)")
    ] = 6.0
    asks_per_caseworker_hour: Annotated[int, Field(ge=1, description="Ceiling")] = 120
    asks_per_system_hour: Annotated[int, Field(ge=1, description="Ceiling")] = 3000
    asks_per_municipality_hour: Annotated[int, Field(ge=1, description="Ceiling")] = 12000
    looks_per_citizen_hour: Annotated[
        int, Field(ge=1, description="Ceiling on a citizen's own live looks: each asks every system that helps them")
    ] = 20
    vault_backup_days: Annotated[
        int, Field(ge=0, description="How long backups of the vault are kept; an erasure is complete that long after")
    ] = 14
    session_idle_minutes: Annotated[int, Field(ge=1, description="A page session ends after this rest")] = 15
    session_most_minutes: Annotated[int, Field(ge=1, description="A page session ends after this in any case")] = 60
    exit_url: Annotated[
        str,
        Field(
            pattern=r"^https://[A-Za-z0-9.-]+(/[A-Za-z0-9/._-]*)?$",
            description="Where a citizen who must be gone at once is sent: a page that anybody may have open",
        ),
    ] = "https://www.dmi.dk/"
    notices_folder: Annotated[
        Path | None,
        Field(
            description="Where notices to citizens are put for Digital Post, a MeMo file each; none: all go on paper",
            examples=["/var/lib/borgerbro/notices"],
        ),
    ] = None
    smtp_host: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Za-z0-9.:-]{1,253}$",
            description="The server that takes e-mail to citizens who chose it; none: e-mail is not offered",
            examples=["mail.example.dk"],
        ),
    ] = None
    smtp_port: Annotated[int, Field(ge=1, le=65535, description="Its port")] = 587
    smtp_from: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$",
            description="Whom e-mail is from: an address that says nothing of what it is about",
            examples=["besked@example.dk"],
        ),
    ] = None
    smtp_security: Annotated[
        Literal["starttls", "tls", "loopback"],
        Field(description="How the line to it is encrypted; loopback: not at all, to a server on this machine alone"),
    ] = "starttls"
    smtp_authorities: Annotated[
        Path | None, Field(description="Certificates (PEM) that its own must come from; none: this machine's")
    ] = None
    smtp_user: Annotated[str | None, Field(description="As whom to log in there; none: no log-in")] = None
    smtp_password: Annotated[str | None, Field(description="The password of that log-in", repr=False)] = None
    log_late_minutes: Annotated[
        int, Field(ge=1, description="How long a log may lack its quorum of witnesses before asks are refused")
    ] = 15
    leader_working_days: Annotated[
        int,
        Field(
            ge=1,
            le=60,
            description="Danish working days that a leader has after a late break-glass case was escalated; "
            "then a log controller may close it without their words",
        ),
    ] = 5
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Field(description="How much is told")] = "info"

    @field_validator("public_url")
    @classmethod
    def _is_an_origin(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/") or parts.query:
            raise ValueError("must be an origin such as https://broker.example.dk")
        return value.rstrip("/")

    @field_validator("log_name")
    @classmethod
    def _is_where_logs_are_served(cls, value: str | None) -> str | None:
        # A log's origin is its address (C2SP tlog-tiles), and this node serves them below /log.
        if value is not None and not _LOG_NAME.fullmatch(value):
            raise ValueError("must be a host and path that ends in /log, without scheme, such as broker.example.dk/log")
        return value

    @model_validator(mode="after")
    def _production_is_strict(self) -> Settings:
        if self.profile != "production":
            return self
        if self.fixed_clock is not None or self.clock_file is not None:
            raise ValueError("a clock of one's own is for the demo and test profiles")
        if not self.public_url.startswith("https://"):
            raise ValueError("public_url must be https in production")
        return self

    @model_validator(mode="after")
    def _mail_is_whole_and_closed(self) -> Settings:
        if (self.smtp_host is None) != (self.smtp_from is None):
            raise ValueError("smtp_host and smtp_from are given together")
        if (self.smtp_user is None) != (self.smtp_password is None):
            raise ValueError("smtp_user and smtp_password are given together")
        if self.smtp_security == "loopback" and not _is_loopback(self.smtp_host):
            raise ValueError("smtp_security loopback is for a server at 127.0.0.1, ::1 or localhost")
        return self

    @property
    def test_numbers(self) -> bool:
        """Whether invented CPR numbers (day + 60) are taken."""
        return self.profile != "production"


def _is_loopback(host: str | None) -> bool:
    return host in {"127.0.0.1", "::1", "localhost"}


def read(environ: Mapping[str, str]) -> Settings:
    """Read the settings of an environment; raise `SettingsFaults` with all that is wrong."""
    given = {name[len(PREFIX) :]: value for name, value in environ.items() if name.startswith(PREFIX)}
    files = {name: given.pop(name.upper() + FILE) for name in SECRET if name.upper() + FILE in given}
    known = {name.upper() for name in Settings.model_fields} | {name.removeprefix(PREFIX) for name in OTHERS}
    faults = [f"{PREFIX}{name}: no such setting" for name in sorted(given) if name not in known]
    names = {name: given[name.upper()] for name in Settings.model_fields if name.upper() in given}
    for name, file in files.items():
        if name in names:
            faults.append(f"{PREFIX}{name.upper()}{FILE}: given twice, as itself and as a file")
            continue
        try:
            names[name] = _secret_in(Path(file))
        except _FileRefused as fault:
            faults.append(f"{PREFIX}{name.upper()}{FILE}: {fault}")
            # What is wrong with the file is said; that the setting is missing is then no second fault.
            names.setdefault(name, "")
    try:
        settings = Settings.model_validate(names)
    except ValidationError as error:
        raise SettingsFaults([*faults, *(_fault(row["loc"], row["msg"]) for row in error.errors())]) from None
    if faults:
        raise SettingsFaults(faults)
    return settings


class _FileRefused(ValueError):
    """A file of a secret cannot be used; says why, never what it holds."""


def _secret_in(file: Path) -> str:
    """Read a secret from its file; refuse one that everybody on the machine may read."""
    try:
        if file.stat().st_mode & 0o007:
            raise _FileRefused("everybody may read that file")
        value = file.read_text("utf-8").strip()
    except OSError as error:
        raise _FileRefused(error.strerror or "cannot be read") from None
    except UnicodeDecodeError:
        raise _FileRefused("is no text") from None
    if not value:
        raise _FileRefused("the file is empty")
    return value


# Read by the demo's private PostgreSQL, not by the broker.
OTHERS = frozenset({"BROKER_PG_BIN"})


def _fault(place: tuple[int | str, ...], message: str) -> str:
    name = PREFIX + str(place[0]).upper() if place else "settings"
    return f"{name}: {message}"
