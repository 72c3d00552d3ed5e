"""The faces of officers, JSON and pages: overseers, log controllers and leaders, each over the desk of its own work."""

from __future__ import annotations

from fastapi import APIRouter

from broker.oversight.after_checks import AfterCheckDesk
from broker.oversight.breaches import Desk as BreachDesk
from broker.oversight.deferral import Desk as DeferralDesk
from broker.oversight.erasure import Desk as ErasureDesk
from broker.oversight.fact_sheets import Running
from broker.oversight.figures import Desk as FiguresDesk
from broker.oversight.inquiries import Desk as AnswerDesk
from broker.oversight.integrity import Desk as IntegrityDesk
from broker.oversight.names import Desk as NamingDesk
from broker.oversight.publication import Press
from broker.oversight.report import Desk as ReportDesk
from broker.oversight.reviews import Desk as ReviewDesk
from broker.oversight.saved import Desk as SavedDesk
from broker.oversight.tasks import Desk as TaskDesk
from broker.oversight.what_ifs import Desk as WhatIfDesk
from broker.ports import Ports
from broker.transparency.inquiries import Desk as InquiryDesk
from broker.web import dpo
from broker.web.api import (
    accesses,
    after_checks,
    breach_letters,
    breaches,
    deferrals,
    erasures,
    evidence,
    fact_sheets,
    fhir,
    figures,
    inquiries,
    integrity,
    named,
    record,
    samples,
    searches,
    tasks,
    what_ifs,
)
from broker.web.login import Logins
from broker.web.pages.show import Pages
from broker.web.web_doors import WebDoors


def api(ports: Ports, doors: WebDoors, logins: Logins) -> list[APIRouter]:
    """Build their JSON faces."""
    tests, officer = doors.test_numbers, logins.require_officer
    return [
        accesses.build_for_officers(ports, doors.reader, officer, logins.session, doors.ceilings, test_numbers=tests),
        named.build(ports, doors.reader, _naming_desk(ports, doors), officer, doors.ceilings, test_numbers=tests),
        deferrals.build(DeferralDesk(ports.clock, ports.handles, ports, doors.deferrals), officer, test_numbers=tests),
        inquiries.build_for_officers(AnswerDesk(ports.clock, ports.handles, doors.inquiries), officer, doors.reader),
        erasures.build(_erasure_desk(ports, doors), officer, test_numbers=tests),
        inquiries.build_package(
            InquiryDesk(ports, doors.reader, doors.inquiries),
            officer,
            doors.ceilings,
            test_numbers=tests,
        ),
        samples.build(_review_desk(ports, doors), officer),
        tasks.build(_task_desk(ports, doors), officer),
        breaches.build(_breach_desk(ports, doors), officer),
        breach_letters.build_for_officers(_breach_desk(ports, doors), officer, test_numbers=tests),
        record.build(ports, officer),
        fact_sheets.build(ports, _running(doors), officer),
        integrity.build(_integrity_desk(ports, doors), officer),
        searches.build(SavedDesk(ports.clock, ports.handles, doors.saved), officer),
        fhir.build(ports, doors.reader, officer, doors.ceilings, test_numbers=tests),
        evidence.build(_integrity_desk(ports, doors), officer, doors.ceilings),
        after_checks.build(_after_check_desk(ports, doors), officer),
        figures.build(_press(ports, doors), _report_desk(ports, doors), ports.directory, officer),
        what_ifs.build(_what_if_desk(ports, doors), officer),
    ]


def pages(ports: Ports, doors: WebDoors, logins: Logins, pages: Pages) -> APIRouter:
    """Build their pages."""
    return dpo.build(
        ports,
        doors.reader,
        logins,
        pages,
        doors.clock,
        test_numbers=doors.test_numbers,
        erasures=doors.erasures,
        inquiries=doors.inquiries,
        samples=_review_desk(ports, doors),
        breaches=_breach_desk(ports, doors),
        integrity=_integrity_desk(ports, doors),
        figures=_press(ports, doors),
        ceilings=doors.ceilings,
        log_name=doors.log_name,
        after_checks=_after_check_desk(ports, doors),
        report=_report_desk(ports, doors),
        saved=SavedDesk(ports.clock, ports.handles, doors.saved),
        running=_running(doors),
        what_ifs=_what_if_desk(ports, doors),
        naming=_naming_desk(ports, doors),
        tasks=_task_desk(ports, doors),
    )


def _naming_desk(ports: Ports, doors: WebDoors) -> NamingDesk:
    return NamingDesk(
        clock=ports.clock,
        handles=ports.handles,
        directory=ports.directory,
        reader=doors.reader,
        disclosures=doors.reviews.disclosures,
        employers={issuer: one.municipality for issuer, one in doors.registrations.employers.items()},
        count=doors.ceilings.count_name,
    )


def _running(doors: WebDoors) -> Running:
    services = sorted((kind, provider.issuer) for kind, provider in doors.people.providers.items())
    return Running(doors.version, doors.session_idle, doors.session_longest, tuple(services))


def _review_desk(ports: Ports, doors: WebDoors) -> ReviewDesk:
    return ReviewDesk(
        ports.clock,
        ports.handles,
        ports.directory,
        doors.reader,
        doors.samples,
        doors.registrations.accepted(),
        doors.reviews.disclosures,
    )


def _after_check_desk(ports: Ports, doors: WebDoors) -> AfterCheckDesk:
    return AfterCheckDesk(
        clock=ports.clock,
        handles=ports.handles,
        directory=ports.directory,
        reader=doors.reader,
        after_checks=doors.reviews.after_checks,
        emergencies=ports.emergencies,
        relations=doors.reviews.relations,
        disclosures=doors.reviews.disclosures,
        employers=doors.registrations.accepted(),
        leader_days=doors.reviews.leader_days,
    )


def _task_desk(ports: Ports, doors: WebDoors) -> TaskDesk:
    return TaskDesk(
        samples=_review_desk(ports, doors),
        after_checks=_after_check_desk(ports, doors),
        inquiries=doors.inquiries,
        breaches=doors.breaches,
        erasures=doors.erasures,
    )


def _erasure_desk(ports: Ports, doors: WebDoors) -> ErasureDesk:
    return ErasureDesk(ports.clock, ports.handles, ports.cases, ports.log, ports.directory, doors.erasures)


def _breach_desk(ports: Ports, doors: WebDoors) -> BreachDesk:
    touched = doors.ceilings.count_touched
    return BreachDesk(ports.clock, ports.handles, ports.directory, doors.reader, doors.breaches, touched)


def _press(ports: Ports, doors: WebDoors) -> Press:
    return Press(FiguresDesk(ports.clock, ports.handles, ports.log, doors.figures, doors.samples), doors.reader)


def _report_desk(ports: Ports, doors: WebDoors) -> ReportDesk:
    return ReportDesk(_press(ports, doors).figures, doors.samples, doors.watch, doors.ceilings.count_paper)


def _integrity_desk(ports: Ports, doors: WebDoors) -> IntegrityDesk:
    return IntegrityDesk(ports.clock, ports.handles, ports.log, doors.reader, doors.watch)


def _what_if_desk(ports: Ports, doors: WebDoors) -> WhatIfDesk:
    return WhatIfDesk(ports.clock, ports.handles, ports.log, doors.what_ifs)
