"""Run the demo's OpenID provider: `python -m demo.openid --port N --folder DIR --persons FILE.json`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.openid.clock import Clock
from demo.openid.employer import Employers
from demo.openid.keys import SigningKey
from demo.openid.provider import Provider
from demo.systems.control import Control, control_routes
from demo.systems.process import address_of, application, bound, fault, optional_socket, serve
from demo.systems.records import Records, RecordsUnusableError, Row, read_json

LISTS = {
    "clients": ("client_id", "redirect_uris"),
    "employers": ("cvr", "issuer", "key"),
    "persons": ("id", "kind", "name"),
}
PERSON_FIELDS = {
    "citizen": ("mitid_uuid",),
    "officer": ("cvr", "professional_id", "privileges"),
    "caseworker": ("cvr", "professional_id", "unit", "roles"),
}


def check(raw: Any) -> Records:
    """Read the persons file. Raises `RecordsUnusableError` naming what is missing, never a value."""
    records = Records(raw, LISTS)
    for name, fields in LISTS.items():
        for row in records.rows(name):
            _demand(name, row, fields)
    for person in records.rows("persons"):
        if person["kind"] not in PERSON_FIELDS:
            raise RecordsUnusableError(f"`persons`: kind is one of {', '.join(PERSON_FIELDS)}")
        _demand("persons", person, PERSON_FIELDS[person["kind"]])
    return records


def _demand(name: str, row: Row, fields: tuple[str, ...]) -> None:
    missing = [field for field in fields if field not in row]
    if missing:
        raise RecordsUnusableError(f"`{name}` lacks {', '.join(missing)}")


def control_of(records: Records, clock: Clock) -> list[Route]:
    """Give the control channel: other people at run time, a clock that stands still, and how long people are known."""

    async def put(raw: Any) -> None:
        check(raw)
        records.replace(raw)

    async def put_back() -> None:
        records.reset()
        clock.stand_at(None)
        clock.known_for = 0

    async def set_clock(request: Request) -> Response:
        try:
            clock.stand_at((await request.json())["at"])
        except (ValueError, KeyError, TypeError):
            return JSONResponse({"error": "`at` must be an ISO 8601 time with its zone, or null"}, 400)
        return JSONResponse({"now": clock.now()})

    async def set_known(request: Request) -> Response:
        told = await request.json()
        seconds = told.get("seconds") if isinstance(told, dict) else None
        if type(seconds) is not int or seconds < 0:
            return JSONResponse({"error": "`seconds` must be a whole number from 0"}, 400)
        clock.known_for = seconds
        return JSONResponse({"seconds": seconds})

    # Modes and calls are the department systems' alone; a provider has records and a clock.
    wanted = {"/control/records", "/control/reset"}
    shared = [route for route in control_routes(Control(), put, put_back) if route.path in wanted]
    own = {"/control/clock": set_clock, "/control/known": set_known}
    return [*shared, *(Route(path, act, methods=["POST"]) for path, act in own.items())]


def main() -> None:
    """Start the provider, say ready, and end with the parent."""
    parser = argparse.ArgumentParser(description="An invented log-in provider (OpenID Connect).")
    parser.add_argument("--port", type=int, default=0, help="loopback port; 0 chooses one")
    parser.add_argument("--control", type=int, metavar="PORT", help="loopback port of the test-only control channel")
    parser.add_argument("--folder", type=Path, required=True, help="where the signing keys live")
    parser.add_argument("--persons", type=Path, required=True, metavar="FILE.json", help="clients, employers, people")
    parser.add_argument(
        "--calendar", type=Path, metavar="FILE", help="a moment (ISO 8601): the day roles are stated of"
    )
    parser.add_argument("--issuer", help="public address, if it is not the loopback one")
    arguments = parser.parse_args()
    listener, control_socket = bound(arguments.port), optional_socket(arguments.control)
    try:
        records = check(read_json(arguments.persons))
    except RecordsUnusableError as error:
        sys.exit(fault(str(error)))
    clock, address = Clock(arguments.calendar), address_of(listener)
    provider = Provider(arguments.issuer or address, records, SigningKey(arguments.folder, "login"), clock)
    routes = [*provider.routes(), *Employers(records, arguments.folder, clock).routes()]
    apps = {listener: application(routes)}
    if control_socket:
        apps[control_socket] = application(control_of(records, clock))
    asyncio.run(serve(apps, f"ready {address}", control_socket))


if __name__ == "__main__":
    main()
