"""The CPR register: one look-up by number, shaped on SF1520 PersonBaseDataExtended."""

from __future__ import annotations

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.systems.access import guarded, key_check
from demo.systems.process import Started, json_post, run_system
from demo.systems.records import cpr_digits

PATH = "/cpr/person"
# What a person has when the record does not say otherwise. Status 01: resident in Denmark.
UNREMARKABLE: dict[str, Any] = {
    "status": "01",
    "statusdato": None,
    "kommunekode": None,
    "adressebeskyttelse": {"startdato": None, "slutdato": None, "beskyttet": False},
    "foraeldremyndighed": [],
    "umyndiggoerelse": None,
    "boern": [],
    "tilmeldtDigitalpost": True,
}


def routes(started: Started) -> list[Route]:
    """Give the interface: one look-up."""

    async def person(_request: Request, body: dict[str, Any]) -> Response:
        number = cpr_digits(str(body.get("personnummer", "")))
        if not re.fullmatch(r"\d{10}", number, re.ASCII):
            return JSONResponse({"fejl": "ugyldigt personnummer"}, 400)
        found = started.records.matching("personer", personnummer=number)
        if not found:
            return JSONResponse({"fejl": "person ikke fundet"}, 404)
        return JSONResponse({"gaeldendePersonnummer": number, **UNREMARKABLE, **found[0]})

    checked = guarded(json_post(person), key_check("X-Api-Key", started.secret("api_key")))
    return [Route(PATH, started.control.gate(PATH, checked), methods=["POST"])]


if __name__ == "__main__":
    run_system("An invented CPR register.", ["personer"], routes)
