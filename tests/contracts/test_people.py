"""The CPR register's door: what is told is read exactly, and what is not told cleanly is no answer at all."""

from __future__ import annotations

import asyncio
import json
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiohttp import web

from broker.adapters.people_rest import PeopleRest
from broker.adapters.register_line import RegisterUnusable
from broker.domain.days import NO_END
from broker.domain.errors import RegisterUnavailable
from broker.domain.facts import CustodyHolder, RegisterPerson, RegisterRepresentative
from broker.domain.personal import Personal
from broker.ports import People
from tests.fakes.hostile import hostile
from tests.fakes.registers import FakePeople
from tests.fakes.systems import RECORDS, SECRETS, SystemProcess, running

ANNETTE, VIKTOR, NOBODY = Personal("7102740022"), Personal("8009064011"), Personal("0101010000")
KEY = {"api_key_header": "X-Api-Key"}


@pytest.fixture(scope="module")
def register() -> Iterator[SystemProcess]:
    """The register as a real process over scenario 1."""
    with running("people", RECORDS["people"]) as system:
        yield system


@pytest.fixture
async def real(register: SystemProcess) -> AsyncIterator[PeopleRest]:
    """The adapter, open, with the register as it was at the start."""
    register.control("/reset", {})
    settings = {"base_url": register.address, **KEY}
    async with PeopleRest("cpr", settings, SECRETS, deadline_seconds=1.0) as people:
        yield people
    register.control("/reset", {})


@pytest.fixture(params=["real", "fake"])
async def people(request: pytest.FixtureRequest, real: PeopleRest) -> People:
    """Give the real door, then the fake that knows the same two people."""
    if request.param == "real":
        return real
    return FakePeople(*[await real.person(one) for one in (ANNETTE, VIKTOR)])


@pytest.fixture
def fall_silent(people: People, register: SystemProcess) -> Any:
    """Make whichever register is asked fall silent."""

    def silence() -> None:
        if isinstance(people, FakePeople):
            people.silent = True
        else:
            register.control("", {"mode": "silent"})

    return silence


async def test_a_citizen_is_told(people: People) -> None:
    """Birth, residence, protection and children come as the register says."""
    person = await people.person(ANNETTE)
    assert (person.cpr, person.known, person.born, person.dead_on) == (ANNETTE, True, 19740211, None)
    assert (person.municipality, person.protected, person.current_cpr, person.representatives) == (
        "0999",
        False,
        None,
        (),
    )
    assert person.children == (VIKTOR,)


async def test_custody_of_a_child_is_told(people: People) -> None:
    """Who holds custody, of which kind, from when: type 3 is the mother."""
    child = await people.person(VIKTOR)
    assert child.custody == (CustodyHolder(ANNETTE, 3, 20060920, NO_END),)
    assert child.children == ()


async def test_nobody_is_a_clean_answer(people: People) -> None:
    """A number that nobody has is known to be unknown."""
    assert await people.person(NOBODY) == RegisterPerson(cpr=NOBODY, known=False)


async def test_a_silent_register_is_unavailable(people: People, fall_silent: Any) -> None:
    """Silence becomes an error within the deadline, never a person."""
    fall_silent()
    with pytest.raises(RegisterUnavailable) as caught:
        await asyncio.wait_for(people.person(ANNETTE), 20)
    assert caught.value.register == people.name


@pytest.mark.parametrize(
    "mode", [{"error": 500}, {"error": 401}, {"error": 302}, {"garbage": True}, {"oversize_bytes": 3_000_000}]
)
async def test_anything_but_a_clean_answer_is_unavailable(
    real: PeopleRest, register: SystemProcess, mode: dict[str, Any]
) -> None:
    """Errors, redirects, garbage and floods are no answer; the next clean one is."""
    register.control("", mode)
    with pytest.raises(RegisterUnavailable):
        await real.person(ANNETTE)
    register.control("/reset", {})
    assert (await real.person(ANNETTE)).known


async def test_a_wrong_key_is_unavailable(register: SystemProcess) -> None:
    """A register that refuses us has told nothing."""
    async with PeopleRest("cpr", {"base_url": register.address, **KEY}, {"api_key": "wrong"}) as people:
        with pytest.raises(RegisterUnavailable):
            await people.person(ANNETTE)


async def read(record: Any, status: int = 200) -> RegisterPerson:
    """Read one record that a register might tell."""

    async def answer(_: web.Request) -> web.StreamResponse:
        raw = record if isinstance(record, bytes) else json.dumps(record).encode()
        return web.Response(body=raw, status=status, content_type="application/json")

    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(hostile(answer))
        people = await stack.enter_async_context(PeopleRest("cpr", {"base_url": server.address}, {}))
        try:
            return await people.person(ANNETTE)
        finally:
            assert all(method == "POST" and "7102740022" not in path for method, path, _ in server.seen)


def a_person(**changed: Any) -> dict[str, Any]:
    """Give a record in which nothing is remarkable but what is changed."""
    return {
        "gaeldendePersonnummer": "7102740022",
        "status": "01",
        "statusdato": None,
        "foedselsdato": "1974-02-11",
        "kommunekode": "0999",
        "adressebeskyttelse": {"startdato": None, "slutdato": None, "beskyttet": False},
        "foraeldremyndighed": [],
        "umyndiggoerelse": None,
        "boern": [],
    } | changed


MOTHER = {"type": 3, "relationPersonnummer": "710274-0022", "startdato": "2006-09-20", "slutdato": "2020-01-31"}
DAYS = (20060920, 20200131)
OTHER = Personal("6501800011")
POWER = {
    "type": "fremtidsfuldmagt", "omfang": ["personlige_forhold", "deling_af_oplysninger"],
    "relationPersonnummer": "650180-0011", "startdato": "2018-01-01", "slutdato": "2019-01-31",
}  # fmt: skip
PROTECTED = {"startdato": "2018-01-01", "slutdato": None, "beskyttet": True}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"status": "90", "statusdato": "2019-01-31"}, {"dead_on": 20190131}),
        ({"status": "80", "statusdato": "2019-01-31"}, {"municipality": None, "known": True}),
        ({"status": "50"}, {"known": False}),
        ({"gaeldendePersonnummer": "650180-0011"}, {"current_cpr": Personal("6501800011")}),
        ({"husstand": [{"personnummer": "650180-0011"}]}, {"household": (OTHER,)}),
        ({"tidligerePersonnumre": ["650180-0011", "7102740022"]}, {"former": (OTHER,)}),
        ({"kommunekode": "101"}, {"municipality": "0101"}),
        ({"kommunekode": None}, {"municipality": None}),
        ({"adressebeskyttelse": PROTECTED}, {"protected": True}),
        ({"adressebeskyttelse": {**PROTECTED, "slutdato": "2018-06-01", "beskyttet": False}}, {"protected": False}),
        ({"adressebeskyttelse": {**PROTECTED, "beskyttet": False}}, {"protected": None}),
        ({"adressebeskyttelse": None}, {"protected": None}),
        ({"adressebeskyttelse": {"beskyttet": "nej"}}, {"protected": None}),
        ({"foraeldremyndighed": [MOTHER]}, {"custody": (CustodyHolder(ANNETTE, 3, *DAYS),)}),
        ({"foraeldremyndighed": [{**MOTHER, "type": "6"}]}, {"custody": (CustodyHolder(ANNETTE, 6, *DAYS),)}),
        ({"umyndiggoerelse": {"type": 1, "relationPersonnummer": "6501800011"}},
         {"representatives": (RegisterRepresentative(OTHER, "guardian_6", ("personal", "economic")),)}),
        ({"repraesentanter": [POWER]},
         {"representatives": (
             RegisterRepresentative(OTHER, "future_power", ("data_sharing", "personal"), 20180101, 20190131),)}),
        ({"repraesentanter": [{**POWER, "type": "bisidder", "omfang": [], "slutdato": None}]},
         {"representatives": (RegisterRepresentative(OTHER, "assistant", (), 20180101, NO_END),)}),
        ({"foedselsdato": None}, {"born": None}),
    ],
)  # fmt: skip
async def test_each_field_is_read_as_the_register_means_it(changed: dict[str, Any], expected: dict[str, Any]) -> None:
    """Death, moves, changed numbers, protection, custody and guardianship; unknown protection is None."""
    person = await read(a_person(**changed))
    assert {name: getattr(person, name) for name in expected} == expected


@pytest.mark.parametrize(
    "record",
    [
        a_person(foraeldremyndighed=[{**MOTHER, "relationPersonnummer": None}]),
        a_person(foraeldremyndighed=[{**MOTHER, "type": 9}]),
        a_person(foraeldremyndighed=[{**MOTHER, "slutdato": "soon"}]),
        a_person(foraeldremyndighed=None),
        a_person(foraeldremyndighed=["7102740022"]),
        a_person(umyndiggoerelse={"type": 2}),
        a_person(husstand=[{}]),
        a_person(husstand=None),
        a_person(tidligerePersonnumre=["x"]),
        a_person(tidligerePersonnumre=None),
        a_person(repraesentanter=None),
        a_person(repraesentanter=[{**POWER, "type": "ven"}]),
        a_person(repraesentanter=[{**POWER, "omfang": ["alt"]}]),
        a_person(repraesentanter=[{**POWER, "omfang": None}]),
        a_person(repraesentanter=[{**POWER, "relationPersonnummer": None}]),
        a_person(boern=[{}]),
        a_person(boern=[{"personnummer": "x"}]),
        a_person(boern=[{"personnummer": "8009064011"}] * 101),
        a_person(status="90", statusdato=None),
        a_person(foedselsdato="11.02.1974"),
        a_person(gaeldendePersonnummer=None),
        a_person(kommunekode=999),
        {name: value for name, value in a_person().items() if name != "foraeldremyndighed"},
        {name: value for name, value in a_person().items() if name != "umyndiggoerelse"},
        {name: value for name, value in a_person().items() if name != "kommunekode"},
        {},
        [],
        None,
        b"{",
        b"[" * 5000,
    ],
)
async def test_what_a_decision_rests_on_is_not_guessed(record: Any) -> None:
    """A field that cannot be read makes the whole answer none: fewer holders of custody would ask too few people."""
    with pytest.raises(RegisterUnavailable) as caught:
        await read(record)
    told = "".join(traceback.format_exception(caught.value))
    assert "7102740022" not in told.replace("-", "")
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


@pytest.mark.parametrize(
    ("settings", "secrets"),
    [
        ({}, {}),
        ({"base_url": "ftp://cpr.example"}, {}),
        ({"base_url": "http://cpr.example"}, {}),
        ({"base_url": "https://cpr.example", **KEY}, {}),
        ({"base_url": "https://cpr.example", "tls": {"ca_file": "/none"}}, {}),
    ],
)
def test_settings_that_would_not_do_are_refused_at_the_start(settings: dict[str, Any], secrets: dict[str, str]) -> None:
    """Plain HTTP to another machine, a missing key or certificate: said before anything is asked."""
    with pytest.raises(RegisterUnusable):
        PeopleRest("cpr", settings, secrets)
