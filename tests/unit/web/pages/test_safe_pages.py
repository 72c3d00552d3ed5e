"""What every page of a citizen keeps for one who is looked at: a way out, a quiet title, the time they have."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from demo.postgres import PrivatePostgres
from tests.pages_house import LINES, PagesHouse, ask_for, link, open_pages, say_yes

PAGES = (
    *("/mine", "/mine/accesses", "/mine/whole", "/mine/blocks", "/mine/inquiries", "/mine/rights"),
    *("/mine/rights/recipients", "/mine/accesses/korsbaek/2019/0/ask"),
)


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Give a small house with its pages."""
    async with open_pages(postgres, tmp_path) as made:
        yield made


async def test_every_page_leads_out_and_says_how_long_one_has(house: PagesHouse) -> None:
    """Each page has its way out, its log-out, the time the log-in ends, that nothing is lost, and a quiet title."""
    lene, annette = await house.caseworker(), await house.citizen()
    await lene.get("/case")
    await ask_for(lene, LINES)
    asked = link((await annette.get("/mine")).text, '/mine/requests/[^"/]+')
    question = (await annette.get(asked)).text
    receipt = (await say_yes(annette)).text
    stop = (await annette.get(link((await annette.get("/mine")).text, '/mine/consents/[^"?]+/stop'))).text
    pages = [question, receipt, stop, *[(await annette.get(path)).text for path in PAGES]]
    known = house.ports.directory
    names = {row.name_da for rows in (known.units, known.sources, known.purposes) for row in rows.values()}
    for page in pages:
        assert 'action="/leave/citizen"' in page
        assert 'action="/logout/citizen"' in page
        assert "Du er logget ind til kl." in page
        assert "Det, du har svaret, bliver stående" in page
        title = re.search(r"<title>(.*) – Borgerbro</title>", page)
        assert title
        assert [name for name in names if name in title[1]] == []


async def test_an_error_leads_out_too(house: PagesHouse) -> None:
    """A page of the citizen's that is not there has the way out; nobody else's pages have one."""
    annette, lene = await house.citizen(), await house.caseworker()
    assert 'action="/leave/citizen"' in (await annette.get("/mine/nowhere")).text
    assert "/leave/" not in (await lene.get("/case")).text


async def test_the_way_out_is_where_our_forms_may_lead(house: PagesHouse) -> None:
    """The browser lets the form lead on to the neutral page, and to nowhere else."""
    policy = (await (await house.citizen()).get("/mine")).headers["content-security-policy"]
    assert "form-action 'self' https://www.dmi.dk" in policy


async def test_the_start_tells_who_looked_last(house: PagesHouse) -> None:
    """What waits, what is shared and who looked last stand on the first page, with those who got nothing."""
    lene, annette = await house.caseworker(), await house.citizen()
    await lene.get("/case")
    await ask_for(lene, LINES)
    page = (await annette.get("/mine")).text
    headings = re.findall(r"<h2[^>]*>([^<]+)</h2>", page)
    assert headings == ["Du bliver spurgt", "Det deler du nu", "Hvem har kigget sidst"]
    assert "spurgte og fik intet" in page
