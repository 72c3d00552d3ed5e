"""What is measured, set up for real: the world of a scenario with a database that waits for the disk, brokers, floor.

Every process is a child that ends with the bench, however the bench ends. All addresses are loopback.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
from joserfc import jwt
from joserfc.jwk import ECKey

from bench.floor import TABLES
from bench.plan import TLS_FLOOR
from demo.scenario.file import read_scenario
from demo.scenario.play import play
from demo.world.children import Nurseries, WorldBroken
from demo.world.files import write_private
from demo.world.proxy import Proxy
from demo.world.template import Row
from demo.world.world import HOST, LOG_NAME, POLICIES, World
from demo.world.yaml_file import read_yaml

SCENE = Path(__file__).with_name("scene.yaml")
CLOCK = "2019-03-04T10:00:00+01:00"
SCHOOL, CASES, PUPIL = "korsbaek-school", "korsbaek-school-cases", "viktor"
ONE_CALL, FIVE_SOURCES = 0, 1  # The steps of the scene.
SECONDS_TO_SERVE = 60.0
MANY_ASKS = "1000000"


@dataclass(slots=True)
class Scene:
    """A staged world, and whom the load may ask in it: targets, ports and seconds to start of each server, by name."""

    world: World
    nurseries: Nurseries
    asks: tuple[Mapping[str, Any], ...]
    targets: dict[str, Row] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    started: dict[str, float] = field(default_factory=dict)

    async def add_source(self) -> None:
        """Let the source itself be asked, as its connector does it."""
        registry = read_yaml(self.world.files.registry)
        address = registry["sources"][SCHOOL]["settings"]["base_url"]
        key = self.world.files.secrets_of(f"source-{SCHOOL}")["api_key"]
        headers = {"X-Api-Noegle": key}
        self.targets["direct"] = {
            "url": f"{address}/elev/fravaer", "headers": headers, "body": {"cpr": self.world.cast.cpr(PUPIL)},
        }  # fmt: skip

    async def add_floor(self) -> None:
        """Start the floor over the same database, registers and source."""
        admin = await asyncpg.connect(self.world.databases.superuser)
        await admin.execute(TABLES.format(citizen=self.world.cast.cpr(PUPIL)))
        await admin.close()
        key = ECKey.generate_key("P-256")
        registers = read_yaml(self.world.files.registry)["registers"]
        told = {
            "dsn": self.world.databases.superuser,
            "public_key": key.as_dict(private=False),
            "people": self._register("people", registers["people"], "/cpr/person"),
            "cases": self._register(f"cases-{CASES}", registers["cases"][CASES], "/sager/opslag"),
            "source": self.targets["direct"],
        }
        file = self.world.files.folder / "floor.json"
        write_private(file, json.dumps(told))
        self.nurseries.systems.order("floor", "bench.floor", [str(file)])
        child = await self.nurseries.systems.ready("floor")
        token = jwt.encode({"alg": "ES256"}, {"iss": "bench", "sub": "eva"}, key)
        headers = {"Authorization": f"Bearer {token}"}
        self.targets["floor"] = {"url": f"{child.address}/ask", "headers": headers, "body": self._body(ONE_CALL)}
        self.ports["floor"] = int(child.address.rpartition(":")[2])

    async def add_broker(
        self, name: str, engine: str, *, watched: Path | None = None, registry: Path | None = None,
        policies: Path = POLICIES, proxy: Proxy | None = None,
    ) -> None:  # fmt: skip
        """Start one more broker node on the same database: with an engine, perhaps another registry, behind a proxy.

        It is watched if a file is named for that.
        """
        port = _free_port()
        near = f"http://{HOST}:{port}"
        address = proxy.address if proxy else near
        settings = self.settings(address, port, engine, registry or self.world.files.registry, policies)
        module, arguments = ("bench.watched", [str(watched), "serve"]) if watched else ("broker", ["serve"])
        begun = time.monotonic()
        self.nurseries.brokers.order(name, module, arguments, settings)
        await self._until_ready(name, near)
        self.started[name] = time.monotonic() - begun
        if proxy:
            proxy.start([f"{HOST}:{port}"])
        self.ports[name] = port
        self.targets[name] = self._target(address, "/v1/exchange", ONE_CALL)
        self.targets[f"{name} view"] = self._target(address, "/v1/views", FIVE_SOURCES)

    def add_floor_behind(self, proxy: Proxy) -> None:
        """Put a proxy in front of the floor too."""
        proxy.start([f"{HOST}:{self.ports['floor']}"])
        self.ports[TLS_FLOOR] = self.ports["floor"]
        self.targets[TLS_FLOOR] = self.targets["floor"] | {"url": f"{proxy.address}/ask"}

    def settings(self, address: str, port: int, engine: str, registry: Path, policies: Path) -> dict[str, str]:
        """Give the settings of a node: as in production, but for a clock that stands, and no ceilings."""
        files, databases = self.world.files, self.world.addresses
        given = {
            "PROFILE": "test",
            "PUBLIC_URL": address,
            "REGISTRY": str(registry),
            "POLICIES": str(policies),
            "DATABASE_URL": databases.app,
            "VAULT_URL": databases.vault,
            "KEY_FOLDER": str(files.keys),
            "LOG_NAME": LOG_NAME,
            "HOST": HOST,
            "PORT": str(port),
            "FIXED_CLOCK": CLOCK,
            "POLICY_ENGINE": engine,
            "ASKS_PER_CASEWORKER_HOUR": MANY_ASKS,
            "ASKS_PER_SYSTEM_HOUR": MANY_ASKS,
            "ASKS_PER_MUNICIPALITY_HOUR": MANY_ASKS,
            "LOG_LEVEL": "warning",
        }
        return {f"BROKER_{name}": value for name, value in given.items()}

    async def slow(self, milliseconds: int, *places: str) -> None:
        """Let these sources and registers wait before each answer; 0 answers at once."""
        mode = {"mode": "slow" if milliseconds else "normal", "delay_ms": milliseconds}
        await asyncio.gather(*(self.world.control(place, body=mode) for place in places))

    def _register(self, secret: str, row: Row, path: str) -> Row:
        settings, key = row["settings"], self.world.files.secrets_of(secret)["api_key"]
        return {"url": settings["base_url"] + path, "headers": {settings["api_key_header"]: key}}

    def _target(self, address: str, path: str, number: int) -> Row:
        caseworker = self.asks[number]["by"]
        row = self.world.cast.caseworker(caseworker)
        system, employer = self.world.template.system_for(row["unit"]), self.world.template.employer_of(row["unit"])
        proof = {
            "broker": address,
            "system": system,
            "key_file": str(self.world.files.system_key(system)),
            "caseworker": caseworker,
            "employer": f"{self.world.provider}/employer/assertion",
            "employer_key": self.world.files.secrets_of(f"employer-{employer}")["token"],
        }
        return {"url": address + path, "body": self._body(number), "proof": proof}

    def _body(self, number: int) -> Row:
        ask = self.asks[number]
        names = ("purpose", "case", "sources", "categories", "weeks")
        return {name: ask[name] for name in names if name in ask} | {"citizen": self.world.cast.cpr(ask["citizen"])}

    async def _until_ready(self, name: str, address: str) -> None:
        deadline = time.monotonic() + SECONDS_TO_SERVE
        while time.monotonic() < deadline:
            if (why := self.nurseries.brokers.failed(name)) is not None:
                raise WorldBroken(f"{name} did not start: {why}")
            try:
                async with self.world.http.get(f"{address}/health/ready") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)
        raise WorldBroken(f"{name} was not ready after {SECONDS_TO_SERVE:.0f} seconds")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def engines() -> dict[str, str]:
    """Name the brokers to measure, and the engine of each: OPA's server where there is one, and the embedded one."""
    return ({"broker": "spawned"} if shutil.which("opa") else {}) | {"broker, embedded engine": "embedded"}


@asynccontextmanager
async def staged(world: World, nurseries: Nurseries) -> AsyncIterator[Scene]:
    """Play the scene, and give it once everything it expects held; raise `WorldBroken` where it did not."""
    scenario = read_scenario(SCENE)
    performance = await play(scenario, world, lambda _: None)
    differences = [line for played in performance.steps for line in played.differences]
    if differences:
        raise WorldBroken(f"what would be measured does not hold: {differences[0]}")
    scene = Scene(world, nurseries, tuple(step.wish for step in scenario.steps))
    await scene.add_source()
    yield scene
