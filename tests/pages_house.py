"""The pages over a small house: real log, consents and handles, registers and sources in memory, people logged in."""

from __future__ import annotations

import contextlib
import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path
from typing import Any

import httpx2
from fastapi import FastAPI
from starlette.responses import Response

from audit.note import SigningKey
from broker.adapters.after_checks_sql import AfterChecksSql
from broker.adapters.audit_evidence import EvidencesPostgres
from broker.adapters.audit_standing import StandingsPostgres
from broker.adapters.audit_tiles import LogTilesPostgres
from broker.adapters.breaches_sql import BreachesSql
from broker.adapters.break_glass_sql import BreakGlassSql
from broker.adapters.checks_sql import ChecksSql, Program
from broker.adapters.clock_system import FixedClock
from broker.adapters.deferrals_sql import DeferralsSql
from broker.adapters.disclosures_vault import DisclosuresVault
from broker.adapters.erasures_sql import ErasuresSql
from broker.adapters.figures_sql import FiguresSql
from broker.adapters.idempotency_sql import IdempotencySql
from broker.adapters.inquiries_sql import InquiriesSql
from broker.adapters.notice_choices_sql import NoticeChoicesSql
from broker.adapters.past_decisions import PastDecisionsPostgres
from broker.adapters.relations_recorded import RelationsRecorded
from broker.adapters.samples_sql import SamplesSql
from broker.adapters.saved_searches_sql import SavedSearchesSql
from broker.adapters.signed_records import IssuersOfRecords
from broker.adapters.stops_sql import StopsSql
from broker.adapters.tokens_jwt import JwtTokens
from broker.adapters.what_ifs_sql import WhatIfsSql, archive
from broker.domain.identity import Caseworker, Role
from broker.domain.personal import Personal
from broker.oversight.doors import ReviewDoors
from broker.oversight.integrity import Watch
from broker.oversight.waiting import Waiting
from broker.ports import Ports
from broker.web.faces import open_faces
from broker.web.login import Faces
from broker.web.oauth.claims import caseworker_claims, private_claims
from broker.web.oauth.registrations import Registrations
from broker.web.sessions import IDLE, LONGEST, SessionBook
from broker.web.web_doors import WebDoors
from demo.postgres import PrivatePostgres
from tests.actors import AnEmployer, ASystem, a_key, a_signer
from tests.builders import CASE, CHILD, CITIZEN, NOON, POLICIES, PURPOSE, a_caller, a_house, an_item
from tests.databases import BASE, Databases, opened
from tests.fakes.mail import FakeMail
from tests.fakes.sources import FakeSource
from tests.fakes.web import FakeCeilings, FakeReplay, FakeSessions

PUBLIC = "https://broker.example"
PAGE = {"accept": "text/html,application/xhtml+xml"}
CSRF = re.compile(r'name="csrf" value="([^"]+)"')
ASK = {"citizen": "710274-0022", "purpose": PURPOSE, "case": CASE}
LINES = ["social/S01", "social/S02", "family/F01", "health/H01"]
EMPLOYER = AnEmployer()
LOG_KEY = SigningKey.generate(BASE)
# The unit that keeps the citizens' desk.
DESK_UNIT = "school-office"
SYSTEM = ASystem("momentum", units=frozenset({"jobcentre", DESK_UNIT}))


@dataclass
class Reader:
    """A person at a browser. `seen` are all addresses that came by, theirs and those they were sent to."""

    http: httpx2.AsyncClient
    seen: list[str]
    csrf: str = ""

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        """Open a page and stay on it."""
        answer = await self.http.get(path, headers=PAGE | headers)
        return self._noted(answer)

    async def post(self, path: str, *, csrf: str | None = None, **fields: Any) -> httpx2.Response:
        """Send a form with the token of the page one was on. Fields with several values are lists."""
        form = {"csrf": self.csrf if csrf is None else csrf, **fields}
        return self._noted(await self.http.post(path, data=form, headers=PAGE))

    async def send(self, path: str, **fields: Any) -> httpx2.Response:
        """Send a form and go where it leads."""
        answer = await self.post(path, **fields)
        assert answer.status_code == 303, answer.text
        return await self.get(answer.headers["location"])

    def _noted(self, answer: httpx2.Response) -> httpx2.Response:
        self.seen += [str(answer.url), answer.headers.get("location", "")]
        found = CSRF.search(answer.text)
        self.csrf = found[1] if found else self.csrf
        return answer


@dataclass
class PagesHouse:
    """The application with its pages, the doors behind it, and a way to log in."""

    app: FastAPI
    ports: Ports
    databases: Databases
    sources: dict[str, FakeSource]
    clock: FixedClock
    book: SessionBook
    mail: FakeMail
    what_ifs: WhatIfsSql
    ceilings: FakeCeilings

    async def citizen(self, cpr: Personal[str] = CITIZEN) -> Reader:
        """Log a citizen in."""
        return await self._logged_in("citizen", {"cpr": cpr.disclose(), "nsis": "Substantial"})

    async def officer(self, **content: Any) -> Reader:
        """Log Korsbæk's DPO in."""
        told = {
            "id": "d",
            "issuer": "i",
            "role": "dpo",
            "municipalities": ["korsbaek"],
            "nsis": "High",
            "name": "Dorte",
        }
        return await self._logged_in("officer", told | content)

    async def caseworker(self, **changes: Any) -> Reader:
        """Log Lene of the jobcentre in."""
        lene: Caseworker = replace(a_caller().caseworker, **changes)
        return await self._logged_in("caseworker", {"caseworker": caseworker_claims(lene)})

    def stranger(self) -> Reader:
        """Give a browser in which nobody has logged in."""
        return Reader(httpx2.AsyncClient(transport=httpx2.ASGITransport(app=self.app), base_url=PUBLIC), [])

    async def desk(self, **changes: Any) -> Reader:
        """Log Dan of the citizens' desk in, on its first page."""
        role = Role("borgerservice", ("23.*",), 2, attested_on=20190101)
        held = {"id": Personal("dan"), "unit": DESK_UNIT, "roles": (role,), "cpr": Personal("6604770018")} | changes
        dan: Caseworker = replace(a_caller().caseworker, **held)
        reader = await self._logged_in("caseworker", {"caseworker": caseworker_claims(dan) | private_claims(dan)})
        await reader.get("/desk")
        return reader

    async def _logged_in(self, kind: str, content: dict[str, Any]) -> Reader:
        reader, answer = self.stranger(), Response()
        kept = {"id_token": "t", "at": self.clock.now().timestamp(), "tells_when": True} | content
        await self.book.open(answer, kind, kept, owner=kind)
        name, _, value = answer.headers["set-cookie"].split(";")[0].partition("=")
        reader.http.cookies.set(name, value)
        return reader


@contextlib.asynccontextmanager
async def open_pages(
    postgres: PrivatePostgres, folder: Path, *, candidates: Path | None = None, **registry: Any
) -> AsyncIterator[PagesHouse]:
    """Open a small house with its pages."""
    async with opened(postgres) as databases:
        small = await a_house(folder, **registry)
        citizen, child = await databases.vault.citizens([CITIZEN, CHILD])
        told = {CITIZEN.disclose(): citizen, CHILD.disclose(): child}
        sources = {
            name: FakeSource(
                name,
                {cpr: [an_item(name, c, handle) for c in entry.categories] for cpr, handle in told.items()},
                entry.categories,
            )
            for name, entry in small.directory.sources.items()
        }
        ports = replace(
            small.ports, handles=databases.vault, consents=databases.consents, log=databases.log, sources=sources,
            emergencies=BreakGlassSql(databases.pool, databases.log, databases.vault),
        )  # fmt: skip
        clock, sessions, key, mail = FixedClock(NOON), FakeSessions(), secrets.token_bytes(32), FakeMail()
        checking = Program(databases.at.reader, (str(LOG_KEY.verify_key),))
        checks = ChecksSql(databases.pool, databases.log, clock, checking)
        past = archive(databases.pool, databases.vault, POLICIES)
        what_ifs = WhatIfsSql(databases.pool, databases.log, clock, past, candidates)
        ceilings = FakeCeilings({"package": 20, "name": 10, "search": 200, "line": 1000, "evidence": 100})
        doors = WebDoors(
            public_url=PUBLIC,
            log_name=BASE,
            registrations=Registrations.of([SYSTEM.registration], [EMPLOYER.registration]),
            people=Faces({}, {"11111111": "korsbaek"}, SYSTEM.client_id, EMPLOYER.issuer),
            tokens=JwtTokens([a_key().as_dict(private=True)], PUBLIC),
            records=a_signer(),
            record_issuers=IssuersOfRecords([]),
            replay=FakeReplay(),
            sessions=sessions,
            session_key=key,
            session_idle=IDLE,
            session_longest=LONGEST,
            ceilings=ceilings,
            idempotency=IdempotencySql(databases.pool, key),
            reader=databases.reader,
            public_log=LogTilesPostgres(databases.pool),
            log_keys=[str(LOG_KEY.verify_key)],
            erasures=ErasuresSql(databases.pool, databases.log),
            deferrals=DeferralsSql(databases.pool, databases.log),
            inquiries=InquiriesSql(databases.pool, databases.log, databases.vault),
            samples=SamplesSql(databases.pool, databases.log, databases.vault),
            breaches=BreachesSql(databases.pool, databases.log, databases.vault),
            figures=FiguresSql(databases.pool),
            watch=Watch(
                StandingsPostgres(databases.pool, [str(LOG_KEY.verify_key)], 900.0),
                checks,
                EvidencesPostgres(databases.pool, databases.vault, [str(LOG_KEY.verify_key)]),
            ),
            what_ifs=what_ifs,
            waiting=Waiting(),
            reviews=ReviewDoors(
                AfterChecksSql(databases.pool, databases.log, databases.vault),
                RelationsRecorded(PastDecisionsPostgres(databases.pool, databases.vault)),
                DisclosuresVault(databases.log, databases.vault),
                5,
            ),
            saved=SavedSearchesSql(databases.pool, databases.log, databases.vault),
            notice_choices=NoticeChoicesSql(databases.pool, databases.log, databases.vault),
            mail=mail,
            stops=StopsSql(databases.pool, databases.log),
            clock=clock,
            pings={},
            test_numbers=True,
            most_body_bytes=65536,
            version="test",
        )
        async with open_faces(ports, doors) as app:
            book = SessionBook(sessions, key, clock, PUBLIC)
            try:
                yield PagesHouse(app, ports, databases, sources, clock, book, mail, what_ifs, ceilings)
            finally:
                await checks.aclose()
                await what_ifs.aclose()


async def ask_for(lene: Reader, lines: list[str], **more: Any) -> Any:
    """Let the caseworker ask the citizen for these lines, from the page that refused them."""
    refused = await lene.post("/case", **ASK)
    made = hidden(refused.text, "made")
    return await lene.post("/case/requests", **ASK, made=made, line=lines, offered=lines, lasts="year", **more)


def hidden(page: str, name: str) -> str:
    """Give the value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, page
    return unescape(found[1])


def link(page: str, pattern: str) -> str:
    """Give the first address on a page that fits."""
    found = re.search(rf'(?:href|action)="({pattern})"', page)
    assert found, page
    return unescape(found[1])


async def marked(annette: Reader, asked: str) -> str:
    """Give what the page of a question puts into the address of a choice, so that it counts."""
    return f"mark={hidden((await annette.get(asked)).text, 'mark')}"


async def say_yes(annette: Reader) -> Any:
    """Let the citizen answer the newest request with a yes to all."""
    page = await annette.get(link((await annette.get("/mine")).text, '/mine/requests/[^"/]+'))
    return await annette.send(link(page.text, '/mine/requests/[^"]+/yes'), digest=hidden(page.text, "digest"))
