"""The citizen's pages at `/mine`: what is asked, what is shared and how to stop it, who has looked."""

from __future__ import annotations

from fastapi import APIRouter

from broker.ports import Breaches, Inquiries, LogReader, Ports
from broker.transparency.notice_choices import Desk as NoticeDesk
from broker.web.citizen import (
    accesses,
    answers,
    blocks,
    inquiries,
    notices,
    others,
    own_look,
    pauses,
    receipts,
    rights,
    shares,
    whole,
)
from broker.web.citizen import (
    breaches as breach_letters,
)
from broker.web.citizen.room import Room
from broker.web.doors import Ceilings, Records
from broker.web.login import Logins
from broker.web.pages.show import Pages


def build(
    ports: Ports, reader: LogReader, logins: Logins, pages: Pages, log_name: str, records: Records, address: str,
    ceilings: Ceilings, asked: Inquiries, notice_desk: NoticeDesk, breaches: Breaches,
    witnesses: str,
) -> APIRouter:  # fmt: skip
    """Build every page of the citizen's. `log_name` is what the logs are published under, `address` our own.

    `witnesses` is the policy of the logs' witnesses, as text.
    """
    room = Room(
        ports, reader, logins, pages, log_name, records, address, ceilings, asked, notice_desk, breaches, witnesses
    )
    routes = APIRouter(include_in_schema=False)
    for part in (
        shares,
        own_look,
        pauses,
        answers,
        accesses,
        inquiries,
        whole,
        blocks,
        breach_letters,
        notices,
        rights,
        others,
        receipts,
    ):
        routes.include_router(part.build(room))
    return routes
