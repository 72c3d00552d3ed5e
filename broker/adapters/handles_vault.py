"""Handles and keys, in a database of their own: the only place where a CPR number meets a random name.

Rules kept here:
- A number is never stored: the vault holds an HMAC of it under a pepper that the database does not have.
- Known or not, a number takes the same statements (P6); a new handle and a new key are durable before they are used.
- Keys come unwrapped for one call and are not cached, so that a destroyed key is gone at once.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from broker.adapters.database import Pool, commit_once, reaching_the_store
from broker.adapters.keys_file import KEY_SIZE, HouseKeys
from broker.adapters.sealing import DoesNotOpen, seal, unseal
from broker.domain.errors import NotFound, StoreUnavailable
from broker.domain.identity import Caseworker, OfficerLogin
from broker.domain.personal import Personal

CITIZEN, ACTOR, CASE = "citizen", "actor", "case"


@dataclass(frozen=True, slots=True)
class ActorIdentity:
    """Who an employee's handle stands for, as their employer named them when first seen."""

    issuer: str
    id: Personal[str]
    name: Personal[str] | None


class HandlesVault:
    """The door `Handles` over PostgreSQL, and the keys of everybody who has a handle."""

    def __init__(self, pool: Pool, keys: HouseKeys) -> None:
        self._pool = pool
        self._keys = keys

    async def citizens(self, cprs: Sequence[Personal[str]]) -> tuple[str, ...]:
        """Give one handle per number, in order; one statement however many there are. Raises `StoreUnavailable`."""
        return await self._handles(CITIZEN, [_digits(cpr) for cpr in cprs])

    async def actor(self, caseworker: Caseworker) -> str:
        """Give the handle of an employee; their identity is kept sealed beside it. Raises `StoreUnavailable`."""
        return await self._actor(caseworker.issuer, caseworker.id, caseworker.name)

    async def officer(self, officer: OfficerLogin) -> str:
        """Give the handle of an overseer, who is an actor like any employee. Raises `StoreUnavailable`."""
        return await self._actor(officer.issuer, officer.id, officer.name)

    async def case(self, unit: str, case: Personal[str]) -> str:
        """Give the handle that stands for a unit's case number. Raises `StoreUnavailable`."""
        (handle,) = await self._handles(CASE, [json.dumps([unit, case.disclose()])])
        return handle

    async def keys(self, pairs: Collection[tuple[str, str]]) -> dict[tuple[str, str], bytes]:
        """Give the key of each (handle, municipality), making those that are missing, in one statement.

        Raises `StoreUnavailable`, also for a handle that the vault never gave out and for a key that does not unwrap.
        """
        asked = sorted(set(pairs))
        fresh = [seal(self._keys.wrapping, secrets.token_bytes(KEY_SIZE), _place(*pair)) for pair in asked]
        async with reaching_the_store():
            rows = await self._pool.fetch(
                "SELECT handle, municipality, wrapped FROM vault.keys($1, $2, $3)",
                [handle for handle, _ in asked],
                [municipality for _, municipality in asked],
                fresh,
            )
        found = self._unwrapped(rows)
        if len(found) != len(asked):
            raise StoreUnavailable
        return found

    async def held_keys(self, pairs: Collection[tuple[str, str]]) -> dict[tuple[str, str], bytes]:
        """Give the keys that are there, for reading: one that was destroyed is left out, and none is made."""
        asked = sorted(set(pairs))
        async with reaching_the_store():
            rows = await self._pool.fetch(
                "SELECT handle, municipality, wrapped FROM vault.held_keys($1, $2)",
                [handle for handle, _ in asked],
                [municipality for _, municipality in asked],
            )
        return self._unwrapped(rows)

    async def note_known(self, known: Mapping[str, bool]) -> None:
        """Note which citizens a register knows, in one statement; once known stays known."""
        async with reaching_the_store():
            await self._pool.execute("SELECT vault.note_known($1, $2)", list(known), list(known.values()))

    async def purge_unknown(self, before: datetime) -> int:
        """Destroy handles and keys made before a moment for numbers no register knows; give how many."""
        async with reaching_the_store():
            purged: int = await self._pool.fetchval("SELECT vault.purge_unknown($1)", before)
        return purged

    async def disclose_actor(self, handle: str) -> ActorIdentity:
        """Tell who an employee's handle stands for; the caller logs that it was asked. Raises `NotFound`."""
        async with reaching_the_store():
            sealed: bytes | None = await self._pool.fetchval("SELECT vault.sealed_actor($1)", handle)
        if sealed is None:
            raise NotFound
        try:
            held = json.loads(unseal(self._keys.wrapping, sealed, ACTOR))
        except DoesNotOpen:
            raise StoreUnavailable from None
        name = None if held["name"] is None else Personal(held["name"])
        return ActorIdentity(held["issuer"], Personal(held["id"]), name)

    async def ping(self) -> None:
        """Ask whether a new key would become durable; raise `StoreUnavailable`."""
        await commit_once(self._pool)

    def _unwrapped(self, rows: Iterable[Any]) -> dict[tuple[str, str], bytes]:
        try:
            return {(h, m): unseal(self._keys.wrapping, wrapped, _place(h, m)) for h, m, wrapped in rows}
        except DoesNotOpen:
            raise StoreUnavailable from None

    async def _actor(self, issuer: str, person: Personal[str], name: Personal[str] | None) -> str:
        identity = {"issuer": issuer, "id": person.disclose(), "name": name.disclose() if name else None}
        sealed = seal(self._keys.wrapping, json.dumps(identity).encode(), ACTOR)
        (handle,) = await self._handles(ACTOR, [json.dumps([issuer, person.disclose()])], sealed)
        return handle

    async def _handles(self, kind: str, values: Sequence[str], sealed: bytes | None = None) -> tuple[str, ...]:
        """Find or make the handle of each value of a kind."""
        digests = [hmac.digest(self._keys.pepper, f"{kind}:{value}".encode(), "sha256") for value in values]
        fresh = [secrets.token_hex(16) for _ in digests]
        async with reaching_the_store():
            rows = await self._pool.fetch(
                "SELECT digest, handle FROM vault.handles($1, $2, $3, $4)", kind, digests, fresh, [sealed] * len(fresh)
            )
        found: dict[bytes, str] = {row["digest"]: row["handle"] for row in rows}
        try:
            return tuple(found[digest] for digest in digests)
        except KeyError:
            raise StoreUnavailable from None


def _digits(cpr: Personal[str]) -> str:
    """Write a number in one way, with or without its hyphen."""
    return cpr.disclose().replace("-", "").replace(" ", "")


def _place(handle: str, municipality: str) -> str:
    """Name where a key belongs, so that it unwraps nowhere else."""
    return f"{handle}|{municipality}"
