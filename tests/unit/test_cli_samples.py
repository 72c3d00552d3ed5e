"""`broker samples` as an operator runs it: commit, draw, do it again, and see how far it has come."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner

from audit.note import SigningKey
from broker.adapters.audit_log import AuditLogPostgres
from broker.adapters.database import open_pool
from broker.adapters.handles_vault import HandlesVault
from broker.adapters.house_keys import make_key_folder, read_key_folder
from broker.cli.commands import app
from broker.domain.personal import Personal
from demo.postgres import PrivatePostgres
from tests.archives import settings_of
from tests.builders import REGISTRY
from tests.databases import BASE, fresh
from tests.log_events import an_outcome
from tests.signing import own_checkpointer, sign_and_publish

MARCH, APRIL = "2019-03-20T10:00:00+01:00", "2019-04-02T10:00:00+02:00"
WHAT = ("--municipality", "korsbaek", "--month", "2019-03")


@dataclass
class Machine:
    """What the operator's commands see, and the checkpointer beside them."""

    environ: dict[str, str]
    folder: Path
    checkpointer: str

    async def run(self, at: str, *words: str) -> tuple[int, str]:
        """Run a command at a moment; give its exit code and all it printed."""
        environ = {**self.environ, "BROKER_FIXED_CLOCK": at}
        done = await asyncio.to_thread(CliRunner().invoke, app, ["samples", *words], env=environ)
        return done.exit_code, done.output

    async def json(self, at: str, *words: str) -> Any:
        """Run a command that prints JSON; it must end well."""
        code, said = await self.run(at, *words, "--json")
        assert code == 0, said
        return json.loads(said)

    async def sign(self) -> None:
        """Sign the log's head with the house's own key."""
        key = SigningKey.from_text((self.folder / "checkpointer" / "log.skey").read_text("ascii").strip())
        async with asyncpg.create_pool(self.checkpointer, min_size=1, max_size=2) as pool:
            await sign_and_publish(own_checkpointer(pool, key), f"{BASE}/korsbaek/2019")


@pytest.fixture
async def machine(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Machine]:
    """Open a house with eight accesses of a unit in March."""
    async with fresh(postgres) as (_, at):
        make_key_folder(tmp_path / "keys", BASE)
        (tmp_path / "registry.yaml").write_text(json.dumps(REGISTRY), "utf-8")
        pool, vault_pool = [await open_pool(dsn, name="test", largest=2) for dsn in (at.app, at.vault)]
        vault = HandlesVault(vault_pool, read_key_folder(tmp_path / "keys").house)
        log = AuditLogPostgres(pool, vault, BASE)
        citizens = await vault.citizens([Personal(f"{number:010d}") for number in range(8)])
        await log.append([an_outcome(citizen, citizens[0], unit="jobcentre") for citizen in citizens])
        await log.aclose()
        await pool.close()
        await vault_pool.close()
        yield Machine(settings_of(tmp_path, at), tmp_path, at.checkpointer)


async def test_a_month_from_the_commitment_to_the_coverage(machine: Machine) -> None:
    """Committed in March, drawn in April behind the next head, the same again, by month and by a sample's id."""
    committed = await machine.json(MARCH, "draw", *WHAT, "--per-unit", "3")
    assert (committed["drawn"], committed["index"]) == (None, 8)
    assert "not over" in (await machine.run(MARCH, "draw", *WHAT))[1]
    assert "no signed head" in (await machine.run(APRIL, "draw", *WHAT))[1]
    await machine.sign()
    drawn = (await machine.json(APRIL, "draw", *WHAT))["drawn"]
    assert len([one for one in drawn if one["chosen"] == "random"]) == 3
    assert "drawn before" in (await machine.run(APRIL, "draw", *WHAT))[1]
    found = await machine.json(APRIL, "verify", *WHAT)
    assert (found["accesses"], found["drawn"], found["faults"]) == (8, 3, [])
    assert await machine.json(APRIL, "verify", *WHAT[:2], "--sample", drawn[0]["id"]) == found
    (row,) = await machine.json(APRIL, "coverage")
    assert (row["unit"], row["accesses"], row["drawn"]) == ("jobcentre", 8, len(drawn))


@pytest.mark.parametrize(("words", "said"), [
    (("draw", "--municipality", "nowhere", "--month", "2019-03"), "no municipality of that name"),
    (("draw", "--municipality", "korsbaek", "--month", "march"), "written YYYY-MM"),
    (("draw", "--municipality", "korsbaek", "--month", "2018-03"), "committed while it runs"),
    (("verify", *WHAT), "nothing of that name"),
    (("verify", "--municipality", "korsbaek"), "name a month or a sample"),
    (("verify", "--municipality", "korsbaek", "--sample", "x"), "nothing of that name"),
])  # fmt: skip
async def test_what_cannot_be_done_is_said(machine: Machine, words: tuple[str, ...], said: str) -> None:
    """A wrong name, month or time ends with a sentence and no trace of code."""
    code, told = await machine.run(APRIL, *words)
    assert code in {1, 2}
    assert said in told
    assert "Traceback" not in told
