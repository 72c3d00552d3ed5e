"""`/v1/samples`: the accesses that were drawn, what was said of them, and how much was looked at."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from broker.domain.days import DANISH_TIME
from broker.domain.identity import OfficerLogin
from broker.domain.samples import LONGEST_TEXT
from broker.oversight.reviews import Desk, coverage, listed, opened, take, who
from broker.web.api.answers import CHANGE_ANSWERS, READ_ANSWERS, told
from broker.web.api.strict import StrictRoute
from broker.web.break_glass_wire import STRICT
from broker.web.inquiry_wire import words_from
from broker.web.sample_wire import coverage_body, employee_body, opened_body, sample_body
from broker.web.wire import receipt_body

OfficerGate = Callable[[Request], Awaitable[OfficerLogin]]
Limit = Annotated[int, Query(ge=1, le=200)]
State = Annotated[
    Literal["open", "explained", "closed", "reopened", "late"],
    Query(description="`late`: a step should be taken by now"),
]
After = Annotated[str | None, Query(max_length=40, description="The last one of the page before")]


class StepBody(BaseModel):
    """Which step, and what is said with it."""

    model_config = STRICT

    state: Literal["explained", "closed", "reopened"]
    text: Annotated[
        str | None,
        Field(min_length=1, max_length=LONGEST_TEXT, repr=False, description="Left out where the citizen is erased"),
    ] = None


def build(desk: Desk, officer: OfficerGate) -> APIRouter:
    """Build the list, one sample, its next step, and the coverage."""
    routes = APIRouter(tags=["oversight"], route_class=StrictRoute)
    proven = Annotated[OfficerLogin, Depends(officer)]

    @routes.get("/v1/samples", responses=told("Samples", READ_ANSWERS), summary="What was drawn to be looked at")
    async def get_samples(
        login: proven, state: State | None = None, after: After = None, limit: Limit = 50
    ) -> Response:
        found = await listed(login, desk, state=state, after=after, limit=limit + 1)
        page, today = found[:limit], desk.clock.now().astimezone(DANISH_TIME).date()
        rows = [sample_body(one, today) for one in page]
        return _json({"samples": rows, "next": page[-1].id if len(found) > limit else None})

    @routes.get("/v1/samples/coverage", responses=told("SampleCoverage", READ_ANSWERS),
                summary="How much was drawn and closed, by month and unit")  # fmt: skip
    async def get_coverage(login: proven) -> Response:
        return _json({"coverage": [coverage_body(row) for row in await coverage(login, desk)]})

    @routes.get("/v1/samples/{sample_id}", responses=told("Sample", READ_ANSWERS),
                summary="Open a sample; the log says so")  # fmt: skip
    async def get_sample(sample_id: str, login: proven) -> Response:
        today = desk.clock.now().astimezone(DANISH_TIME).date()
        return _json(opened_body(await opened(sample_id, login, desk), today))

    @routes.post("/v1/samples/{sample_id}/steps", responses=told("SampleStep", CHANGE_ANSWERS),
                 summary="Explain, close or re-open a sample")  # fmt: skip
    async def post_step(sample_id: str, body: StepBody, login: proven) -> Response:
        receipt = await take(sample_id, body.state, None if body.text is None else words_from(body.text), login, desk)
        return _json({"sample": sample_id, "state": body.state, "receipt": receipt_body(receipt)})

    @routes.post("/v1/samples/{sample_id}/employee", responses=told("Employee", CHANGE_ANSWERS),
                 summary="Be told who of one's own unit looked; the log says so")  # fmt: skip
    async def post_employee(sample_id: str, login: proven) -> Response:
        return _json(employee_body(await who(sample_id, login, desk)))

    return routes


def _json(body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body), media_type="application/json")
