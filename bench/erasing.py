"""`python -m bench.erasing`: how long it takes to erase one citizen of many, and to delete what is due for the rest.

A private PostgreSQL, every citizen with an ask and its outcome. Timed is the whole of carrying an erasure out: looking
again at all that could keep it, the entry on record, the deletion, the keys in the vault.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from broker.adapters.audit_log import AuditLogPostgres
from broker.adapters.database import LOGINS, bootstrap, open_pool, upgrade
from broker.adapters.eraser_sql import EraserSql
from broker.adapters.erasures_sql import ErasuresSql
from broker.adapters.handles_vault import HandlesVault
from broker.adapters.keys_file import new_house_keys
from broker.adapters.log_key import new_log_key
from broker.domain.erasure import Erasure
from broker.domain.events import AskMade, ErasureApproved, ErasureRequested
from broker.domain.identity import OfficerLogin
from broker.domain.personal import Personal
from broker.domain.retention import Retention
from broker.oversight.retention import KINDS
from demo.postgres import PrivatePostgres

HOME, BASE, ERASED, BATCH = "korsbaek", "bench.example/log", 20, 500
THEN, NOW = datetime(2024, 3, 1, 11, tzinfo=UTC), datetime(2026, 3, 1, 11, tzinfo=UTC)
WITHIN_SECONDS = 1.0


def main() -> int:
    """Measure and print; 1 where an erasure takes longer than a second."""
    parser = argparse.ArgumentParser(prog="python -m bench.erasing", description=__doc__)
    parser.add_argument("--citizens", type=int, default=10_000)
    citizens = max(parser.parse_args().citizens, ERASED)
    with tempfile.TemporaryDirectory() as folder:
        server = PrivatePostgres(Path(folder) / "postgres")
        try:
            server.start()
            took, (gone, seconds) = asyncio.run(_measured(server, citizens))
        finally:
            server.remove()
    worst = max(took)
    print(f"{citizens} citizens; {len(took)} erased: median {median(took) * 1000:.0f} ms, worst {worst * 1000:.0f} ms")
    print(f"the rest by retention: {gone} entries in {seconds:.1f} s")
    return 0 if worst < WITHIN_SECONDS else 1


async def _measured(server: PrivatePostgres, citizens: int) -> tuple[list[float], tuple[int, float]]:
    at = await bootstrap(server.dsn(), dict.fromkeys(LOGINS, "bench"))
    await upgrade(at.owner, "main")
    await upgrade(at.vault_owner, "vault")
    pools = [await open_pool(dsn, name="bench", largest=4) for dsn in (at.app, at.vault, at.eraser, at.vault_eraser)]
    vault = HandlesVault(pools[1], new_house_keys())
    log = AuditLogPostgres(pools[0], vault, BASE)
    eraser = EraserSql(pools[2], pools[3], log, vault, new_log_key(BASE)[0])
    try:
        handles = await _filled(log, vault, citizens)
        kim, dorte = [await vault.officer(_person(name)) for name in ("kim", "dorte")]
        took = []
        for handle in handles[:: citizens // ERASED][:ERASED]:
            made = await _approved(ErasuresSql(pools[0], log), handle, kim, dorte)
            began = time.monotonic()
            await eraser.carry_out(made, HOME, Retention(), kim, NOW)
            took.append(time.monotonic() - began)
        began = time.monotonic()
        gone = await eraser.delete_due(HOME, Retention(), KINDS, kim, NOW, dry_run=False)
        return took, (sum(sum(counts.values()) for counts in gone.values()), time.monotonic() - began)
    finally:
        await log.aclose()
        for pool in pools:
            await pool.close()


def _person(name: str) -> OfficerLogin:
    return OfficerLogin(Personal(name), "bench", "dpo", frozenset({HOME}), "High", NOW)


async def _filled(log: AuditLogPostgres, vault: HandlesVault, citizens: int) -> list[str]:
    """Put two asks about each citizen on the log."""
    handles: list[str] = []
    actor = await vault.officer(_person("lene"))
    for first in range(0, citizens, BATCH):
        some = await vault.citizens([Personal(f"{n:010d}") for n in range(first, min(first + BATCH, citizens))])
        handles += some
        for _ in range(2):
            await log.append([_ask(handle, actor) for handle in some])
    return handles


def _ask(subject: str, actor: str) -> AskMade:
    whose: dict[str, Any] = {"municipality": HOME, "subject": subject, "actor": actor, "at": THEN}
    return AskMade(
        **whose, ask=subject, requester=HOME, unit="jobcentre", system="bench", roles=("caseworker",), nsis="High",
        purpose="jobplan", case="", categories=None, sources=None,
    )  # fmt: skip


async def _approved(erasures: ErasuresSql, citizen: str, kim: str, dorte: str) -> str:
    erasure = f"{citizen[:8]}-{citizen[8:12]}-4{citizen[13:16]}-8{citizen[17:20]}-{citizen[20:]}"
    whose: dict[str, Any] = {
        "municipality": HOME,
        "subject": citizen,
        "at": NOW,
        "erasure": erasure,
        "ground": "art17_1_a",
    }
    made = Erasure(erasure, HOME, citizen, "art17_1_a", kim, NOW, datetime(2026, 3, 15, tzinfo=UTC))
    await erasures.request(made, ErasureRequested(**whose, actor=kim, expires=20260315))
    await erasures.approve(erasure, citizen, ErasureApproved(**whose, actor=dorte, role="dpo"))
    return erasure


if __name__ == "__main__":
    raise SystemExit(main())
