"""`/dpo/evidence/…`: what the evidence of a line is for, and the button that hands it out as a file."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from broker.domain.errors import Conflict, NotFound
from broker.domain.identity import OfficerLogin
from broker.domain.receipts import Receipt
from broker.oversight.evidence import take_out
from broker.oversight.integrity import Desk, check_role
from broker.web.api.evidence import as_file
from broker.web.dpo.room import Room
from broker.web.pages.words import marked
from broker.web.wire import CODE

PLACE = "/dpo/evidence/{municipality}/{year}/{index}"
Municipality = Annotated[str, Path(pattern=CODE)]
Year = Annotated[str, Path(pattern=r"^[1-9][0-9]{3}$")]
Index = Annotated[str, Path(pattern=r"^(0|[1-9][0-9]{0,17})$")]
REFUSED = {
    "not_signed_yet": (("take-out", marked("The line is not signed yet. Try again in a minute.")),),
    "changed": (
        ("take-out", marked("The line was changed after it was written. Check the log, and call the operator.")),
    ),
}


def build(room: Room, desk: Desk, log_name: str) -> APIRouter:
    """Build the page and its button; `log_name` is what the logs are published under."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(PLACE)
    async def get_evidence(request: Request, municipality: Municipality, year: Year, index: Index) -> Response:
        officer = await room.enter(request)
        check_role(officer)
        if municipality not in officer.municipalities:
            raise NotFound
        return await _page(request, officer, municipality, year, index)

    @routes.post(PLACE)
    async def post_evidence(request: Request, municipality: Municipality, year: Year, index: Index) -> Response:
        officer = await room.enter(request)
        wanted = Receipt(f"{log_name}/{municipality}/{year}", int(index))
        try:
            package = await take_out(wanted, officer, desk, room.ceilings.count_evidence)
        except Conflict as conflict:
            return await _page(request, officer, municipality, year, index, REFUSED.get(conflict.what, ()))
        return as_file(package, wanted.log, wanted.index)

    async def _page(
        request: Request, officer: OfficerLogin, municipality: str, year: str, index: str,
        faults: tuple[tuple[str, str], ...] = (),
    ) -> Response:  # fmt: skip
        return await room.show(
            request, "evidence.html", officer, 409 if faults else 200, municipality=municipality, year=year,
            index=index, faults=faults,
        )  # fmt: skip

    return routes
