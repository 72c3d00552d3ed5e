"""The doors of erasure and retention, opened for a command: the broker's own for asking, the eraser's for deleting."""

from __future__ import annotations

import os
import pwd
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from broker.adapters.audit_log import AuditLogPostgres
from broker.adapters.database import open_pool
from broker.adapters.eraser_sql import EraserSql
from broker.adapters.erasures_sql import ErasuresSql
from broker.adapters.handles_vault import HandlesVault
from broker.adapters.house_keys import read_deletion_key, read_key_folder
from broker.cli.say import WRONG_USE, fail, out
from broker.domain.erasure import ARCHIVE, CASES, CONSENTS, HOLD, KEPT, NO_RETENTION, REQUESTS, Obstacle
from broker.domain.identity import OfficerLogin
from broker.domain.personal import Personal
from broker.main import clock_of, log_name, open_cases
from broker.oversight.erasure import OPERATOR, Desk
from broker.registry import Registry, read_registry
from broker.settings import Settings

ERASER, VAULT_ERASER = "BORGERBRO_ERASER_URL", "BORGERBRO_VAULT_ERASER_URL"
DELETION_KEY = "BORGERBRO_DELETION_KEY_FILE"
WORDS = {
    NO_RETENTION: (
        "the registry does not say how long the municipality keeps its log",
        "registret siger ikke, hvor længe kommunen opbevarer sin log",
    ),
    KEPT: ("entries that must still be kept", "linjer, der stadig skal opbevares"),
    ARCHIVE: (
        "entries that an archive must have first (arkivloven)",
        "linjer, der først skal afleveres til et arkiv (arkivloven)",
    ),
    HOLD: ("legal holds", "sager, der kræver, at intet slettes"),
    CONSENTS: ("consents in force", "samtykker, der gælder"),
    REQUESTS: ("requests for consent that wait for an answer", "anmodninger om samtykke, der venter på svar"),
    CASES: (
        "cases that their own system has not said are closed",
        "sager, som deres eget system ikke har sagt er lukkede",
    ),
}


@dataclass(frozen=True, slots=True)
class Opened:
    """What a command works with: the desk, the eraser where it deletes, the registry, and who is at the machine."""

    desk: Desk
    eraser: EraserSql | None
    registry: Registry
    operator: OfficerLogin


@asynccontextmanager
async def open_erasing(settings: Settings, *, deleting: bool) -> AsyncIterator[Opened]:
    """Open the doors; raise `StoreUnavailable`, `KeyFileRefused` or `RegistryFaults`."""
    registry = read_registry(settings.registry, settings.policies / "tables")
    keys = read_key_folder(settings.key_folder)
    clock = clock_of(settings)
    async with AsyncExitStack() as stack:

        async def opened(url: str, name: str) -> Any:
            pool = await open_pool(url, name=name, timeout_seconds=settings.database_deadline_seconds, largest=2)
            stack.push_async_callback(pool.close)
            return pool

        pool = await opened(settings.database_url, "broker erasure")
        vault = HandlesVault(await opened(settings.vault_url, "broker erasure vault"), keys.house)
        log = AuditLogPostgres(pool, vault, log_name(settings))
        stack.push_async_callback(log.aclose)
        eraser = None
        if deleting:
            pools = [await opened(address(name), "broker eraser") for name in (ERASER, VAULT_ERASER)]
            eraser = EraserSql(pools[0], pools[1], log, vault, read_deletion_key(deletion_key(settings)))
        cases = await open_cases(registry, clock, os.environ, stack)
        desk = Desk(clock, vault, cases, log, registry.directory, ErasuresSql(pool, log))
        operator = OfficerLogin(
            Personal(who()), OPERATOR, OPERATOR, frozenset(registry.directory.municipalities), "", clock.now()
        )
        yield Opened(desk, eraser, registry, operator)


def who() -> str:
    """Name the person at the machine by their account, which no environment variable changes."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid-{os.getuid()}"


def address(variable: str) -> str:
    """Take the eraser's address from the environment, or from the file that the variable + `_FILE` names."""
    if (file := os.environ.get(variable + "_FILE")) is not None:
        try:
            return Path(file).read_text("utf-8").strip()
        except OSError as error:
            fail(f"{variable}_FILE: {error.strerror}", code=WRONG_USE)
    found = os.environ.get(variable)
    if not found:
        fail(f"not set: {variable}", code=WRONG_USE)
    return found


def deletion_key(settings: Settings) -> Path:
    """Say where the key lies that signs what is deleted: apart from the nodes' keys where the environment says so."""
    return Path(os.environ.get(DELETION_KEY) or settings.key_folder / "deletion.skey")


def municipality_of(name: str, opened: Opened) -> str:
    """Give a municipality that there is, or end."""
    if name not in opened.desk.directory.municipalities:
        fail(f"there is no municipality of that name; there are: {', '.join(opened.desk.directory.municipalities)}",
             code=WRONG_USE)  # fmt: skip
    return name


def told(obstacle: Obstacle) -> dict[str, Any]:
    """Lay an obstacle out for a machine."""
    return {"code": obstacle.code, "count": obstacle.count, "until": _day(obstacle.until)}


def say(obstacle: Obstacle) -> None:
    """Say an obstacle in both languages."""
    english, danish = WORDS[obstacle.code]
    count = "" if obstacle.code == NO_RETENTION else f"{obstacle.count} "
    until = f" ({_day(obstacle.until)})" if obstacle.until else ""
    out.print(f"    {count}{english}{until}\n    {count}{danish}{until}", markup=False)


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
