"""A citizen's rights: who got what, all that is held in one file, and pages that say whom to go to."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest

from broker.transparency.recipients import recipients_in
from demo.postgres import PrivatePostgres
from tests.builders import STRANGER
from tests.pages_house import ASK, LINES, PagesHouse, ask_for, open_pages, say_yes
from tests.unit.web.pages.test_small_parts import AT, an_entry

PLACE = "/mine/rights"
LINE = "/mine/accesses/korsbaek/2019/0/ask"


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Give a house where a citizen said yes, somebody looked twice, and the citizen asked about a line."""
    async with open_pages(postgres, tmp_path) as made:
        lene, annette = await made.caseworker(), await made.citizen()
        await lene.get("/case")
        await ask_for(lene, LINES, why="Vi vil lave en plan.")
        await annette.get("/mine")
        await say_yes(annette)
        for _ in range(2):
            await lene.get("/case")
            await lene.post("/case", **ASK)
        await annette.get(LINE)
        await annette.post(LINE, text="Hvorfor?")
        yield made


async def test_the_file_holds_all_of_it(house: PagesHouse) -> None:
    """The file has each part as its own address gives it, fits its schema, and is told to be a file."""
    http = (await house.citizen()).http
    answer = await http.get("/v1/me/export")
    told = answer.json()
    assert answer.headers["content-disposition"].startswith("attachment")
    for path, part in (
        ("consents", "consents"),
        ("consent-requests", "requests"),
        ("blocks", "blocks"),
        ("inquiries", "inquiries"),
        ("accesses?limit=200", "entries"),
    ):
        assert told[part] == (await http.get(f"/v1/me/{path}")).json()[part], part
    assert told["consents"]
    assert told["inquiries"][0]["text"] == "Hvorfor?"
    document = (await http.get("/openapi.json")).json()
    jsonschema.validate(told, {"$ref": "#/components/schemas/MyExport", "components": document["components"]})


async def test_the_file_is_ones_own(house: PagesHouse) -> None:
    """Somebody else's file has nothing of it, and nobody's has an employee or a number."""
    mine = await (await house.citizen()).http.get("/v1/me/export")
    theirs = await (await house.citizen(STRANGER)).http.get("/v1/me/export")
    assert not any(theirs.json()[part] for part in ("consents", "requests", "blocks", "inquiries", "recipients"))
    assert "lene" not in mine.text.lower()
    assert "7102740022" not in mine.text.replace("-", "")
    assert (await house.stranger().http.get("/v1/me/export")).status_code == 401


async def test_who_got_what_since_when(house: PagesHouse) -> None:
    """The page and the file name the unit, what it got, and how often; nobody who got nothing."""
    annette = await house.citizen()
    page = (await annette.get(f"{PLACE}/recipients")).text
    assert "2 gange, første gang 4. marts 2019" in page
    rows = (await annette.http.get("/v1/me/export")).json()["recipients"]
    assert {row["unit"] for row in rows} == {"jobcentre"}
    assert f"{rows[0]['source']}/{rows[0]['category']}" in LINES
    assert "Ingen har fået noget." in (await (await house.citizen(STRANGER)).get(f"{PLACE}/recipients")).text


def test_an_ask_on_two_logs_counts_once() -> None:
    """What was handed out on one ask is one time, however many logs say so; first and last are kept apart."""
    got = (("social", "S01"),)
    first = replace(an_entry("outcome", "a", 1), unit="jobcentre", released=got)
    later = replace(an_entry("outcome", "b", 3), unit="jobcentre", released=got, at=AT + timedelta(days=1))
    nothing = replace(an_entry("outcome", "c", 4), unit="school")
    (row,) = recipients_in([nothing, later, first, replace(first, municipality="oestby")])
    assert (row.unit, row.times, row.first, row.last) == ("jobcentre", 2, AT, AT + timedelta(days=1))


@pytest.mark.parametrize("language", ["da", "en"])
async def test_the_pages_lead_on(house: PagesHouse, language: str) -> None:
    """My rights leads to the file, the lists, the DPO, the authority; every page leads to what was tried with it."""
    page = (await (await house.citizen()).get(f"{PLACE}?lang={language}")).text
    for address in ("/v1/me/export", "/mine/accesses", f"{PLACE}/recipients", "/mine/blocks", "/accessibility"):
        assert f'href="{address}"' in page
    assert page.count("<h1>") == 1
    stated = await house.stranger().get(f"/accessibility?lang={language}")
    assert stated.status_code == 200
    assert "axe" in stated.text
