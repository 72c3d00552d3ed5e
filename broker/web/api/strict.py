"""JSON as RFC 8259 has it, read strictly: UTF-8 alone, no NaN, no halves of a pair, no nesting without end."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import orjson
from fastapi import Request, Response
from fastapi.routing import APIRoute


class StrictRequest(Request):
    """A request whose JSON is that of the standard."""

    async def json(self) -> Any:
        """Give the body's JSON. Raises `json.JSONDecodeError`, which becomes a problem that repeats nothing."""
        return orjson.loads(await self.body())


class StrictRoute(APIRoute):
    """A route that reads its body so: the framework's own reader guesses UTF-16 and takes NaN for a number."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Give the framework's handler a strict request."""
        handle = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            return await handle(StrictRequest(request.scope, request.receive))

        return strictly
