"""`/v1/withdrawals`: a unit's system hears which yeses hold no more, and says that it has heard."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response

from broker.consents.stops import Mark, StopDesk, receive, stops_of
from broker.domain.errors import BadAsk
from broker.domain.identity import System
from broker.domain.stops import Stop
from broker.web.api.answers import READ_ANSWERS, problems, told
from broker.web.api.strict import StrictRoute
from broker.web.consent_wire import moment

MOST = 200
SystemGate = Callable[[Request], Awaitable[System]]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_CURSOR = re.compile(rf"([0-9]{{1,16}})\.({_UUID})\.([0-9]{{1,9}})", re.ASCII)
_HEARD = problems(400, 401, 403, 404, 408, 413, 429, 503)


def build(desk: StopDesk, system: SystemGate) -> APIRouter:
    """Build both routes. `system` proves the department's system; no caseworker need be named."""
    routes = APIRouter(tags=["withdrawals"], route_class=StrictRoute)
    proven = Annotated[System, Depends(system)]

    @routes.get(
        "/v1/withdrawals",
        responses=told("Withdrawals", READ_ANSWERS),
        summary="Which yeses hold no more: use what you got on them no further",
    )
    async def get_withdrawals(
        who: proven,
        cursor: Annotated[str | None, Query(max_length=80)] = None,
        limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
        received: Literal["yes", "no"] = "no",
    ) -> Response:
        # One more than is shown tells whether there are more.
        after = None if cursor is None else _mark(cursor)
        found = await stops_of(who, desk, received=received == "yes", after=after, limit=limit + 1)
        page = found[:limit]
        following = _cursor(page[-1]) if len(found) > limit else None
        return _json({"withdrawals": [_body(stop) for stop in page], "next": following})

    @routes.post(
        "/v1/withdrawals/{withdrawal_id}/acknowledgement",
        responses=told("WithdrawalReceived", _HEARD),
        summary="Say that your system has received it",
    )
    async def post_acknowledgement(withdrawal_id: str, who: proven) -> Response:
        at = await receive(withdrawal_id, who, desk)
        return _json({"withdrawal": withdrawal_id, "received_at": moment(at)})

    return routes


def _body(stop: Stop) -> dict[str, Any]:
    """Lay out a stop for the unit that got something: what it knows already, and since when it holds no more."""
    return {
        "id": stop.id,
        "consent": stop.consent,
        "request": stop.request,
        "unit": stop.unit,
        "purpose": stop.purpose,
        "since": moment(stop.since),
        "lines": [
            {"source": source, "category": category}
            for source, category in sorted({(line.source, line.category) for line in stop.lines})
        ],
        "received_at": None if stop.received_at is None else moment(stop.received_at),
    }


def _cursor(stop: Stop) -> str:
    return f"{(stop.since - EPOCH) // timedelta(microseconds=1)}.{stop.name}.{stop.step}"


def _mark(cursor: str) -> Mark:
    """Read where an earlier list ended; raise `BadAsk` for a mark that was never given."""
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise BadAsk("/cursor")
    return EPOCH + timedelta(microseconds=int(found[1])), found[2], int(found[3])


def _json(body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body), media_type="application/json")
