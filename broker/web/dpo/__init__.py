"""The overseer's pages at `/dpo`: how the logs stand, checking and searching them, erasing. Every look is logged."""

from __future__ import annotations

from fastapi import APIRouter

from broker.oversight.after_checks import AfterCheckDesk
from broker.oversight.breaches import Desk as BreachDesk
from broker.oversight.fact_sheets import Running
from broker.oversight.integrity import Desk as IntegrityDesk
from broker.oversight.names import Desk as NamingDesk
from broker.oversight.publication import Press
from broker.oversight.report import Desk as ReportDesk
from broker.oversight.reviews import Desk as ReviewDesk
from broker.oversight.saved import Desk as SavedDesk
from broker.oversight.tasks import Desk as TaskDesk
from broker.oversight.what_ifs import Desk as WhatIfDesk
from broker.ports import Clock, Erasures, Inquiries, LogReader, Ports
from broker.transparency.inquiries import Desk as InquiryDesk
from broker.web.doors import Ceilings
from broker.web.dpo import after_checks as checking
from broker.web.dpo import breaches as filing
from broker.web.dpo import erasures as erasing
from broker.web.dpo import evidence as proving
from broker.web.dpo import fact_sheet as assessing
from broker.web.dpo import figures as counting
from broker.web.dpo import found, log, named, package, recipients, record
from broker.web.dpo import inquiries as asking
from broker.web.dpo import integrity as watching
from broker.web.dpo import report as reporting
from broker.web.dpo import samples as reviewing
from broker.web.dpo import saved as keeping
from broker.web.dpo import tasks as waiting
from broker.web.dpo import what_ifs as trying
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
    inquiries: Inquiries,
    samples: ReviewDesk,
    breaches: BreachDesk,
    integrity: IntegrityDesk,
    figures: Press,
    ceilings: Ceilings,
    log_name: str,
    after_checks: AfterCheckDesk,
    report: ReportDesk,
    saved: SavedDesk,
    running: Running,
    what_ifs: WhatIfDesk,
    naming: NamingDesk,
    tasks: TaskDesk,
) -> APIRouter:
    """Build the overseer's pages. `clock` is the machine's, which checkpoints are signed by."""
    room = Room(ports, reader, logins, pages, clock, ceilings, test_numbers)
    routes = _finding(room, saved, naming, tasks)
    routes.include_router(erasing.build(room, erasures))
    routes.include_router(asking.build(room, inquiries))
    routes.include_router(reviewing.build(room, samples))
    routes.include_router(filing.build(room, breaches))
    routes.include_router(record.build(room))
    routes.include_router(assessing.build(room, running))
    routes.include_router(_answering(room, InquiryDesk(ports, reader, inquiries), ceilings))
    routes.include_router(counting.build(room, figures))
    routes.include_router(reporting.build(room, report))
    routes.include_router(watching.build(room, integrity))
    routes.include_router(proving.build(room, integrity, log_name))
    routes.include_router(checking.build(room, after_checks))
    routes.include_router(trying.build(room, what_ifs))
    return routes


def _finding(room: Room, saved: SavedDesk, naming: NamingDesk, tasks: TaskDesk) -> APIRouter:
    """Build where an overseer begins: what waits, the search of the log, who is behind a line, what is kept of it."""
    routes = log.build(room, saved, tasks)
    routes.include_router(waiting.build(room, tasks))
    routes.include_router(found.build(room, saved, naming))
    routes.include_router(named.build(room, naming))
    routes.include_router(keeping.build(room, saved))
    return routes


def _answering(room: Room, desk: InquiryDesk, ceilings: Ceilings) -> APIRouter:
    """Build what a citizen is answered with: all that is held of them, and who got what of theirs."""
    routes = package.build(room, desk, ceilings)
    routes.include_router(recipients.build(room, ceilings))
    return routes
