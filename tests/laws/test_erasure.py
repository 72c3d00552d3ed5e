"""The law of erasure: whoever is erased, in whatever order, everybody else's lines open and every proof still holds."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit import postgres as log_rows
from audit.merkle import Frontier, inclusion_holds, leaf_hash
from broker.domain.personal import Personal
from demo.postgres import PrivatePostgres
from tests.erasures import Years, open_years

EVERYBODY = 5
YOUNG = datetime(2026, 5, 1, tzinfo=UTC)
CITIZENS = [Personal(f"{n:02d}01010001") for n in range(1, EVERYBODY + 1)]
# A step is who asks about whom (an old line or a young one), who is erased, or the nightly job.
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("old"), st.integers(0, EVERYBODY - 1)),
        st.tuples(st.just("young"), st.integers(0, EVERYBODY - 1)),
        st.tuples(st.just("erase"), st.integers(0, EVERYBODY - 1)),
        st.tuples(st.just("night"), st.just(0)),
    ),
    max_size=8,
)


@dataclass
class Expected:
    """How many lines of each citizen must still open."""

    young: list[int]
    old: list[int]


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_whoever_is_erased_everybody_else_stays(postgres: PrivatePostgres, steps: list[tuple[str, int]]) -> None:
    """Others' lines open as before, no leaf moves, the log verifies, and every entry is proved under the last root."""
    asyncio.run(_play(postgres, steps))


async def _play(postgres: PrivatePostgres, steps: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with open_years(postgres, Path(folder)) as years:
            names = list(await years.databases.vault.citizens(CITIZENS))
            left = Expected([0] * EVERYBODY, [0] * EVERYBODY)
            for who in range(EVERYBODY):
                await years.ask_about(names[who])
                left.old[who] += 2
            leaves: dict[str, list[bytes]] = {}
            for what, who in steps:
                await _step(years, what, who, names, left)
                await _check_leaves(years, leaves)
            for who in range(EVERYBODY):
                page = await years.reader.of_subject(names[who])
                told = [entry.state for entry in page.entries if entry.kind in ("ask", "outcome")]
                assert told == ["intact"] * (left.young[who] + left.old[who])
            assert await years.faults() == []


async def _step(years: Years, what: str, who: int, names: list[str], left: Expected) -> None:
    if what in ("old", "young"):
        await years.ask_about(names[who], at=YOUNG if what == "young" else None)
        (left.young if what == "young" else left.old)[who] += 2
    elif what == "night":
        await years.keep()
        left.old = [0] * EVERYBODY
    elif not left.young[who]:
        await years.erase(CITIZENS[who])
        left.old[who] = 0
        names[who] = (await years.databases.vault.citizens([CITIZENS[who]]))[0]


async def _check_leaves(years: Years, before: dict[str, list[bytes]]) -> None:
    """Hold every log's leaves against those of before, and prove each under the root that they now have."""
    pool = years.databases.pool
    async with pool.acquire() as connection:
        for head in await log_rows.heads(connection):
            leaves = await log_rows.leaves(connection, head.log_id, 0, head.size)
            assert leaves[: len(before.get(head.origin, []))] == before.get(head.origin, [])
            before[head.origin] = leaves
            assert Frontier().extend(map(leaf_hash, leaves)).root() == head.root
            for index, leaf in enumerate(leaves):
                proof = await log_rows.inclusion_proof(connection, head.log_id, index, head.size)
                assert inclusion_holds(index, head.size, leaf_hash(leaf), proof, head.root)
