"""`/v1/figures`: a month in numbers, for an overseer of the municipality; each look is on the log first."""

from collections.abc import Awaitable, Callable
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from broker.domain.directory import Directory
from broker.domain.identity import OfficerLogin
from broker.oversight.figures import figures
from broker.oversight.publication import Press, publish
from broker.oversight.report import Desk as ReportDesk
from broker.oversight.report import report
from broker.web.api.answers import CHANGE_ANSWERS, READ_ANSWERS, told
from broker.web.api.strict import StrictRoute
from broker.web.break_glass_wire import STRICT
from broker.web.figure_wire import figures_body, refusals_body, report_body

OfficerGate = Callable[[Request], Awaitable[OfficerLogin]]
Municipality = Annotated[str, Query(max_length=60, description="One of your own; the first of them without")]
Month = Annotated[str, Query(max_length=7, description="A Danish month, YYYY-MM; this one without")]


class QuarterBody(BaseModel):
    """Which quarter of which municipality."""

    model_config = STRICT

    municipality: Annotated[str, Field(max_length=60)] = ""
    quarter: Annotated[str, Field(max_length=7, examples=["2026-Q3"])]


def build(press: Press, reports: ReportDesk, directory: Directory, officer: OfficerGate) -> APIRouter:
    """Build the figures of a month, and what may leave the house of a quarter."""
    routes = APIRouter(tags=["oversight"], route_class=StrictRoute)
    proven = Annotated[OfficerLogin, Depends(officer)]

    @routes.get("/v1/figures", responses=told("Figures", READ_ANSWERS),
                summary="Accesses of a month by day, unit, outcome, basis, reason and hour, and samples")  # fmt: skip
    async def get_figures(login: proven, municipality: Municipality = "", month: Month = "") -> Response:
        found = await figures(municipality, month, login, press.figures)
        return Response(orjson.dumps(figures_body(found)), media_type="application/json")

    @routes.get("/v1/figures/report", responses=told("FiguresReport", READ_ANSWERS),
                summary="A month's report: figures, samples, emergencies, deferrals, how the logs stand")  # fmt: skip
    async def get_report(login: proven, municipality: Municipality = "", month: Month = "") -> Response:
        body = report_body(await report(municipality, month, login, reports))
        return Response(orjson.dumps(body), media_type="application/json")

    @routes.post("/v1/figures/published", responses=told("Refusals", CHANGE_ANSWERS),
                 summary="A quarter's refusals by law for others: made once, the same ever after")  # fmt: skip
    async def post_published(body: QuarterBody, login: proven) -> Response:
        found = await publish(body.municipality, body.quarter, login, press)
        return Response(orjson.dumps(refusals_body(found, directory)), media_type="application/json")

    return routes
