"""The composition root: opens every door once, and is the only file that names real adapters.

`open_house` makes the doors from settings, registry and keys; what is wrong is said at once and nothing is served.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import structlog
import uvicorn
from fastapi import FastAPI

from broker import telemetry
from broker.adapters.audit_log import AuditLogPostgres
from broker.adapters.cases_rest import CasesRest
from broker.adapters.ceilings_postgres import Ceiling, Limits as CeilingLimits, PostgresCeilings
from broker.adapters.clock_system import FileClock, FixedClock, SystemClock
from broker.adapters.consents_sql import ConsentsSql
from broker.adapters.database import Pool, open_pool
from broker.adapters.handles_vault import HandlesVault
from broker.adapters.house_keys import KeyFolder, read_key_folder
from broker.adapters.people_rest import PeopleRest
from broker.adapters.policy_embedded import EmbeddedPolicy
from broker.adapters.policy_opa import OpaPolicy
from broker.adapters.policy_opa_spawned import SpawnedOpaPolicy
from broker.adapters.replay_postgres import PostgresReplay
from broker.adapters.sessions_postgres import PostgresSessions
from broker.adapters.tokens_jwt import JwtTokens
from broker.policy_tables import load_rules
from broker.ports import Cases, Clock, Policy, Ports, Source
from broker.registry import Reached, Registry, read_registry
from broker.secrets import resolve
from broker.settings import Settings
from connectors import Connector, Dropped, Limits, build

VERSION = "0.1.0"
HOUR_SECONDS = 3600
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class House:
    """One node, open: its settings, registry, keys, doors and web doors."""

    settings: Settings
    registry: Registry
    keys: KeyFolder
    ports: Ports
    handles: HandlesVault
    log: AuditLogPostgres
    pool: Pool
    web_clock: Clock
    tokens: JwtTokens
    replay: PostgresReplay
    sessions: PostgresSessions
    ceilings: PostgresCeilings


@asynccontextmanager
async def open_house(settings: Settings, environ: Mapping[str, str]) -> AsyncIterator[House]:
    """Open every door, and close them all at the end, the last first.

    Raises `RegistryFaults`, `PolicyFaults`, `KeyFileRefused`, `SecretMissing`, `SettingsUnusable` or
    `StoreUnavailable`, each of which says what is wrong.
    """
    registry = read_registry(settings.registry, settings.policies / "tables")
    keys = read_key_folder(settings.key_folder)
    async with AsyncExitStack() as stack:
        pool = await open_pool(settings.database_url, name="broker")
        stack.push_async_callback(pool.close)
        vault_pool = await open_pool(settings.vault_url, name="broker vault", largest=8)
        stack.push_async_callback(vault_pool.close)
        handles = HandlesVault(vault_pool, keys.house)
        audit_log = AuditLogPostgres(pool, handles, log_name(settings))
        stack.push_async_callback(audit_log.aclose)
        yield House(
            settings=settings,
            registry=registry,
            keys=keys,
            ports=Ports(
                clock=clock_of(settings),
                handles=handles,
                people=await _people(registry.people, environ, stack),
                cases=await _cases(registry, environ, stack),
                consents=ConsentsSql(pool, audit_log, handles),
                policy=await _policy(settings, registry, stack),
                log=audit_log,
                sources=await _sources(settings, registry, environ, stack),
                directory=registry.directory,
            ),
            handles=handles,
            log=audit_log,
            pool=pool,
            # Proofs, tokens and sessions live by the machine's clock, also where the demo's stands still.
            web_clock=SystemClock(),
            tokens=JwtTokens(keys.tokens, settings.public_url),
            replay=PostgresReplay(pool),
            sessions=PostgresSessions(pool),
            ceilings=PostgresCeilings(pool, _ceilings(settings)),
        )


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


def _ceilings(settings: Settings) -> CeilingLimits:
    return CeilingLimits(
        caseworker=Ceiling(settings.asks_per_caseworker_hour, HOUR_SECONDS),
        system=Ceiling(settings.asks_per_system_hour, HOUR_SECONDS),
        municipality=Ceiling(settings.asks_per_municipality_hour, HOUR_SECONDS),
    )


async def _people(reached: Reached, environ: Mapping[str, str], stack: AsyncExitStack) -> PeopleRest:
    people = PeopleRest("people", reached.settings, resolve(reached.secrets, environ))
    return await stack.enter_async_context(people)


async def _cases(registry: Registry, environ: Mapping[str, str], stack: AsyncExitStack) -> dict[str, Cases]:
    """Open each case register once, and give every unit that may ask its own."""
    doors = {
        name: await stack.enter_async_context(CasesRest(name, reached.settings, resolve(reached.secrets, environ)))
        for name, reached in registry.cases.items()
    }
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


async def _policy(settings: Settings, registry: Registry, stack: AsyncExitStack) -> Policy:
    """Choose the engine: a server if one is named, else an opa on PATH, else the embedded one (`design.md` 6.3)."""
    rules = load_rules(settings.policies)
    opa = shutil.which("opa")
    engine = settings.policy_engine or ("server" if settings.opa_url else "spawned" if opa else "embedded")
    policy: OpaPolicy | SpawnedOpaPolicy | EmbeddedPolicy
    if engine == "server" and settings.opa_url:
        policy = await OpaPolicy.open(settings.opa_url, rules, registry.tables, token=settings.opa_token)
    elif engine == "spawned" and opa:
        policy = await SpawnedOpaPolicy.open(Path(opa), rules, registry.tables)
    elif settings.profile == "production" and settings.policy_engine != "embedded":
        raise EngineNotNamed
    else:
        policy = await EmbeddedPolicy.open(rules, registry.tables)
    stack.push_async_callback(policy.close)
    log.info("policy", engine=policy.mark.engine, revision=policy.mark.revision)
    return policy


class EngineNotNamed(ValueError):
    """Production found no OPA and the embedded engine was not named: nothing is served."""

    def __init__(self) -> None:
        super().__init__("no OPA found; name BROKER_OPA_URL, or BROKER_POLICY_ENGINE=embedded on purpose")


async def serve(settings: Settings, environ: Mapping[str, str]) -> None:
    """Serve one node until it is told to stop."""
    from broker.web.faces import faces  # noqa: PLC0415 - the web needs the house, the house not the web

    telemetry.set_up(settings.log_level)
    async with open_house(settings, environ) as house, faces(house) as app:
        await _listen(app, settings)


async def _listen(app: FastAPI, settings: Settings) -> None:
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        # Access lines would hold addresses and paths; the log that counts is the audit log.
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=5,
    )
    await uvicorn.Server(config).serve()


def run(settings: Settings) -> None:
    """Run one node in this process."""
    asyncio.run(serve(settings, os.environ))
