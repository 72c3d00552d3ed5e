"""To say yes, but not so often: chosen on a page of its own, read before it is given, and seen afterwards."""

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import pytest

from broker.adapters.signed_records import keys_of, opened
from demo.postgres import PrivatePostgres
from tests.pages_house import ASK, PagesHouse, Reader, ask_for, hidden, link, marked, open_pages

LINES = ["social/S01", "social/S02"]


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Give a small house with its pages."""
    async with open_pages(postgres, tmp_path) as made:
        yield made


async def question(house: PagesHouse, lene: Reader, annette: Reader) -> str:
    """Let the citizen be asked; give the address of the question."""
    await lene.get("/case")
    await ask_for(lene, LINES)
    return link((await annette.get("/mine")).text, '/mine/requests/[^"/]+')


async def test_nothing_is_ticked_and_both_must_be_chosen(house: PagesHouse) -> None:
    """The page offers how often and what, chooses neither, and says what is missing."""
    annette = await house.citizen()
    asked = await question(house, await house.caseworker(), annette)
    page = (await annette.get(link((await annette.get(asked)).text, '/mine/requests/[^"]+/often'))).text
    often = await annette.get(f"{asked}/some?often=1&line=0&{await marked(annette, asked)}")
    lines = await annette.get(f"{asked}/some?often=1&limit=once&{await marked(annette, asked)}")

    assert (page.count('type="radio"'), page.count('type="checkbox"'), page.count("checked")) == (4, 2, 0)
    assert (often.status_code, "Vælg, hvor tit de må kigge, eller den sidste dag." in often.text) == (400, True)
    assert (lines.status_code, "Vælg mindst én" in lines.text) == (400, True)


async def test_who_goes_back_finds_what_they_chose(house: PagesHouse) -> None:
    """The way back from the last reading ticks the same lines, how often and the day, and sends the same again."""
    annette = await house.citizen()
    asked = await question(house, await house.caseworker(), annette)
    mark = await marked(annette, asked)
    chose = {"": "line=1", "/often": "line=1&limit=monthly-2&until=2019-04-10"}
    for where, choice in chose.items():
        sure = (await annette.get(f"{asked}/some?{choice}&{mark}")).text
        again = unescape(link(sure, f'{asked}{where}[?][^"]+'))
        page = (await annette.get(again)).text

        assert again == f"{asked}{where}?{choice}&{mark}"
        assert re.findall(r'<input[^>]*name="line"[^>]*value="(.)" checked>', page) == ["1"]
        assert page.count(" checked") == choice.count("line") + choice.count("limit")
        assert ('monthly-2" checked' in page, 'value="2019-04-10"' in page) == (bool(where), bool(where))


async def test_the_receipt_of_what_is_used_up_says_so(house: PagesHouse) -> None:
    """The page of the receipt, and the file of the yes as it stands, no longer say that it is in force."""
    lene, annette = await house.caseworker(), await house.citizen()
    asked = await question(house, lene, annette)
    sure = (await annette.get(f"{asked}/some?often=1&limit=once&line=0&line=1&{await marked(annette, asked)}")).text
    receipt = await annette.send(f"{asked}/yes", digest=hidden(sure, "digest"), limit="once", line=["0", "1"])
    file = f"/v1/me/consents/{link(receipt.text, '/mine/consents/[^/]+/stop').split('/')[3]}/receipt"
    keys = keys_of((await annette.http.get("/.well-known/consent-receipt-keys")).json())
    before = opened((await annette.http.get(file)).content, keys)["state"]
    await lene.get("/case")
    await lene.post("/case", **ASK)
    after, page = opened((await annette.http.get(file)).content, keys)["state"], await annette.get(receipt.url.path)

    assert [state.rpartition("#")[2] for state in (before, after)] == ["ConsentGiven", "ConsentExpired"]
    assert "Det gælder ikke nu." not in receipt.text
    assert "Du har sagt ja" in page.text
    assert "Det gælder ikke nu. Ingen kan hente noget på det ja." in page.text
    assert "/stop" not in page.text


async def test_what_is_read_is_what_is_given(house: PagesHouse) -> None:
    """The text says the limit before the yes; the receipt and the first page say it after, with each look."""
    lene, annette = await house.caseworker(), await house.citizen()
    asked = await question(house, lene, annette)
    sure = (await annette.get(f"{asked}/some?often=1&limit=once&line=0&line=1&{await marked(annette, asked)}")).text
    receipt = await annette.send(f"{asked}/yes", digest=hidden(sure, "digest"), limit="once", line=["0", "1"])
    before = (await annette.get("/mine")).text
    await lene.get("/case")
    looked = await lene.post("/case", **ASK)
    after = (await annette.get("/mine")).text

    assert "De må kun kigge én gang. Så er dit ja brugt op." in sure
    assert "Til resten siger du nej" not in sure
    assert "De må kun kigge én gang." in receipt.text
    assert "De har ikke kigget endnu." in before
    assert looked.status_code == 200
    assert "det var til én gang og blev brugt" in after
    assert "De har ikke kigget endnu." not in after


@pytest.mark.parametrize("limit", ["", "monthly-4", "monthly-99", "always"])
async def test_no_other_limit_than_the_one_read(house: PagesHouse, limit: str) -> None:
    """A form whose limit is not that of the text it carries gives nothing."""
    annette = await house.citizen()
    asked = await question(house, await house.caseworker(), annette)
    sure = (await annette.get(f"{asked}/some?often=1&limit=once&line=0&{await marked(annette, asked)}")).text
    answer = await annette.post(f"{asked}/yes", digest=hidden(sure, "digest"), limit=limit, line="0")

    assert answer.status_code in {400, 409}
    assert "De må" not in (await annette.get("/mine")).text


async def test_what_is_left_of_the_month_is_told(house: PagesHouse) -> None:
    """Of twice a month, one is left after a look, and the look is listed; the page is in English too."""
    lene, annette = await house.caseworker(), await house.citizen()
    asked = await question(house, lene, annette)
    sure = (await annette.get(f"{asked}/some?often=1&limit=monthly-2&line=0&{await marked(annette, asked)}")).text
    await annette.send(f"{asked}/yes", digest=hidden(sure, "digest"), limit="monthly-2", line="0")
    await lene.get("/case")
    await lene.post("/case", **ASK)
    danish = (await annette.get("/mine")).text
    english = (await annette.get("/mine?lang=en")).text

    assert "Der er 1 gang tilbage i denne måned." in danish
    assert "Hvornår de har kigget" in danish
    assert "They may look at most 2 times a month. 1 time is left this month." in " ".join(english.split())


async def test_a_last_day_of_one_s_own(house: PagesHouse) -> None:
    """A day before the one asked for is read, given, on the receipt and on the first page; how often is not needed."""
    annette = await house.citizen()
    asked = await question(house, await house.caseworker(), annette)
    sure = (await annette.get(f"{asked}/some?often=1&until=2019-04-10&line=0&{await marked(annette, asked)}")).text
    receipt = await annette.send(f"{asked}/yes", digest=hidden(sure, "digest"), until="2019-04-10", line="0")
    (given,) = (await annette.http.get("/v1/me/consents")).json()["consents"]

    assert "til og med 10.4.2019" in sure
    assert hidden(sure, "until") == "2019-04-10"
    assert "10. april 2019" in receipt.text
    assert [line["to"] for line in given["lines"]] == ["2019-04-10"]
    assert "10. april 2019" in (await annette.get("/mine")).text


@pytest.mark.parametrize("until", ["2019-03-03", "2020-03-04", "2019-02-30", "x", "9999-12-31", "\x00"])
async def test_no_last_day_outside_what_is_asked(house: PagesHouse, until: str) -> None:
    """A day that is over, that lies behind the one asked for, or that is none, is said to be so; nothing is given."""
    annette = await house.citizen()
    asked = await question(house, await house.caseworker(), annette)
    sure = (await annette.get(f"{asked}/some?often=1&limit=once&line=0&{await marked(annette, asked)}")).text
    page = await annette.http.get(
        f"{asked}/some",
        params={"line": "0", "until": until, "mark": hidden((await annette.get(asked)).text, "mark")},
        headers={"accept": "text/html"},
    )
    sent = await annette.post(f"{asked}/yes", digest=hidden(sure, "digest"), limit="once", until=until, line="0")

    assert (page.status_code, "inden for det, de spørger om" in page.text) == (400, True)
    assert sent.status_code in {400, 409}
    assert (await annette.http.get("/v1/me/consents")).json() == {"consents": []}


async def test_each_line_says_when_it_was_last_seen(house: PagesHouse) -> None:
    """Only what was handed out is said to have been seen, and by the unit that saw it."""
    lene, annette = await house.caseworker(), await house.citizen()
    asked = await question(house, lene, annette)
    sure = (await annette.get(f"{asked}/some?line=0&{await marked(annette, asked)}")).text
    await annette.send(f"{asked}/yes", digest=hidden(sure, "digest"), line="0")
    before = (await annette.get("/mine")).text
    await lene.get("/case")
    await lene.post("/case", **ASK)
    after = (await annette.get("/mine")).text

    assert (before.count("De så det sidst"), after.count("De så det sidst")) == (0, 1)
