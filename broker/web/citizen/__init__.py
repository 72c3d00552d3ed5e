"""The citizen's pages at `/mine`: what is asked, what is shared and how to stop it, who has looked."""

from __future__ import annotations

from fastapi import APIRouter

from broker.ports import LogReader, Ports
from broker.web.citizen import accesses, answers, blocks, own_look, pauses, receipts, shares, whole
from broker.web.citizen.room import Room
from broker.web.doors import Ceilings, Records
from broker.web.login import Logins
from broker.web.pages.show import Pages


def build(
    ports: Ports, reader: LogReader, logins: Logins, pages: Pages, log_name: str, records: Records, address: str,
    ceilings: Ceilings,
) -> APIRouter:  # fmt: skip
    """Build every page of the citizen's. `log_name` is what the logs are published under, `address` our own."""
    room = Room(ports, reader, logins, pages, log_name, records, address, ceilings)
    routes = APIRouter(include_in_schema=False)
    for part in (shares, own_look, pauses, answers, accesses, whole, blocks, receipts):
        routes.include_router(part.build(room))
    return routes
