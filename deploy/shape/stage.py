"""Start the shape: world, primary and replica, OPA with its signed bundle, two nodes, the proxy with TLS.

What is not on this machine is left out and said so: without HAProxy a caller asks the nodes in turn, without OPA the
nodes decide by the embedded engine. The staged world's own broker stays; its checkpointer and its witness serve the
shape's log too.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from bench.processes import listener_on
from bench.scene import Scene, staged
from broker.policy_tables import load_rules
from broker.registry import read_registry
from connectors.client import Acting, BrokerClient, read_key
from demo.postgres_standby import Standby
from demo.world.children import Nurseries, WorldBroken
from demo.world.opa import OpaServer
from demo.world.proxy import ADVICE, Proxy, free_port, haproxy
from demo.world.world import HOST, POLICIES, World
from tools.parts import recent_opa

NODES = ("node-1", "node-2")
SECONDS_TO_SERVE = 60.0


@dataclass(slots=True)
class Shape:
    """All that runs, what is missing, and the ask that callers make."""

    world: World
    scene: Scene
    replica: Standby
    opa: OpaServer | None
    proxy: Proxy | None
    missing: list[str]
    ports: dict[str, int] = field(default_factory=dict)

    @property
    def ask(self) -> Mapping[str, Any]:
        """The ask: a school asks its own system about a pupil."""
        wish = self.scene.asks[0]
        names = ("purpose", "case", "sources", "categories")
        return {name: wish[name] for name in names} | {"citizen": self.world.cast.cpr(wish["citizen"])}

    def public(self, node: str) -> str:
        """Where callers find a node: at the proxy, or without one at the node itself."""
        return self.proxy.address if self.proxy else self.near(node)

    def near(self, node: str) -> str:
        """Where the proxy finds a node."""
        return f"http://{HOST}:{self.ports[node]}"

    async def start_node(self, node: str) -> None:
        """Start a node, and return when it is ready."""
        settings = self.scene.settings(
            self.public(node),
            self.ports[node],
            "server" if self.opa else "embedded",
            self.world.files.registry,
            POLICIES,
        )
        if self.opa:
            settings |= {"BROKER_OPA_URL": self.opa.address, "BROKER_OPA_TOKEN": self.opa.token}
        self.scene.nurseries.brokers.order(node, "broker", ["serve"], settings)
        deadline = time.monotonic() + SECONDS_TO_SERVE
        while await self.status(f"{self.near(node)}/health/ready") != 200:
            if (why := self.scene.nurseries.brokers.failed(node)) is not None or time.monotonic() > deadline:
                raise WorldBroken(f"{node} is not ready: {why}")
            await asyncio.sleep(0.05)

    def kill_node(self, node: str) -> None:
        """End a node as a power cut does."""
        process = listener_on(self.ports[node])
        if process is None:
            raise WorldBroken(f"{node} cannot be found among the processes (Linux alone tells)")
        os.kill(process, signal.SIGKILL)

    async def status(self, url: str) -> int:
        """Look at an address inside; 0 where nobody answers."""
        try:
            async with self.world.http.get(url, timeout=aiohttp.ClientTimeout(total=5)) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return 0


@asynccontextmanager
async def staged_shape(folder: Path, nurseries: Nurseries) -> AsyncIterator[Shape]:
    """Start everything, and end it all at the end; raise `WorldBroken` where it cannot be."""
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(World(folder, nurseries=nurseries, durable=True))
        scene = await stack.enter_async_context(staged(world, nurseries))
        replica = Standby(folder / "replica", world.databases.server)
        stack.push_async_callback(asyncio.to_thread, replica.stop)
        await asyncio.to_thread(replica.start)
        await asyncio.to_thread(replica.demand)
        missing: list[str] = []
        opa = await asyncio.to_thread(_opa, folder / "opa", world, missing)
        stack.callback(opa.stop if opa else missing.copy)
        proxy = Proxy(folder / "proxy") if haproxy() else None
        missing += [] if proxy else [f"{ADVICE}; callers ask the two nodes in turn, without TLS"]
        shape = Shape(world, scene, replica, opa, proxy, missing, {node: free_port() for node in NODES})
        await asyncio.gather(*(shape.start_node(node) for node in NODES))
        if proxy:
            stack.callback(proxy.stop)
            await asyncio.to_thread(proxy.start, [f"{HOST}:{port}" for port in shape.ports.values()])
        yield shape


def _opa(folder: Path, world: World, missing: list[str]) -> OpaServer | None:
    program = recent_opa()
    if program is None:
        missing.append("OPA is not here: the nodes decide by the embedded engine")
        return None
    server = OpaServer(folder, program)
    server.publish(load_rules(POLICIES), read_registry(world.files.registry, POLICIES / "tables").tables)
    server.start()
    return server


@asynccontextmanager
async def callers(shape: Shape) -> AsyncIterator[list[Acting]]:
    """Give a caseworker in their own system at the proxy, or without one at each node."""
    world, wish = shape.world, shape.scene.asks[0]
    unit = world.cast.caseworker(wish["by"])["unit"]
    system, employer = world.template.system_for(unit), world.template.employer_of(unit)
    key = read_key(world.files.system_key(system))
    tls = shape.proxy.trust() if shape.proxy else None
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(BrokerClient(address, system, key, tls=tls))
            for address in dict.fromkeys(shape.public(node) for node in NODES)
        ]
        yield [client.as_caseworker(_assertion(world, wish["by"], system, employer, client)) for client in clients]


def _assertion(world: World, caseworker: str, system: str, employer: str, client: BrokerClient) -> Any:
    wish = {"caseworker": caseworker, "client_id": system, "audience": client.address_of("")}
    secret = world.files.secrets_of(f"employer-{employer}")["token"]

    async def signed() -> str:
        headers = {"Authorization": f"Bearer {secret}"}
        async with world.http.post(f"{world.provider}/employer/assertion", json=wish, headers=headers) as answer:
            return str((await answer.json())["assertion"])

    return signed
