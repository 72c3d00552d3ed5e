"""A caseworker who asks about themself or their family: nothing goes out, and the answer does not say why (P1, P6)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from broker.domain.errors import Refused
from broker.domain.events import OutcomeReached
from broker.domain.facts import CustodyHolder, RegisterRepresentative
from broker.domain.personal import Personal
from broker.exchange import exchange
from tests.builders import CHILD, CITIZEN, SOCIAL, STRANGER, SmallHouse, a_caller, a_house, an_ask

WANT_OF_CONSENT = {"NO_CONSENT", "OUT_OF_SCOPE_CATEGORY", "OUT_OF_SCOPE_SOURCE"}


@pytest.fixture
def house(tmp_path: Path) -> SmallHouse:
    """The small house, where the citizen said yes to one category, and somebody else holds custody of the child too."""
    made = asyncio.run(a_house(tmp_path))
    made.consents.standing.append(made.consented(SOCIAL, "S01"))
    son = made.people.persons[CHILD]
    made.people.persons[CHILD] = replace(son, custody=(*son.custody, CustodyHolder(STRANGER, 4)))
    return made


@pytest.mark.parametrize("own", [CITIZEN, CHILD, STRANGER], ids=["themself", "their child", "the other parent's child"])
def test_nobody_looks_up_their_own_family(house: SmallHouse, own: Personal[str]) -> None:
    """The citizen, their child and the child's other parent: the log says why not, the asker sees want of consent."""
    with pytest.raises(Refused) as caught:
        asyncio.run(exchange(an_ask(), a_caller(cpr=own), house.ports))

    outcome = next(event for event in house.log.events if isinstance(event, OutcomeReached))
    assert {code for verdict in outcome.verdicts for code in verdict.reasons} == {"SELF_OR_RELATED"}
    assert set(caught.value.reasons) <= WANT_OF_CONSENT
    assert all(source.asked == [] for source in house.sources.values())


@pytest.mark.parametrize("what", ["household", "representatives"])
def test_nobody_looks_up_whom_they_live_with_or_act_for(house: SmallHouse, what: str) -> None:
    """Where the register tells that the two share a home, or one acts for the other, nothing goes out."""
    own = Personal("0101700003")
    told = {"household": (own,), "representatives": (RegisterRepresentative(own, "assistant", ()),)}
    house.people.persons[CITIZEN] = replace(house.people.persons[CITIZEN], **{what: told[what]})

    with pytest.raises(Refused):
        asyncio.run(exchange(an_ask(), a_caller(cpr=own), house.ports))

    outcome = next(event for event in house.log.events if isinstance(event, OutcomeReached))
    assert {code for verdict in outcome.verdicts for code in verdict.reasons} == {"SELF_OR_RELATED"}


def test_a_stranger_to_the_family_is_answered(house: SmallHouse) -> None:
    """A caseworker whose own number is nobody's here gets what the yes covers."""
    answer = asyncio.run(exchange(an_ask(), a_caller(cpr=Personal("0101700003")), house.ports))

    assert {item.category for item in answer.found.items if item.source == SOCIAL} == {"S01"}
