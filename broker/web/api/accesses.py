"""`/v1/me/accesses` and `/v1/accesses`: who looked, as citizen and overseer may see it; proofs of the log."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from broker.domain.identity import CitizenLogin, OfficerLogin
from broker.domain.receipts import Receipt
from broker.oversight.lines import open_line
from broker.oversight.search import Line, Wanted, search, state_of_logs
from broker.ports import Clock, LogReader, Ports
from broker.transparency.history import my_entries
from broker.transparency.proof import my_bundle
from broker.web.access_wire import (
    CodesBody,
    SearchBody,
    entry_body,
    my_entry_body,
    opened_body,
    state_body,
    wanted_codes,
    wanted_search,
)
from broker.web.api.answers import CHANGE_ANSWERS, OPEN_ANSWERS, READ_ANSWERS, problems, told
from broker.web.api.strict import StrictRoute
from broker.web.consent_wire import moment
from broker.web.doors import Ceilings
from broker.web.login import OFFICER
from broker.web.pages.filters import filter_of
from broker.web.sessions import Session
from broker.web.wire import CODE

CitizenGate = Callable[[Request], Awaitable[CitizenLogin]]
OfficerGate = Callable[[Request], Awaitable[OfficerLogin]]
SessionOf = Callable[[Request, str], Awaitable[Session]]
Cursor = Annotated[str | None, Query(max_length=80)]
Limit = Annotated[int, Query(ge=1, le=200)]
CodeFilter = Annotated[str | None, Query(pattern=CODE)]
DayFilter = Annotated[date | None, Query(description="A Danish day, itself included")]
Name = Annotated[str, Path(pattern=CODE)]
AS_A_FILE = {"Content-Disposition": 'attachment; filename="list-with-proof.json"'}
SESSION = told("Session", READ_ANSWERS)
SEARCHED = told("Accesses", CHANGE_ANSWERS)


def build_for_citizens(ports: Ports, reader: LogReader, citizen: CitizenGate, clock: Clock) -> APIRouter:
    """Build the citizen's own list, and the list with its proof. `clock` is the machine's, as proofs are judged by."""
    routes = APIRouter(tags=["me"], route_class=StrictRoute)
    proven = Annotated[CitizenLogin, Depends(citizen)]

    @routes.get("/v1/me/accesses", responses=told("MyAccesses", READ_ANSWERS), summary="Who asked about me")
    async def get_mine(
        login: proven, unit: CodeFilter = None, purpose: CodeFilter = None, outcome: CodeFilter = None,
        since: DayFilter = None, until: DayFilter = None, cursor: Cursor = None, limit: Limit = 50,
    ) -> Response:  # fmt: skip
        codes = {"unit": unit, "purpose": purpose, "outcome": outcome}
        wanted = filter_of({name: code for name, code in codes.items() if code}, since, until)
        page = await my_entries(login, ports, reader, wanted=wanted, cursor=cursor, limit=limit)
        rows = [my_entry_body(entry, ports.directory) for entry in page.entries]
        return _json({"entries": rows, "next": page.next})

    @routes.get(
        "/v1/me/accesses/bundle",
        responses=told("MyBundle", READ_ANSWERS),
        summary="Every entry about me, with the proof that none is missing",
    )
    async def get_bundle(login: proven) -> Response:
        bundle = await my_bundle(login, ports, reader, made_at=clock.now())
        return Response(bundle, media_type="application/json", headers=AS_A_FILE)

    return routes


def build_for_officers(
    ports: Ports,
    reader: LogReader,
    officer: OfficerGate,
    session: SessionOf,
    ceilings: Ceilings,
    *,
    test_numbers: bool,
) -> APIRouter:
    """Build the overseer's search, and the state of the logs in short."""
    routes = APIRouter(tags=["oversight"], route_class=StrictRoute)
    proven = Annotated[OfficerLogin, Depends(officer)]

    @routes.get("/v1/accesses/session", responses=SESSION, summary="The token my searches must carry")
    async def get_session(request: Request) -> Response:
        mine = await session(request, OFFICER)
        return _json({"csrf": mine.csrf, "idle_at": moment(mine.idle_at), "ends_at": moment(mine.ends_at)})

    @routes.get("/v1/accesses", responses=told("Accesses", READ_ANSWERS), summary="Search the log by codes")
    async def get_accesses(login: proven, codes: Annotated[CodesBody, Query()]) -> Response:
        return await _found(wanted_codes(codes), login)

    @routes.post("/v1/accesses/search", responses=SEARCHED, summary="Search the log, also by citizen")
    async def post_search(body: SearchBody, login: proven) -> Response:
        return await _found(wanted_search(body, test_numbers=test_numbers), login)

    @routes.get("/v1/accesses/{municipality}/{year}/{index}", responses=told("OpenedAccess", READ_ANSWERS),
                summary="Open a line of the log; the log says so")  # fmt: skip
    async def get_access(municipality: Name, year: int, index: int, login: proven) -> Response:
        line = Line(municipality, year, index)
        return _json(opened_body(await open_line(line, login, ports, reader, ceilings.count_line)))

    @routes.get("/v1/logs", responses=told("Logs", READ_ANSWERS), summary="How the logs stand")
    async def get_logs(login: proven) -> Response:
        return _json({"logs": [state_body(state) for state in await state_of_logs(login, reader)]})

    async def _found(wanted: Wanted, login: OfficerLogin) -> Response:
        page = await search(wanted, login, ports, reader, ceilings.count_search)
        return _json({"entries": [entry_body(entry) for entry in page.entries], "next": page.next})

    return routes


def build_for_anyone(reader: LogReader, name: str) -> APIRouter:
    """Build what anyone may have: proofs, which hold commitments only."""
    routes = APIRouter(tags=["log"])

    @routes.get(
        "/v1/log/proofs/{municipality}/{year}/{index}",
        responses=told("Proof", {**OPEN_ANSWERS, **problems(429)}),
        summary="Proof of one entry",
    )
    async def get_proof(municipality: Name, year: int, index: int) -> Response:
        origin = f"{name}/{municipality}/{year}"
        proof = await reader.proof(Receipt(origin, index))
        return _json({"log": origin, "index": index, "format": "c2sp.org/tlog-proof@v1", "proof": proof})

    return routes


def _json(body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body), media_type="application/json")
