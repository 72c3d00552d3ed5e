"""`/v1/break-glass`: an on-call caseworker asks those who hold the data, and a health person of theirs decides."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request, Response

from broker.break_glass.decide import decide_break_glass, decided_before, read_as_holder, request_of_asker
from broker.break_glass.request import request_break_glass
from broker.domain.break_glass import BreakGlass
from broker.domain.errors import NotFound
from broker.domain.identity import Caller
from broker.ports import Ports
from broker.web.api.answers import CHANGE_ANSWERS, READ_ANSWERS, told
from broker.web.api.once import Once
from broker.web.api.strict import StrictRoute
from broker.web.break_glass_wire import BreakGlassBody, DecisionBody, break_glass_body, wanted_of
from broker.web.wire import cpr_of

Gate = Callable[[Request], Awaitable[Caller]]

ASKED = told("BreakGlass", CHANGE_ANSWERS) | told("BreakGlass", status=201)
DECIDED = told("BreakGlass", CHANGE_ANSWERS)


def build(ports: Ports, gate: Gate, once: Once, *, test_numbers: bool) -> APIRouter:
    """Build the routes. `gate` proves the caller; `once` keeps a repeated POST from being done twice."""
    routes = APIRouter(tags=["break-glass"], route_class=StrictRoute)
    proven = Annotated[Caller, Depends(gate)]

    @routes.post("/v1/break-glass", status_code=201, responses=ASKED, summary="Ask for a yes, for danger to life")
    async def post_request(request: Request, body: BreakGlassBody, caller: proven) -> Response:
        wanted = wanted_of(body, ports.directory, test_numbers=test_numbers)
        made_id, repeated = await once.resource(request, caller)
        if repeated and (kept := await _kept(ports, made_id, caller)):
            return _json(break_glass_body(kept, ports.directory))
        made, receipt = await request_break_glass(made_id, wanted, caller, ports)
        return _json(break_glass_body(made, ports.directory, receipt), 201)

    @routes.get(
        "/v1/break-glass/{request_id}",
        responses=told("BreakGlass", READ_ANSWERS),
        summary="How a request stands; to a holder also what it says",
    )
    async def get_request(request_id: str, caller: proven) -> Response:
        if (kept := await _kept(ports, request_id, caller)) is not None:
            return _json(break_glass_body(kept, ports.directory))
        asked, words, receipt = await read_as_holder(request_id, caller, ports)
        return _json(break_glass_body(asked, ports.directory, receipt, words))

    @routes.post("/v1/break-glass/{request_id}/decision", responses=DECIDED, summary="Say yes or no, as who holds it")
    async def post_decision(request: Request, request_id: str, body: DecisionBody, caller: proven) -> Response:
        citizen = cpr_of(body.citizen, pointer="/citizen", test_numbers=test_numbers)
        _, repeated = await once.resource(request, caller)
        if repeated and (kept := await decided_before(request_id, body.decision, citizen, caller, ports)):
            return _json(break_glass_body(kept, ports.directory))
        decided, receipt = await decide_break_glass(request_id, body.decision, citizen, caller, ports)
        return _json(break_glass_body(decided, ports.directory, receipt))

    return routes


async def _kept(ports: Ports, request_id: str, caller: Caller) -> BreakGlass | None:
    """Find the caller's own request; None where there is none."""
    try:
        return await request_of_asker(request_id, caller, ports)
    except NotFound:
        return None


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(body), status_code=status, media_type="application/json")
