"""`/v1/break-glass-cases`: what was asked in danger to life, looked into afterwards."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response

from broker.domain.days import DANISH_TIME
from broker.domain.identity import OfficerLogin
from broker.oversight.after_checks import AfterCheckDesk, listed, opened, take, who
from broker.web.after_check_wire import after_check_body, opened_body
from broker.web.api.answers import CHANGE_ANSWERS, READ_ANSWERS, told
from broker.web.api.samples import After, Limit, StepBody
from broker.web.api.strict import StrictRoute
from broker.web.inquiry_wire import words_from
from broker.web.sample_wire import employee_body
from broker.web.wire import receipt_body

OfficerGate = Callable[[Request], Awaitable[OfficerLogin]]
CaseState = Annotated[
    Literal["open", "explained", "closed", "reopened", "late", "escalated"],
    Query(description="`late`: should be closed by now; `escalated`: was late, and the DPO was told"),
]


def build(desk: AfterCheckDesk, officer: OfficerGate) -> APIRouter:
    """Build the list, one after-check, its next step, and who asked."""
    routes = APIRouter(tags=["oversight"], route_class=StrictRoute)
    proven = Annotated[OfficerLogin, Depends(officer)]

    @routes.get("/v1/break-glass-cases", responses=told("BreakGlassCases", READ_ANSWERS),
                summary="What was asked in danger to life")  # fmt: skip
    async def get_cases(
        login: proven, state: CaseState | None = None, after: After = None, limit: Limit = 50
    ) -> Response:
        found = await listed(login, desk, state=state, after=after, limit=limit + 1)
        page, today = found[:limit], desk.clock.now().astimezone(DANISH_TIME).date()
        rows = [after_check_body(one, today) for one in page]
        return _json({"cases": rows, "next": page[-1].id if len(found) > limit else None})

    @routes.get("/v1/break-glass-cases/{case_id}", responses=told("BreakGlassCase", READ_ANSWERS),
                summary="Open one; the log says so")  # fmt: skip
    async def get_case(case_id: str, login: proven) -> Response:
        today = desk.clock.now().astimezone(DANISH_TIME).date()
        return _json(opened_body(await opened(case_id, login, desk), desk.directory, today))

    @routes.post("/v1/break-glass-cases/{case_id}/steps", responses=told("BreakGlassCaseStep", CHANGE_ANSWERS),
                 summary="Explain, close or re-open one")  # fmt: skip
    async def post_step(case_id: str, body: StepBody, login: proven) -> Response:
        text = None if body.text is None else words_from(body.text)
        receipt = await take(case_id, body.state, text, login, desk)
        return _json({"case": case_id, "state": body.state, "receipt": receipt_body(receipt)})

    @routes.post("/v1/break-glass-cases/{case_id}/employee", responses=told("Employee", CHANGE_ANSWERS),
                 summary="Be told who of one's own unit asked; the log says so")  # fmt: skip
    async def post_employee(case_id: str, login: proven) -> Response:
        return _json(employee_body(await who(case_id, login, desk)))

    return routes


def _json(body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body), media_type="application/json")
