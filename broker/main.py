"""The composition root: opens every door once, and is the only file that names real adapters.

`open_house` makes the doors from settings, registry and keys; what is wrong is said at once and nothing is served.
"""

from __future__ import annotations

import re
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

import structlog

from broker.adapters.after_checks_sql import AfterChecksSql
from broker.adapters.audit_evidence import EvidencesPostgres
from broker.adapters.audit_lateness import Lateness
from broker.adapters.audit_log import AuditLogPostgres
from broker.adapters.audit_reader import LogReaderPostgres
from broker.adapters.audit_standing import StandingsPostgres, WitnessPolicyRefused, public_policy, witness_policy
from broker.adapters.audit_tiles import LogTilesPostgres
from broker.adapters.breaches_sql import BreachesSql
from broker.adapters.break_glass_sql import BreakGlassSql
from broker.adapters.cases_rest import CasesRest
from broker.adapters.ceilings_postgres import Ceiling, PostgresCeilings
from broker.adapters.ceilings_postgres import Limits as CeilingLimits
from broker.adapters.checks_sql import ChecksSql, Program
from broker.adapters.clock_system import FileClock, FixedClock, SystemClock
from broker.adapters.consents_sql import ConsentsSql
from broker.adapters.database import Pool, open_pool
from broker.adapters.deferrals_sql import DeferralsSql
from broker.adapters.disclosures_vault import DisclosuresVault
from broker.adapters.erasures_sql import ErasuresSql
from broker.adapters.figures_sql import FiguresSql
from broker.adapters.handles_vault import HandlesVault
from broker.adapters.house_keys import KeyFolder, read_key_folder
from broker.adapters.idempotency_sql import IdempotencySql
from broker.adapters.inquiries_sql import InquiriesSql
from broker.adapters.keys_file import KeyFileRefused
from broker.adapters.mail_smtp import MailRefused
from broker.adapters.notice_choices_sql import NoticeChoicesSql
from broker.adapters.notices_memo import FolderRefused
from broker.adapters.past_decisions import PastDecisionsPostgres
from broker.adapters.people_rest import PeopleRest
from broker.adapters.policy_opa import OpaPolicy
from broker.adapters.policy_opa_spawned import SpawnedOpaPolicy
from broker.adapters.policy_shadow import ShadowedPolicy
from broker.adapters.register_line import RegisterLine, RegisterUnusable
from broker.adapters.relations_recorded import RelationsRecorded
from broker.adapters.replay_postgres import PostgresReplay
from broker.adapters.samples_sql import SamplesSql
from broker.adapters.saved_searches_sql import SavedSearchesSql
from broker.adapters.sessions_postgres import PostgresSessions
from broker.adapters.signed_records import IssuersOfRecords, RecordRefused, RecordSigner
from broker.adapters.stops_sql import StopsSql
from broker.adapters.tokens_jwt import JwtTokens
from broker.adapters.what_ifs_sql import WhatIfsSql, archive
from broker.channels import open_mail
from broker.engine import EngineNotNamed, open_policy
from broker.oversight.doors import ReviewDoors
from broker.oversight.integrity import Watch
from broker.oversight.registry import record_registry
from broker.oversight.waiting import Waiting
from broker.policy_tables import PolicyFaults
from broker.ports import Cases, Clock, Ports, Source
from broker.registry import Reached, Registry, RegistryFaults, read_registry
from broker.secrets import SecretMissing, read_secret, resolve
from broker.settings import Settings
from broker.web.api.health import Ping
from broker.web.doors import Tallied
from broker.web.login import Faces
from broker.web.oauth.registrations import BadKey, Employer, PublicKeys, Registration, Registrations
from broker.web.openid import Provider
from broker.web.web_doors import WebDoors
from connectors import Connector, Dropped, Limits, SettingsUnusable, build

VERSION = "0.1.0"
HOUR_SECONDS = 3600
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class House:
    """One node, open: its settings, registry, keys, the doors of the use cases and what else stands open."""

    settings: Settings
    registry: Registry
    keys: KeyFolder
    ports: Ports
    vault: HandlesVault
    log: AuditLogPostgres
    lateness: Lateness
    checks: ChecksSql
    what_ifs: WhatIfsSql
    pool: Pool
    pings: Mapping[str, Ping]
    waiting: Waiting = field(default_factory=Waiting)


@asynccontextmanager
async def open_house(settings: Settings, environ: Mapping[str, str]) -> AsyncIterator[House]:
    """Open every door, and close them all at the end, the last first. A registry that is new is on the logs by then.

    Raises `RegistryFaults`, `PolicyFaults`, `KeyFileRefused`, `SecretMissing`, `SettingsUnusable` or
    `StoreUnavailable`, each of which says what is wrong.
    """
    registry = read_registry(settings.registry, settings.policies / "tables")
    keys = read_key_folder(settings.key_folder)
    async with AsyncExitStack() as stack:
        seconds = settings.database_deadline_seconds
        pool = await _pool(settings.database_url, "broker", seconds, stack)
        vault = HandlesVault(await _pool(settings.vault_url, "broker vault", seconds, stack), keys.house)
        lateness = Lateness(pool, settings.log_late_minutes * 60)
        audit_log = AuditLogPostgres(pool, vault, log_name(settings), timeout_seconds=seconds, lateness=lateness)
        stack.push_async_callback(audit_log.aclose)
        clock = clock_of(settings)
        consents = ConsentsSql(pool, audit_log, vault)
        ports = Ports(
            clock=clock,
            handles=vault,
            people=await _people(registry.people, environ, stack),
            cases=await open_cases(registry, clock, environ, stack),
            consents=consents,
            policy=await open_policy(settings, registry, pool, stack),
            log=audit_log,
            sources=await _sources(settings, registry, environ, stack),
            directory=registry.directory,
            emergencies=BreakGlassSql(pool, audit_log, vault),
        )
        checks = ChecksSql(pool, audit_log, clock, _checking(settings, keys))
        stack.push_async_callback(checks.aclose)
        past = archive(pool, vault, settings.policies)
        what_ifs = WhatIfsSql(pool, audit_log, clock, past, settings.candidate_policies)
        stack.push_async_callback(what_ifs.aclose)
        pings = {"database": consents.ping, "vault": vault.ping, "log": audit_log.ping}
        changed = await record_registry(node_name(settings), ports, LogReaderPostgres(pool, vault, keys.log_public))
        log.info("registry", revision=registry.directory.revision, count=len(changed))
        yield House(settings, registry, keys, ports, vault, audit_log, lateness, checks, what_ifs, pool, pings)


def _checking(settings: Settings, keys: KeyFolder) -> Program:
    """Say how whole logs are checked: as the reader's role where the settings know it."""
    address = settings.reader_url or settings.database_url
    return Program(address, tuple(keys.log_public), tuple(keys.deletions_public))


async def _pool(url: str, name: str, seconds: float, stack: AsyncExitStack) -> Pool:
    pool = await open_pool(url, name=name, timeout_seconds=seconds)
    stack.push_async_callback(pool.close)
    return pool


def node_name(settings: Settings) -> str:
    """Name this node on the log: as the settings say, else as the machine is called."""
    return settings.node_name or re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname())[:64] or "node"


def log_name(settings: Settings) -> str:
    """Name what the logs are published under, without scheme (C2SP tlog-checkpoint origins)."""
    return settings.log_name or urlsplit(settings.public_url).netloc + "/log"


def clock_of(settings: Settings) -> Clock:
    """Choose the clock: the machine's, or in the demo and test profiles one that stands."""
    if settings.fixed_clock is not None:
        return FixedClock(settings.fixed_clock)
    if settings.clock_file is not None:
        return FileClock(settings.clock_file)
    return SystemClock()


def _ceilings(settings: Settings, registry: Registry, pool: Pool) -> PostgresCeilings:
    limits = CeilingLimits(
        caseworker=Ceiling(settings.asks_per_caseworker_hour, HOUR_SECONDS),
        system=Ceiling(settings.asks_per_system_hour, HOUR_SECONDS),
        municipality=Ceiling(settings.asks_per_municipality_hour, HOUR_SECONDS),
    )
    looks = Ceiling(settings.looks_per_citizen_hour, HOUR_SECONDS)
    return PostgresCeilings(pool, limits, _own_ceilings(registry), citizen=looks)


def _own_ceilings(registry: Registry) -> dict[str, Mapping[str, int]]:
    return {m.id: m.ceilings for m in registry.directory.municipalities.values() if m.ceilings}


async def _people(reached: Reached, environ: Mapping[str, str], stack: AsyncExitStack) -> PeopleRest:
    people = PeopleRest("people", reached.settings, resolve(reached.secrets, environ), **reached.limits)
    return await stack.enter_async_context(people)


async def open_cases(
    registry: Registry, clock: Clock, environ: Mapping[str, str], stack: AsyncExitStack
) -> dict[str, Cases]:
    """Open each case register once, and give every unit that may ask its own."""
    doors = {}
    for name, reached in registry.cases.items():
        secrets = resolve(reached.secrets, environ)
        cases = CasesRest(name, reached.settings, secrets, now=clock.now, **reached.limits)
        doors[name] = await stack.enter_async_context(cases)
    return {unit: doors[name] for unit, name in registry.unit_cases.items()}


async def _sources(
    settings: Settings, registry: Registry, environ: Mapping[str, str], stack: AsyncExitStack
) -> dict[str, Source]:
    now = SystemClock().now
    sources: dict[str, Source] = {}
    for name, reached in registry.sources.items():
        limits = Limits(**({"deadline_seconds": settings.source_deadline_seconds} | dict(reached.limits)))
        secrets = resolve(reached.secrets, environ)
        connector: Connector = build(
            reached.kind, name, reached.settings, reached.reads, secrets, limits, now=now, report=_report
        )
        sources[name] = await stack.enter_async_context(connector)
    return sources


def _report(dropped: Dropped) -> None:
    """Tell the operator that a source told what was not asked for or cannot be read; no word of what it was."""
    log.warning("dropped", source=dropped.source, kind=dropped.category, why=dropped.why, count=dropped.count)


# What can be wrong before anything is served; each of these says it in words that hold no secret.
FAULTS = (
    RegistryFaults,
    PolicyFaults,
    KeyFileRefused,
    SecretMissing,
    SettingsUnusable,
    RegisterUnusable,
    BadKey,
    EngineNotNamed,
    FolderRefused,
    MailRefused,
    WitnessPolicyRefused,
)


def web_doors(house: House, environ: Mapping[str, str]) -> WebDoors:
    """Make what the web needs beside the doors of the use cases."""
    settings, registry, pool = house.settings, house.registry, house.pool
    return WebDoors(
        public_url=settings.public_url,
        log_name=log_name(settings),
        registrations=_registrations(registry),
        people=_people_faces(registry, environ),
        tokens=JwtTokens(house.keys.tokens, settings.public_url),
        records=RecordSigner(house.keys.receipts),
        record_issuers=_issuers(registry),
        replay=PostgresReplay(pool),
        sessions=PostgresSessions(pool),
        session_key=house.keys.session,
        session_idle=timedelta(minutes=settings.session_idle_minutes),
        session_longest=timedelta(minutes=settings.session_most_minutes),
        ceilings=_ceilings(settings, registry, pool),
        idempotency=IdempotencySql(pool, house.keys.house.requests),
        reader=_reader(house),
        public_log=LogTilesPostgres(pool),
        log_keys=house.keys.log_public,
        deferrals=DeferralsSql(pool, house.log),
        inquiries=InquiriesSql(pool, house.log, house.vault),
        samples=SamplesSql(pool, house.log, house.vault),
        breaches=BreachesSql(pool, house.log, house.vault),
        figures=FiguresSql(pool), saved=SavedSearchesSql(pool, house.log, house.vault),
        watch=watch_of(house), what_ifs=house.what_ifs,
        reviews=_review_doors(house),
        notice_choices=NoticeChoicesSql(pool, house.log, house.vault),
        mail=open_mail(settings),
        stops=StopsSql(pool, house.log),
        # Proofs, tokens and sessions live by the machine's clock, also where the demo's stands still.
        clock=SystemClock(),
        pings=house.pings,
        watched=_watched(house.ports),
        tallied=_tallied(house.ports),
        unpublished=lambda: house.lateness.seconds,
        waiting=house.waiting,
        erasures=ErasuresSql(pool, house.log),
        test_numbers=settings.test_numbers, most_body_bytes=settings.most_body_bytes, version=VERSION,
        exit_address=settings.exit_url,
    )  # fmt: skip


def _review_doors(house: House) -> ReviewDoors:
    return ReviewDoors(
        after_checks=AfterChecksSql(house.pool, house.log, house.vault),
        relations=RelationsRecorded(PastDecisionsPostgres(house.pool, house.vault)),
        disclosures=DisclosuresVault(house.log, house.vault), leader_days=house.settings.leader_working_days,
    )  # fmt: skip


def _reader(house: House) -> LogReaderPostgres:
    keys = house.keys
    return LogReaderPostgres(house.pool, house.vault, keys.log_public, keys.deletions_public, clock=house.ports.clock)


def watch_of(house: House) -> Watch:
    """Give the doors of whoever watches over the logs; what it saw of a head it remembers while it is kept."""
    settings, keys = house.settings, house.keys.log_public
    policy = witness_policy(settings.witness_policy)
    standings = StandingsPostgres(house.pool, keys, settings.log_late_minutes * 60, policy)
    evidences = EvidencesPostgres(house.pool, house.vault, keys, policy)
    return Watch(standings, house.checks, evidences, public_policy(policy, keys))


def _watched(ports: Ports) -> dict[str, Connector]:
    return {name: source for name, source in ports.sources.items() if isinstance(source, Connector)}


def _tallied(ports: Ports) -> dict[str, Tallied]:
    """Name the registers and the policy server, whose answers the operator may count."""
    told: dict[str, Tallied] = {
        line.name: line for line in (ports.people, *ports.cases.values()) if isinstance(line, RegisterLine)
    }
    if isinstance(ports.policy, OpaPolicy | SpawnedOpaPolicy | ShadowedPolicy):
        told["policy"] = ports.policy
    if isinstance(ports.policy, ShadowedPolicy):
        told["policy_shadow"] = ports.policy.shadow
    return told


def _registrations(registry: Registry) -> Registrations:
    issuers = {i: row.issuer for i, row in registry.employers.items()}
    clients = [
        Registration(
            client_id=row.client_id,
            municipality=row.municipality,
            units=row.units,
            keys=PublicKeys.from_jwks(row.jwks),
            employers=frozenset(issuers[employer] for employer in row.employers),
        )
        for row in registry.systems.values()
    ]
    employers = [
        Employer(
            row.issuer,
            row.municipality,
            PublicKeys.none() if row.jwks is None else PublicKeys.from_jwks(row.jwks),
            row.saml,
        )
        for row in registry.employers.values()
    ]
    return Registrations.of(clients, employers)


def _issuers(registry: Registry) -> IssuersOfRecords:
    rows = registry.consent_issuers.values()
    try:
        return IssuersOfRecords((row.issuer, row.municipalities, row.jwks) for row in rows)
    except RecordRefused:
        raise BadKey("consent_issuers: a key file holds no Ed25519 key that has an id") from None


def _people_faces(registry: Registry, environ: Mapping[str, str]) -> Faces:
    """Say who logs in where: the providers of the registry, and the municipalities their CVR numbers stand for."""
    providers = {
        kind: Provider(
            issuer=row.issuer,
            client_id=row.client_id,
            secret=read_secret(row.secret, environ),
            # A registry may name it too; it is asked for once.
            scopes=tuple(dict.fromkeys(("openid", *row.scopes))),
        )
        for kind, row in registry.providers.items()
    }
    page = registry.providers.get("caseworker")
    employer = registry.employers.get(page.employer or "") if page else None
    return Faces(
        providers=providers,
        municipality_of_cvr={m.cvr: m.id for m in registry.directory.municipalities.values()},
        page_system=page.system if page else None,
        page_employer=employer.issuer if employer else None,
    )
