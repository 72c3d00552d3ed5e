"""`/dpo/package`: what is held about a citizen, made by the DPO to be handed over: a page, a paper, or the file.

Each is made of the same package, which is on the log before anything is read. Nothing of it is kept.
"""

from __future__ import annotations

import orjson
from fastapi import APIRouter, Request, Response

from broker.domain.errors import BadAsk
from broker.oversight.package import record_package
from broker.transparency.inquiries import Desk
from broker.web import printed
from broker.web.doors import Ceilings
from broker.web.dpo.package_paper import Paper
from broker.web.dpo.room import Room
from broker.web.export_wire import held_body, package_held
from broker.web.pages.forms import sent
from broker.web.pages.words import marked
from broker.web.printed import NotPrinted, TooLongToPrint
from broker.web.wire import cpr_of

PLACE = "/dpo/package"
NO_CPR = (("citizen", marked("Write the citizen's CPR number with ten digits.")),)
TOO_LONG = marked("It is too long for a file to print. Print this page instead.")
NOT_NOW = marked("No file can be made to print just now. Print this page instead.")


def build(room: Room, desk: Desk, ceilings: Ceilings) -> APIRouter:
    """Build the page with its form, and the answer."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(PLACE)
    async def get_package(request: Request) -> Response:
        return await room.show(request, "package.html", await room.enter(request), faults=())

    @routes.post(PLACE)
    async def post_package(request: Request) -> Response:
        officer = await room.enter(request)
        form = await sent(request)
        try:
            citizen = cpr_of(form.one("citizen"), pointer="/citizen", test_numbers=room.test_numbers)
        except BadAsk:
            return await room.show(request, "package.html", officer, 400, faults=NO_CPR)
        held = await package_held(await record_package(citizen, officer, room.ports, ceilings.count_package), desk)
        paper = Paper(held, room.ports.directory, "en" if form.one("language") == "en" else "da")
        match form.one("file"):
            case "page":
                return await room.show(request, "package_paper.html", officer, paper=paper, advice="")
            case "pdf":
                try:
                    return _file(await printed.pdf(paper.printed), "application/pdf", "indsigt.pdf")
                except (NotPrinted, TooLongToPrint) as fault:
                    # It is made and on the log: whoever waits for it gets it as a page, and makes no other.
                    advice = TOO_LONG if isinstance(fault, TooLongToPrint) else NOT_NOW
                    return await room.show(request, "package_paper.html", officer, paper=paper, advice=advice)
            case _:
                return _file(orjson.dumps(held_body(held, room.ports.directory)), "application/json", "indsigt.json")

    return routes


def _file(data: bytes, kind: str, name: str) -> Response:
    kept = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(data, media_type=kind, headers=kept)
