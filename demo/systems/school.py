"""The school: a small REST system of its own shape; a static key, and look-ups with the CPR number in a body."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.systems.access import guarded, key_check
from demo.systems.process import Body, Started, json_post, run_system
from demo.systems.records import cpr_digits

# Path and own list are one word; the category is that of the shared list of categories.
KINDS = (("fravaer", "K01"), ("trivsel", "K02"), ("stoette", "K03"))
LISTS = ("elever", *(own for own, _ in KINDS))


def routes(started: Started) -> list[Route]:
    """Give the interface: the pupil, and one look-up a kind of record."""
    keyed = key_check("X-Api-Noegle", started.secret("api_key"))

    def route(path: str, handler: Body, category: str | None) -> Route:
        gated = started.control.gate(path, guarded(json_post(handler), keyed), category)
        return Route(path, gated, methods=["POST"])

    return [
        route("/elev/opslag", _listing(started, None), None),
        *(route(f"/elev/{own}", _listing(started, own), category) for own, category in KINDS),
    ]


def _listing(started: Started, own: str | None) -> Body:
    async def listing(_request: Request, body: dict[str, Any]) -> Response:
        pupils = started.records.matching("elever", cpr=cpr_digits(str(body.get("cpr", ""))))
        pupil = {name: value for name, value in pupils[0].items() if name != "cpr"} if pupils else None
        if own is None:
            return JSONResponse({"elev": pupil})
        told = [kind for kind, _ in KINDS] if started.control.mode.leak else [own]
        rows = [row for kind in told for row in started.records.matching(kind, elevnr=pupil["elevnr"])] if pupil else []
        return JSONResponse({"elev": pupil, own: rows})

    return listing


if __name__ == "__main__":
    run_system("An invented school system (REST).", LISTS, routes)
