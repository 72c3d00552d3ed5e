"""`broker notices` as an operator runs it: what waits, a round by hand, and the list for paper."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from broker.adapters.audit_log import AuditLogPostgres
from broker.adapters.database import Scope, open_pool, scoped
from broker.adapters.handles_vault import HandlesVault
from broker.adapters.house_keys import make_key_folder, read_key_folder
from broker.adapters.outbox_rows import add_notices
from broker.adapters.outbox_sql import OutboxSql
from broker.cli.commands import app
from broker.domain.notices import REQUEST, notice_to
from demo.postgres import PrivatePostgres
from tests.archives import settings_of
from tests.builders import REGISTRY
from tests.databases import BASE, fresh
from tests.erasures import ANNA, HOME, LATER

SENT = {"sent": 1, "failed": 0, "paper": 0}


@dataclass
class Machine:
    """What the operator's commands see."""

    environ: dict[str, str]
    folder: Path

    async def run(self, *words: str, **changed: str) -> tuple[int, str]:
        """Run a command; give its exit code and all it printed."""
        environ = {**self.environ, **changed}
        done = await asyncio.to_thread(CliRunner().invoke, app, ["notices", *words], env=environ)
        return done.exit_code, done.output

    async def json(self, *words: str, **changed: str) -> Any:
        """Run a command that prints JSON; it must end well."""
        code, said = await self.run(*words, "--json", **changed)
        assert code == 0, said
        return json.loads(said)


@pytest.fixture
async def machine(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Machine]:
    """Open a house in which one notice waits for Anna."""
    async with fresh(postgres) as (_, at):
        make_key_folder(tmp_path / "keys", BASE)
        (tmp_path / "registry.yaml").write_text(json.dumps(REGISTRY), "utf-8")
        pool, vault_pool = [await open_pool(dsn, name="test", largest=2) for dsn in (at.app, at.vault)]
        vault = HandlesVault(vault_pool, read_key_folder(tmp_path / "keys").house)
        (anna,) = await vault.citizens([ANNA])
        outbox = OutboxSql(pool, AuditLogPostgres(pool, vault, BASE), vault)
        waiting = await outbox.sealed([notice_to(anna, ANNA, HOME, REQUEST, LATER)])
        async with scoped(pool, Scope(municipality=HOME)) as connection:
            await add_notices(connection, waiting)
        await pool.close()
        await vault_pool.close()
        folder = tmp_path / "post"
        folder.mkdir(mode=0o750)
        yield Machine(settings_of(tmp_path, at) | {"BROKER_FIXED_CLOCK": LATER.isoformat()}, folder)


async def test_a_round_by_hand_sends_what_waits(machine: Machine) -> None:
    """Counted without a number, sent as a file, and then nothing waits."""
    before = await machine.json("waiting")
    done = await machine.json("send", BROKER_NOTICES_FOLDER=str(machine.folder))
    after = await machine.json("waiting")

    assert before[HOME] == [{"cause": REQUEST, "paper": False, "count": 1}]
    assert (done[HOME], after[HOME]) == (SENT, [])
    assert len(list(machine.folder.iterdir())) == 1


async def test_the_list_for_paper_is_taken_once(machine: Machine) -> None:
    """Without a folder all go on paper; the list has the number, the screen has not, and the next list is empty."""
    code, said = await machine.run("send")
    first, second = machine.folder / "first.csv", machine.folder / "second.csv"
    taken = [await machine.run("paper", "--municipality", HOME, "--to", str(file)) for file in (first, second)]

    assert (code, f"{HOME}: 0 sent, 0 tried again later, 1 for paper" in said) == (0, True)
    assert taken == [(0, "1 to be written to\n"), (0, "0 to be written to\n")]
    assert first.read_text("utf-8").splitlines() == ["cpr,day", f"{ANNA.disclose()},2026-06-01"]
    assert second.read_text("utf-8").splitlines() == ["cpr,day"]
    assert first.stat().st_mode & 0o777 == 0o600
    assert sorted(file.name for file in machine.folder.iterdir()) == ["first.csv", "second.csv"]


async def test_what_cannot_be_is_said_and_changes_nothing(machine: Machine) -> None:
    """No such municipality, a file that is there, a folder that is not, one that everybody may read."""
    await machine.run("send")
    here = machine.folder / "here.csv"
    here.write_text("mine")
    refused = [
        await machine.run("paper", "--municipality", "nowhere", "--to", str(machine.folder / "x.csv")),
        await machine.run("paper", "--municipality", HOME, "--to", str(here)),
        await machine.run("paper", "--municipality", HOME, "--to", str(machine.folder / "none" / "x.csv")),
        await machine.run("send", BROKER_NOTICES_FOLDER=str(machine.folder / "none")),
    ]
    broken_off = machine.folder / "broken.csv.part"
    broken_off.write_text("taken")
    refused.append(await machine.run("paper", "--municipality", HOME, "--to", str(machine.folder / "broken.csv")))
    machine.folder.chmod(0o755)
    refused.append(await machine.run("send", BROKER_NOTICES_FOLDER=str(machine.folder)))

    assert [code for code, _ in refused] == [2, 2, 1, 1, 2, 1]
    assert not any(ANNA.disclose() in said or "Traceback" in said for _, said in refused)
    assert (here.read_text(), broken_off.read_text()) == ("mine", "taken")
    assert (await machine.json("waiting"))[HOME] == [{"cause": REQUEST, "paper": True, "count": 1}]
