"""`/health/live`, `/health/ready`, `/metrics`: for the operator. One line a door, made from what is registered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import orjson
from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from broker.domain.errors import BrokerError
from broker.web.api.answers import told

Ping = Callable[[], Awaitable[None]]
PING_SECONDS = 2.0
READY = told("Ready") | told("Ready", status=503)


def build(pings: Mapping[str, Ping], metrics: CollectorRegistry) -> APIRouter:
    """Build the three routes over the doors' pings."""
    routes = APIRouter(tags=["operation"])

    @routes.get("/health/live", responses=told("Live"), summary="The process answers")
    async def live() -> Response:
        return Response(b'{"live":true}', media_type="application/json")

    @routes.get("/health/ready", summary="Every door answers", responses=READY)
    async def ready() -> Response:
        names = sorted(pings)
        states = await asyncio.gather(*(_state(pings[name]) for name in names))
        doors = dict(zip(names, states, strict=True))
        status = 200 if all(state == "ok" for state in states) else 503
        body = orjson.dumps({"ready": status == 200, "doors": doors})
        return Response(body, status_code=status, media_type="application/json")

    @routes.get("/metrics", response_class=PlainTextResponse, summary="Prometheus metrics")
    async def metrics_text() -> Response:
        return Response(generate_latest(metrics), media_type=CONTENT_TYPE_LATEST)

    return routes


async def _state(ping: Ping) -> str:
    """Say whether a door answers, in a word; what it said otherwise stays inside."""
    try:
        async with asyncio.timeout(PING_SECONDS):
            await ping()
    except (BrokerError, OSError, TimeoutError):
        return "no answer"
    return "ok"
