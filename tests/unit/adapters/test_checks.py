"""Checks of whole logs beside a node's work: the auditors' own program, one at a time, told of in the database."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest

from audit.note import SigningKey
from broker.adapters import beside, checks_sql
from broker.adapters.checks_sql import ChecksSql, Program
from broker.domain.errors import Conflict
from broker.domain.integrity import BROKEN_OFF, ENDED, NO_REPORT, NODE_ENDED, RUNNING, TOO_LONG, CheckBegun, Run
from broker.domain.personal import Personal
from demo.postgres import PrivatePostgres
from tests.databases import BASE, Databases, opened
from tests.log_events import NOON, an_outcome
from tests.signing import signing

KEY = SigningKey(BASE, b"k" * 32)
HOME, LOG = "korsbaek", f"{BASE}/korsbaek/2019"
# It bounds a hang and judges no speed.
SECONDS = 60.0


class Standing:
    """A clock that stands."""

    def now(self) -> Any:
        """Give noon."""
        return NOON


@dataclass
class House:
    """A signed log, and nodes that check it."""

    databases: Databases
    superuser: asyncpg.Connection[Any]
    kim: str
    number: int = 0

    def node(self, **changes: Any) -> ChecksSql:
        """Give a node of its own."""
        program = Program(self.databases.at.reader, (str(KEY.verify_key),))
        return ChecksSql(self.databases.pool, self.databases.log, Standing(), replace(program, **changes))

    def run(self) -> tuple[Run, CheckBegun]:
        """Give a run that nobody has begun, and its event."""
        self.number += 1
        name = f"00000000-0000-4000-8000-{self.number:012d}"
        run = Run(name, HOME, LOG, self.kim, "dpo", NOON, RUNNING, total=3)
        event = CheckBegun(municipality=HOME, subject=self.kim, actor=self.kim, at=NOON, role="dpo", log=LOG, run=name)
        return run, event

    async def ended(self, node: ChecksSql) -> Run:
        """Wait until no run is under way; give the newest."""
        async with asyncio.timeout(SECONDS):
            while (newest := (await node.of([HOME]))[LOG][0]).state == RUNNING:
                await asyncio.sleep(0.1)
        return newest

    async def kinds(self) -> list[str]:
        """Give what stands on the log, in order."""
        rows = await self.superuser.fetch("SELECT kind FROM log.index WHERE kind <> 'map' ORDER BY idx")
        return [row["kind"] for row in rows]


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[House]:
    """Give a log of three entries, signed."""
    async with opened(postgres) as made:
        anna, kim = await made.vault.citizens([Personal(f"{n:010d}") for n in range(2)])
        await made.log.append([an_outcome(anna, kim)] * 3)
        async with signing(made.at.checkpointer, KEY, tmp_path / "signer") as rounds:
            await rounds.once()
        superuser = await asyncpg.connect(made.admin)
        yield House(made, superuser, kim)
        await superuser.close()


async def test_a_check_of_a_whole_log(house: House) -> None:
    """It runs to its end in a process of its own; that it began, and what it found, stand on the log in that order."""
    node = house.node()
    await node.begin(*house.run())
    found = await house.ended(node)

    assert (found.state, found.found, found.signed_size, found.size) == (ENDED, 0, 3, 4)
    assert (await house.kinds())[-2:] == ["log.check_begun", "log.verified"]
    await node.aclose()


async def test_what_was_changed_is_found_and_kept(house: House) -> None:
    """Each fault stands with the run, and cannot be changed or taken away by the application afterwards."""
    await house.superuser.execute("UPDATE log.index SET index_bytes = replace(index_bytes, 'job', 'tax') WHERE idx = 1")
    node = house.node()
    await node.begin(*house.run())
    found = await house.ended(node)

    assert found.found == 1
    assert "entry 1" in found.faults[0]
    for statement in ("UPDATE integrity.run SET faults = '{}', found = 0", "DELETE FROM integrity.run",
                      "UPDATE integrity.run SET log = 'x'", "TRUNCATE integrity.run"):  # fmt: skip
        app = await asyncpg.connect(house.databases.at.app)
        await app.execute(f"SELECT set_config('borgerbro.municipality', '{HOME}', false)")
        with pytest.raises(asyncpg.PostgresError):
            await app.execute(statement)
        await app.close()
    await node.aclose()


async def test_of_two_at_once_one_begins(house: House) -> None:
    """Two nodes that begin at the same moment make one run and one entry; the other hears that it is under way."""
    nodes = [house.node(), house.node()]
    answers = await asyncio.gather(*(node.begin(*house.run()) for node in nodes), return_exceptions=True)

    assert [isinstance(answer, Conflict) for answer in answers].count(True) == 1
    assert (await house.ended(nodes[0])).state == ENDED
    assert (await house.kinds()).count("log.check_begun") == 1
    await asyncio.gather(*(node.aclose() for node in nodes))


async def test_a_node_that_ended_leaves_no_check_under_way(house: House) -> None:
    """A node that closes breaks its check off, and kills the program; another may begin at once."""
    node = house.node()
    await node.begin(*house.run())
    await node.aclose()
    broken = (await node.of([HOME]))[LOG][0]
    assert broken.state == ENDED or (broken.state, broken.why, broken.silent) == (BROKEN_OFF, NODE_ENDED, False)
    again = house.node()
    await again.begin(*house.run())
    assert (await house.ended(again)).state == ENDED
    await again.aclose()


async def test_a_node_that_is_gone_holds_nothing_up(house: House) -> None:
    """Of whom nothing was heard for a minute, the check counts as broken off, and the next one may begin."""
    await house.superuser.execute(
        "INSERT INTO integrity.run (id, municipality, log, by, role, begun_at, seen_at)"
        " VALUES (gen_random_uuid(), $1, $2, 'x', 'dpo', '2018-01-01', now() - interval '59 seconds')",
        HOME, LOG,
    )  # fmt: skip
    node = house.node()
    with pytest.raises(Conflict):
        await node.begin(*house.run())
    await house.superuser.execute("UPDATE integrity.run SET seen_at = now() - interval '61 seconds'")
    assert (await node.of([HOME]))[LOG][0].state == BROKEN_OFF
    await node.begin(*house.run())
    assert (await house.ended(node)).state == ENDED
    await node.aclose()


async def test_a_program_that_says_nothing_finds_nothing(house: House) -> None:
    """Where the database cannot be reached, or the time runs out, the run is broken off and no entry says intact."""
    for changes, why in (
        ({"address": "postgresql://nobody@127.0.0.1:1/none"}, NO_REPORT),
        ({"most_seconds": 0.01}, TOO_LONG),
    ):
        node = house.node(**changes)
        await node.begin(*house.run())
        ended = await house.ended(node)
        assert (ended.state, ended.why, ended.silent) == (BROKEN_OFF, why, True)
        await node.aclose()
    assert "log.verified" not in await house.kinds()


@pytest.mark.parametrize("script", ["import os; os.kill(os.getpid(), 9)", "while True: print('x' * 65536)",
                                    "import sys; sys.stderr.write('x' * 2**25)", "bytearray(2**40)"])  # fmt: skip
async def test_a_program_that_is_ended_is_told_of(house: House, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed, out of memory, or with no end to what it says: it said nothing, and that is an alarm."""
    monkeypatch.setattr(Program, "words", lambda _self, _origin: ["-c", script])
    node = house.node()
    await node.begin(*house.run())
    ended = await house.ended(node)
    assert (ended.state, ended.why, ended.silent) == (BROKEN_OFF, NO_REPORT, True)
    await node.aclose()


async def test_a_report_too_long_is_none(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report that would be one but for its length is not read to its end: nobody bends a node by a log's faults."""
    report = {"origin": LOG, "intact": True, "size": 3, "signed_size": 3, "found": 0, "faults": [], "deleted": 0}
    for length, state in ((1000, ENDED), (checks_sql.MOST_REPORT_BYTES + 1, BROKEN_OFF)):
        told = orjson.dumps({"logs": [report]}).decode()
        script = ["-c", f"print({told!r}.ljust({length}))"]
        monkeypatch.setattr(Program, "words", lambda _self, _origin, script=script: script)
        node = house.node()
        await node.begin(*house.run())
        assert (await house.ended(node)).state == state
        await node.aclose()


async def test_a_log_bent_throughout_is_found(house: House) -> None:
    """Of ten thousand bent entries each is counted and the first are named: the check comes to its end, and says it."""
    await house.superuser.execute(
        "SET session_replication_role = replica; INSERT INTO log.body (log_id, idx, tenant, ciphertext, body_salt)"
        " SELECT log_id, idx + 2 * n, tenant, ciphertext, body_salt FROM log.body, generate_series(5, 10004) n"
        " WHERE idx = 1"
    )
    node = house.node()
    await node.begin(*house.run())
    found = await house.ended(node)

    # Each stands beyond the head, and has no entry; the rows between them are missing.
    assert (found.state, found.found, len(found.faults)) == (ENDED, 30_000, 50)
    await node.aclose()


async def test_no_list_of_processes_shows_the_address(house: House) -> None:
    """The words of the program hold public keys and a log's name; address and password go by a pipe."""
    program = Program(house.databases.at.reader, (str(KEY.verify_key),), (str(KEY.verify_key),))
    words = " ".join(program.words(LOG))

    assert "secret" not in words
    assert "postgresql" not in words
    assert "secret" not in repr(program)


async def test_the_program_cannot_write(house: House) -> None:
    """Its session reads alone, also where the node has no reader's role to give it."""
    program = Program(house.databases.at.app, ())
    connection = await asyncpg.connect(program.scoped_address(HOME))
    try:
        assert await connection.fetchval("SELECT current_setting('borgerbro.municipalities')") == HOME
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await connection.fetchval("SELECT log.open('x', 'x', 2019)")
    finally:
        await connection.close()


async def test_as_the_application_too(house: House) -> None:
    """Without a reader's role the check is the same, within the municipality's own rows."""
    node = house.node(address=house.databases.at.app)
    await node.begin(*house.run())
    found = await house.ended(node)

    assert (found.state, found.found, found.faults) == (ENDED, 0, ())
    await node.aclose()


def test_the_program_is_held_back(tmp_path: Path) -> None:
    """It runs behind everybody else's work, and cannot have more memory than it is given."""
    told = tmp_path / "told"
    script = (
        "import os, resource, sys; sys.stdin.readline();"
        f"open({str(told)!r}, 'w').write(f'{{os.nice(0)}} {{resource.getrlimit(resource.RLIMIT_AS)[1]}}')"
    )

    async def held() -> None:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdin=pipe)
        beside.hold_back(process.pid)
        await process.communicate(b"go\n")

    asyncio.run(held())
    niceness, memory = map(int, told.read_text("utf-8").split())
    assert niceness >= beside.BEHIND_EVERYBODY
    assert memory == beside.MOST_MEMORY_BYTES
