"""A month on record, rules laid ready to be tried on it, and runs waited for."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg

from broker.adapters.audit_log import AuditLogPostgres
from broker.adapters.revisions_sql import RevisionsSql
from broker.domain.events import OutcomeReached
from broker.exchange import exchange
from broker.policy_tables import load_rules
from broker.ports import Ports
from tests.archives import Held, Holding
from tests.builders import NOON, POLICIES, a_caller, a_registry, an_ask
from tests.pages_house import PagesHouse, Reader

FEBRUARY = NOON - timedelta(days=20)
MONTH = "2019-02"
# It bounds a hang and judges no speed.
SECONDS = 120.0


async def an_outcome_of(ports: Ports, log: AuditLogPostgres, **ask: Any) -> OutcomeReached:
    """Ask once; give the outcome about the citizen as of February, which stands on no log yet."""
    holding = Holding(log)
    with contextlib.suppress(Held):
        await exchange(an_ask(**ask), a_caller(), replace(ports, log=holding))
    return replace(holding.outcomes[0], at=FEBRUARY)


async def ask_in_february(house: PagesHouse, folder: Path, times: int, **ask: Any) -> OutcomeReached:
    """Let so many asks of February stand on the log, and what answered them on record."""
    await RevisionsSql(house.databases.pool).keep(load_rules(POLICIES), a_registry(folder).tables)
    outcome = await an_outcome_of(house.ports, house.databases.log, **ask)
    await house.databases.log.append([outcome] * times)
    return outcome


def more_sensitive(folder: Path, name: str = "level-4") -> Path:
    """Lay rules ready by which S01 is more sensitive than any role may see."""
    made = folder / name
    shutil.copytree(POLICIES, made)
    file = made / "tables" / "categories.json"
    law = json.loads(file.read_text("utf-8"))
    law["S01"]["level"] = 4
    file.write_text(json.dumps(law), "utf-8")
    return made


async def token_of(reader: Reader) -> dict[str, str]:
    """Give the header that an overseer's changes carry."""
    return {"X-CSRF-Token": (await reader.http.get("/v1/accesses/session")).json()["csrf"]}


async def tried(dorte: Reader, **body: str) -> dict[str, Any]:
    """Have rules tried, and wait for the end; give the run as JSON."""
    begun = await dorte.http.post("/v1/what-if-runs", json=body, headers=await token_of(dorte))
    assert begun.status_code == 202, begun.text
    return await ended(dorte, begun.json()["id"])


async def ended(dorte: Reader, run: str) -> dict[str, Any]:
    """Wait for the end of a run."""
    async with asyncio.timeout(SECONDS):
        while True:
            told: dict[str, Any] = (await dorte.http.get(f"/v1/what-if-runs/{run}")).json()
            if told["state"] != "running":
                return told
            await asyncio.sleep(0.1)


async def kinds(house: PagesHouse) -> list[str]:
    """Give what stands on the log of what-if, in order."""
    superuser = await asyncpg.connect(house.databases.admin)
    try:
        rows = await superuser.fetch("SELECT kind FROM log.index WHERE kind LIKE 'what_if.%' ORDER BY idx")
    finally:
        await superuser.close()
    return [row["kind"] for row in rows]
