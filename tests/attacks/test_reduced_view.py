"""Where only one area of a whole person is seen at work, the log says so, and no more than the asker saw."""

from pathlib import Path

import pytest

from broker.domain.errors import Refused
from broker.domain.events import OutcomeReached
from broker.exchange import exchange
from broker.view.whole_person import is_reduced
from tests.builders import FAMILY, HEALTH, JOB, SOCIAL, SmallHouse, a_caller, a_house, an_ask


async def viewed(house: SmallHouse, *sources: str, view: bool = True) -> list[str]:
    """Ask these sources, and give what each outcome says of the view."""
    before = len(outcomes(house))
    ask = an_ask(sources=frozenset(sources))
    await exchange(ask, a_caller(), house.ports, is_reduced=is_reduced if view else None)
    return [event.view for event in outcomes(house)[before:]]


def outcomes(house: SmallHouse) -> list[OutcomeReached]:
    """Give the outcomes on all logs."""
    return [event for events in house.log.logs.values() for event in events if isinstance(event, OutcomeReached)]


async def test_the_outcome_says_whether_the_view_was_whole(tmp_path: Path) -> None:
    """Two areas seen: whole; one alone: reduced, whatever is withheld; items alone are no view (C12)."""
    house = await a_house(tmp_path, children=False)
    house.consents.standing = [house.consented(SOCIAL, "S01")]

    assert await viewed(house, JOB, SOCIAL) == ["whole"]
    assert await viewed(house, SOCIAL, HEALTH) == ["reduced"]
    assert await viewed(house, SOCIAL, view=False) == [""]


async def test_the_log_knows_no_more_of_it_than_the_asker(tmp_path: Path) -> None:
    """What is withheld makes no view whole; where a child is touched, their entry says nothing of the citizen's."""
    house = await a_house(tmp_path)
    house.consents.standing = [house.consented(FAMILY, "F01", house.child)]

    assert await viewed(house, FAMILY, HEALTH) == ["reduced", ""]


async def test_of_a_refusal_nothing_is_said(tmp_path: Path) -> None:
    """Where nothing goes out there is no view to speak of."""
    house = await a_house(tmp_path, children=False)

    with pytest.raises(Refused):
        await viewed(house, SOCIAL)

    assert [event.view for event in outcomes(house)] == [""]
