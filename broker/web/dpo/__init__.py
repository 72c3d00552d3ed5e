"""The overseer's pages at `/dpo`: how the logs stand, checking them, searching them. Every look is logged."""

from __future__ import annotations

from fastapi import APIRouter

from broker.ports import Clock, LogReader, Ports
from broker.web.dpo import log
from broker.web.dpo.room import Room
from broker.web.login import Logins
from broker.web.pages.show import Pages


def build(
    ports: Ports, reader: LogReader, logins: Logins, pages: Pages, clock: Clock, *, test_numbers: bool
) -> APIRouter:
    """Build the overseer's pages. `clock` is the machine's, which checkpoints are signed by."""
    return log.build(Room(ports, reader, logins, pages, clock, test_numbers))
