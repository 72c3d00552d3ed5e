"""Late witnesses: past the limit asks are refused, withdrawals and oversight are not, and a log at rest is not late."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from audit.note import SigningKey
from broker.adapters.audit_lateness import Lateness
from broker.adapters.audit_log import AuditLogPostgres
from broker.domain.errors import LogUnavailable, LogUnwitnessed, StoreUnavailable
from broker.domain.personal import Personal
from broker.web.metrics import LogsTold
from demo.postgres import PrivatePostgres
from tests.databases import BASE, Databases, opened
from tests.log_events import NOON, an_ask, an_outcome
from tests.signing import signing

KEY = SigningKey(BASE, b"k" * 32)
LIMIT = 900


@dataclass
class House:
    """Two municipalities' logs, and a node's look at them."""

    databases: Databases
    log: AuditLogPostgres
    lateness: Lateness
    superuser: "asyncpg.Connection[Any]"
    anna: str
    kim: str

    async def age(self, seconds: float, municipality: str = "korsbaek") -> None:
        """Let time have passed since a municipality's log was opened and last published; then look."""
        await self.superuser.execute(
            "UPDATE log.head SET opened_at = now() - $1 * interval '1 second' WHERE tenant = $2", seconds, municipality
        )
        await self.superuser.execute(
            "UPDATE log.checkpoint SET published_at = now() - $1 * interval '1 second'"
            " WHERE tenant = $2 AND published_at IS NOT NULL",
            seconds,
            municipality,
        )
        await self.lateness.look()


@pytest.fixture
async def house(postgres: PrivatePostgres) -> AsyncIterator[House]:
    """Give two logs with an entry each that nobody has signed."""
    async with opened(postgres) as made:
        lateness = Lateness(made.pool, LIMIT)
        log = AuditLogPostgres(made.pool, made.vault, BASE, lateness=lateness)
        superuser = await asyncpg.connect(made.admin)
        anna, kim = await made.vault.citizens([Personal(f"{n:010d}") for n in range(2)])
        await log.append([an_ask(anna, kim), an_ask(anna, kim, municipality="oestby")])
        yield House(made, log, lateness, superuser, anna, kim)
        await superuser.close()
        await log.aclose()


@pytest.mark.parametrize("late", [False, True])
async def test_past_the_limit_asks_and_outcomes_are_refused(house: House, late: bool) -> None:
    """A second before the limit all is taken; after it neither, nothing is written, and other municipalities go on."""
    await house.age(LIMIT + 5 if late else LIMIT - 60)
    for event in (an_ask(house.anna, house.kim), an_outcome(house.anna, house.kim)):
        if late:
            with pytest.raises(LogUnwitnessed):
                await house.log.append([event, an_outcome(house.anna, house.kim, municipality="oestby")])
        else:
            await house.log.append([event])
    await house.log.append([an_ask(house.anna, house.kim, municipality="oestby")])
    sizes = await house.superuser.fetch("SELECT size FROM log.head ORDER BY tenant")
    assert [row["size"] for row in sizes] == ([1, 2] if late else [3, 2])
    assert house.lateness.late == ({"korsbaek"} if late else set())
    assert issubclass(LogUnwitnessed, LogUnavailable)


async def test_whoever_withdraws_or_oversees_needs_no_witness(house: House) -> None:
    """Inside a transaction of its own an event is written, and so is what is no ask, however late the log is."""
    await house.age(LIMIT * 10)
    event = an_ask(house.anna, house.kim)
    keys = await house.log.prepare([event])
    async with house.databases.pool.acquire() as connection, connection.transaction():
        (receipt,) = await house.log.append_within(connection, [event], keys)
    assert receipt.index == 1


async def test_a_refusal_is_written_however_late_the_log_is(house: House) -> None:
    """What says that sources were read, and that nothing of it left, needs no witness: it stays on record."""
    await house.age(LIMIT * 10)
    read = an_outcome(house.anna, house.kim, outcome="refused")
    (receipt,) = await house.log.append([read])
    assert receipt.index == 1
    for goes_out in ("released", "partly", "evaluated"):
        with pytest.raises(LogUnwitnessed):
            await house.log.append([replace(read, outcome=goes_out)])


async def test_publication_ends_it_and_a_log_at_rest_is_not_late(house: House, tmp_path: Path) -> None:
    """The first publication opens the doors at the next look; growing again is no lateness; only growing old is."""
    await house.age(LIMIT + 5)
    async with signing(house.databases.at.checkpointer, KEY, tmp_path) as rounds:
        await rounds.once()
    await house.lateness.look()
    assert house.lateness.late == set()
    await house.log.append([an_ask(house.anna, house.kim)])
    await house.lateness.look()
    assert house.lateness.seconds["korsbaek"] < LIMIT
    await house.age(LIMIT + 5)
    assert house.lateness.late == {"korsbaek"}


async def test_last_year_s_log_at_rest_needs_no_witness(house: House, tmp_path: Path) -> None:
    """A closed log that is published whole is never late; one that has something unpublished is."""
    next_year = an_ask(house.anna, house.kim, at=NOON.replace(year=NOON.year + 1))
    await house.log.append([next_year])
    async with signing(house.databases.at.checkpointer, KEY, tmp_path) as rounds:
        await rounds.once()
    old = "UPDATE log.checkpoint SET published_at = now() - interval '1 day' WHERE log_id = (SELECT id FROM log.head"
    await house.superuser.execute(f"{old} WHERE tenant = 'korsbaek' ORDER BY year LIMIT 1)")
    await house.lateness.look()
    assert house.lateness.late == set()
    await house.superuser.execute("UPDATE log.head SET size = size + 1 WHERE tenant = 'korsbaek' AND year = 2019")
    await house.lateness.look()
    assert house.lateness.late == {"korsbaek"}


async def test_without_the_database_the_last_look_stands(house: House) -> None:
    """A look that finds nobody says so in our words, and lets nobody through who was stopped."""
    await house.age(LIMIT + 5)
    await house.databases.pool.close()
    with pytest.raises(StoreUnavailable):
        await house.lateness.look()
    assert house.lateness.late == {"korsbaek"}


def test_the_metric_tells_each_municipality() -> None:
    """One gauge, by municipality."""
    (family,) = LogsTold(lambda: {"b": 7.0, "a": 3.0}).collect()
    assert [(sample.labels["municipality"], sample.value) for sample in family.samples] == [("a", 3.0), ("b", 7.0)]
