"""`/v1/what-if-runs`: a month's questions put to rules that operations has laid ready, and what would have changed."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, Field

from broker.domain.identity import OfficerLogin
from broker.oversight.what_ifs import Desk, begin, choice, see
from broker.web.api.answers import CHANGE_ANSWERS, READ_ANSWERS, told
from broker.web.api.strict import StrictRoute
from broker.web.break_glass_wire import STRICT
from broker.web.what_if_wire import choice_body, run_body

OfficerGate = Callable[[Request], Awaitable[OfficerLogin]]
BEGUN = told("WhatIfRun", CHANGE_ANSWERS, status=202)
RunId = Annotated[str, Path(max_length=36)]


class WhatIfBody(BaseModel):
    """Which rules are to be tried, on which month of which municipality: the last one, and the first of the DPO's."""

    model_config = STRICT

    candidate: Annotated[str, Field(min_length=1, max_length=64)]
    month: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}$")] | None = None
    municipality: Annotated[str, Field(min_length=1, max_length=60)] | None = None


def build(desk: Desk, officer: OfficerGate) -> APIRouter:
    """Build the runs."""
    routes = APIRouter(tags=["oversight"], route_class=StrictRoute)
    proven = Annotated[OfficerLogin, Depends(officer)]

    @routes.get("/v1/what-if-runs", responses=told("WhatIfRuns", READ_ANSWERS),
                summary="Which rules can be tried on which months, and how far runs are")  # fmt: skip
    async def get_runs(login: proven) -> Response:
        return _json(choice_body(await choice(login, desk)))

    @routes.get("/v1/what-if-runs/{run}", responses=told("WhatIfRun", READ_ANSWERS),
                summary="One run with its result; the log says that one saw it")  # fmt: skip
    async def get_run(run: RunId, login: proven) -> Response:
        return _json(run_body(await see(run, login, desk)))

    @routes.post("/v1/what-if-runs", status_code=202, responses=BEGUN,
                 summary="Put a month's questions to other rules, beside all other work")  # fmt: skip
    async def post_run(body: WhatIfBody, login: proven) -> Response:
        begun = await begin(body.candidate, body.month or "", body.municipality or "", login, desk)
        return _json(run_body(begun), 202)

    return routes


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(body), status_code=status, media_type="application/json")
