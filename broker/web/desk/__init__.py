"""The citizens' desk at `/desk`: help a citizen without a computer to answer, to stop or pause, or to get a print."""

from __future__ import annotations

from fastapi import APIRouter

from broker.ports import Ports
from broker.web.desk import answer, change, find
from broker.web.desk.room import Room
from broker.web.login import Logins
from broker.web.pages.show import Pages


def build(ports: Ports, logins: Logins, pages: Pages, *, test_numbers: bool) -> APIRouter:
    """Build the desk's pages."""
    room = Room(ports, logins, pages, test_numbers)
    routes = APIRouter(include_in_schema=False)
    for part in (find, answer, change):
        routes.include_router(part.build(room))
    return routes
