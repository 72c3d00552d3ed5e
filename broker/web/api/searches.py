"""`/v1/searches`: the searches an overseer keeps for themself, by name; of codes alone, never of a person."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from broker.domain.identity import OfficerLogin
from broker.oversight.saved import Desk, Saved, remove, save, saved_searches
from broker.web.api.answers import CHANGE_ANSWERS, READ_ANSWERS, told
from broker.web.api.strict import StrictRoute
from broker.web.break_glass_wire import STRICT
from broker.web.consent_wire import moment
from broker.web.kept_wire import LONGEST_NAME, CodesKept, kept_codes, name_of

OfficerGate = Callable[[Request], Awaitable[OfficerLogin]]


class SaveBody(BaseModel):
    """What a search is called, and its codes and days as the page's form has them."""

    model_config = STRICT

    name: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME, repr=False)]
    criteria: CodesKept


def build(desk: Desk, officer: OfficerGate) -> APIRouter:
    """Build the list, keeping one, and taking one away."""
    routes = APIRouter(tags=["oversight"], route_class=StrictRoute)
    proven = Annotated[OfficerLogin, Depends(officer)]

    @routes.get("/v1/searches", responses=told("SavedSearches", READ_ANSWERS), summary="The searches I have kept")
    async def get_searches(login: proven) -> Response:
        return _json({"searches": [_body(one) for one in await saved_searches(login, desk)]})

    @routes.post("/v1/searches", responses=told("SavedSearch", CHANGE_ANSWERS), summary="Keep a search of codes")
    async def post_search(body: SaveBody, login: proven) -> Response:
        return _json(_body(await save(name_of(body.name), kept_codes(body.criteria), login, desk)))

    @routes.post("/v1/searches/{search_id}/removal", responses=told("SavedSearches", CHANGE_ANSWERS),
                 summary="Take a kept search away")  # fmt: skip
    async def post_removal(search_id: str, login: proven) -> Response:
        await remove(search_id, login, desk)
        return _json({"searches": [_body(one) for one in await saved_searches(login, desk)]})

    return routes


def _body(one: Saved) -> dict[str, Any]:
    return {"id": one.id, "municipality": one.municipality, "name": one.name.disclose(),
            "criteria": dict(one.criteria), "at": moment(one.at)}  # fmt: skip


def _json(body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body), media_type="application/json")
