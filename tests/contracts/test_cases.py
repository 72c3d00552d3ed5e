"""The case system's door: only what it says outright is a yes, and what it does not say cleanly is no answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from broker.adapters.cases_rest import CasesRest
from broker.domain.errors import RegisterUnavailable
from broker.domain.facts import CaseRecord, Employment
from broker.domain.personal import Personal
from broker.domain.target_groups import Stated
from broker.ports import Cases
from tests.fakes.hostile import hostile
from tests.fakes.registers import FakeCases
from tests.fakes.systems import RECORDS, SECRETS, SystemProcess, running

ANNETTE, OTHER = Personal("7102740022"), Personal("6501800011")
LENE = Personal("6f1de0f2-9f0e-4a3c-8a4a-1d0a4b7a0001")
JENS = Personal("6f1de0f2-9f0e-4a3c-8a4a-1d0a4b7a0002")
CASE = Personal("JC-2019-0417")
UNIT, KLE = "jobcenter-korsbaek", "15.00.00"
NOW = datetime(2019, 3, 4, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def system() -> Iterator[SystemProcess]:
    """The case system as a real process over scenario 1."""
    with running("cases", RECORDS["cases"]) as process:
        yield process


@pytest.fixture
async def real(system: SystemProcess) -> AsyncIterator[CasesRest]:
    """The adapter, open, with the case system as it was at the start."""
    system.control("/reset", {})
    settings = {"base_url": system.address, "api_key_header": "X-Api-Key"}
    async with CasesRest("cases", settings, SECRETS, now=lambda: NOW, deadline_seconds=1.0) as cases:
        yield cases
    system.control("/reset", {})


@pytest.fixture(params=["real", "fake"])
def cases(request: pytest.FixtureRequest, real: CasesRest) -> Cases:
    """Give the real door, then the fake that knows the same case."""
    return real if request.param == "real" else FakeCases("JC-2019-0417", ANNETTE, LENE, UNIT, KLE)


async def test_a_case_of_this_citizen_and_caseworker(cases: Cases) -> None:
    """Open, hers, his: with unit and KLE."""
    told, _ = await cases.case(CASE, ANNETTE, LENE)
    assert told == CaseRecord(
        exists=True,
        open=True,
        concerns_citizen=True,
        caseworker_on_case=True,
        unit=UNIT,
        kle=KLE,
        caseworker_named=True,
    )


async def test_another_citizens_case_is_told_as_such(cases: Cases) -> None:
    """The case exists but does not concern the citizen who is asked about."""
    told, _ = await cases.case(CASE, OTHER, LENE)
    assert (told.exists, told.concerns_citizen) == (True, False)


async def test_a_colleague_is_not_on_the_case(cases: Cases) -> None:
    """Neither named on it nor in its team."""
    told, _ = await cases.case(CASE, ANNETTE, JENS)
    assert not told.caseworker_on_case


async def test_a_case_that_is_not_there(cases: Cases) -> None:
    """An unknown number is a clean no; who asked is employed all the same."""
    assert await cases.case(Personal("JC-0"), ANNETTE, LENE) == (CaseRecord(exists=False), Employment(True, UNIT))


async def test_employment_of_today(cases: Cases) -> None:
    """Who works there is told with the unit; nobody else is employed."""
    assert (await cases.case(CASE, ANNETTE, LENE))[1] == Employment(True, UNIT)
    assert (await cases.case(CASE, ANNETTE, Personal("nobody")))[1] == Employment(False)


async def test_a_silent_case_system_is_unavailable(cases: Cases, system: SystemProcess) -> None:
    """Silence becomes an error within the deadline."""
    if isinstance(cases, FakeCases):
        cases.silent = True
    else:
        system.control("", {"mode": "silent"})
    with pytest.raises(RegisterUnavailable):
        await asyncio.wait_for(cases.case(CASE, ANNETTE, LENE), 20)


async def test_a_team_carries_its_members(real: CasesRest, system: SystemProcess) -> None:
    """A caseworker in the case's team is on it, until they leave the team or the job."""
    own = RECORDS["cases"]
    in_team = [{**row, "teams": ["koordinerende-team"]} for row in own["medarbejdere"]]
    system.control("/records", {**own, "medarbejdere": in_team})
    assert (await real.case(CASE, ANNETTE, JENS))[0].caseworker_on_case

    left = [{**row, "ansatTil": "2019-03-03"} for row in in_team]
    system.control("/records", {**own, "medarbejdere": left})
    assert not (await real.case(CASE, ANNETTE, JENS))[0].caseworker_on_case


@pytest.mark.parametrize(
    ("begun", "ended", "employed"),
    [
        ("2019-03-04", None, True),
        ("2019-03-05", None, False),
        ("2015-08-01", "2019-03-04", True),
        ("2015-08-01", "2019-03-03", False),
    ],
)
async def test_the_days_of_employment_count(
    real: CasesRest, system: SystemProcess, begun: str, ended: str | None, employed: object
) -> None:
    """First and last day are days at work; before and after, nobody is employed."""
    own = RECORDS["cases"]
    rows = [{**row, "ansatFra": begun, "ansatTil": ended} for row in own["medarbejdere"]]
    system.control("/records", {**own, "medarbejdere": rows})
    assert (await real.case(CASE, ANNETTE, LENE))[1].employed is employed


@pytest.mark.parametrize("mode", [{"error": 500}, {"error": 301}, {"garbage": True}, {"oversize_bytes": 3_000_000}])
async def test_anything_but_a_clean_answer_is_unavailable(
    real: CasesRest, system: SystemProcess, mode: dict[str, Any]
) -> None:
    """Errors, redirects, garbage and floods are no answer."""
    system.control("", mode)
    with pytest.raises(RegisterUnavailable):
        await real.case(CASE, ANNETTE, LENE)


AT_WORK = {"ansatFra": "2015-08-01", "ansatTil": None, "enhed": UNIT, "teams": ["t"]}
YES = {
    "findes": True,
    "aaben": True,
    "vedroererBorger": True,
    "sagsbehandlere": [],
    "team": ["t"],
    "medarbejder": AT_WORK,
}


@pytest.mark.parametrize(
    "told",
    [
        [],
        {},
        {**YES, "aaben": "ja"},
        {**YES, "vedroererBorger": 1},
        {**YES, "findes": None},
        {**YES, "sagsbehandlere": LENE.disclose()},
        {**YES, "team": [1]},
        {**YES, "enhed": 7},
        {**YES, "kle": []},
        {name: value for name, value in YES.items() if name != "medarbejder"},
        {**YES, "medarbejder": "Lene"},
        {**YES, "medarbejder": {**AT_WORK, "teams": "t"}},
        {**YES, "medarbejder": {**AT_WORK, "enhed": 1}},
        {**YES, "maalgruppe": []},
        {**YES, "maalgruppe": {"alder": 19}},
        {**YES, "maalgruppe": {"opgjort": "i går", "alder": 19}},
        {**YES, "maalgruppe": {"opgjort": "2019-02-01", "alder": "19"}},
        {**YES, "maalgruppe": {"opgjort": "2019-02-01", "alder": True}},
        {**YES, "maalgruppe": {"opgjort": "2019-02-01", "boernsAlder": 4}},
        {**YES, "maalgruppe": {"opgjort": "2019-02-01", "boernsAlder": [None]}},
        {**YES, "maalgruppe": {"opgjort": "2019-02-01", "ydelse": 7}},
    ],
)
async def test_half_a_yes_is_no_answer(told: Any) -> None:
    """A flag that is no flag, or a list that is none, is not read as yes or as no."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(told)

    async with hostile(answer) as server, CasesRest("c", {"base_url": server.address}, {}, now=lambda: NOW) as cases:
        with pytest.raises(RegisterUnavailable) as caught:
            await cases.case(CASE, ANNETTE, LENE)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


@pytest.mark.parametrize(
    ("told", "stated"),
    [
        ({}, None),
        ({"maalgruppe": None}, None),
        ({"maalgruppe": {"opgjort": "2019-02-01"}}, Stated(20190201)),
        (
            {"maalgruppe": {"opgjort": "2019-02-01", "alder": 19, "ydelse": "su", "boernsAlder": [4, 9]}},
            Stated(20190201, 19, "su", (4, 9)),
        ),
    ],
)
async def test_what_a_case_states_of_its_citizen(told: dict[str, Any], stated: Stated | None) -> None:
    """Read with its day; a system that states nothing has stated nothing."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({**YES, **told})

    async with hostile(answer) as server, CasesRest("c", {"base_url": server.address}, {}, now=lambda: NOW) as cases:
        assert (await cases.case(CASE, ANNETTE, LENE))[0].stated == stated


@pytest.mark.parametrize("day", [None, "yesterday", 20150801])
async def test_employment_without_a_readable_day_is_no_answer(day: Any) -> None:
    """Somebody who is found but whose first day cannot be read is not known to be employed."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({**YES, "medarbejder": {**AT_WORK, "ansatFra": day}})

    async with hostile(answer) as server, CasesRest("c", {"base_url": server.address}, {}, now=lambda: NOW) as cases:
        with pytest.raises(RegisterUnavailable):
            await cases.case(CASE, ANNETTE, LENE)


async def test_no_number_is_in_a_url() -> None:
    """Case number, citizen and caseworker go in bodies only."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(YES)

    async with hostile(answer) as server, CasesRest("c", {"base_url": server.address}, {}, now=lambda: NOW) as cases:
        assert (await cases.case(CASE, ANNETTE, LENE))[0].caseworker_on_case
    assert [(method, path) for method, path, _ in server.seen] == [("POST", "/sager/opslag")]
