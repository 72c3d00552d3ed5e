"""The jobcentre: a REST system with OAuth2 client credentials, an API key header, and a path a kind of record.

A citizen is first found by CPR number (in a body), then asked about by the system's own opaque id.
The same system serves a benefits unit: it is started again with that unit's records.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.systems.access import Tokens, guarded, key_check
from demo.systems.control import Handler
from demo.systems.process import Started, json_post, run_system
from demo.systems.records import cpr_digits

# Path, own list, category of the shared list of categories. No two categories share a path.
KINDS = (
    ("person", "personer", "P01"),
    ("address", "adresser", "P02"),
    ("contacts", "kontaktpersoner", "P03"),
    ("household", "husstande", "P04"),
    ("plans", "planer", "B01"),
    ("appointments", "aftaler", "B02"),
    ("activities", "aktiviteter", "B03"),
    ("absence", "fravaer", "B04"),
    ("benefits", "ydelser", "Y01"),
    ("payments", "udbetalinger", "Y02"),
    ("statements", "laegeerklaeringer", "H04"),
    ("statement-contents", "erklaeringsindhold", "H05"),
)
LISTS = ("borgere", *(own for _, own, _ in KINDS))


def routes(started: Started) -> list[Route]:
    """Give the interface: token, find, and one paged path a kind of record."""
    tokens = Tokens(started.secret("client_id"), started.secret("client_secret"))
    keyed = key_check("apikey", started.secret("api_key"))
    control = started.control

    def route(path: str, handler: Handler, method: str, category: str | None) -> Route:
        checked = guarded(handler, keyed, tokens.check)
        return Route(path, control.gate(path, checked, category), methods=[method])

    return [
        tokens.route(control),
        route("/api/citizens/find", json_post(_find(started)), "POST", None),
        *(
            route(f"/api/citizens/{{id}}/{path}", _listing(started, own), "GET", category)
            for path, own, category in KINDS
        ),
    ]


def _find(started: Started) -> Any:
    async def find(_request: Request, body: dict[str, Any]) -> Response:
        found = started.records.matching("borgere", cpr=cpr_digits(str(body.get("cpr", ""))))
        if not found:
            return JSONResponse({"fejl": "borger ikke fundet"}, 404)
        return JSONResponse({"id": found[0]["id"]})

    return find


def _listing(started: Started, own: str) -> Handler:
    async def listing(request: Request) -> Response:
        page = request.query_params.get("page", "1")
        if not page.isascii() or not page.isdigit() or int(page) < 1:
            return JSONResponse({"fejl": "ukendt side"}, 400)
        size, number = started.page_size, int(page)
        told = [kind for _, kind, _ in KINDS] if started.control.mode.leak else [own]
        rows = [row for kind in told for row in started.records.matching(kind, borgerId=request.path_params["id"])]
        pages = max(1, -(-len(rows) // size))
        data = [
            {name: value for name, value in row.items() if name != "borgerId"}
            for row in rows[(number - 1) * size : number * size]
        ]
        following = number + 1 if number < pages else None
        return JSONResponse({"data": data, "page": number, "totalPages": pages, "nextPage": following})

    return listing


if __name__ == "__main__":
    run_system("An invented jobcentre (REST).", LISTS, routes)
