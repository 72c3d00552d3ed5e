"""A yes to some days of the data is no yes to the others: nothing outside them leaves, nor tells that it is there."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from broker.domain.answers import Answer
from broker.domain.errors import Refused
from broker.domain.events import OutcomeReached
from broker.domain.items import Item
from broker.domain.periods import Period
from broker.exchange import exchange
from broker.web.wire import answer_body
from tests.builders import JOB, SOCIAL, SmallHouse, a_caller, a_house, an_ask, an_item
from tests.fakes.sources import FakeSource

LAST_YEAR, THIS_YEAR = Period(20180101, 20181231), Period(20190101, 20191231)
ONLY_LAST_YEAR = {"data_from": 20180101, "data_to": 20181231}
BOTH = frozenset({JOB, SOCIAL})


async def a_house_of(folder: Path, *days: tuple[int, int | None], **reach: int) -> SmallHouse:
    """Let the social centre hold an item of each of these days, and the citizen have said yes to this reach."""
    house = await a_house(folder, children=False)
    house.consents.standing = [house.consented(SOCIAL, "S01", **reach)]
    for source, category in ((SOCIAL, "S01"), (JOB, "B01")):
        told = [an_item(source, category, house.citizen, from_day=first, to_day=last) for first, last in days]
        house.sources[source].told = dict.fromkeys(house.sources[source].told, told)
    return house


async def days_of(house: SmallHouse, **wish: Any) -> list[tuple[str, int | None]]:
    """Ask, and give source and first day of each item that came."""
    answer = await asked(house, **wish)
    return sorted((item.source, item.from_day) for item in answer.found.items)


async def asked(house: SmallHouse, **wish: Any) -> Answer:
    """Ask the social centre, and one's own records beside it."""
    return await exchange(an_ask(sources=BOTH, categories=frozenset({"S01", "B01"}), **wish), a_caller(), house.ports)


async def test_what_lies_outside_the_days_said_yes_to_stays(tmp_path: Path) -> None:
    """Of the shared records those of last year alone come; one's own are bounded by no yes."""
    house = await a_house_of(tmp_path, (20180601, 20180701), (20190201, 20190228), **ONLY_LAST_YEAR)

    assert await days_of(house) == [(JOB, 20180601), (JOB, 20190201), (SOCIAL, 20180601)]


async def test_an_ask_for_some_days_is_kept_to_them(tmp_path: Path) -> None:
    """What was asked for bounds one's own records too, and what was said yes to besides."""
    house = await a_house_of(tmp_path, (20180601, 20180701), (20190201, 20190228))

    assert await days_of(house, period=THIS_YEAR) == [(JOB, 20190201), (SOCIAL, 20190201)]


async def test_asked_for_other_days_nothing_is_read(tmp_path: Path) -> None:
    """A yes to last year opens nothing of this one: no source is called, one's own neither, and the reason is named."""
    house = await a_house_of(tmp_path, (20180601, 20190228), **ONLY_LAST_YEAR)

    with pytest.raises(Refused) as refused:
        await asked(house, period=THIS_YEAR)

    assert refused.value.reasons == ("OUT_OF_SCOPE_PERIOD",)
    assert [source.asked for source in house.sources.values() if source.asked] == []


async def test_what_lies_outside_leaves_no_shadow(tmp_path: Path) -> None:
    """Whether there are older records cannot be told: body, calls and the outcome's figures are equal."""
    seen = []
    for folder, days in (("one", ()), ("other", ((20190201, 20190228), (20170101, 20171231)))):
        (tmp_path / folder).mkdir()
        house = await a_house_of(tmp_path / folder, *days, **ONLY_LAST_YEAR)
        house.sources[JOB].told = {}
        answer = await asked(house)
        outcome = next(row for rows in house.log.logs.values() for row in rows if isinstance(row, OutcomeReached))
        body = answer_body(replace(answer, ask=""), house.directory)
        figures = (outcome.shared_items, outcome.dropped, outcome.kept, outcome.sources_read)
        seen.append((without_ids(body), figures, [source.asked for source in house.sources.values()]))

    assert seen[0] == seen[1]


async def test_the_asker_is_told_which_days_were_said_yes_to(tmp_path: Path) -> None:
    """A verdict names the days, so that nobody takes last year's records for all there is."""
    house = await a_house_of(tmp_path, (20180601, 20180701), **ONLY_LAST_YEAR)

    verdicts = {row["source"]: row for row in answer_body(await asked(house), house.directory)["verdicts"]}

    assert verdicts[SOCIAL]["periods"] == [[{"data_from": "2018-01-01", "data_to": "2018-12-31"}]]
    assert "periods" not in verdicts[JOB]


async def test_a_yes_that_shrinks_while_sources_answer_shrinks_what_leaves(tmp_path: Path) -> None:
    """Judged again under a running ask: what only the first yes reached stays (P3)."""
    house = await a_house_of(tmp_path, (20180601, 20180701), (20190201, 20190228))
    (whole,) = house.consents.standing

    class Shrinking(FakeSource):
        """A source during whose answer the citizen's yes shrinks to last year."""

        async def read(self, *asked_for: Any) -> tuple[Item, ...]:
            """Answer as the fake does."""
            house.consents.standing = [replace(whole, version=2, **ONLY_LAST_YEAR)]
            house.consents.versions[house.citizen] = house.consents.versions.get(house.citizen, 0) + 1
            return await super().read(*asked_for)

    social = house.sources[SOCIAL]
    house.sources[SOCIAL] = house.ports.sources[SOCIAL] = Shrinking(SOCIAL, social.told, social.categories)

    assert [row for row in await days_of(house) if row[0] == SOCIAL] == [(SOCIAL, 20180601)]


def without_ids(body: Mapping[str, Any]) -> bytes:
    """Write an answer without what is new in each."""
    return orjson.dumps({name: value for name, value in body.items() if name not in {"ask", "receipt"}})
