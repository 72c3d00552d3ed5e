"""`POST /v1/exchange` and `POST /v1/views`: one ask, answered as items or as the whole-person view."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request, Response

from broker.domain.identity import Caller
from broker.exchange import exchange
from broker.exchange.release import IsReduced
from broker.ports import Ports
from broker.view.whole_person import is_reduced
from broker.web.api.answers import ASK_ANSWERS, told
from broker.web.api.strict import StrictRoute
from broker.web.view_wire import view_body, weeks_of
from broker.web.wire import AskBody, ViewBody, answer_body, ask_of

Gate = Callable[[Request], Awaitable[Caller]]
Repeats = Callable[[Caller, str | None], Awaitable[bool]]


def build(ports: Ports, gate: Gate, repeats: Repeats, *, test_numbers: bool) -> APIRouter:
    """Build the two routes. `gate` proves the caller; `repeats` tells whether a request id was seen before."""
    routes = APIRouter(tags=["asks"], route_class=StrictRoute)
    # Solved before the body is judged, so that a stranger learns nothing of what a good body is.
    proven = Annotated[Caller, Depends(gate)]

    async def ask_for(body: AskBody, caller: Caller, reduced: IsReduced | None = None) -> Any:
        repeat = await repeats(caller, body.request_id)
        ask = ask_of(body, ports.directory, test_numbers=test_numbers, repeat=repeat)
        return await exchange(ask, caller, ports, is_reduced=reduced)

    @routes.post("/v1/exchange", responses=told("Answer", ASK_ANSWERS), summary="Ask about one citizen")
    async def post_exchange(body: AskBody, caller: proven) -> Response:
        answer = await ask_for(body, caller)
        return _json(answer_body(answer, ports.directory))

    @routes.post("/v1/views", responses=told("View", ASK_ANSWERS), summary="Ask for the whole-person view")
    async def post_view(body: ViewBody, caller: proven) -> Response:
        # Before the ask: what is malformed must not be found when the data is already on the log as released.
        weeks_of(body.weeks)
        answer = await ask_for(body, caller, is_reduced)
        return _json(view_body(answer, caller, ports.clock.now(), body.weeks, ports.directory))

    return routes


def _json(body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body), media_type="application/json")
