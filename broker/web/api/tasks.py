"""`/v1/tasks`: what waits for the overseer who is logged in, as `/dpo/tasks` shows it."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request, Response

from broker.domain.days import DANISH_TIME
from broker.domain.identity import OfficerLogin
from broker.oversight.tasks import KINDS, Desk, Task, tasks
from broker.web.api.answers import READ_ANSWERS, told
from broker.web.api.shapes import COUNT, DAY, TEXT, YES_NO, Schema, form, many, maybe, one_of
from broker.web.api.strict import StrictRoute

OfficerGate = Callable[[Request], Awaitable[OfficerLogin]]
TASK = form(
    {"kind": one_of(*KINDS), "id": TEXT, "municipality": TEXT, "unit": maybe(TEXT), "due": maybe(DAY), "late": YES_NO,
     "days_late": COUNT}
)  # fmt: skip
TASK_SHAPES: Mapping[str, Schema] = {"Tasks": form({"tasks": many(TASK)})}


def build(desk: Desk, officer: OfficerGate) -> APIRouter:
    """Build the list."""
    routes = APIRouter(tags=["oversight"], route_class=StrictRoute)

    @routes.get("/v1/tasks", responses=told("Tasks", READ_ANSWERS), summary="What waits for the overseer, late first")
    async def get_tasks(login: Annotated[OfficerLogin, Depends(officer)]) -> Response:
        today = desk.samples.clock.now().astimezone(DANISH_TIME).date()
        rows = [_body(one, today) for one in await tasks(login, desk)]
        return Response(orjson.dumps({"tasks": rows}), media_type="application/json")

    return routes


def _body(one: Task, today: date) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "id": one.id,
        "municipality": one.municipality,
        "unit": one.unit or None,
        "due": one.due.isoformat() if one.due else None,
        "late": one.late,
        "days_late": one.days_late(today),
    }
