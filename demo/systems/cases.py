"""A unit's own case system: is this case open, this citizen's, whose; and is the caseworker who asks employed there.

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
LISTS = ("sager", "medarbejdere")
NO_CASE: Row = {
    "findes": False, "aaben": False, "vedroererBorger": False, "sagsbehandlere": [], "team": [], "kle": None,
    "enhed": None, "aabnet": None, "lukket": None, "vip": False,
}  # fmt: skip


def routes(started: Started) -> list[Route]:
    """Give the interface: the look-up of a case and of the caseworker who asks."""
    keyed = key_check("X-Api-Key", started.secret("api_key"))

    def route(path: str, handler: Body) -> Route:
        return Route(path, started.control.gate(path, guarded(json_post(handler), keyed)), methods=["POST"])

    async def case(_request: Request, body: dict[str, Any]) -> Response:
        found = started.records.matching("sager", sagsnummer=body.get("sagsnummer"))
        told = _case_answer(found[0], cpr_digits(str(body.get("cpr", "")))) if found else NO_CASE
        employees = started.records.matching("medarbejdere", medarbejder=body.get("medarbejder"))
        employee = _without(employees[0], "medarbejder") if employees else None
        return JSONResponse({**told, "medarbejder": employee})

    return [route(CASE_PATH, case)]


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
