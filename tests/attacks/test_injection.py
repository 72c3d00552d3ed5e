"""What reaches registers from an ask: three values in a JSON body, whatever syntax they are written in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import web

from broker.adapters.cases_rest import CasesRest
from broker.adapters.people_rest import PeopleRest
from broker.domain.errors import RegisterUnavailable
from broker.domain.personal import Personal
from tests.attacks.test_hostile_source import NOW
from tests.fakes.hostile import hostile

CPR = "7102740022"
SYNTAX = [
    "' OR '1'='1", "x'; DROP TABLE sager; --", "' or 1 eq 1 or Sag eq '", "$filter=true", "../../medarbejdere", "a&b=c",
    "{cpr}", "{id}", '","cpr":"0101010000', "x\r\nX-Any: thing", "%0d%0a", "\u2028", "*)(uid=*",
    "${jndi:ldap://x}", "&xxe;",
]  # fmt: skip


@pytest.mark.parametrize("value", SYNTAX)
async def test_a_value_stays_a_value(value: str) -> None:
    """Case number and caseworker go out as JSON strings under their own names, to one path, and in no header."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"findes": False, "medarbejder": None})

    async with hostile(answer) as server:
        settings: dict[str, Any] = {"base_url": server.address}
        async with CasesRest("cases", settings, {}, now=lambda: NOW) as cases:
            await cases.case(Personal(value), Personal(CPR), Personal(value))
        async with PeopleRest("people", settings, {}) as people:
            with pytest.raises(RegisterUnavailable):
                await people.person(Personal(CPR))

    assert [(method, path) for method, path, _ in server.seen] == [
        ("POST", "/sager/opslag"),
        ("POST", "/cpr/person"),
    ]
    assert [json.loads(body) for _, _, body in server.seen] == [
        {"sagsnummer": value, "cpr": CPR, "medarbejder": value},
        {"personnummer": CPR},
    ]
    assert not any(value in told for headers in server.headers for told in headers.values())
