"""All faces of one node, put together over its doors: the only place that knows every router."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from urllib.parse import urlsplit

import aiohttp
from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry

from broker.consents.receipts import Desk as RecordsDesk
from broker.consents.stops import StopDesk
from broker.ports import Ports
from broker.transparency.inquiries import Desk as InquiryDesk
from broker.transparency.notice_choices import Desk as NoticeDesk
from broker.web import case, citizen, desk, log, oauth, officers, reference
from broker.web.api import (
    accesses,
    authzen,
    authzen_metadata,
    authzen_search,
    breach_letters,
    break_glass,
    consents,
    exchange,
    health,
    imports,
    inquiries,
    me,
    receipts,
    withdrawals,
)
from broker.web.api.authzen_desk import Desk
from broker.web.api.authzen_pages import Windows
from broker.web.api.once import Once
from broker.web.app import build_app
from broker.web.caller import Gate
from broker.web.login import Logins
from broker.web.metrics import DoorsTold, LogsTold, WaitingTold
from broker.web.pages import start
from broker.web.pages.errors import show_errors_to_people
from broker.web.pages.show import Pages
from broker.web.sessions import SessionBook
from broker.web.web_doors import WebDoors


@asynccontextmanager
async def open_faces(ports: Ports, doors: WebDoors) -> AsyncIterator[FastAPI]:
    """Build the application, with what it keeps open towards log-in providers; close that at the end."""
    async with AsyncExitStack() as stack:
        timeout = aiohttp.ClientTimeout(total=5)
        http = await stack.enter_async_context(
            aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
        )
        logins, metrics = _logins(doors, http), CollectorRegistry()
        metrics.register(DoorsTold(doors.watched, doors.tallied))
        metrics.register(LogsTold(doors.unpublished))
        metrics.register(WaitingTold(doors.waiting))
        pages = Pages(secure=urlsplit(doors.public_url).scheme == "https")
        yield build_app(
            [*_api(ports, doors, logins, metrics), *_pages(ports, doors, logins, pages), _plain_routes(doors, logins)],
            ports.directory.reasons,
            metrics,
            version=doors.version,
            most_body_bytes=doors.most_body_bytes,
            form_targets=_form_targets(doors),
            show_errors=partial(show_errors_to_people, pages=pages),
        )


def _form_targets(doors: WebDoors) -> list[str]:
    """Name where our forms may lead on to: the log-in providers, and the page for who must be gone at once."""
    addresses = [provider.issuer for provider in doors.people.providers.values()]
    return sorted({_origin(address) for address in (*addresses, doors.exit_address)})


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _logins(doors: WebDoors, http: aiohttp.ClientSession) -> Logins:
    return Logins(
        doors.people,
        book=SessionBook(
            doors.sessions,
            doors.session_key,
            doors.clock,
            doors.public_url,
            idle=doors.session_idle,
            longest=doors.session_longest,
        ),
        registrations=doors.registrations,
        ceilings=doors.ceilings,
        http=http,
        clock=doors.clock,
        public_address=doors.public_url,
        exit_address=doors.exit_address,
    )


def _api(ports: Ports, doors: WebDoors, logins: Logins, metrics: CollectorRegistry) -> list[APIRouter]:
    """Build the JSON faces."""
    gate = Gate(doors.public_url, doors.registrations, doors.tokens, doors.replay, doors.ceilings, doors.clock)
    once = Once(doors.idempotency, ports.handles)
    tests = doors.test_numbers
    return [
        exchange.build(ports, gate.caller, once.seen, test_numbers=tests),
        *_authzen(ports, doors, gate, once),
        consents.build(ports, gate.caller, once, test_numbers=tests),
        withdrawals.build(StopDesk(ports.clock, ports.handles, doors.stops), gate.system),
        imports.build(ports, gate.caller, doors.record_issuers, test_numbers=tests),
        break_glass.build(ports, gate.caller, once, test_numbers=tests),
        receipts.build(_records_desk(ports, doors), doors.records, logins.require_citizen),
        me.build(ports, logins.require_citizen, logins.require_signer, logins.session),
        accesses.build_for_citizens(ports, doors.reader, logins.require_citizen, doors.clock),
        inquiries.build_for_citizens(InquiryDesk(ports, doors.reader, doors.inquiries), logins.require_citizen),
        breach_letters.build_for_citizens(ports, doors.breaches, logins.require_citizen),
        *officers.api(ports, doors, logins),
        accesses.build_for_anyone(doors.reader, doors.log_name),
        receipts.build_for_anyone(doors.records),
        health.build(doors.pings, metrics),
    ]


def _records_desk(ports: Ports, doors: WebDoors) -> RecordsDesk:
    return RecordsDesk(ports, doors.reader, doors.public_url)


def _authzen(ports: Ports, doors: WebDoors, gate: Gate, once: Once) -> list[APIRouter]:
    """Build the AuthZEN faces."""
    desk = Desk(ports, gate.caller, gate.count, once.seen, test_numbers=doors.test_numbers)
    return [
        authzen.build(desk),
        authzen_search.build(desk, Windows.under(doors.session_key)),
        authzen_metadata.build(doors.public_url),
    ]


def _pages(ports: Ports, doors: WebDoors, logins: Logins, pages: Pages) -> list[APIRouter]:
    """Build the pages for people."""
    tests = doors.test_numbers
    repeats = Once(doors.idempotency, ports.handles).seen
    return [
        start.build(ports, doors.reader, pages),
        citizen.build(
            ports,
            doors.reader,
            logins,
            pages,
            doors.log_name,
            doors.records,
            doors.public_url,
            doors.ceilings,
            doors.inquiries,
            NoticeDesk(ports, doors.notice_choices, doors.mail),
            doors.breaches,
            doors.watch.witnesses,
        ),
        case.build(ports, logins, pages, repeats, test_numbers=tests),
        desk.build(_records_desk(ports, doors), doors.records, logins, pages, test_numbers=tests),
        *log.build(ports, doors.reader, doors.public_log, pages, _published(doors)),
        officers.pages(ports, doors, logins, pages),
        reference.build(pages),
    ]


def _published(doors: WebDoors) -> log.Published:
    return log.Published(doors.log_name, f"{doors.public_url}/log", tuple(doors.log_keys))


def _plain_routes(doors: WebDoors, logins: Logins) -> APIRouter:
    """Mount what is not JSON in our own form: the token endpoint and the log-ins."""
    router = APIRouter()
    issued = oauth.routes(
        issuer=doors.public_url,
        registrations=doors.registrations,
        tokens=doors.tokens,
        replay=doors.replay,
        clock=doors.clock,
    )
    router.routes.extend([*issued, *logins.routes()])
    return router
