"""What every AuthZEN route does with a request: who asks, under which id, and the asks that come of it."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import Request, Response

from broker.domain.asks import Ask
from broker.domain.errors import BadAsk
from broker.domain.identity import Caller
from broker.evaluation.evaluate import Evaluated, evaluate
from broker.ports import Ports
from broker.web.api.authzen_bodies import About
from broker.web.request_id import NAME, PATTERN, request_id

Gate = Callable[[Request], Awaitable[Caller]]
Counts = Callable[[Caller], Awaitable[None]]
Repeats = Callable[[Caller, str | None], Awaitable[bool]]
Place = tuple[str, str]

# What the OpenAPI document says of every one of these routes.
NAMED: dict[str, Any] = {
    "parameters": [
        {
            "name": NAME,
            "in": "header",
            "required": False,
            "description": "The caller's own id of the request, given back with the answer",
            "schema": {"type": "string", "pattern": PATTERN},
        }
    ]
}


@dataclass(slots=True)
class Asking:
    """One request's asks. Each is an access of its own; a repeat of the request is marked as one.

    The request's id is remembered with the first ask, so that what is malformed leaves no trace.
    """

    ports: Ports
    caller: Caller
    repeats: Repeats
    request_id: str | None
    repeat: bool | None = None

    async def evaluate(self, about: About, places: Iterable[Place] | None) -> Evaluated:
        """Ask about these places, or about all that the purpose and the registry give."""
        if self.repeat is None:
            self.repeat = await self.repeats(self.caller, self.request_id)
        named = None if places is None else frozenset(places)
        ask = Ask(
            id=str(uuid.uuid4()),
            citizen=about.citizen,
            purpose=about.purpose,
            case=about.case,
            categories=None if named is None else frozenset(category for _, category in named),
            sources=None if named is None else frozenset(source for source, _ in named),
            request_id=self.request_id,
            repeat=self.repeat,
            places=named,
        )
        return await evaluate(ask, self.caller, self.ports)


@dataclass(frozen=True, slots=True)
class Desk:
    """What the routes need: the doors, the gate that proves the caller, the count of further asks, known repeats."""

    ports: Ports
    gate: Gate
    count: Counts
    repeats: Repeats
    test_numbers: bool

    def asking(self, request: Request, caller: Caller) -> Asking:
        """Begin a request's asks; raise `BadAsk` for another kind of body, or an id that cannot be given back."""
        kind, _, _ = request.headers.get("content-type", "").partition(";")
        if kind.strip().lower() != "application/json":
            raise BadAsk("", "media_type")
        return Asking(self.ports, caller, self.repeats, request_id(request))


def json_body(body: dict[str, Any]) -> Response:
    """Send JSON as the specification wants it (section 10.1)."""
    return Response(orjson.dumps(body), media_type="application/json")
