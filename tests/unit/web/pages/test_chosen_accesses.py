"""Who has looked, as the citizen chooses to see it: filtered, kept as a file, printed; over the real log."""

import csv
import io
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from broker.adapters.clock_system import FixedClock
from broker.domain.errors import TooManyAsks
from broker.web import printed
from broker.web.citizen.access_files import as_csv
from demo.postgres import PrivatePostgres
from tests.builders import NOON, STRANGER, a_house
from tests.fakes.web import FakeCeilings
from tests.pages_house import ASK, LINES, PagesHouse, ask_for, open_pages, say_yes
from tests.unit.web.pages.test_small_parts import an_entry

PLACE = "/mine/accesses"


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Give a house where a citizen was asked about in vain, asked for a yes, said it, and was asked about again."""
    async with open_pages(postgres, tmp_path) as made:
        assert isinstance(made.ports.clock, FixedClock)
        made.ports.clock.at = NOON - timedelta(days=1)
        before = await made.caseworker()
        await before.get("/case")
        await before.post("/case", **ASK)
        made.ports.clock.at = NOON
        lene, annette = await made.caseworker(), await made.citizen()
        await lene.get("/case")
        await ask_for(lene, LINES, why="Vi vil lave en plan.")
        await annette.get("/mine")
        await say_yes(annette)
        await lene.get("/case")
        await lene.post("/case", **ASK)
        yield made


@pytest.mark.parametrize(
    ("chosen", "there", "gone"),
    [
        ("outcome=refused", "Fik intet", "Fik noget af det</span>"),
        ("outcome=partly", "Fik noget af det</span>", "Fik intet</span>"),
        ("until=2019-03-03", "den 3. marts 2019</h2>", "den 4. marts 2019</h2>"),
        ("since=2019-03-04", "den 4. marts 2019</h2>", "den 3. marts 2019</h2>"),
        ("unit=social", "Ingen linjer passer", "Linje 0 i loggen"),
        ("outcome=emergency", "Ingen linjer passer", "Linje 0 i loggen"),
    ],
)
async def test_a_list_is_chosen(house: PagesHouse, chosen: str, there: str, gone: str) -> None:
    """By outcome, day and unit only the lines that fit are shown, and the page says that it is not all."""
    page = (await (await house.citizen()).get(f"{PLACE}?{chosen}")).text
    assert there in page
    assert gone not in page
    assert "Du ser kun nogle af linjerne." in page
    assert f'href="{PLACE}/list.csv?{chosen}"' in unescape(page)


async def test_what_is_offered_is_what_is_in_the_list(house: PagesHouse) -> None:
    """The form offers the units and purposes in one's own list; who has none is offered none."""
    mine = (await (await house.citizen()).get(PLACE)).text
    assert '<option value="jobcentre">' in mine
    assert '<option value="health">' not in mine
    assert '<option value="jobcentre">' not in (await (await house.citizen(STRANGER)).get(PLACE)).text


async def test_a_choice_does_not_make_an_answered_ask_look_unanswered(house: PagesHouse) -> None:
    """An ask is only said to be without an answer when the log has none, also where the answer is not chosen."""
    page = (await (await house.citizen()).get(f"{PLACE}?lines=1")).text
    pages = [page]
    while found := re.search(r'button-secondary" href="(/mine/accesses\?[^"]*cursor=[^"]+)"', pages[-1]):
        pages.append((await (await house.citizen()).get(unescape(found[1]))).text)
    assert len(pages) > 6
    assert all("lines=1" in page for page in pages[:-1])
    assert any("Svaret er en linje for sig" in page for page in pages)
    assert not any("Spurgt om; intet blev givet ud" in page for page in pages)


async def test_a_day_that_is_none_is_pointed_at(house: PagesHouse) -> None:
    """A day that does not exist brings the form back with its fault, for the page and for the files; no list."""
    annette = await house.citizen()
    for path in (PLACE, *(f"{PLACE}/list.{kind}" for kind in ("csv", "json", "pdf"))):
        page = await annette.get(f"{path}?until=2019-02-30")
        assert page.status_code == 400
        assert 'href="#until"' in page.text
        assert "bb-place" not in page.text


async def test_the_files_hold_each_line_once_and_no_employee(house: PagesHouse) -> None:
    """The table and the JSON have every line of the list once, are told to be files, and name no employee."""
    annette = await house.citizen()
    page = (await annette.get(f"{PLACE}?lines=500")).text
    shown = sorted({int(i) for i in re.findall(r"Linje (\d+) i loggen", page)})
    table, told = await annette.get(f"{PLACE}/list.csv"), await annette.get(f"{PLACE}/list.json")
    rows = list(csv.DictReader(io.StringIO(table.text.removeprefix("\ufeff")), delimiter=";"))
    assert sorted(int(row["Linje"]) for row in rows) == shown
    assert sorted(entry["index"] for entry in told.json()["entries"]) == shown
    assert {row["Dag"] for row in rows} == {"2019-03-03", "2019-03-04"}
    for answer in (table, told):
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["cache-control"] == "no-store"
        assert "lene" not in answer.text.lower()
        assert "7102740022" not in answer.text.replace("-", "")


def words_of_pdf(answer: Any) -> str:
    """Read the text of every page."""
    assert answer.headers["content-type"] == "application/pdf", answer.text
    return " ".join(" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(answer.content)).pages)


async def test_the_pdf_holds_each_line_and_no_employee(house: PagesHouse) -> None:
    """The PDF has every line of the list, in either language, is told to be a file, and names nobody."""
    annette = await house.citizen()
    rows = len((await annette.get(f"{PLACE}/list.json")).json()["entries"])
    answer = await annette.get(f"{PLACE}/list.pdf")
    text, english = words_of_pdf(answer), words_of_pdf(await annette.get(f"{PLACE}/list.pdf?lang=en"))

    assert len(re.findall(r"[34]\. marts 2019\s+\d\d:\d\d:\d\d", text)) == rows
    assert len(re.findall(r"[34] March 2019\s+\d\d:\d\d:\d\d", english)) == rows
    assert "Hvem har kigget" in text
    assert "Du ser kun nogle" not in text
    assert "lene" not in text.lower()
    assert "710274" not in text
    assert answer.headers["content-disposition"] == 'attachment; filename="list.pdf"'
    assert answer.headers["cache-control"] == "no-store"
    some = words_of_pdf(await annette.get(f"{PLACE}/list.pdf?outcome=refused&until=2019-03-03&lang=da"))
    assert len(re.findall(r"3\. marts 2019\s+\d\d:\d\d:\d\d", some)) == 1
    assert "Du ser kun nogle af linjerne." in some
    assert "Ingen linjer passer" in words_of_pdf(await annette.get(f"{PLACE}/list.pdf?unit=social"))


async def test_a_list_too_long_to_print_is_said_to_be(house: PagesHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """With more lines than are printed the page comes again and says what to do; the table still has them all."""
    monkeypatch.setattr(printed, "MOST_ROWS", 2)
    annette = await house.citizen()
    page = await annette.get(f"{PLACE}/list.pdf")
    assert page.status_code == 400
    assert "Der er mere end 1.000 linjer." in page.text
    assert (await annette.get(f"{PLACE}/list.csv")).status_code == 200


async def refuse(_: FakeCeilings, __: str) -> None:
    """Say that there were too many."""
    raise TooManyAsks(60)


async def test_anothers_pdf_holds_nothing_of_mine(house: PagesHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is logged in prints their own list; nobody logged in, and too many in an hour, print none."""
    assert "Ingen linjer passer" in words_of_pdf(await (await house.citizen(STRANGER)).get(f"{PLACE}/list.pdf"))
    assert (await (await house.caseworker()).get(f"{PLACE}/list.pdf")).status_code != 200
    monkeypatch.setattr(FakeCeilings, "count_look", refuse)
    assert (await (await house.citizen()).get(f"{PLACE}/list.pdf")).status_code == 429


async def test_a_file_holds_what_was_chosen(house: PagesHouse) -> None:
    """A file is of the same lines as the page it was taken from, and says what was chosen."""
    told = (await (await house.citizen()).get(f"{PLACE}/list.json?outcome=refused&until=2019-03-03")).json()
    assert told["chosen"] == {"outcome": "refused", "until": "2019-03-03"}
    assert [entry["outcome"] for entry in told["entries"]] == ["refused"]


async def test_the_api_chooses_as_the_page_does(house: PagesHouse) -> None:
    """`/v1/me/accesses` takes the same choices; a day that does not exist is refused."""
    annette = await house.citizen()
    told = (await annette.http.get("/v1/me/accesses?outcome=partly&since=2019-03-04&until=2019-03-04")).json()
    assert [entry["outcome"] for entry in told["entries"]] == ["partly"]
    assert (await annette.http.get("/v1/me/accesses?since=2019-02-30")).status_code == 400


async def test_a_cell_never_starts_a_formula(tmp_path: Path) -> None:
    """What a registry or a log names a unit is text in the table, whatever it begins with."""
    directory = (await a_house(tmp_path)).directory
    entry = replace(an_entry("ask", "a", 1), unit='=HYPERLINK("http://x")')
    table = bytes(as_csv([entry], directory, "en").body).decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(table), delimiter=";")
    assert row["Unit"] == '\'=HYPERLINK("http://x")'
