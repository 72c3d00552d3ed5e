"""Which days a yes reaches over, and what is shown and left out, stand on the pages in words."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from broker.domain.items import LawRef
from demo.postgres import PrivatePostgres
from tests.builders import CITIZEN, JOB, SOCIAL, an_item
from tests.pages_house import ASK, LINES, PagesHouse, ask_for, hidden, link, open_pages, say_yes

YEAR = {"data_from": "2018-01-01", "data_to": "2018-12-31"}
SAID = "kun det, der ligger fra 1. januar 2018 til og med 31. december 2018"


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Give a small house with its pages."""
    async with open_pages(postgres, tmp_path) as made:
        yield made


async def test_the_days_are_said_to_everybody(house: PagesHouse) -> None:
    """To who asks, to who is asked, in the text said yes to, on the list of what is shared, and beside what comes."""
    lene, annette = await house.caseworker(), await house.citizen()
    await lene.get("/case")
    asked = await lene.get((await ask_for(lene, LINES, **YEAR)).headers["location"])
    request = await annette.get(link((await annette.get("/mine")).text, '/mine/requests/[^"/]+'))
    receipt = await say_yes(annette)
    shared = await annette.get("/mine")
    await lene.get("/case")
    view = await lene.post("/case", **ASK)

    assert [page.text.count(SAID) > 0 for page in (asked, request, receipt, shared, view)] == [True] * 5
    assert "Kun det, der ligger fra 1.1.2018 til og med 31.12.2018" in request.text


@pytest.mark.parametrize("days", [{"data_from": "2018-02-30"}, {"data_from": "2019-01-01", "data_to": "2018-12-31"}])
async def test_days_that_are_none_are_not_asked_for(house: PagesHouse, days: dict[str, str]) -> None:
    """A day that no calendar has, or an end before its beginning, makes no request."""
    lene = await house.caseworker()
    await lene.get("/case")

    answer = await ask_for(lene, LINES, **days)

    assert answer.status_code == 400
    assert "jobcentre spørger dig" not in (await (await house.citizen()).get("/mine")).text


async def test_who_looks_up_may_want_some_days_alone(house: PagesHouse) -> None:
    """They go with the ask, stand on the page that comes, and with its buttons: another look, and asking for more."""
    (handle,) = await house.databases.vault.citizens([CITIZEN])
    old = replace(an_item(SOCIAL, "S01", handle), from_day=20170101, to_day=20171231)
    house.sources[SOCIAL].told[CITIZEN.disclose()] = [old]
    lene = await house.caseworker()
    await lene.get("/case")
    refused = await lene.post("/case", **ASK, **YEAR)
    assert (refused.status_code, SAID in refused.text) == (403, True)
    assert hidden_days(refused.text) == []
    assert [f'name="{name}" type="date" value="{day}"' in refused.text for name, day in YEAR.items()] == [True, True]
    await ask_for(lene, LINES)
    await say_yes(await house.citizen())
    await lene.get("/case")

    narrow, wide = [await lene.post("/case", **ASK, **days) for days in (YEAR, {})]

    assert [old.title.disclose() in page.text for page in (narrow, wide)] == [False, True]
    assert [SAID in page.text for page in (narrow, wide)] == [True, False]
    assert (hidden_days(narrow.text), hidden_days(wide.text)) == (list(YEAR.items()), [])


@pytest.mark.parametrize(("days", "fault", "kept"), [
    ({"data_from": "2018-02-30"}, "data_from", []),
    ({"data_from": "710274-0022", "data_to": "2018-12-31"}, "data_from", ["2018-12-31"]),
    ({"data_to": "x"}, "data_to", []),
    ({"data_from": "2019-01-01", "data_to": "2018-12-31"}, "data_to", ["2019-01-01"]),
])  # fmt: skip
async def test_a_look_up_of_days_that_are_none_reaches_nobody(
    house: PagesHouse, days: dict[str, str], fault: str, kept: list[str]
) -> None:
    """The field is named, what was right in the others is kept, and nothing stands on the log."""
    lene = await house.caseworker()
    await lene.get("/case")

    page = await lene.post("/case", **ASK, **days)

    assert page.status_code == 400
    assert re.findall('href="#([a-z_]+)"', page.text)[-1:] == [fault]
    assert re.findall('type="date" value="([^"]+)"', page.text) == kept
    assert "0022" not in page.text
    assert [state.size for state in await house.databases.reader.logs(["korsbaek"])] == []


async def test_days_are_not_lost_with_a_choice_that_was_forgotten(house: PagesHouse) -> None:
    """Whoever asks for some days and forgets to tick what, is shown the form with the days still in it."""
    lene = await house.caseworker()
    await lene.get("/case")
    made = hidden((await lene.post("/case", **ASK)).text, "made")

    again = await lene.post("/case/requests", **ASK, **YEAR, made=made, offered=LINES, lasts="year")

    assert again.status_code == 400
    assert re.findall('type="date" value="([^"]+)"', again.text) == list(YEAR.values())


def hidden_days(page: str) -> list[tuple[str, str]]:
    """List the days that a button of the page sends on, unseen."""
    return re.findall('type="hidden" name="(data_[a-z]+)" value="([^"]+)"', page)


async def test_what_is_left_out_is_named_with_why(house: PagesHouse) -> None:
    """BPA and the preparing part of a rehabilitation plan are shown, each with the reason it is left out."""
    (handle,) = await house.databases.vault.citizens([CITIZEN])
    part = an_item(JOB, "B01", handle, kind="plan", plan_type="rehab_forberedende_del")
    help_of = an_item(SOCIAL, "S01", handle, kle="27.39.20", law=(LawRef("SEL", "§ 96"),))
    number = CITIZEN.disclose()
    house.sources[JOB].told[number] = [part]
    house.sources[SOCIAL].told[number] = [replace(help_of, from_day=20190101)]
    lene, annette = await house.caseworker(), await house.citizen()
    await lene.get("/case")
    await ask_for(lene, LINES)
    await say_yes(annette)
    await lene.get("/case")

    view = await lene.post("/case", **ASK)

    assert "Vises, men er holdt uden for" in view.text
    assert "Indsatsen er holdt uden for fælles overblik." in view.text
    assert "Den forberedende del af rehabiliteringsplanen indgår ikke i én plan." in view.text
