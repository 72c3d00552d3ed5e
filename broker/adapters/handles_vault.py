"""Handles and keys, in a database of their own: the only place where a CPR number meets a random name.

Rules kept here:
- A number is never stored: the vault holds an HMAC of it under a pepper that the database does not have.
- Known or not, a number takes the same statements (P6); a new handle and a new key are durable before they are used.
- Keys come unwrapped for one call and are not cached, so that a destroyed key is gone at once.
- What many asks want at the same moment goes in one statement; one that the database refuses is tried by itself.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from broker.adapters.database import Pool, commit_once, reaching_the_store
from broker.adapters.grouped import Grouped
from broker.adapters.keys_file import KEY_SIZE, HouseKeys
from broker.adapters.sealing import DoesNotOpen, seal, unseal
from broker.domain.disclosed import ActorIdentity
from broker.domain.errors import NotFound, StoreUnavailable
from broker.domain.identity import Caseworker, OfficerLogin
from broker.domain.personal import Personal
from broker.ports import NOTHING_TOLD

CITIZEN, ACTOR, CASE = "citizen", "actor", "case"
# Whose word names a node: no employer's, so that no employee is ever one (an issuer is a URL).
NODES = "urn:borgerbro:nodes"
SYSTEMS = "urn:borgerbro:systems"


@dataclass(frozen=True, slots=True, repr=False)
class _Name:
    """Whom to find or make: a value of a kind, by its digest; an employee's identity, sealed; a register's word."""

    kind: str
    digest: bytes
    sealed: bytes | None = None
    known: bool | None = None


_Pairs = frozenset[tuple[str, str]]
_Rows = Mapping[tuple[str, str], bytes]


class HandlesVault:
    """The door `Handles` over PostgreSQL, and the keys of everybody who has a handle."""

    def __init__(self, pool: Pool, keys: HouseKeys) -> None:
        self._pool = pool
        self._keys = keys
        self._names: Grouped[Sequence[_Name], Mapping[bytes, str]] = Grouped(self._find_or_make)
        self._wrapped: Grouped[_Pairs, _Rows | None] = Grouped(self._make_keys)

    async def citizens(
        self, cprs: Sequence[Personal[str]], known: Mapping[Personal[str], bool] = NOTHING_TOLD
    ) -> tuple[str, ...]:
        """Give one handle per number, in order; one statement however many there are. Raises `StoreUnavailable`.

        `known` is noted with them: once known stays known.
        """
        return await self._handles([self._name(CITIZEN, _digits(cpr), known=known.get(cpr)) for cpr in cprs])

    async def actor(self, caseworker: Caseworker) -> str:
        """Give the handle of an employee; their identity is kept sealed beside it. Raises `StoreUnavailable`."""
        return await self._one(self._employee(caseworker.issuer, caseworker.id, caseworker.name))

    async def officer(self, officer: OfficerLogin) -> str:
        """Give the handle of an overseer, who is an actor like any employee. Raises `StoreUnavailable`."""
        return await self._one(self._employee(officer.issuer, officer.id, officer.name))

    async def node(self, name: str) -> str:
        """Give the handle of a node; the DPO may have it disclosed like any actor's. Raises `StoreUnavailable`."""
        return await self._one(self._employee(NODES, Personal(name), None))

    async def system(self, client_id: str) -> str:
        """Give the handle of a system that acts by itself, to be disclosed likewise. Raises `StoreUnavailable`."""
        return await self._one(self._employee(SYSTEMS, Personal(client_id), None))

    async def employee(self, issuer: str, person: Personal[str]) -> str | None:
        """Give the handle of who the employer calls by an id; None where nobody was seen. Raises `StoreUnavailable`."""
        async with reaching_the_store():
            found: str | None = await self._pool.fetchval(
                "SELECT vault.found($1)", self._employee(issuer, person, None).digest
            )
        return found

    async def is_employee(self, handle: str) -> bool:
        """Tell whether a handle is that of somebody who acts by their work. Raises `StoreUnavailable`."""
        async with reaching_the_store():
            found: bool = await self._pool.fetchval("SELECT vault.sealed_actor($1) IS NOT NULL", handle)
        return found

    async def case(self, unit: str, case: Personal[str]) -> str:
        """Give the handle that stands for a unit's case number. Raises `StoreUnavailable`."""
        return await self._one(self._case(unit, case))

    async def of_ask(
        self, citizen: Personal[str], caseworker: Caseworker, unit: str, case: Personal[str]
    ) -> tuple[str, str, str]:
        """Give the handles of citizen, employee and case in one statement. Raises `StoreUnavailable`."""
        employee = self._employee(caseworker.issuer, caseworker.id, caseworker.name)
        names = [self._name(CITIZEN, _digits(citizen)), employee, self._case(unit, case)]
        person, actor, number = await self._handles(names)
        return person, actor, number

    async def keys(self, pairs: Collection[tuple[str, str]]) -> dict[tuple[str, str], bytes]:
        """Give the key of each (handle, municipality), making those that are missing, in one statement.

        Raises `StoreUnavailable`, also for a handle that the vault never gave out and for a key that does not unwrap.
        """
        asked = frozenset(pairs)
        wrapped = await self._wrapped.ask(asked)
        if wrapped is None or not asked <= wrapped.keys():
            raise StoreUnavailable
        return self._unwrapped(wrapped, asked)

    async def held_keys(self, pairs: Collection[tuple[str, str]]) -> dict[tuple[str, str], bytes]:
        """Give the keys that are there, for reading: one that was destroyed is left out, and none is made."""
        asked = sorted(set(pairs))
        async with reaching_the_store():
            rows = await self._pool.fetch(
                "SELECT handle, municipality, wrapped FROM vault.held_keys($1, $2)",
                [handle for handle, _ in asked],
                [municipality for _, municipality in asked],
            )
        found = {(handle, municipality): wrapped for handle, municipality, wrapped in rows}
        return self._unwrapped(found, found)

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

    def _unwrapped(self, wrapped: _Rows, asked: Iterable[tuple[str, str]]) -> dict[tuple[str, str], bytes]:
        try:
            return {pair: unseal(self._keys.wrapping, wrapped[pair], _place(*pair)) for pair in asked}
        except DoesNotOpen:
            raise StoreUnavailable from None

    def _case(self, unit: str, case: Personal[str]) -> _Name:
        return self._name(CASE, json.dumps([unit, case.disclose()]))

    def _employee(self, issuer: str, person: Personal[str], name: Personal[str] | None) -> _Name:
        identity = {"issuer": issuer, "id": person.disclose(), "name": name.disclose() if name else None}
        sealed = seal(self._keys.wrapping, json.dumps(identity).encode(), ACTOR)
        return self._name(ACTOR, json.dumps([issuer, person.disclose()]), sealed)

    def _name(self, kind: str, value: str, sealed: bytes | None = None, *, known: bool | None = None) -> _Name:
        return _Name(kind, hmac.digest(self._keys.pepper, f"{kind}:{value}".encode(), "sha256"), sealed, known)

    async def _one(self, name: _Name) -> str:
        (handle,) = await self._handles([name])
        return handle

    async def _handles(self, names: Sequence[_Name]) -> tuple[str, ...]:
        """Find or make the handle of each."""
        found = await self._names.ask(names)
        try:
            return tuple(found[name.digest] for name in names)
        except KeyError:
            raise StoreUnavailable from None

    async def _find_or_make(self, wants: Sequence[Sequence[_Name]]) -> list[Mapping[bytes, str]]:
        names = [name for want in wants for name in want]
        rows = await self._pool.fetch(
            "SELECT digest, handle FROM vault.handles($1, $2, $3, $4, $5)",
            [name.kind for name in names],
            [name.digest for name in names],
            [secrets.token_hex(16) for _ in names],
            [name.sealed for name in names],
            [name.known for name in names],
        )
        return [{row["digest"]: row["handle"] for row in rows}] * len(wants)

    async def _make_keys(self, wants: Sequence[_Pairs]) -> list[_Rows | None]:
        asked = sorted(frozenset[tuple[str, str]]().union(*wants))
        fresh = [seal(self._keys.wrapping, secrets.token_bytes(KEY_SIZE), _place(*pair)) for pair in asked]
        try:
            rows = await self._pool.fetch(
                "SELECT handle, municipality, wrapped FROM vault.keys($1, $2, $3)",
                [handle for handle, _ in asked],
                [municipality for _, municipality in asked],
                fresh,
            )
        except asyncpg.IntegrityConstraintViolationError:
            # A handle that is not, or no longer, there: whoever asked for it gets nothing, the others theirs.
            return [None] if len(wants) == 1 else [(await self._make_keys([want]))[0] for want in wants]
        return [{(handle, municipality): wrapped for handle, municipality, wrapped in rows}] * len(wants)


def _digits(cpr: Personal[str]) -> str:
    """Write a number in one way, with or without its hyphen."""
    return cpr.disclose().replace("-", "").replace(" ", "")


def _place(handle: str, municipality: str) -> str:
    """Name where a key belongs, so that it unwraps nowhere else."""
    return f"{handle}|{municipality}"
