"""A child whose address is protected: who holds custody and lives elsewhere is not told which school to look for."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from broker.consents.answer import Yes, grant
from broker.consents.desk import TakenYes, record_at_desk
from broker.consents.lines import Wanted, WantedLine
from broker.consents.own import OwnRequest
from broker.consents.request import request_consent
from broker.domain.consents import ConsentRequest
from broker.domain.events import ConsentRequested
from broker.domain.facts import CustodyHolder
from broker.domain.identity import CitizenLogin
from broker.domain.personal import Personal
from broker.web.consent_wire import consent_body, grant_body, my_request_body, request_body
from demo.postgres import PrivatePostgres
from tests.builders import CASE, CHILD, CITIZEN, NOON, PURPOSE, REGISTRY, SCHOOL, SmallHouse, a_caller, a_house
from tests.fakes.registers import FakePeople
from tests.pages_house import PagesHouse, Reader, hidden, link, open_pages

FATHER = Personal("6505700011")
TODAY = 20190304


async def a_house_of(folder: Path, *, protected: bool | None, lives_with: tuple[Personal[str], ...]) -> SmallHouse:
    """Let both parents hold custody of the child, who lives with these."""
    house = await a_house(folder)
    holders = (CustodyHolder(CITIZEN, 3), CustodyHolder(FATHER, 4))
    son = house.people.persons[CHILD]
    house.people.persons[CHILD] = replace(son, custody=holders, protected=protected, household=lives_with)
    return house


async def asked(house: SmallHouse) -> ConsentRequest:
    """Ask for the child's absence from school."""
    wish = Wanted(CITIZEN, PURPOSE, Personal(CASE), (WantedLine(SCHOOL, "K01"),), 20200303)
    made, _ = await request_consent(str(uuid.uuid4()), wish, a_caller(), house.ports)
    return made


async def told(house: SmallHouse, cpr: Personal[str]) -> list[str]:
    """Give all that a parent is told, from the request to the consent they gave, as it is sent."""
    (me,) = await house.handles.citizens([cpr])
    request = await asked(house)
    own = OwnRequest(request, me)
    before = my_request_body(own, [own], [me], TODAY, house.directory)
    given, receipt = await grant(request.id, Yes(), CitizenLogin(cpr, "Substantial", NOON), house.ports)
    mine = [consent_body(one, me, NOON) for one in await house.ports.consents.of_citizen(me)]
    return [orjson.dumps(body).decode() for body in (before, grant_body(given, receipt), mine)]


def names_it(body: str) -> bool:
    """Tell whether the school's system is named, as a code or in words."""
    return f'"source":"{SCHOOL}"' in body or f"fra {SCHOOL}" in body


@pytest.mark.parametrize("protected", [True, None], ids=["protected", "not told"])
async def test_who_lives_elsewhere_is_not_told_the_source(tmp_path: Path, protected: bool | None) -> None:
    """The request, its text, the answer and the list of consents name a category and no source; hers name it."""
    house = await a_house_of(tmp_path, protected=protected, lives_with=(CITIZEN,))

    his, hers = await told(house, FATHER), await told(house, CITIZEN)

    assert [names_it(body) for body in his] == [False] * 3
    assert [names_it(body) for body in hers] == [True] * 3
    assert all("K01" in body for body in his)
    assert "en enhed i kommunen" in his[0]


async def test_the_citizen_of_the_case_is_no_exception(tmp_path: Path) -> None:
    """Where the child lives with the other parent, the citizen hears of no source either, on their log least of all."""
    house = await a_house_of(tmp_path, protected=True, lives_with=(FATHER,))

    hers = await told(house, CITIZEN)

    assert [names_it(body) for body in hers] == [False] * 3
    heard = [event for event in house.log.events if isinstance(event, ConsentRequested)]
    assert [event.subject for event in heard] == [house.child]


async def test_without_protection_everybody_is_told(tmp_path: Path) -> None:
    """A yes names its source, wherever nothing stands against it (RSL § 11 a)."""
    house = await a_house_of(tmp_path, protected=False, lives_with=())

    assert [names_it(body) for body in await told(house, FATHER)] == [True] * 3


async def test_who_asks_learns_nothing_of_it(tmp_path: Path) -> None:
    """What the unit is answered is the same with and without protection: for a request, and at a desk (P6)."""
    seen = []
    for name, protected in (("one", True), ("other", False)):
        (tmp_path / name).mkdir()
        house = await a_house_of(tmp_path / name, protected=protected, lives_with=(CITIZEN,))
        wish = Wanted(CITIZEN, PURPOSE, Personal(CASE), (WantedLine(SCHOOL, "K01"),), 20200303)
        taken = TakenYes("paper", "da", Personal("Underskrevet ved skranken."), FATHER)
        given, receipt = await record_at_desk(str(uuid.uuid4()), wish, taken, a_caller(), house.ports)
        bodies: list[dict[str, Any]] = [
            request_body(await asked(house), TODAY),
            grant_body(given, receipt, to_unit=True),
        ]
        seen.append([{k: v for k, v in body.items() if k not in {"id", "consent"}} for body in bodies])

    assert seen[0] == seen[1]


async def pages_of(house: PagesHouse, reader: Reader, request: str) -> dict[str, str]:
    """Give each page that a parent opens of a request, from the question to what has become of their yes."""
    place = f"/mine/requests/{request}"
    first = (await reader.get(place)).text
    some = f"{place}/some?mark={hidden(first, 'mark')}&line=0"
    seen = {place: first, f"{place}/often": (await reader.get(f"{place}/often")).text}
    seen[some] = (await reader.get(some)).text
    await reader.get(place)
    seen["receipt"] = (await reader.send(f"{place}/yes", digest=hidden(first, "digest"))).text
    seen |= {page: (await reader.get(page)).text for page in ("/mine", "/mine?by=topic", "/mine/accesses", place)}
    stop = link(seen["/mine"], '/mine/consents/[^"?]+/stop[^"]*')
    return seen | {stop: (await reader.get(stop)).text}


@pytest.mark.parametrize("protected", [True, None], ids=["protected", "not told"])
async def test_no_page_names_the_source(postgres: PrivatePostgres, tmp_path: Path, protected: bool | None) -> None:
    """The father's pages name neither the school's system nor its id, in either language; the mother's do."""
    # A name that no word of the page holds.
    named = REGISTRY["sources"] | {SCHOOL: REGISTRY["sources"][SCHOOL] | {"name": {"da": "Tabulex", "en": "Tabellex"}}}
    async with open_pages(postgres, tmp_path, sources=named) as house:
        people = house.ports.people
        assert isinstance(people, FakePeople)
        both = (CustodyHolder(CITIZEN, 3), CustodyHolder(FATHER, 4))
        people.persons[CHILD] = replace(
            people.persons[CHILD], custody=both, protected=protected, household=(CITIZEN,)
        )  # fmt: skip
        wish = Wanted(CITIZEN, PURPOSE, Personal(CASE), (WantedLine(SCHOOL, "K01"),), 20200303)
        made, _ = await request_consent(str(uuid.uuid4()), wish, a_caller(), house.ports)
        school = house.ports.directory.sources[SCHOOL]
        father, mother = await house.citizen(FATHER), await house.citizen()
        await father.get("/mine")
        in_english = Reader(father.http, father.seen)
        english = (await in_english.get(f"/mine/requests/{made.id}", **{"accept-language": "en"})).text
        his, hers = await pages_of(house, father, made.id), await pages_of(house, mother, made.id)

    names = (school.name_da, school.name_en)
    told = [page for page, text in {**his, "english": english}.items() if any(name in text for name in names)]
    assert told == []
    assert not any(f'"{SCHOOL}"' in text for text in his.values())
    assert all(school.name_da in text for page, text in hers.items() if page.startswith("/mine/requests"))
    assert his[f"/mine/requests/{made.id}"].lower().count("en enhed i kommunen") >= 2
