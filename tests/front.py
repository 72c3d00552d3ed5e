"""The JSON faces over real databases and the real rules: whoever a test says is calling, calls."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx2
from prometheus_client import CollectorRegistry
from starlette.requests import Request

from broker.adapters.break_glass_sql import BreakGlassSql
from broker.adapters.clock_system import FixedClock
from broker.adapters.idempotency_sql import IdempotencySql
from broker.adapters.signed_records import IssuersOfRecords, RecordSigner
from broker.adapters.stops_sql import StopsSql
from broker.consents.receipts import Desk as RecordsDesk
from broker.consents.stops import StopDesk
from broker.domain.errors import NotAuthenticated, TooManyAsks
from broker.domain.identity import Caller, CitizenLogin, OfficerLogin, System
from broker.domain.personal import Personal
from broker.ports import Ports
from broker.web.api import (
    accesses,
    authzen,
    authzen_search,
    break_glass,
    consents,
    exchange,
    imports,
    me,
    receipts,
    withdrawals,
)
from broker.web.api.authzen_desk import Desk
from broker.web.api.authzen_pages import Windows
from broker.web.api.once import Once
from broker.web.app import build_app
from broker.web.sessions import Session
from demo.postgres import PrivatePostgres
from tests.actors import a_signer
from tests.builders import CHILD, CITIZEN, NOON, a_caller, a_house, an_item
from tests.databases import BASE, Databases, opened
from tests.fakes.web import FakeCeilings

MOST_BYTES = 65_536


@dataclass
class Front:
    """The application, its doors, and who stands before it: change `caller`, `citizen` or `officer` to be another."""

    databases: Databases
    ports: Ports
    http: httpx2.AsyncClient
    caller: Caller = field(default_factory=a_caller)
    citizen: Personal[str] = CITIZEN
    signer: RecordSigner = field(default_factory=a_signer)
    issuers: list[tuple[str, frozenset[str], Any]] = field(default_factory=list)
    counted: int = 0
    most: int = 1000
    officer: OfficerLogin = field(
        default_factory=lambda: OfficerLogin(
            Personal("dorte"), "https://idp.korsbaek", "dpo", frozenset({"korsbaek"}), "Substantial", NOON
        )
    )

    def opened(self, document: str, municipality: str) -> Any:
        """Open a signed record as those in `issuers` would have it."""
        return IssuersOfRecords(self.issuers).opened(document, municipality)

    async def post(self, path: str, body: Any, **headers: str) -> httpx2.Response:
        """Send a JSON body."""
        return await self.http.post(path, json=body, headers=headers)

    async def get(self, path: str) -> httpx2.Response:
        """Read."""
        return await self.http.get(path)


@contextlib.asynccontextmanager
async def open_front(
    postgres: PrivatePostgres, folder: Path, change: Callable[[Ports], Ports] = lambda ports: ports, **registry: Any
) -> AsyncIterator[Front]:
    """Open the faces over two fresh databases; the registers and sources are those of the small house, or changed."""
    house = await a_house(folder, **registry)
    async with opened(postgres) as databases:
        citizen, child = await databases.vault.citizens([CITIZEN, CHILD])
        for name, source in house.sources.items():
            for cpr, handle in ((CITIZEN, citizen), (CHILD, child)):
                source.told[cpr.disclose()] = [an_item(name, c, handle) for c in sorted(source.categories)]
        ports = replace(
            house.ports, handles=databases.vault, consents=databases.consents, log=databases.log, clock=FixedClock(NOON)
        )
        ports = replace(ports, emergencies=BreakGlassSql(databases.pool, databases.log, databases.vault))
        ports = change(ports)
        transport = httpx2.ASGITransport(app=None, raise_app_exceptions=False)  # type: ignore[arg-type]  # set below
        async with httpx2.AsyncClient(transport=transport, base_url="https://broker.example") as http:
            front = Front(databases, ports, http)
            transport.app = _app(front)
            yield front


def _app(front: Front) -> Any:
    async def gate(_: Request) -> Caller:
        return front.caller

    async def system(_: Request) -> System:
        return front.caller.system

    async def count(_: Caller) -> None:
        front.counted += 1
        if front.counted > front.most:
            raise TooManyAsks(60)

    async def citizen(_: Request) -> CitizenLogin:
        return CitizenLogin(front.citizen, "Substantial", NOON)

    async def officer(_: Request) -> OfficerLogin:
        return front.officer

    async def session(_: Request, __: str) -> Session:
        raise NotAuthenticated("login_required")

    ports, reader = front.ports, front.databases.reader
    once = Once(IdempotencySql(front.databases.pool, front.databases.keys.requests), ports.handles)
    desk = Desk(ports, gate, count, once.seen, test_numbers=True)
    routers = [
        exchange.build(ports, gate, once.seen, test_numbers=True),
        authzen.build(desk),
        authzen_search.build(desk, Windows.under(b"a key of the house")),
        consents.build(ports, gate, once, test_numbers=True),
        withdrawals.build(
            StopDesk(ports.clock, ports.handles, StopsSql(front.databases.pool, front.databases.log)), system
        ),
        imports.build(ports, gate, front, test_numbers=True),
        break_glass.build(ports, gate, once, test_numbers=True),
        me.build(ports, citizen, citizen, session),
        receipts.build(RecordsDesk(ports, reader, "https://broker.example"), front.signer, citizen),
        receipts.build_for_anyone(front.signer),
        accesses.build_for_citizens(ports, reader, citizen, ports.clock),
        accesses.build_for_officers(ports, reader, officer, session, FakeCeilings(), test_numbers=True),
        accesses.build_for_anyone(reader, BASE),
    ]
    return build_app(routers, ports.directory.reasons, CollectorRegistry(), version="test", most_body_bytes=MOST_BYTES)
