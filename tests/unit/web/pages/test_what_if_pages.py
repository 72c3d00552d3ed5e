"""The overseer's pages of what-if: what can be tried, a run from button to result, and the same as JSON."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from demo.postgres import PrivatePostgres
from tests.pages_house import PagesHouse, open_pages
from tests.trying import MONTH, SECONDS, ask_in_february, kinds, more_sensitive, token_of, tried


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Open a house with six asks in February, and rules laid ready."""
    (tmp_path / "candidates").mkdir()
    more_sensitive(tmp_path / "candidates")
    async with open_pages(postgres, tmp_path, candidates=tmp_path / "candidates") as made:
        await ask_in_february(made, tmp_path, 6)
        yield made


async def test_from_the_button_to_the_result(house: PagesHouse) -> None:
    """The last month is the first choice; the page tells the end; begin, end and look stand on the log."""
    dorte = await house.officer()
    first = await dorte.get("/dpo/what-if")
    assert '<option value="level-4">' in first.text
    assert first.text.index(f'value="{MONTH}"') < first.text.index('value="2019-01"')
    going = await dorte.send("/dpo/what-if", candidate="level-4", month=MONTH)
    async with asyncio.timeout(SECONDS):
        while "Hvert spørgsmål tæller én gang" not in going.text:
            await asyncio.sleep(0.1)
            going = await dorte.get(f"{going.url.path}?follow=yes")
    assert "Refresh" not in going.headers
    assert "Ville få nej af en anden grund" in going.text
    assert "<td>6</td>" in going.text
    assert "februar 2019" in going.text
    told = await kinds(house)
    assert told[:2] == ["what_if.begun", "what_if.ended"]
    assert set(told[2:]) == {"what_if.seen"}
    assert "badge-success" in (await dorte.get("/dpo/what-if")).text


async def test_json_says_what_the_page_says(house: PagesHouse) -> None:
    """The month before this one where none is named; counts by kind, cause and purpose."""
    dorte = await house.officer()
    run = await tried(dorte, candidate="level-4")
    listed = (await dorte.http.get("/v1/what-if-runs")).json()

    assert (run["state"], run["month"], run["done"], run["share"], run["why"]) == ("ended", MONTH, 6, 100, "")
    assert [(row["kind"], row["total"]) for row in run["result"]["rows"]] == [("reasons_changed", 6)]
    assert run["result"]["total"] == 6
    assert (listed["set_up"], listed["candidates"], listed["months"][0]) == (True, ["level-4"], MONTH)
    assert [(row["id"], row["result"]) for row in listed["runs"]] == [(run["id"], None)]


async def test_the_same_rules_change_nothing(house: PagesHouse, tmp_path: Path) -> None:
    """Rules that are those of the day leave every answer as it was; so does a folder of tables alone."""
    made = more_sensitive(tmp_path / "candidates", "tables-alone")
    for file in made.glob("*.rego"):
        file.unlink()
    (made / "tables" / "categories.json").unlink()
    run = await tried(await house.officer(), candidate="tables-alone", month=MONTH)

    assert [(row["kind"], row["total"]) for row in run["result"]["rows"]] == [("same", 6)]


async def test_an_empty_month(house: PagesHouse) -> None:
    """A month in which nobody asked has a result too, that says so."""
    dorte = await house.officer()
    run = await tried(dorte, candidate="level-4", month="2018-12")
    assert (run["result"]["rows"], run["result"]["total"]) == ([], 0)
    assert "Ingen spurgte om noget den måned." in (await dorte.get(f"/dpo/what-if/{run['id']}")).text


async def test_progress_without_script(house: PagesHouse) -> None:
    """While it runs the page shows itself again for whoever wants that, and stands still for whoever does not."""
    superuser = await asyncpg.connect(house.databases.admin)
    run = await superuser.fetchval(
        "INSERT INTO what_if.run (id, municipality, month, candidate, rules, by, role, begun_at, share, done)"
        " VALUES (gen_random_uuid(), 'korsbaek', '2019-02', 'level-4', 'sha256:' || repeat('0', 64), 'x', 'dpo', now(),"
        " 25, 300) RETURNING id"
    )
    await superuser.close()
    dorte = await house.officer()
    pages = [await dorte.get(f"/dpo/what-if/{run}{more}") for more in ("?follow=yes", "")]

    assert pages[0].headers["Refresh"] == "5"
    assert "Refresh" not in pages[1].headers
    for page in pages:
        assert '<progress max="100" value="25"' in page.text
        assert "300 spørgsmål indtil nu" in page.text
    assert await kinds(house) == []


async def test_where_nothing_is_set_up_it_says_how(postgres: PrivatePostgres, tmp_path: Path) -> None:
    """One sentence tells that nothing is set up, and how it is; an empty folder has a sentence of its own."""
    async with open_pages(postgres, tmp_path) as made:
        dorte = await made.officer()
        page = await dorte.get("/dpo/what-if?lang=en")
        assert "operations puts them in a folder, and names that folder in BROKER_CANDIDATE_POLICIES." in page.text
        assert 'action="/dpo/what-if"' not in page.text
        answer = await dorte.http.post("/v1/what-if-runs", json={"candidate": "x"}, headers=await token_of(dorte))
        assert answer.status_code == 404
        assert (await dorte.http.get("/v1/what-if-runs")).json()["set_up"] is False
    async with open_pages(postgres, tmp_path, candidates=tmp_path / "nowhere") as made:
        page = await (await made.officer()).get("/dpo/what-if")
        assert "Driften har ikke lagt regler i mappen endnu." in page.text


async def test_english_too(house: PagesHouse) -> None:
    """In English every word is English."""
    dorte = await house.officer()
    run = await tried(dorte, candidate="level-4")
    page = await dorte.get(f"/dpo/what-if/{run['id']}?lang=en")
    assert "Would get a no for another reason" in page.text
    assert "Ville" not in page.text
