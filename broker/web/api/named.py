"""`/v1/accesses/…/employee` and `/v1/accesses/by-employee`: an employee's name and code put together, for a reason."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Path, Request, Response

from broker.domain.errors import BadAsk
from broker.domain.identity import OfficerLogin
from broker.oversight.names import Desk, code_of, name_behind
from broker.oversight.search import Line, search
from broker.ports import LogReader, Ports
from broker.web.access_wire import entry_body, wanted_search
from broker.web.api.answers import CHANGE_ANSWERS, told
from broker.web.api.strict import StrictRoute
from broker.web.doors import Ceilings
from broker.web.named_wire import EmployeeSearchBody, WhyBody, sought_from, why_from
from broker.web.sample_wire import employee_body
from broker.web.wire import CODE

OfficerGate = Callable[[Request], Awaitable[OfficerLogin]]
Name = Annotated[str, Path(pattern=CODE)]


def build(
    ports: Ports, reader: LogReader, desk: Desk, officer: OfficerGate, ceilings: Ceilings, *, test_numbers: bool
) -> APIRouter:
    """Build the naming of who did it, and the search by an employee."""
    routes = APIRouter(tags=["oversight"], route_class=StrictRoute)
    proven = Annotated[OfficerLogin, Depends(officer)]

    @routes.post("/v1/accesses/{municipality}/{year}/{index}/employee", responses=told("Employee", CHANGE_ANSWERS),
                 summary="Be told who did it, for a written reason; the log says so")  # fmt: skip
    async def post_employee(municipality: Name, year: int, index: int, body: WhyBody, login: proven) -> Response:
        line = Line(municipality, year, index)
        return _json(employee_body(await name_behind(line, why_from(body.reason), login, desk)))

    @routes.post("/v1/accesses/by-employee", responses=told("AccessesOfEmployee", CHANGE_ANSWERS),
                 summary="Search for a named employee's lines, for a written reason; the log says so")  # fmt: skip
    async def post_by_employee(body: EmployeeSearchBody, login: proven) -> Response:
        if body.actor is not None:
            raise BadAsk("/actor")
        wanted = wanted_search(body, test_numbers=test_numbers)
        sought = sought_from(body.employee.id, body.employee.issuer)
        code = await code_of(sought, why_from(body.why), login, desk)
        if code is None:
            return _json({"actor": None, "entries": [], "next": None})
        wanted = replace(wanted, filter=replace(wanted.filter, actor=code))
        page = await search(wanted, login, ports, reader, ceilings.count_search)
        return _json({"actor": code, "entries": [entry_body(row) for row in page.entries], "next": page.next})

    return routes


def _json(body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body), media_type="application/json")
