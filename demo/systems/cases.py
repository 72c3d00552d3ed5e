"""A unit's own case system: is this case open, this citizen's, whose; and who is employed where.

Employment and teams are answered as they are at this moment: who left is gone at once.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.systems.access import guarded, key_check
from demo.systems.process import Body, Started, json_post, run_system
from demo.systems.records import Row, cpr_digits

CASE_PATH = "/sager/opslag"
EMPLOYEE_PATH = "/medarbejdere/opslag"
LISTS = ("sager", "medarbejdere")
NO_CASE: Row = {
    "findes": False, "aaben": False, "vedroererBorger": False, "sagsbehandlere": [], "team": [], "kle": None,
    "enhed": None, "aabnet": None, "lukket": None,
}  # fmt: skip
NO_EMPLOYEE: Row = {
    "findes": False, "navn": None, "ansatFra": None, "ansatTil": None, "enhed": None, "teams": [],
}  # fmt: skip


def routes(started: Started) -> list[Route]:
    """Give the interface: the case look-up and the employee look-up."""
    keyed = key_check("X-Api-Key", started.secret("api_key"))

    def route(path: str, handler: Body) -> Route:
        return Route(path, started.control.gate(path, guarded(json_post(handler), keyed)), methods=["POST"])

    async def case(_request: Request, body: dict[str, Any]) -> Response:
        found = started.records.matching("sager", sagsnummer=body.get("sagsnummer"))
        if not found:
            return JSONResponse(NO_CASE)
        return JSONResponse(_case_answer(found[0], cpr_digits(str(body.get("cpr", "")))))

    async def employee(_request: Request, body: dict[str, Any]) -> Response:
        found = started.records.matching("medarbejdere", medarbejder=body.get("medarbejder"))
        if not found:
            return JSONResponse(NO_EMPLOYEE)
        return JSONResponse({**NO_EMPLOYEE, "findes": True, **_without(found[0], "medarbejder")})

    return [route(CASE_PATH, case), route(EMPLOYEE_PATH, employee)]


def _case_answer(row: Row, cpr: str) -> Row:
    told = _without(row, "sagsnummer", "cpr", "status")
    return {
        **NO_CASE,
        **told,
        "findes": True,
        "aaben": row.get("status") == "aaben",
        "vedroererBorger": row.get("cpr") == cpr,
    }


def _without(row: Row, *names: str) -> Row:
    return {name: value for name, value in row.items() if name not in names}


if __name__ == "__main__":
    run_system("An invented case system of one unit.", LISTS, routes)
