"""What was asked under a former CPR number is for the one person who had it; nobody reaches a question through it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.domain.facts import CustodyHolder, RegisterPerson, RegisterRepresentative
from broker.domain.personal import Personal
from demo.postgres import PrivatePostgres
from tests.builders import CASE, CHILD, CITIZEN, STRANGER, a_caller
from tests.consent_values import a_line, a_request, requested
from tests.fakes.registers import FakePeople
from tests.pages_house import LINES, PagesHouse, Reader, ask_for, open_pages

NEW, CHILDS_NEW, FATHER = Personal("6211740022"), Personal("6009064011"), Personal("6505700011")


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Give a small house with its pages."""
    async with open_pages(postgres, tmp_path) as made:
        yield made


def people(house: PagesHouse) -> FakePeople:
    """Give the register of persons."""
    assert isinstance(house.ports.people, FakePeople)
    return house.ports.people


def moved(house: PagesHouse, old: Personal[str] = CITIZEN, new: Personal[str] = NEW, **changes: Any) -> None:
    """Give somebody another number."""
    register = people(house)
    row = register.persons[old]
    register.persons[old] = replace(row, current_cpr=new)
    register.persons[new] = replace(row, cpr=new, former=(old,), **changes)


async def asked(house: PagesHouse, *lines: str) -> str:
    """Let Lene ask the citizen by the number of the case; give the request's id."""
    lene = await house.caseworker()
    await lene.get("/case")
    made = await ask_for(lene, list(lines or LINES[:2]))
    return str(made.headers["location"]).rsplit("/", 1)[1]


async def put_to(house: PagesHouse, cpr: Personal[str], about: Personal[str] | None = None) -> str:
    """Let somebody be asked by a number, about themself or another; give the request's id."""
    (giver,) = await house.ports.handles.citizens([cpr])
    (subject,) = await house.ports.handles.citizens([about or cpr])
    line = a_line(subject, giver=giver)
    case = await house.ports.handles.case("jobcentre", Personal(CASE))
    made = a_request(subject, case, line, unit="jobcentre", from_day=20190304, to_day=20200303)
    await house.ports.consents.request(made, requested(made, await house.ports.handles.actor(a_caller().caseworker)))
    return made.id


async def requests(reader: Reader) -> list[Any]:
    """List what somebody is asked, over the API."""
    answer = await reader.http.get("/v1/me/consent-requests")
    assert answer.status_code == 200
    return list(answer.json()["requests"])


async def tries(reader: Reader, request: str) -> set[int]:
    """Reach for a question at every door that leads to one."""
    await reader.get("/mine/notices/korsbaek")
    csrf = {"X-CSRF-Token": reader.csrf}
    return {
        (await reader.get(f"/mine/requests/{request}")).status_code,
        (await reader.get(f"/mine/requests/{request}/some?line=0")).status_code,
        (await reader.get(f"/mine/requests/{request}/often")).status_code,
        (await reader.post(f"/mine/requests/{request}/yes", digest="00" * 32)).status_code,
        (await reader.post(f"/mine/requests/{request}/no")).status_code,
        (await reader.http.post(f"/v1/me/consent-requests/{request}/grant", json={}, headers=csrf)).status_code,
        (await reader.http.post(f"/v1/me/consent-requests/{request}/refuse", headers=csrf)).status_code,
        (await reader.http.get(f"/v1/me/consent-requests/{request}/receipt")).status_code,
    }


async def untouched(house: PagesHouse, request: str, cpr: Personal[str]) -> bool:
    """Tell whether nobody has answered, as who it is put to sees it."""
    (handle,) = await house.ports.handles.citizens([cpr])
    return (await house.ports.consents.request_by_id(request, citizen=handle)).answers == ()


async def test_it_is_found_and_answered_over_the_api(house: PagesHouse) -> None:
    """Listed, said yes to and kept with its receipt, under the handle it was put to; a no as well."""
    first = await asked(house)
    second = await asked(house, "family/F01")
    moved(house)
    annette = await house.citizen(NEW)
    await annette.get("/mine/notices/korsbaek")
    csrf = {"X-CSRF-Token": annette.csrf}
    told = {row["id"]: row for row in await requests(annette)}
    yes = await annette.http.post(f"/v1/me/consent-requests/{first}/grant", json={}, headers=csrf)
    no = await annette.http.post(f"/v1/me/consent-requests/{second}/refuse", headers=csrf)

    assert set(told) == {first, second}
    assert {row["about"] for row in told[first]["my_lines"]} == {"me"}
    assert told[first]["text"]["da"] == yes.json()["text"]
    assert (yes.status_code, no.status_code) == (200, 200)
    consent = yes.json()["consent"]
    for address in (f"/v1/me/consents/{consent}/receipt", f"/v1/me/consent-requests/{second}/receipt"):
        assert (await annette.http.get(address)).status_code == 200
    assert len((await annette.http.get("/v1/me/consents/export")).json()["records"]) == 2
    (before,) = await house.ports.handles.citizens([CITIZEN])
    assert {line.giver for row in await house.ports.consents.of_citizen(before) for line in row.lines} == {before}


async def test_one_row_of_the_register_alone_opens_no_question(house: PagesHouse) -> None:
    """Who is said to have had another's number, where that number does not lead to them, finds nothing at any door."""
    request = await asked(house)
    people(house).persons[STRANGER] = RegisterPerson(STRANGER, True, 19630101, former=(CITIZEN, NEW))
    ida = await house.citizen(STRANGER)

    assert await requests(ida) == []
    assert await tries(ida, request) == {404}
    assert request not in (await ida.get("/mine")).text
    assert await untouched(house, request, CITIZEN)


async def test_the_old_number_reaches_nothing_that_is_put_to_the_new(house: PagesHouse) -> None:
    """Who still logs in by the number of before sees what stands under that one alone."""
    moved(house)
    request = await put_to(house, NEW)
    annette = await house.citizen(CITIZEN)

    assert await requests(annette) == []
    assert await tries(annette, request) == {404}
    assert await untouched(house, request, NEW)


GUARDIAN = RegisterRepresentative(FATHER, "guardian_6", ("personal", "economic"), 20180101, 99991231)
OTHERS: dict[str, Callable[[RegisterPerson], RegisterPerson]] = {
    "holds custody": lambda row: replace(row, custody=(CustodyHolder(CITIZEN, 3), CustodyHolder(FATHER, 4))),
    "is told as the parent of before": lambda row: replace(row, former=(FATHER, CHILD)),
    "is a guardian": lambda row: replace(
        row,
        representatives=(RegisterRepresentative(FATHER, "guardian_6", ("personal", "economic"), 20180101, 99991231),),
    ),
}


@pytest.mark.parametrize("how", OTHERS)
async def test_a_childs_former_number_gives_a_parent_nothing(house: PagesHouse, how: str) -> None:
    """What is put to a young person themself, under the number they had, is found by them and by nobody of theirs."""
    young = replace(people(house).persons[CHILD], born=20030920, cpr=CHILD)
    people(house).persons[CHILD] = young
    request = await put_to(house, CHILD)
    moved(house, CHILD, CHILDS_NEW)
    people(house).persons[CHILDS_NEW] = OTHERS[how](people(house).persons[CHILDS_NEW])
    people(house).persons[FATHER] = RegisterPerson(
        FATHER, True, 19700565, children=(CHILDS_NEW, CHILD), former=(CHILD,)
    )

    for cpr in (FATHER, CITIZEN):
        reader = await house.citizen(cpr)
        assert request not in {row["id"] for row in await requests(reader)}
        assert await tries(reader, request) == {404}
    assert await untouched(house, request, CHILD)
    viktor = await house.citizen(CHILDS_NEW)
    assert [row["id"] for row in await requests(viktor)] == [request]
    assert f"/mine/requests/{request}" in (await viktor.get("/mine")).text


async def test_a_guardian_is_asked_no_more_than_before(house: PagesHouse) -> None:
    """What is put to the guardian is theirs, under their own former number too; what is put to their ward never is."""
    ward, guardian = CITIZEN, STRANGER
    speaks = RegisterRepresentative(STRANGER, "guardian_5", ("personal",), 20180101, 99991231)
    people(house).persons[ward] = replace(people(house).persons[ward], representatives=(speaks,))
    people(house).persons[guardian] = RegisterPerson(STRANGER, True, 19630101)
    own, hers = await put_to(house, ward), await put_to(house, guardian, ward)
    moved(house, ward, NEW)
    moved(house, guardian, FATHER)
    ida = await house.citizen(FATHER)

    assert [row["id"] for row in await requests(ida)] == [hers]
    assert await tries(ida, own) == {404}
    assert await untouched(house, own, ward)


async def test_the_other_parent_sees_neither_the_question_nor_the_answer(house: PagesHouse) -> None:
    """Of a parent whose number changed, the other holder of custody hears what they heard before: nothing."""
    people(house).persons[FATHER] = RegisterPerson(FATHER, True, 19700101, children=(CHILD,))
    mothers, fathers = await put_to(house, CITIZEN, CHILD), await put_to(house, FATHER, CHILD)
    moved(house)
    annette, bo = await house.citizen(NEW), await house.citizen(FATHER)

    assert [row["id"] for row in await requests(annette)] == [mothers]
    assert [row["id"] for row in await requests(bo)] == [fathers]
    assert await tries(bo, mothers) == {404}
    assert await tries(annette, fathers) == {404}
    assert await untouched(house, mothers, CITIZEN)


async def test_a_silent_register_gives_the_present_numbers_questions_and_says_so(house: PagesHouse) -> None:
    """Nobody is told whether there is a former number: the words and the answer are the same for who never had one."""
    before = await put_to(house, CITIZEN)
    moved(house)
    now = await put_to(house, NEW)
    people(house).silent = True
    annette, ida = await house.citizen(NEW), await house.citizen(STRANGER)
    told = [(await reader.http.get("/v1/me/consent-requests")).json() for reader in (annette, ida)]
    pages = [(await reader.get("/mine")).text for reader in (annette, ida)]

    assert [row["id"] for row in told[0]["requests"]] == [now]
    assert [body["whole"] for body in told] == [False, False]
    assert [page.count("CPR-registret svarer ikke lige nu") for page in pages] == [1, 1]
    assert (await annette.http.get("/v1/me/export")).json()["whole"] is False
    assert await tries(annette, before) == {404}
    people(house).silent = False
    assert "CPR-registret svarer ikke" not in (await annette.get("/mine")).text
    assert (await annette.http.get("/v1/me/consent-requests")).json()["whole"]
    assert (await annette.http.get("/v1/me/export")).json()["whole"]
