"""An overseer's search: every criterion and any together, pages of one moment, and no plan that reads the whole log."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from broker.adapters.log_search import STEADY, Mark, searched
from broker.domain.decisions import Verdict
from broker.domain.entries import LogEntry, LogFilter
from broker.domain.errors import BadAsk
from broker.domain.personal import Personal
from demo.postgres import PrivatePostgres
from tests.databases import Databases, opened
from tests.log_events import NOON, an_ask, an_outcome

HOMES = ("korsbaek", "norrestrand")
BOTH = list(HOMES)
UNITS, PURPOSES, SOURCES = ("jobcentre", "school"), ("jobplan", "flytning"), ("social", "family", "health")
CASES = ("1" * 32, "2" * 32)


@pytest.fixture
async def databases(postgres: PrivatePostgres) -> AsyncIterator[Databases]:
    """Give two municipalities' logs of sixty entries by chance's choosing."""
    async with opened(postgres) as made:
        people = await made.vault.citizens([Personal(f"{n:010d}") for n in range(5)])
        rng = random.Random(7)
        for _ in range(60):
            await made.log.append([an_event(rng, people)])
        yield made


def an_event(rng: random.Random, people: Any) -> Any:
    """Make an ask or an outcome, of which each field is one of few."""
    citizen, actor = rng.choice(people[:3]), rng.choice(people[3:])
    told: dict[str, Any] = {
        "municipality": rng.choice(HOMES), "unit": rng.choice(UNITS), "purpose": rng.choice(PURPOSES),
        "case": rng.choice(CASES), "at": NOON + timedelta(seconds=rng.randrange(20)),
    }  # fmt: skip
    if rng.random() < 0.3:
        return an_ask(citizen, actor, **told)
    made = an_outcome(citizen, actor, **told, sources_read=tuple(sorted(rng.sample(SOURCES, rng.randrange(4)))))
    if rng.random() < 0.5:
        reasons = (rng.choice(("NO_CONSENT", "PURPOSE_MISMATCH")),)
        held = Verdict(made.verdicts[0].key, "withhold", reasons=reasons, shown=reasons)
        return replace(made, outcome="refused", verdicts=(held,))
    return replace(made, break_glass=rng.choice(("", "", "bg-1")))


async def every(databases: Databases, homes: list[str], wanted: LogFilter, limit: int = 500) -> list[LogEntry]:
    """Read all pages."""
    found, cursor = list[LogEntry](), None
    while True:
        page = await databases.reader.search(homes, wanted, cursor=cursor, limit=limit)
        found += page.entries
        if (cursor := page.next) is None:
            return found


def fits(entry: LogEntry, wanted: LogFilter) -> bool:
    """Say in plain Python whether an entry is what is looked for."""
    row, at = entry.index, int(entry.at.timestamp())
    plain = ("kind", "unit", "purpose", "outcome", "citizen", "actor", "ask", "emergency", "case")
    lists = {"reasons": wanted.reason, "sources": wanted.source, "basis": wanted.basis}
    return (
        all(getattr(wanted, name) in (None, row.get(name)) for name in plain)
        and all(code is None or code in row.get(name, ()) for name, code in lists.items())
        and (wanted.holders is None or bool(set(wanted.holders) & set(row.get("sources", ()))))
        and (wanted.since or 0) <= at < (wanted.until or 2**62)
    )


def a_filter(rng: random.Random, people: Any) -> LogFilter:
    """Choose some criteria by chance."""
    start = int(NOON.timestamp()) + rng.randrange(20)
    choices: dict[str, Any] = {
        "kind": rng.choice(("ask", "outcome", "log.searched")), "unit": rng.choice(UNITS),
        "purpose": rng.choice(PURPOSES), "outcome": rng.choice(("released", "refused")),
        "reason": rng.choice(("NO_CONSENT", "PURPOSE_MISMATCH")), "source": rng.choice(SOURCES),
        "basis": "consent", "citizen": rng.choice(people[:3]), "actor": rng.choice(people[3:]),
        "case": rng.choice(CASES), "emergency": rng.choice((True, False)), "ask": "ask-1",
        "holders": tuple(rng.sample(SOURCES, 2)), "since": start - 10, "until": start,
        "oldest_first": True,
    }  # fmt: skip
    return LogFilter(**{name: choices[name] for name in rng.sample(sorted(choices), rng.randrange(5))})


async def test_any_criteria_together_find_what_they_say(databases: Databases) -> None:
    """Hundreds of combinations find just what plain Python finds among all entries, in the order asked for."""
    people = await databases.vault.citizens([Personal(f"{n:010d}") for n in range(5)])
    rng = random.Random(11)
    everything, hits = await every(databases, BOTH, LogFilter()), 0
    for _ in range(300):
        wanted = a_filter(rng, people)
        homes = rng.choice((BOTH, ["korsbaek"]))
        meant = [entry for entry in everything if fits(entry, wanted) and entry.municipality in homes]
        meant = meant[::-1] if wanted.oldest_first else meant
        found = await every(databases, homes, wanted, rng.choice((1, 3, 500)))
        assert [entry.receipt for entry in found] == [entry.receipt for entry in meant], wanted
        hits += bool(found)
    assert hits > 100


@pytest.mark.parametrize("wanted", [
    LogFilter(), LogFilter(kind="ask"), LogFilter(oldest_first=True), LogFilter(case=CASES[0]),
])  # fmt: skip
async def test_later_pages_are_of_the_first_pages_moment(databases: Databases, wanted: LogFilter) -> None:
    """What comes to the log between two pages is in none of them, whatever moment it says it is of."""
    meant = [entry.receipt for entry in await every(databases, BOTH, wanted)]
    first = await databases.reader.search(BOTH, wanted, limit=4)
    citizen, kim = await databases.vault.citizens([Personal("0000000000"), Personal("0000000004")])
    moments = (NOON - timedelta(days=1), NOON + timedelta(seconds=9), NOON + timedelta(days=1))
    late = [an_ask(citizen, kim, at=at, municipality=home, case=CASES[0]) for at in moments for home in HOMES]
    await databases.log.append(late)
    found, cursor = list(first.entries), first.next
    while cursor is not None:
        page = await databases.reader.search(BOTH, wanted, cursor=cursor, limit=4)
        found, cursor = [*found, *page.entries], page.next
    assert [entry.receipt for entry in found] == meant
    assert len(await every(databases, BOTH, wanted)) == len(meant) + len(late)


@pytest.mark.parametrize("cursor", [
    "", "1.2.3", "1.2.3~", "1.2~1-2", "1.2.3~1", "1.2.3~1-2-3", "1.2.3~1--2", "1.2.3~x-1", "-1.2.3~1-1",
    "1.2.99999999999999999999~1-1", "1.2.3~" + ".".join(["1-1"] * 1001), "١.2.3~1-1", "1.2.3~1-1\x00",
])  # fmt: skip
async def test_a_mark_we_never_gave_is_refused(databases: Databases, cursor: str) -> None:
    """A made-up mark is refused by field, before anything is read by it."""
    with pytest.raises(BadAsk):
        await databases.reader.search(BOTH, LogFilter(), cursor=cursor)


async def test_a_mark_lets_nobody_further(databases: Databases) -> None:
    """A mark of another overseer, with lengths one wrote oneself, shows nothing beyond one's own municipality."""
    mark = str(Mark((2**62, 2**62, 2**62), dict.fromkeys(range(100), 2**62)))
    found = await databases.reader.search(["korsbaek"], LogFilter(), cursor=mark)
    assert found.entries
    assert {entry.municipality for entry in found.entries} == {"korsbaek"}


async def test_no_search_reads_the_whole_log(databases: Databases) -> None:
    """Whatever is looked for, the plan enters the index rows by what is named, and never goes through all of them."""
    admin = await asyncpg.connect(databases.admin)
    for _ in range(7):
        await admin.execute(COPIED)
    await admin.execute("ANALYZE log.index")
    await admin.close()
    people = await databases.vault.citizens([Personal(f"{n:010d}") for n in range(5)])
    rng = random.Random(3)
    for wanted in (LogFilter(), LogFilter(citizen=people[0]), *(a_filter(rng, people) for _ in range(60))):
        for mark in (None, Mark((2**62, 1, 1), {1: 5, 2: 5})):
            plan = await planned(databases, wanted, mark)
            assert "Seq Scan on index" not in plan, f"{wanted}\n{plan}"
            ways = [*entered_by(wanted), *(["index_of_tenant"] if mark or wanted.since else [])]
            assert any(f"using {name} " in plan or f"on {name} " in plan for name in ways), f"{wanted}\n{plan}"


# Sixty rows are read as they are; some thousands show what the planner does.
COPIED = """
INSERT INTO log.index (log_id, idx, tenant, index_bytes, fields, body_digest)
SELECT log_id, idx + (SELECT max(idx) + 1 FROM log.index), tenant, index_bytes, fields, body_digest FROM log.index
"""


def entered_by(wanted: LogFilter) -> list[str]:
    """Name the indexes of which one must be entered."""
    columns = {"citizen": wanted.citizen, "ask": wanted.ask, "actor": wanted.actor, "case": wanted.case}
    few = [f"index_of_{name}" for name, given in columns.items() if given is not None]
    shaped = wanted.shape() or wanted.holders is not None
    return few or (["index_of_shape"] if shaped else ["index_of_tenant"])


async def planned(databases: Databases, wanted: LogFilter, mark: Mark | None) -> str:
    """Give the plan of a search as the broker's own role runs it."""
    statement, values = searched(BOTH, wanted, mark, 51)
    async with databases.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT set_config('borgerbro.municipalities', 'korsbaek,norrestrand', true)")
        await connection.execute(STEADY)
        return "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {statement}", *values))
