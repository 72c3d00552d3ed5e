"""The caseworkers of a scenario, each asking through their department's own system, as its developers would do it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date
from types import TracebackType
from typing import Any, Self

from connectors.client import TOKEN_TYPES, Acting, BrokerClient, BrokerRefused, BrokerUnreachable, read_key
from demo.world.children import WorldBroken
from demo.world.world import World


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back over HTTP: a status and a JSON body. A step that asks nobody has the status 0."""

    status: int = 0
    body: Mapping[str, Any] | None = None

    @property
    def said(self) -> Mapping[str, Any]:
        """The body, or nothing."""
        return self.body or {}


class Callers:
    """Every caseworker who asks, with a token of their own for each day of the scenario's clock."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._stack = AsyncExitStack()
        self._clients: dict[str, BrokerClient] = {}
        self._acting: dict[tuple[str, date], Acting] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def post(self, caseworker: str, path: str, body: Mapping[str, Any]) -> Reply:
        """Post as this caseworker; a refusal is a reply like any other. Raises `WorldBroken` when none comes."""
        acting = await self._as(caseworker)
        try:
            answer = await acting.post(path, body)
        except BrokerRefused as refusal:
            return Reply(refusal.status, refusal.problem)
        except BrokerUnreachable as error:
            raise WorldBroken(f"the broker did not answer {caseworker}: {error}") from None
        return Reply(answer.status, answer)

    async def receive(self, unit: str) -> tuple[Reply, list[Mapping[str, Any]]]:
        """Let a unit's own system pull which yeses hold no more and say that it has them; raise `WorldBroken`."""
        acting = (await self._client(self._world.template.system_for(unit))).as_system()
        received: list[Mapping[str, Any]] = []
        try:
            while stops := (await acting.get("/v1/withdrawals"))["withdrawals"]:
                for stop in stops:
                    await acting.post(f"/v1/withdrawals/{stop['id']}/acknowledgement", {})
                received += stops
        except BrokerRefused as refusal:
            return Reply(refusal.status, refusal.problem), received
        except BrokerUnreachable as error:
            raise WorldBroken(f"the broker did not answer the system of {unit}: {error}") from None
        return Reply(200), received

    async def _as(self, name: str) -> Acting:
        # Employers speak of a day; on another, what they say of a role may be another thing.
        named = name, self._world.clock().date()
        if named not in self._acting:
            row = self._world.cast.caseworker(name)
            system = row.get("system") or self._world.template.system_for(row["unit"])
            client = await self._client(system)

            form = row.get("assertion", "jwt")

            async def assertion() -> str:
                return await self._vouched_for(name, system, form)

            self._acting[named] = client.as_caseworker(assertion, TOKEN_TYPES[form])
        return self._acting[named]

    async def _client(self, system: str) -> BrokerClient:
        if system not in self._clients:
            key = read_key(self._world.files.system_key(system))
            client = BrokerClient(self._world.address, system, key)
            self._clients[system] = await self._stack.enter_async_context(client)
        return self._clients[system]

    async def _vouched_for(self, name: str, system: str, form: str) -> str:
        """Let the employer sign who asks, for this one system and once; `form` is `jwt` or `saml`."""
        unit = self._world.cast.caseworker(name)["unit"]
        employer = self._world.template.employer_of(unit)
        key = self._world.files.secrets_of(f"employer-{employer}")["token"]
        wish = {"caseworker": name, "client_id": system, "audience": self._world.address, "form": form}
        headers = {"Authorization": f"Bearer {key}"}
        address = f"{self._world.provider}/employer/assertion"
        async with self._world.http.post(address, json=wish, headers=headers) as answer:
            told = await answer.json()
        if answer.status != 200:
            raise WorldBroken(f"the employer does not vouch for {name}")
        return str(told["assertion"])
