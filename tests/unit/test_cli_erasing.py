"""`broker citizen` and `broker retention` as an operator runs them: what they print, how they end, what is done."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from audit.__main__ import main as audit
from broker.adapters.audit_log import AuditLogPostgres
from broker.adapters.database import open_pool
from broker.adapters.erasures_sql import ErasuresSql
from broker.adapters.handles_vault import HandlesVault
from broker.adapters.house_keys import make_key_folder, read_key_folder
from broker.cli.commands import app
from broker.oversight.erasure import Desk, approve
from demo.postgres import PrivatePostgres
from tests.archives import settings_of
from tests.builders import REGISTRY
from tests.databases import BASE, fresh
from tests.erasures import ANNA, DPO, HOME, LATER
from tests.log_events import an_ask, an_outcome

SAGER = {"people": REGISTRY["registers"]["people"],
         "cases": {"sager": {"kind": "cases_rest", "settings": {"base_url": "http://127.0.0.1:9"}}}}  # fmt: skip
ANNA_AS_JSON = json.dumps({"citizen": ANNA.disclose()})


@dataclass
class Machine:
    """What the operator's commands see, and the doors a DPO's page would use."""

    environ: dict[str, str]
    reader: str
    keys: Path
    desk: Any

    async def run(self, *words: str, told: str = "", **changed: str) -> tuple[int, str]:
        """Run a command; give its exit code and all it printed."""
        environ = {**self.environ, **changed}
        done = await asyncio.to_thread(CliRunner().invoke, app, list(words), input=told, env=environ)
        return done.exit_code, done.output

    async def json(self, *words: str, told: str = "") -> Any:
        """Run a command that prints JSON; it must end well."""
        code, said = await self.run(*words, "--json", told=told)
        assert code == 0, said
        return json.loads(said)


@asynccontextmanager
async def open_machine(postgres: PrivatePostgres, folder: Path) -> AsyncIterator[Machine]:
    """Open a house whose log has an ask and an outcome about Anna, seven years old."""
    async with fresh(postgres) as (_, at):
        make_key_folder(folder / "keys", BASE)
        homes = {name: row | {"retention": {"archive": []}} for name, row in REGISTRY["municipalities"].items()}
        (folder / "registry.yaml").write_text(
            json.dumps(REGISTRY | {"municipalities": homes, "registers": SAGER}), "utf-8"
        )
        pool, vault_pool = (
            await open_pool(at.app, name="test", largest=2),
            await open_pool(at.vault, name="test", largest=2),
        )
        vault = HandlesVault(vault_pool, read_key_folder(folder / "keys").house)
        log = AuditLogPostgres(pool, vault, BASE)
        (anna,) = await vault.citizens([ANNA])
        await log.append(
            [an_ask(anna, await vault.officer(DPO), case=""), an_outcome(anna, await vault.officer(DPO), case="")]
        )
        environ = settings_of(folder, at) | {
            "BROKER_FIXED_CLOCK": LATER.isoformat(),
            "BORGERBRO_ERASER_URL": at.eraser,
            "BORGERBRO_VAULT_ERASER_URL": at.vault_eraser,
        }
        from broker.adapters.clock_system import FixedClock
        from tests.builders import a_registry

        directory = a_registry(folder / "keys").directory
        desk = Desk(FixedClock(LATER), vault, {}, log, directory, ErasuresSql(pool, log))
        try:
            yield Machine(environ, at.reader, folder / "keys", desk)
        finally:
            await log.aclose()
            await pool.close()
            await vault_pool.close()


def verify(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Run `python -m audit verify`."""
    code = audit(("verify", *words))
    told = capsys.readouterr()
    return code, told.out + told.err


async def test_an_operator_asks_a_dpo_approves_and_it_is_carried_out(
    postgres: PrivatePostgres, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Look, ask, be refused alone, carry out; the log verifies with the published key, and not without it."""
    async with open_machine(postgres, tmp_path) as machine:
        seen = await machine.json("citizen", "erase", "--municipality", HOME, "--dry-run", told=ANNA_AS_JSON)
        assert seen == {"entries": {"ask": 1, "outcome": 1}, "obstacles": []}
        made = (await machine.json("citizen", "erase", "--municipality", HOME, told=ANNA_AS_JSON))["erasure"]
        code, said = await machine.run("citizen", "erase", "--municipality", HOME, "--carry-out", made)
        assert (code, "not now: not_approved" in said) == (1, True)

        await approve(made, ANNA, HOME, DPO, machine.desk)
        done = await machine.json("citizen", "erase", "--municipality", HOME, "--carry-out", made)
        assert [place["log"] for place in done["log"]] == [f"{BASE}/{HOME}/2019", f"{BASE}/{HOME}/2026"]
        assert done["vault_backups_until"] == "2026-06-15"
        assert "vault_backups" in done["unreached"]
        vkey = str(machine.keys / "deletion.vkey")
        with_key = await asyncio.to_thread(verify, capsys, "--database", machine.reader, "--deletion-vkey-file", vkey)
        without = await asyncio.to_thread(verify, capsys, "--database", machine.reader)
        assert (with_key[0], without[0]) == (0, 1), with_key[1]
        assert "content of 2 lawfully deleted under entry 2 (0 to 1)" in with_key[1]


async def test_the_nightly_job_says_what_it_deleted_and_a_hold_stops_it(
    postgres: PrivatePostgres, tmp_path: Path
) -> None:
    """A dry run counts and changes nothing; a held citizen's lines stay; afterwards they go, in words and as JSON."""
    async with open_machine(postgres, tmp_path) as machine:
        hold = ("citizen", "hold", "--municipality", HOME, "--matter", "2026-31")
        held = (await machine.json(*hold, told=ANNA_AS_JSON))["hold"]
        assert (await machine.json("retention", "run"))[HOME]["deleted"] == {}
        assert (await machine.run("citizen", "release", "--municipality", HOME, held))[0] == 0
        for _ in range(2):
            counted = (await machine.json("retention", "run", "--dry-run"))[HOME]
            assert counted["deleted"] == {f"{BASE}/{HOME}/2019": {"ask": 1, "outcome": 1}}
        code, said = await machine.run("retention", "run", "--municipality", HOME)
        assert (code, f"{HOME}: 2 entries lost their content" in said) == (0, True), said
        assert (await machine.run("retention", "archived", "--municipality", HOME, "2026-05-31", "RA-7"))[0] == 0


@pytest.mark.parametrize(
    ("words", "told", "changed", "code"),
    [
        (["citizen", "erase", "--municipality", HOME], "", {}, 2),
        (["citizen", "erase", "--municipality", HOME], '{"citizen": "0702740022", "cases": 7}', {}, 2),
        (["citizen", "erase", "--municipality", HOME], '{"citizen": "not a number"}', {}, 2),
        (["citizen", "erase", "--municipality", "nowhere"], ANNA_AS_JSON, {}, 2),
        (["citizen", "erase", "--municipality", HOME, "--ground", "because"], ANNA_AS_JSON, {}, 2),
        (["citizen", "erase", "--municipality", HOME, "--carry-out", "x", "--dry-run"], "", {}, 2),
        (["citizen", "erase", "--municipality", HOME, "--carry-out", "x"], "", {}, 1),
        (["citizen", "hold", "--municipality", HOME, "--matter", "sag 0702740022"], ANNA_AS_JSON, {}, 2),
        (["citizen", "release", "--municipality", HOME, "x"], "", {}, 1),
        (["retention", "run"], "", {"BORGERBRO_ERASER_URL": ""}, 2),
    ],
)
async def test_wrong_use_ends_with_one_clear_line(
    postgres: PrivatePostgres, tmp_path: Path, words: Sequence[str], told: str, changed: dict[str, str], code: int
) -> None:
    """Nothing is done, nothing that was given is repeated, and there is no traceback."""
    async with open_machine(postgres, tmp_path) as machine:
        ended, said = await machine.run(*words, told=told, **changed)
        assert (ended, said.count("\n") <= 2, "Traceback" in said, "0702740022" in said) == (
            code,
            True,
            False,
            False,
        ), said
