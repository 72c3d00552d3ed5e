"""`/`, the front page: three doors, the reference, the logs' checkpoints; `/accessibility`: who can use the pages."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from broker.ports import LogReader, Ports
from broker.web.pages.show import Pages


def build(ports: Ports, reader: LogReader, pages: Pages) -> APIRouter:
    """Build the front page."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/")
    async def get_start(request: Request) -> Response:
        # What is public anyway: which logs there are, and how far each is signed.
        logs = [
            (ports.directory.municipalities[log.municipality].name, log)
            for log in await reader.logs(sorted(ports.directory.municipalities))
        ]
        return pages.show(request, "pages/start.html", logs=logs)

    @routes.get("/accessibility")
    async def get_accessibility(request: Request) -> Response:
        return pages.show(request, "pages/accessibility.html")

    return routes
