"""What the citizen and the DPO read of an evaluation: somebody asked whether they may; nothing was handed out."""

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import pytest

from broker.domain.asks import EVALUATION
from broker.evaluation.evaluate import evaluate
from broker.exchange.record import record
from demo.postgres import PrivatePostgres
from tests.builders import a_caller, an_ask
from tests.pages_house import PagesHouse, open_pages

ASKED = {
    "da": "spurgte, om de må se oplysninger om dig",
    "en": "asked whether they may see information about you",
}
NOTHING = {"da": "Spurgt, om de må; intet blev givet ud", "en": "Asked whether they may; nothing was handed out"}
MAY = {"da": "De fik at vide, at de må se:", "en": "They were told that they may see:"}
MAY_NOT = {"da": "Det må de ikke se, og hvorfor", "en": "What they may not see, and why"}
OF_THE_DPO = {"da": "spurgt, om de må; intet blev givet ud", "en": "asked whether they may; nothing was handed out"}
GOT = ("Fik det", "Got it", "Fik intet", "Got nothing", "De måtte se:")
PLACES = frozenset({("job", "B01"), ("social", "S01")})


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Give a small house with its pages."""
    async with open_pages(postgres, tmp_path) as made:
        yield made


def words(page: str) -> str:
    """Give what a page says, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


@pytest.mark.parametrize("language", ["da", "en"])
async def test_the_citizen_reads_who_asked_whether_they_may(house: PagesHouse, language: str) -> None:
    """One row: that it was asked, that nothing was handed out, what they may see and why, and what not."""
    ask = an_ask(categories=frozenset({"B01", "S01"}), sources=frozenset({"job", "social"}), places=PLACES)
    await evaluate(ask, a_caller(), house.ports)
    page = words((await (await house.citizen()).get(f"/mine/accesses?lang={language}")).text)

    assert page.count(ASKED[language]) == 1
    assert page.count(NOTHING[language]) == 1
    may, may_not = page.partition(MAY[language])[2].partition(MAY_NOT[language])[::2]
    assert "job" in may
    assert "social" not in may
    assert "social" in may_not
    assert [word for word in GOT if word in page] == []


@pytest.mark.parametrize("language", ["da", "en"])
async def test_an_evaluation_that_was_never_decided_is_told_too(house: PagesHouse, language: str) -> None:
    """An evaluation whose outcome never came stands as asked, and as nothing handed out."""
    ports = house.ports
    await record(an_ask(), a_caller(), ports.clock.now(), ports.handles, ports.log, aim=EVALUATION)
    page = words((await (await house.citizen()).get(f"/mine/accesses?lang={language}")).text)

    assert page.count(ASKED[language]) == 1
    assert page.count(NOTHING[language]) == 1


@pytest.mark.parametrize("language", ["da", "en"])
async def test_the_dpo_reads_that_nothing_was_handed_out(house: PagesHouse, language: str) -> None:
    """The row says so, names no source as read and no category as released, and can be filtered on."""
    await evaluate(an_ask(sources=frozenset({"social"}), categories=frozenset({"S01"})), a_caller(), house.ports)
    officer = await house.officer()
    page = (await officer.get(f"/dpo?outcome=evaluated&lang={language}")).text
    rows = re.findall(r'<li class="bb-panel">.*?</li>', page, re.DOTALL)
    found = (await officer.http.get("/v1/accesses?outcome=evaluated")).json()["entries"]

    assert [OF_THE_DPO[language] in words(row) for row in rows] == [True]
    assert [(row["outcome"], row["sources"], row["categories"], row["basis"]) for row in found] == [
        ("evaluated", [], [], [])
    ]
