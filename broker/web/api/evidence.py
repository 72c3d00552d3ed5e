"""`/v1/evidence`: the evidence package of one entry, for an inspector who checks it without any network."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from broker.domain.identity import OfficerLogin
from broker.domain.receipts import Receipt
from broker.oversight.evidence import Package, take_out
from broker.oversight.integrity import Desk
from broker.web.api.answers import CHANGE_ANSWERS, Answers
from broker.web.api.strict import StrictRoute
from broker.web.break_glass_wire import STRICT
from broker.web.doors import Ceilings

OfficerGate = Callable[[Request], Awaitable[OfficerLogin]]
ZIP = "application/zip"
A_FILE: Answers = {
    200: {"description": "Done", "content": {ZIP: {"schema": {"type": "string", "format": "binary"}}}},
    **CHANGE_ANSWERS,
}


class EvidenceBody(BaseModel):
    """Which entry: its log, and its place there."""

    model_config = STRICT

    log: Annotated[str, Field(pattern=r"^[!-~]{1,300}$", examples=["broker.example.dk/log/korsbaek/2026"])]
    index: Annotated[int, Field(ge=0, lt=2**63)]


def build(desk: Desk, officer: OfficerGate, ceilings: Ceilings) -> APIRouter:
    """Build the one route; it changes the log, so it is a POST."""
    routes = APIRouter(tags=["oversight"], route_class=StrictRoute)
    proven = Annotated[OfficerLogin, Depends(officer)]

    @routes.post("/v1/evidence", response_class=Response, responses=A_FILE,
                 summary="Take out the evidence of one entry; the log says so")  # fmt: skip
    async def post_evidence(body: EvidenceBody, login: proven) -> Response:
        package = await take_out(Receipt(body.log, body.index), login, desk, ceilings.count_evidence)
        return as_file(package, body.log, body.index)

    return routes


def as_file(package: Package, log: str, index: int) -> Response:
    """Hand a package out as a file that names its place on the log."""
    municipality, year = log.rsplit("/", 2)[1:]
    headers = {
        "Content-Disposition": f'attachment; filename="evidence-{municipality}-{year}-{index}.zip"',
        "Cache-Control": "no-store",
    }
    return Response(package.content, media_type=ZIP, headers=headers)
