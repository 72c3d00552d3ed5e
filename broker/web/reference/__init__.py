"""`/reference`: how systems talk to the broker, made of our own `/openapi.json`; nothing comes from another host."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from broker.web.pages.show import Pages
from broker.web.reference.operations import operations_of


def build(pages: Pages) -> APIRouter:
    """Build the page."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/reference")
    async def get_reference(request: Request) -> Response:
        document: dict[str, Any] = request.app.openapi()
        rooms = operations_of(document)
        return pages.show(request, "reference/reference.html", info=document["info"], rooms=rooms)

    return routes
