"""Searches that an overseer keeps: their own alone, never of a person, no more than fit, and on the log."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from broker.adapters.clock_system import FixedClock
from broker.adapters.saved_searches_sql import SavedSearchesSql
from broker.domain.entries import LogFilter
from broker.domain.errors import BadAsk, Conflict, LogUnavailable, NotAllowed, NotFound
from broker.domain.personal import Personal
from broker.oversight.saved import MOST_SAVED, Desk, remove, save, saved_searches
from broker.web.kept_wire import name_of
from demo.postgres import PrivatePostgres
from tests.attacks.test_oversight import officer
from tests.builders import NOON
from tests.pages_house import PagesHouse, open_pages

NAME = Personal("CANARY nætter i jobcentret")
NIGHTS = {"kind": "ask", "unit": "jobcentre", "order": "oldest"}
DPO = officer("dpo", "korsbaek")


@dataclass
class Keeping:
    """The house and the desk at which searches are kept."""

    house: PagesHouse
    desk: Desk

    async def logged(self, kind: str) -> int:
        """Count the entries of a kind in Korsbæk."""
        found = await self.house.databases.reader.search(["korsbaek"], LogFilter(kind=kind))
        return len(found.entries)


@pytest.fixture
async def keeping(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Keeping]:
    """Open a house in which nothing is kept."""
    async with open_pages(postgres, tmp_path) as house:
        made = house.databases
        saved = SavedSearchesSql(made.pool, made.log, made.vault)
        yield Keeping(house, Desk(FixedClock(NOON), made.vault, saved))


async def test_a_kept_search_is_its_officers_own_in_its_municipality(keeping: Keeping) -> None:
    """A colleague, and who oversees another municipality, sees none of it and cannot take it away."""
    one = await save(NAME, NIGHTS, DPO, keeping.desk)
    (mine,) = await saved_searches(DPO, keeping.desk)
    assert (mine.id, mine.name.disclose(), mine.criteria) == (one.id, NAME.disclose(), NIGHTS)
    colleague = replace(DPO, id=Personal("another"))
    for who in (colleague, replace(DPO, municipalities=frozenset({"norrestrand"}))):
        assert await saved_searches(who, keeping.desk) == ()
        for wanted in (one.id, "00000000-0000-4000-8000-000000000000", "x", "\x00"):
            with pytest.raises(NotFound):
                await remove(wanted, who, keeping.desk)
    with pytest.raises(NotAllowed):
        await saved_searches(officer("teamleder", "korsbaek"), keeping.desk)
    await remove(one.id, DPO, keeping.desk)
    assert await saved_searches(DPO, keeping.desk) == ()
    assert [await keeping.logged(kind) for kind in ("search.saved", "search.removed")] == [1, 1]


@pytest.mark.parametrize(
    "name", ["", "  ", "x" * 61, "710274-0022", "Annette 7102740022", "710274 0022", "a\x00b", "a\nb", "٧١٠٢٧٤٠٠٢٢"]
)
def test_no_number_and_no_nonsense_is_a_name(name: str) -> None:
    """A name with a CPR number, none, too long a one, or one with control signs is refused."""
    with pytest.raises(BadAsk):
        name_of(name)


@pytest.mark.parametrize("criteria", [
    {"citizen": "7102740022"}, {"actor": "0" * 32}, {"case": "JC-1"}, {"case_handle": "0" * 32}, {"same": "x"},
    {"cursor": "1"}, {"municipality": "norrestrand"}, {"kind": "x" * 81},
])  # fmt: skip
async def test_no_person_is_kept(keeping: Keeping, criteria: dict[str, str]) -> None:
    """A search for somebody, or of another's log, is not kept."""
    with pytest.raises(BadAsk):
        await save(NAME, criteria, DPO, keeping.desk)


async def test_no_more_than_fit_also_of_many_at_once(keeping: Keeping) -> None:
    """Of more than one may keep, sent at the same moment, as many stay as fit."""
    for _ in range(MOST_SAVED - 2):
        await save(NAME, NIGHTS, DPO, keeping.desk)
    done = await asyncio.gather(*(save(NAME, NIGHTS, DPO, keeping.desk) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(one, Conflict) for one in done) == 3
    assert len(await saved_searches(DPO, keeping.desk)) == MOST_SAVED


async def test_taken_away_once_of_two_at_once(keeping: Keeping) -> None:
    """Of two who take the same away at the same moment one is told that it is gone, and the log says it once."""
    one = await save(NAME, NIGHTS, DPO, keeping.desk)
    done = await asyncio.gather(*(remove(one.id, DPO, keeping.desk) for _ in range(2)), return_exceptions=True)
    assert sum(isinstance(it, NotFound) for it in done) == 1
    assert await keeping.logged("search.removed") == 1


async def test_names_lie_sealed_and_nothing_is_kept_without_the_log(keeping: Keeping) -> None:
    """Neither table nor log holds the name in the open; with the log down nothing is kept."""
    await save(NAME, NIGHTS, DPO, keeping.desk)
    admin = await asyncpg.connect(keeping.house.databases.admin)
    rows = await admin.fetch("SELECT s::text AS row, encode(sealed, 'escape') AS sealed FROM searches.saved s")
    await admin.close()
    entry = (await keeping.house.databases.reader.search(["korsbaek"], LogFilter(kind="search.saved"))).entries[0]
    opened = await keeping.house.databases.reader.entry(entry.receipt, municipalities=["korsbaek"])
    assert "CANARY" not in str(rows)
    assert "CANARY" not in str(opened.body)

    made = keeping.house.databases

    class Down:
        async def prepare(self, *_: Any) -> Any:
            raise LogUnavailable

    down: Any = Down()
    desk = replace(keeping.desk, saved=SavedSearchesSql(made.pool, down, made.vault))
    with pytest.raises(LogUnavailable):
        await save(NAME, NIGHTS, DPO, desk)
    assert len(await saved_searches(DPO, keeping.desk)) == 1


async def test_kept_and_used_and_taken_away_by_the_pages_and_as_json(keeping: Keeping) -> None:
    """The search on the page is kept by a name, stands there as a link with its codes, and goes away by its button."""
    dorte = await keeping.house.officer()
    await dorte.get("/dpo?kind=ask&order=oldest")
    kept = await dorte.post("/dpo/searches", kind="ask", order="oldest", name="<b>Nætter</b>", citizen="7102740022")
    assert kept.headers["location"] == "/dpo#kept"
    page = await dorte.get("/dpo")
    assert 'href="/dpo?kind=ask&amp;order=oldest"' in page.text
    assert "&lt;b&gt;Nætter" in page.text
    assert "7102740022" not in page.text
    for wrong in ("", "710274-0022"):
        refused = await dorte.post("/dpo/searches", kind="ask", name=wrong)
        assert (refused.status_code, 'href="#name"' in refused.text, "710274" in refused.text) == (400, True, False)
    place = re.search(r'action="(/dpo/searches/[^"]+/remove)"', page.text)
    assert place is not None
    assert (await dorte.post(place[1])).status_code == 303
    assert "Nætter" not in (await dorte.get("/dpo")).text
    assert (await dorte.post(place[1])).status_code == 404
    headers = {"accept": "application/json"}
    assert (await dorte.http.get("/v1/searches", headers=headers)).json() == {"searches": []}
