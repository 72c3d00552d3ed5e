"""`/v1/integrity`: how the logs of an overseer's municipalities stand, and their checks from first entry to last."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from broker.domain.identity import OfficerLogin
from broker.oversight.integrity import Desk, begin_checks, checks, standings
from broker.web.api.answers import CHANGE_ANSWERS, READ_ANSWERS, told
from broker.web.api.strict import StrictRoute
from broker.web.break_glass_wire import STRICT
from broker.web.integrity_wire import run_body, standing_body

OfficerGate = Callable[[Request], Awaitable[OfficerLogin]]
BEGUN = told("Checks", CHANGE_ANSWERS, status=202)


class CheckBody(BaseModel):
    """Which log is to be checked; all of the overseer's municipalities where none is named."""

    model_config = STRICT

    log: Annotated[str, Field(min_length=1, max_length=300)] | None = None


def build(desk: Desk, officer: OfficerGate) -> APIRouter:
    """Build the state of the logs, and their checks."""
    routes = APIRouter(tags=["oversight"], route_class=StrictRoute)
    proven = Annotated[OfficerLogin, Depends(officer)]

    @routes.get("/v1/integrity", responses=told("Integrity", READ_ANSWERS),
                summary="How each log stands, and what is an alarm; the log says that one looked")  # fmt: skip
    async def get_integrity(login: proven) -> Response:
        found, now = await standings(login, desk), desk.clock.now()
        return _json({"logs": [standing_body(one, now) for one in found]})

    @routes.get("/v1/integrity/checks", responses=told("Checks", READ_ANSWERS), summary="How far the checks are")
    async def get_checks(login: proven) -> Response:
        found = await checks(login, desk)
        return _json({"checks": [run_body(run) for runs in found.values() for run in runs]})

    @routes.post("/v1/integrity/checks", status_code=202, responses=BEGUN,
                 summary="Check logs from the first entry to the last, beside all other work")  # fmt: skip
    async def post_check(body: CheckBody, login: proven) -> Response:
        begun = await begin_checks(login, desk, body.log)
        return _json({"checks": [run_body(run) for run in begun]}, 202)

    return routes


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(body), status_code=status, media_type="application/json")
