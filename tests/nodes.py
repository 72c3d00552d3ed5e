"""A town with several broker nodes over one pair of real databases: each node has doors and memory of its own.

What nodes share is what real ones share: PostgreSQL, the registry and the key folder. Registers and sources are in
memory, so that a test is about who asks. The proofs' clock runs with the machine's; the rules' stands in 2019.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
from fastapi import FastAPI
from joserfc.jwk import Key
from starlette.applications import Starlette

from broker.adapters.after_checks_sql import AfterChecksSql
from broker.adapters.audit_evidence import EvidencesPostgres
from broker.adapters.audit_log import AuditLogPostgres
from broker.adapters.audit_reader import LogReaderPostgres
from broker.adapters.audit_standing import StandingsPostgres
from broker.adapters.audit_tiles import LogTilesPostgres
from broker.adapters.breaches_sql import BreachesSql
from broker.adapters.ceilings_postgres import Ceiling, Limits, PostgresCeilings
from broker.adapters.checks_sql import ChecksSql, Program
from broker.adapters.clock_system import FixedClock
from broker.adapters.consents_sql import ConsentsSql
from broker.adapters.database import Pool, open_pool
from broker.adapters.deferrals_sql import DeferralsSql
from broker.adapters.disclosures_vault import DisclosuresVault
from broker.adapters.erasures_sql import ErasuresSql
from broker.adapters.figures_sql import FiguresSql
from broker.adapters.handles_vault import HandlesVault
from broker.adapters.idempotency_sql import IdempotencySql
from broker.adapters.inquiries_sql import InquiriesSql
from broker.adapters.notice_choices_sql import NoticeChoicesSql
from broker.adapters.past_decisions import PastDecisionsPostgres
from broker.adapters.relations_recorded import RelationsRecorded
from broker.adapters.replay_postgres import PostgresReplay
from broker.adapters.samples_sql import SamplesSql
from broker.adapters.saved_searches_sql import SavedSearchesSql
from broker.adapters.sessions_postgres import PostgresSessions
from broker.adapters.signed_records import IssuersOfRecords
from broker.adapters.stops_sql import StopsSql
from broker.adapters.tokens_jwt import JwtTokens
from broker.adapters.what_ifs_sql import WhatIfsSql, archive
from broker.domain.facts import CaseRecord, Employment, RegisterPerson
from broker.domain.personal import Personal
from broker.oversight.doors import ReviewDoors
from broker.oversight.integrity import Watch
from broker.oversight.waiting import Waiting
from broker.ports import Ports
from broker.web.faces import open_faces
from broker.web.login import Faces
from broker.web.oauth.registrations import Registrations
from broker.web.openid import Provider
from broker.web.web_doors import WebDoors
from demo.postgres import PrivatePostgres
from tests.actors import AnEmployer, ASystem, a_key, a_signer
from tests.builders import NOON, POLICIES, REGISTRY, a_house, an_item
from tests.databases import BASE, Databases, opened
from tests.fakes.provider import CLIENT_ID, SECRET, FakeProvider
from tests.fakes.sources import FakeSource
from tests.identity_provider import IdentityProvider
from tests.lobby import CLAIMS
from tests.serving import serving

PUBLIC = "https://broker.example"
EXCHANGE = f"{PUBLIC}/v1/exchange"
TOKEN = f"{PUBLIC}/oauth2/token"
PURPOSE, CATEGORY, SOURCE = "oekonomisk_hjaelp", "Y01", "benefits"
UNIT, CASEWORKER = "jobcentre", "lene"
WEEK_SECONDS = 7 * 24 * 3600
PLENTY = Limits(*(Ceiling(1_000_000, WEEK_SECONDS),) * 3)
ROLE = {"name": "sagsbehandler", "kle": ["32.*"], "sensitivity": 4, "attested_on": 20190101}


class OpenCases:
    """The case system of a town: each case is open, one citizen's and one caseworker's; who has cases is employed."""

    name = "sager"

    def __init__(self) -> None:
        self.kept: dict[str, tuple[Personal[str], str]] = {}

    async def case(
        self, case: Personal[str], citizen: Personal[str], caseworker: Personal[str]
    ) -> tuple[CaseRecord, Employment]:
        """Tell of the case, and whether the caseworker works there."""
        employment = Employment(caseworker.disclose() in {name for _, name in self.kept.values()}, UNIT)
        known = self.kept.get(case.disclose())
        if known is None:
            return CaseRecord(exists=False), employment
        mine = known[1] == caseworker.disclose()
        return CaseRecord(True, True, known[0] == citizen, mine, UNIT, "32.24.00", mine), employment


class Residents:
    """A CPR register in which everybody is grown up and lives in Korsbæk."""

    name = "people"

    async def person(self, cpr: Personal[str]) -> RegisterPerson:
        """Tell of one person."""
        return RegisterPerson(cpr, True, 19740211, None, "0999", False, (), (), None)


class EveryonesBenefits(FakeSource):
    """A source that holds one item about whoever is asked about."""

    async def read(self, subject: Personal[str], handle: str, categories: frozenset[str]) -> Any:
        """Read as the door says."""
        self.told = {subject.disclose(): [an_item(SOURCE, CATEGORY, handle)]}
        return await super().read(subject, handle, categories)


@dataclass
class Node:
    """One node: its application, and what closes it."""

    app: FastAPI
    ports: Ports
    tokens: JwtTokens
    doors: WebDoors
    stack: AsyncExitStack

    def client(self) -> httpx2.AsyncClient:
        """Give a way to talk to this node."""
        transport = httpx2.ASGITransport(app=self.app, raise_app_exceptions=False)
        return httpx2.AsyncClient(transport=transport, base_url=PUBLIC)


@dataclass
class Browser:
    """One person's browser before a proxy that leads it to whichever node a test says."""

    http: httpx2.AsyncClient

    def at(self, node: Node) -> httpx2.AsyncClient:
        """Let the proxy choose this node from now on."""
        self.http._transport = httpx2.ASGITransport(app=node.app, raise_app_exceptions=False)
        return self.http


@dataclass
class Town:
    """The databases, who is registered, and the nodes that are up."""

    databases: Databases
    ports: Ports
    provider: FakeProvider
    cases: OpenCases
    source: EveryonesBenefits
    limits: Limits = PLENTY
    system: ASystem = field(default_factory=lambda: ASystem("momentum", units=frozenset({UNIT})))
    others: tuple[ASystem, ...] = ()
    employer: AnEmployer = field(default_factory=AnEmployer)
    employers: tuple[AnEmployer | IdentityProvider, ...] = ()
    signing: Key = field(default_factory=a_key)
    session_key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    clock: FixedClock = field(default_factory=lambda: FixedClock(datetime.now(UTC)))
    nodes: list[Node] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        """The moment on every node's clock."""
        return self.clock.now()

    async def start(self, *, signing: Key | None = None) -> Node:
        """Open one more node: as a new process would, with nothing but the databases, the keys and the registry."""
        stack = AsyncExitStack()
        pool, vault_pool = [await _pool(stack, address) for address in (self.databases.at.app, self.databases.at.vault)]
        vault = HandlesVault(vault_pool, self.databases.keys)
        log = AuditLogPostgres(pool, vault, BASE)
        stack.push_async_callback(log.aclose)
        ports = replace(self.ports, handles=vault, consents=ConsentsSql(pool, log, vault), log=log)
        tokens = JwtTokens([(signing or self.signing).as_dict(private=True)], PUBLIC)
        doors = self._doors(pool, vault, tokens)
        node = Node(await stack.enter_async_context(open_faces(ports, doors)), ports, tokens, doors, stack)
        self.nodes.append(node)
        return node

    async def stop(self, node: Node) -> None:
        """End one node."""
        self.nodes.remove(node)
        await node.stack.aclose()

    async def restart(self, node: Node) -> Node:
        """End a node and open it anew."""
        await self.stop(node)
        return await self.start()

    def browser(self) -> Browser:
        """Open a browser with no cookies."""
        return Browser(httpx2.AsyncClient(base_url=PUBLIC))

    async def begin(self, browser: Browser, node: Node, kind: str = "citizen", **claims: Any) -> dict[str, str]:
        """Begin to log in at a node, and agree at the provider; give what the browser brings back from there."""
        self.provider.userinfo = CLAIMS[kind] | claims
        answer = await browser.at(node).get(f"/login/{kind}")
        assert answer.status_code == 303, answer.text
        return self.provider.grant(dict(parse_qsl(urlsplit(answer.headers["location"]).query)))

    async def log_in(self, browser: Browser, node: Node, kind: str = "citizen", **claims: Any) -> None:
        """Log in at a node."""
        told = await self.begin(browser, node, kind, **claims)
        answer = await browser.at(node).get(f"/login/{kind}/callback", params=told)
        assert answer.status_code == 303, answer.text

    def word(self, client_id: str = "momentum", **claims: Any) -> str:
        """Let the employer vouch for Lene of the jobcentre."""
        return self.employer.assertion(
            self.now, client_id, **({"sub": CASEWORKER, "unit": UNIT, "roles": [ROLE]} | claims)
        )

    def form(self, system: ASystem | None = None, word: str | None = None) -> dict[str, str]:
        """Fill in a token request for a caseworker."""
        system = system or self.system
        return system.form(self.now, word or self.word(system.client_id))

    async def ask_token(self, node: Node, form: Mapping[str, str], proof: str | None = None) -> httpx2.Response:
        """Ask a node for a token; without a proof given, a good one is made."""
        headers = {"DPoP": self.system.proof(self.now) if proof is None else proof}
        async with node.client() as http:
            return await http.post("/oauth2/token", data=dict(form), headers=headers)

    async def token(self, node: Node, system: ASystem | None = None, **claims: Any) -> str:
        """Get a good token for a caseworker."""
        system = system or self.system
        form = self.form(system, self.word(system.client_id, **claims))
        answer = await self.ask_token(node, form, system.proof(self.now))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def open_case(self, number: str, cpr: str, caseworker: str = CASEWORKER) -> dict[str, str]:
        """Open a case of a citizen; give the ask that its caseworker may make."""
        self.cases.kept[number] = (Personal(cpr), caseworker)
        return {"citizen": cpr, "purpose": PURPOSE, "case": number}

    async def ask(
        self, node: Node, body: Any, token: str, proof: str | None = None, *, system: ASystem | None = None, **more: str
    ) -> httpx2.Response:
        """Ask with a token; without a proof given, a good one is made."""
        sent = (system or self.system).proof(self.now, EXCHANGE, token=token) if proof is None else proof
        headers = {"Authorization": f"DPoP {token}", "DPoP": sent} | more
        async with node.client() as http:
            return await http.post("/v1/exchange", json=body, headers=headers)

    async def entries(self) -> int:
        """Count the entries of all logs."""
        return int(await self.databases.pool.fetchval("SELECT coalesce(sum(size), 0)::int FROM log.head"))

    def _doors(self, pool: Pool, vault: HandlesVault, tokens: JwtTokens) -> WebDoors:
        people = ("citizen", "officer", "caseworker")
        provider = Provider(self.provider.address, CLIENT_ID, SECRET, ("openid",))
        cvr = {m.cvr: m.id for m in self.ports.directory.municipalities.values()}
        return WebDoors(
            public_url=PUBLIC,
            log_name=BASE,
            registrations=Registrations.of(
                [system.registration for system in (self.system, *self.others)],
                [employer.registration for employer in (self.employer, *self.employers)],
            ),
            people=Faces(dict.fromkeys(people, provider), cvr, self.system.client_id, self.employer.issuer),
            tokens=tokens,
            records=a_signer(),
            record_issuers=IssuersOfRecords([]),
            replay=PostgresReplay(pool),
            sessions=PostgresSessions(pool),
            session_key=self.session_key,
            session_idle=timedelta(minutes=15),
            session_longest=timedelta(minutes=60),
            ceilings=PostgresCeilings(pool, self.limits),
            idempotency=IdempotencySql(pool, self.databases.keys.requests),
            reader=LogReaderPostgres(pool, vault),
            public_log=LogTilesPostgres(pool),
            log_keys=[],
            erasures=ErasuresSql(pool, AuditLogPostgres(pool, vault, BASE)),
            deferrals=DeferralsSql(pool, self.databases.log),
            inquiries=InquiriesSql(pool, self.databases.log, self.databases.vault),
            samples=SamplesSql(pool, self.databases.log, self.databases.vault),
            breaches=BreachesSql(pool, self.databases.log, self.databases.vault),
            figures=FiguresSql(pool),
            saved=SavedSearchesSql(pool, self.databases.log, vault),
            watch=Watch(
                StandingsPostgres(pool, [], 900.0),
                ChecksSql(pool, self.databases.log, self.clock, Program(self.databases.at.reader, ())),
                EvidencesPostgres(pool, vault, []),
            ),
            what_ifs=WhatIfsSql(pool, self.databases.log, self.clock, archive(pool, vault, POLICIES), None),
            waiting=Waiting(),
            reviews=ReviewDoors(
                AfterChecksSql(pool, self.databases.log, self.databases.vault),
                RelationsRecorded(PastDecisionsPostgres(pool, self.databases.vault)),
                DisclosuresVault(self.databases.log, self.databases.vault),
                5,
            ),
            notice_choices=NoticeChoicesSql(pool, self.databases.log, self.databases.vault),
            mail=None,
            stops=StopsSql(pool, self.databases.log),
            clock=self.clock,
            pings={},
            test_numbers=True,
            most_body_bytes=65536,
            version="test",
        )


async def _pool(stack: AsyncExitStack, address: str) -> Pool:
    pool = await open_pool(address, name="test", largest=6)
    stack.push_async_callback(pool.close)
    return pool


def with_benefits() -> dict[str, Any]:
    """Give the little registry's sections with a benefits office whose source a statute opens."""
    unit = REGISTRY["units"]["jobcentre"] | {"kind": "benefits"}
    source = REGISTRY["sources"]["job"] | {"unit": SOURCE, "reads": {CATEGORY: {}}}
    return {
        "units": REGISTRY["units"] | {SOURCE: unit},
        "sources": REGISTRY["sources"] | {SOURCE: source},
    }


@contextlib.asynccontextmanager
async def open_town(postgres: PrivatePostgres, folder: Path, nodes: int = 2, **given: Any) -> AsyncIterator[Town]:
    """Open a town with so many nodes; `given` are fields of `Town`."""
    house = await a_house(folder, **with_benefits())
    cases, source = OpenCases(), EveryonesBenefits(SOURCE, {}, frozenset({CATEGORY}))
    ports = replace(
        house.ports,
        people=Residents(),
        cases=dict.fromkeys(house.directory.units, cases),
        sources={**house.sources, SOURCE: source},
        clock=FixedClock(NOON),
    )
    made: list[FakeProvider] = []

    def make(address: str) -> Starlette:
        made.append(FakeProvider(address, datetime.now(UTC)))
        return made[0].app

    async with serving(make), opened(postgres) as databases:
        town = Town(databases, ports, made[0], cases, source, **given)
        try:
            for _ in range(nodes):
                await town.start()
            yield town
        finally:
            for node in list(town.nodes):
                await town.stop(node)
