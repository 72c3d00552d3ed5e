"""The citizen's own look as pages, over the real log: asked for by a button, on record, counted, without a trace."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broker.domain.asks import Key
from broker.domain.items import ItemPerson, Visit
from broker.domain.personal import Personal
from demo.postgres import PrivatePostgres
from tests.builders import CHILD, CITIZEN, STRANGER, an_item
from tests.pages_house import PagesHouse, open_pages


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Give a small house with its pages."""
    async with open_pages(postgres, tmp_path) as made:
        yield made


def asked(house: PagesHouse) -> list[str]:
    """Name everything that any source was asked for."""
    return [category for source in house.sources.values() for category in source.asked]


async def test_a_page_alone_reads_nothing(house: PagesHouse) -> None:
    """Opening the page asks no system; its button does."""
    annette = await house.citizen()
    page = await annette.get("/mine/help")
    assert "Vis min hjælp" in page.text
    assert asked(house) == []
    shown = await annette.post("/mine/help")
    assert shown.status_code == 200
    assert "CANARY title" in shown.text
    assert asked(house) != []
    assert shown.headers["cache-control"] == "no-store"


async def test_a_look_stands_in_ones_own_list(house: PagesHouse) -> None:
    """The list tells of each look, before and after; and so does the child's, who is told that a parent looked."""
    annette = await house.citizen()
    await annette.get("/mine/week")
    await annette.post("/mine/week")
    mine = (await annette.get("/mine/accesses")).text
    assert mine.count("Du bad om at se dine egne oplysninger") == mine.count("Du så dine egne oplysninger") == 1
    theirs = (await (await house.citizen(CHILD)).get("/mine/accesses")).text
    assert theirs.count("En forælder så, hvilken hjælp du får") == 1


async def test_another_site_makes_nobody_look(house: PagesHouse) -> None:
    """Without the page's token nothing is read and nothing is logged."""
    annette = await house.citizen()
    await annette.get("/mine/help")
    assert (await annette.post("/mine/help", csrf="guessed")).status_code == 403
    assert (await house.stranger().post("/mine/help")).status_code == 303
    assert asked(house) == []
    assert "Ingen har kigget." in (await annette.get("/mine/accesses")).text


async def test_a_look_shows_who_looks_and_nobody_else(house: PagesHouse) -> None:
    """A stranger with the same address sees what is about them: nothing that a source holds of Annette."""
    stranger = await house.citizen(STRANGER)
    await stranger.get("/mine/help")
    page = (await stranger.post("/mine/help", citizen=CITIZEN.disclose(), subject=CITIZEN.disclose())).text
    assert "CANARY" not in page
    assert asked(house) == []


async def test_a_week_is_told_in_words_and_picture(house: PagesHouse) -> None:
    """Two at once are said as what is seen, drawn with a table, and nothing speaks of too much."""
    (annette_handle,) = await house.ports.handles.citizens([CITIZEN])
    for name, code, who in (("social", "S01", "Hanne"), ("job", "B03", "Mona")):
        visit = Visit(450, 510, weekday=1)
        helper = ItemPerson("helper", Personal(who))
        item = an_item(name, code, annette_handle, visits=(visit,), people=(helper,), from_day=20190101)
        assert item.key == Key(name, code, annette_handle)
        house.sources[name].told[CITIZEN.disclose()] = [item]
    annette = await house.citizen()
    await annette.get("/mine/week")
    page = (await annette.post("/mine/week")).text
    assert "To personer kommer på samme tid mandag kl. 7.30–8.30." in page
    assert "Du kan tale med dem om, hvem der kommer hvornår." in page
    assert "<svg" in page
    assert "<table" in page
    helped = (await annette.post("/mine/help")).text
    assert "Hanne" in helped
    assert "Mandag 7.30–8.30" in helped
    assert ", fra " in helped


async def test_a_silent_system_is_named(house: PagesHouse) -> None:
    """The page says which system did not answer, and shows the others' answers."""
    house.sources["health"].fails = "timeout"
    annette = await house.citizen()
    await annette.get("/mine/help")
    page = (await annette.post("/mine/help")).text
    assert "Ikke alle har svaret" in page
    assert "<li>health</li>" in page
    assert "CANARY title" in page


async def test_a_child_is_sent_to_a_grown_up(house: PagesHouse) -> None:
    """Viktor, 12, is told that one must be 15, and no system is asked."""
    viktor = await house.citizen(CHILD)
    await viktor.get("/mine/help")
    page = await viktor.post("/mine/help")
    assert "Du skal være 15 år" in page.text
    assert asked(house) == []
