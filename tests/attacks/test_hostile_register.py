"""A register, or a source that says no, told what would be a leak: none of its words hangs on our error (P4, P12)."""

from __future__ import annotations

import asyncio
import json
import traceback
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from broker.adapters.cases_rest import CasesRest
from broker.adapters.people_rest import PeopleRest
from broker.domain.errors import RegisterUnavailable, SourceFailed
from broker.domain.personal import Personal
from connectors import Limits, build
from tests.fakes.hostile import hostile

CPR = Personal("7102740022")
MARK = "Annette bor på Havnegade 7"
CASE = Personal("JC-2019-0417")
NOW = datetime(2019, 3, 4, 9, 0, tzinfo=UTC)
# What both registers would take for an answer: there is nobody, and no such case.
CLEAN = {"findes": False, "medarbejder": None, "status": "50"}
TOLD: dict[str, tuple[int, bytes]] = {
    "no JSON": (200, MARK.encode()),
    "JSON cut short": (200, f'{{"personnummer": "{CPR.disclose()}", "navn": "{MARK}'.encode()),
    "another shape": (200, f'["{MARK}"]'.encode()),
    "a refusal with words": (403, MARK.encode()),
    "a good answer, and far too much": (200, json.dumps(CLEAN | {"x": "x" * 99_999}).encode()),
    "a record that cannot be read": (200, f'{{"status": "01", "gaeldendePersonnummer": "{MARK}"}}'.encode()),
}


def words_of(error: BaseException) -> str:
    """Give everything that hangs on an error, as a log or a debugger would show it."""
    return "".join(traceback.format_exception(error)) + repr(error.args) + repr((error.__cause__, error.__context__))


@pytest.mark.parametrize("how", TOLD)
async def test_no_word_of_a_register_hangs_on_our_error(how: str) -> None:
    """Whatever it answered, the error names the register and nothing else."""
    status, body = TOLD[how]

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, status=status, content_type="application/json")

    async with hostile(answer) as server:
        settings: dict[str, Any] = {"base_url": server.address}
        async with (
            PeopleRest("cpr", settings, {}) as people,
            CasesRest("sager", settings, {}, now=lambda: NOW) as cases,
        ):
            errors = []
            for asked in (people.person(CPR), cases.case(CASE, CPR, Personal("lene"))):
                with pytest.raises(RegisterUnavailable) as caught:
                    await asked
                errors.append(caught.value)

    for error in errors:
        assert MARK not in words_of(error)
        assert CPR.disclose() not in words_of(error)
        assert (error.__cause__, error.__context__) == (None, None)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_register_sends_us_nowhere_else(status: int) -> None:
    """A redirect is no answer: the number is not carried on to wherever it points, which would answer well."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"findes": False, "medarbejder": None})

    async with hostile(answer) as elsewhere:

        async def point_away(_: web.Request) -> web.StreamResponse:
            return web.Response(status=status, headers={"Location": f"{elsewhere.address}/x"})

        async with (
            hostile(point_away) as server,
            CasesRest("sager", {"base_url": server.address}, {}, now=lambda: NOW) as cases,
        ):
            with pytest.raises(RegisterUnavailable):
                await cases.case(CASE, CPR, Personal("lene"))

    assert len(server.seen) == 1
    assert elsewhere.seen == []


async def test_a_refusal_without_end_is_not_read() -> None:
    """A source that says no and then talks for ever is a refusal at once; what it says is not waited for."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=403)
        await response.prepare(request)
        try:
            while True:
                await response.write(MARK.encode() * 10_000)
                await asyncio.sleep(0)
        except (ConnectionError, asyncio.CancelledError):
            return response

    reads = {
        "B01": [
            {
                "ask": {"method": "POST", "path": "/plans", "body": {"cpr": "{cpr}"}},
                "records": "data",
                "person": "cpr",
                "item": {"kind": {"value": "plan"}, "id": "id", "unit": {"value": "Enheden"}},
            }
        ]
    }
    async with (
        hostile(answer) as server,
        build(
            "rest_json", "jobcentre", {"base_url": server.address}, reads, {}, Limits(deadline_seconds=5.0),
            now=lambda: NOW,
        ) as source,
    ):  # fmt: skip
        with pytest.raises(SourceFailed) as failed:
            await source.read(CPR, "person-1", frozenset({"B01"}))

    assert failed.value.why == "refused"
