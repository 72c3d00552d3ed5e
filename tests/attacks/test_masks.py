"""What a mask hides stays hidden in everything an item holds: names, telephone numbers, places, words (P5)."""

from __future__ import annotations

import asyncio
from dataclasses import fields, replace
from pathlib import Path

import orjson
import pytest

from broker.domain.items import Item, ItemPerson
from broker.domain.personal import Personal
from broker.exchange import exchange
from broker.web.wire import answer_body
from tests.builders import CHILD, CITIZEN, FAMILY, SOCIAL, SmallHouse, a_caller, a_house, an_ask, an_item

NAME, PHONE, TITLE, PLACE = "Viktor Holm", "11223344", "Samtaler om flytningen", "Krisecentret på Havnegade"


def with_telling_items(house: SmallHouse) -> SmallHouse:
    """Let both sources tell a name, a number, words and a place, and let consents open them."""
    people = tuple(ItemPerson(role, Personal(NAME), Personal(PHONE)) for role in ("child", "helper"))
    for source, category, cpr, subject in (
        (SOCIAL, "S01", CITIZEN, house.citizen),
        (FAMILY, "F01", CHILD, house.child),
    ):
        telling = replace(an_item(source, category, subject), title=Personal(TITLE), text=Personal(TITLE), unit=PLACE)
        house.sources[source].told[cpr.disclose()] = [replace(telling, people=people)]
        house.consents.standing.append(house.consented(source, category, subject))
    return house


@pytest.fixture
def house(tmp_path: Path) -> SmallHouse:
    """The small house, in which sources tell all that a mask may hide."""
    return with_telling_items(asyncio.run(a_house(tmp_path)))


def told(house: SmallHouse, source: str) -> str:
    """Ask, and give what the asker reads of one source's items."""
    answer = asyncio.run(exchange(an_ask(), a_caller(), house.ports))
    rows = [row for row in answer_body(answer, house.directory)["items"] if row["source"] == source]
    assert len(rows) == 1
    return orjson.dumps(rows).decode()


@pytest.mark.parametrize("protected", [True, None], ids=["protected", "nobody knows"])
def test_a_protected_citizen_has_no_place(house: SmallHouse, protected: bool | None) -> None:
    """Under protection neither a unit's name, a telephone number nor any free word tells where somebody is."""
    house.people.persons[CITIZEN] = replace(house.people.persons[CITIZEN], protected=protected)

    seen = told(house, SOCIAL)

    assert [word for word in (PHONE, TITLE, PLACE) if word in seen] == []
    assert "social_centre" in seen


def test_an_unprotected_citizen_keeps_the_place(house: SmallHouse) -> None:
    """Without protection the same item tells them: the mask hides, not the source."""
    seen = told(house, SOCIAL)

    assert [word for word in (NAME, PHONE, TITLE, PLACE) if word in seen] == [NAME, PHONE, TITLE, PLACE]


def test_every_field_of_an_item_was_judged() -> None:
    """Each thing an item can say is known to tell a place, or not to; a new one must be judged before it is shown."""
    tells_place = {"title", "text", "unit", "people"}
    judged = {
        "source", "category", "subject", "kind", "id", "fetched_at", "from_day", "to_day", "law", "kle", "need",
        "limits", "demands", "visits", "topic", "status", "decision", "plan_type", "next_follow_up", "hours_per_week",
    }  # fmt: skip

    assert {field.name for field in fields(Item)} == tells_place | judged
    assert {field.name for field in fields(ItemPerson)} == {"role", "name", "phone", "label"}


def test_a_child_is_not_named_to_another_unit(house: SmallHouse) -> None:
    """The child's name and number go, and words that may hold them; a helper's name stays."""
    seen = told(house, FAMILY)

    assert TITLE not in seen
    assert (seen.count(NAME), seen.count(PHONE)) == (1, 1)
    assert "barn i hjemmet" in seen
