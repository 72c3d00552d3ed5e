"""The door `Disclosures`: the log first, then the vault.

Rules kept here:
- No name is told but by an entry that is durable.
- Why it was told lies in that entry's body, sealed once more under a key derived from its writer's own: a body that is
  opened to be counted, copied or handed out holds no words of anybody.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection
from dataclasses import replace

from broker.adapters.audit_log import AuditLogPostgres
from broker.adapters.handles_vault import HandlesVault
from broker.adapters.sealing import DoesNotOpen, derive, seal, unseal
from broker.domain.disclosed import ActorIdentity, EmployeeDisclosed, EmployeeNamed
from broker.domain.entries import LogEntry
from broker.domain.errors import NotFound
from broker.domain.personal import Personal


class DisclosuresVault:
    """Who an employee's handle stands for, over the log and the vault."""

    def __init__(self, log: AuditLogPostgres, vault: HandlesVault) -> None:
        self._log = log
        self._vault = vault

    async def tell(self, event: EmployeeDisclosed) -> ActorIdentity:
        """Write down that it is told, then tell it; raise `NotFound` for a handle that is no employee's."""
        await self._log.append([event])
        return await self._vault.disclose_actor(event.employee)

    async def is_of(self, handle: str, person: Personal[str], issuers: Collection[str]) -> bool:
        """Tell whether a handle is that of the employee whom one of these issuers names so; who it is is not told."""
        try:
            named = await self._vault.disclose_actor(handle)
        except NotFound:
            return False
        return named.issuer in issuers and named.id == person

    async def record(self, event: EmployeeNamed, why: Personal[str]) -> None:
        """Write down that a name and a code are put together, and why."""
        pair = (event.actor, event.municipality)
        sealed = seal(_key((await self._vault.keys([pair]))[pair]), why.disclose().encode(), event.disclosure)
        await self._log.append([replace(event, words=base64.b64encode(sealed).decode())])

    async def name(self, event: EmployeeNamed, why: Personal[str]) -> ActorIdentity:
        """Write it down, then tell whose the code is; raise `NotFound` for a handle that is no employee's."""
        await self.record(event, why)
        return await self._vault.disclose_actor(event.employee)

    async def why(self, entry: LogEntry) -> Personal[str] | None:
        """Read why, of an entry that says so and still opens; None for any other."""
        if entry.kind != EmployeeNamed.name or entry.body is None:
            return None
        body = entry.body
        pair = (body["actor"], body["municipality"])
        key = (await self._vault.held_keys([pair])).get(pair)
        if key is None:
            return None
        try:
            return Personal(unseal(_key(key), base64.b64decode(body["words"]), body["disclosure"]).decode())
        except (DoesNotOpen, binascii.Error):
            return None


def _key(officers: bytes) -> bytes:
    return derive(officers, "why an employee was named")
