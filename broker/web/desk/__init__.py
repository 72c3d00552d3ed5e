"""The citizens' desk at `/desk`: help a citizen without a computer to answer, to stop or pause, or to get a print."""

from __future__ import annotations

from fastapi import APIRouter

from broker.consents.receipts import Desk
from broker.web.desk import answer, change, find
from broker.web.desk.room import Room
from broker.web.doors import Records
from broker.web.login import Logins
from broker.web.pages.show import Pages


def build(made_from: Desk, records: Records, logins: Logins, pages: Pages, *, test_numbers: bool) -> APIRouter:
    """Build the desk's pages; `made_from` is what receipts are made from, `records` signs them."""
    room = Room(made_from.ports, made_from, records, logins, pages, test_numbers)
    routes = APIRouter(include_in_schema=False)
    for part in (find, answer, change):
        routes.include_router(part.build(room))
    return routes
