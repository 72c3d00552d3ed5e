"""A small house whose decisions stand on a real log, and the command that replays them, as an operator runs it."""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg

from broker.adapters.audit_log import AuditLogPostgres
from broker.adapters.audit_reader import LogReaderPostgres
from broker.adapters.database import Addresses, Pool, open_pool
from broker.adapters.handles_vault import HandlesVault
from broker.adapters.house_keys import make_key_folder, read_key_folder
from broker.adapters.policy_embedded import EmbeddedPolicy
from broker.adapters.revisions_sql import RevisionsSql
from broker.domain.entries import LogEntry, LogFilter
from broker.domain.errors import BrokerError
from broker.domain.events import AuditEvent, OutcomeReached
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.exchange import exchange
from broker.policy_tables import load_rules
from broker.ports import Ports
from demo.postgres import PrivatePostgres
from tests.builders import CASE, CHILD, CITIZEN, POLICIES, ROOT, SmallHouse, a_caller, a_house, a_registry, an_ask
from tests.databases import BASE, fresh
from tests.model.questions import random_question

ORIGIN = f"{BASE}/korsbaek/2019"


class Held(Exception):
    """An outcome was held back."""


class Holding:
    """The real log, but for outcomes: they are held."""

    def __init__(self, log: AuditLogPostgres) -> None:
        self._log = log
        self.outcomes: list[OutcomeReached] = []

    async def append(self, events: Sequence[AuditEvent], *, versions: Any = (), **more: Any) -> tuple[Receipt, ...]:
        """Write what is no outcome."""
        self.outcomes += [event for event in events if isinstance(event, OutcomeReached)]
        if self.outcomes:
            raise Held
        return await self._log.append(events, versions=versions, **more)


@dataclass
class ArchiveHouse:
    """The house, its doors with the real log, and what the command needs."""

    house: SmallHouse
    ports: Ports
    pool: Pool
    log: AuditLogPostgres
    vault: HandlesVault
    environ: dict[str, str]
    admin: str
    vault_admin: str

    async def ask(self, **changes: Any) -> None:
        """Ask once, however it ends."""
        with contextlib.suppress(BrokerError):
            await exchange(an_ask(**changes), a_caller(), self.ports)

    async def outcome(self) -> OutcomeReached:
        """Ask once more, and give the outcome about the citizen, which stands on no log yet."""
        holding = Holding(self.log)
        with contextlib.suppress(Held):
            await exchange(an_ask(), a_caller(), replace(self.ports, log=holding))
        return holding.outcomes[0]

    async def logged(self) -> tuple[LogEntry, ...]:
        """List what stands on the municipality's logs, newest first."""
        return (await LogReaderPostgres(self.pool, self.vault).search(["korsbaek"], LogFilter())).entries

    async def superuser(self, statement: str, *values: Any) -> None:
        """Do what no role of ours may, on the main database."""
        connection = await asyncpg.connect(self.admin)
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(statement, *values)
        await connection.close()

    def replay(self, *options: str) -> tuple[int, dict[str, Any], str]:
        """Run the command; give its exit code, its JSON (empty where it gave none), and all it printed."""
        return run(self.environ, "replay", "--json", "--processes", "1", *options)

    def policy(self, *options: str) -> tuple[int, dict[str, Any], str]:
        """Run another command of `broker policy`."""
        return run(self.environ, *options)


def settings_of(folder: Path, at: Addresses) -> dict[str, str]:
    """Write what a command must be told about a house in this folder and these databases."""
    return {
        "BROKER_PROFILE": "test",
        "BROKER_PUBLIC_URL": "https://broker.example",
        "BROKER_LOG_NAME": BASE,
        "BROKER_REGISTRY": str(folder / "registry.yaml"),
        "BROKER_POLICIES": str(POLICIES),
        "BROKER_DATABASE_URL": at.app,
        "BROKER_VAULT_URL": at.vault,
        "BROKER_KEY_FOLDER": str(folder / "keys"),
    }


def run(environ: dict[str, str], *options: str) -> tuple[int, dict[str, Any], str]:
    """Run `broker policy` as a process of its own."""
    command = [sys.executable, "-m", "broker", "policy", *options]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=300)
    told = json.loads(done.stdout) if done.stdout.startswith(("{", "[")) else {}
    return done.returncode, told, done.stdout + done.stderr


@asynccontextmanager
async def open_archive_house(postgres: PrivatePostgres, folder: Path) -> AsyncIterator[ArchiveHouse]:
    """Open the small house over fresh databases, its policy's revision on record."""
    async with fresh(postgres) as (admin, at):
        make_key_folder(folder / "keys", BASE)
        keys = read_key_folder(folder / "keys")
        pool = await open_pool(at.app, name="test", largest=4)
        vault_pool = await open_pool(at.vault, name="test", largest=4)
        vault = HandlesVault(vault_pool, keys.house)
        log = AuditLogPostgres(pool, vault, BASE)
        house = await a_house(folder)
        tables, rules = a_registry(folder).tables, load_rules(POLICIES)
        await RevisionsSql(pool).keep(rules, tables)
        house.citizen, house.child = await vault.citizens([CITIZEN, CHILD])
        house.case = await vault.case("jobcentre", Personal(CASE))
        ports = replace(house.ports, handles=vault, log=log, policy=EmbeddedPolicy(rules, tables))
        environ = {"PATH": os.environ["PATH"]} | settings_of(folder, at)
        try:
            yield ArchiveHouse(house, ports, pool, log, vault, environ, admin, at.vault_owner)
        finally:
            await log.aclose()
            await pool.close()
            await vault_pool.close()


def write_questions(file: Path, count: int) -> None:
    """Write a file of random questions, one a line."""
    file.write_text("".join(json.dumps(random_question(random.Random(seed))) + "\n" for seed in range(count)), "utf-8")
