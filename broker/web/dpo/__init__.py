"""The overseer's pages at `/dpo`: how the logs stand, checking and searching them, erasing. Every look is logged."""

from __future__ import annotations

from fastapi import APIRouter

from broker.ports import Clock, Erasures, LogReader, Ports
from broker.web.dpo import erasures as erasing
from broker.web.dpo import log
from broker.web.dpo.room import Room
from broker.web.login import Logins
from broker.web.pages.show import Pages


def build(
    ports: Ports,
    reader: LogReader,
    logins: Logins,
    pages: Pages,
    clock: Clock,
    *,
    test_numbers: bool,
    erasures: Erasures,
) -> APIRouter:
    """Build the overseer's pages. `clock` is the machine's, which checkpoints are signed by."""
    room = Room(ports, reader, logins, pages, clock, test_numbers)
    routes = log.build(room)
    routes.include_router(erasing.build(room, erasures))
    return routes
