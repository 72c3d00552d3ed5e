"""Make one person's bundle (`audit/bundle.py`): their lists in every log they stand in, with all that proves them.

Rules kept here:
- One snapshot a log, under row-level security as that person; what is shown of an entry is opened under their key.
- Salts go out, each good for one commitment of one entry; the person's key never does.
- Who has no key in a municipality has no entry there, and that municipality's logs are left out; so are those of one
  where nothing stands but what the law keeps back today, or its first ask would show (P8).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from audit import base64_strict, errors, postgres
from audit.bundle import FORMAT
from audit.commitment import Party, open_body
from audit.entry import Leaf
from audit.map import NOTHING
from audit.map_postgres import map_entries, map_proof, map_state
from audit.postgres import Connection, Head, KeptCheckpoint
from broker.adapters.audit_log import shown_bytes
from broker.adapters.database import Pool, Scope, scoped
from broker.adapters.handles_vault import HandlesVault

# How long a bundle waits for the signature over the newest epoch, and how often it looks.
WAIT_SECONDS, LOOK_SECONDS = 5.0, 0.5
HAS_ROWS = "SELECT EXISTS (SELECT FROM log.index WHERE citizen = $1 AND log_id = $2)"
IN_FORCE = """SELECT EXISTS (SELECT FROM log.deferral
    WHERE citizen = $1 AND from_at IS NOT NULL AND ($2::bigint IS NULL OR coalesce(ended_at, until_at) > $2))"""
encode = base64_strict.encode


async def bundle_of(
    scope: Scope, pool: Pool, vault: HandlesVault, *, made_at: datetime, wait_seconds: float = WAIT_SECONDS
) -> str:
    """Give the bundle of the citizen of a scope, as of its moment. Raises `StoreUnavailable`."""
    subject = scope.citizen
    async with scoped(pool, scope, snapshot=True) as connection:
        heads = await postgres.heads(connection)
    keys = await vault.held_keys({(subject, head.tenant) for head in heads})
    mine = [
        (head, Party(subject.encode(), keys[subject, head.tenant])) for head in heads if (subject, head.tenant) in keys
    ]
    homes = {head.tenant for head in heads} - await _told_of_by_nothing_else(mine, scope, pool)
    logs = [
        await _signed(head.origin, party, scope, pool, wait_seconds) for head, party in mine if head.tenant in homes
    ]
    bundle = {"format": FORMAT, "made_at": made_at.isoformat(timespec="seconds"), "logs": logs}
    return orjson.dumps(bundle, option=orjson.OPT_INDENT_2).decode()


async def _told_of_by_nothing_else(mine: Sequence[tuple[Head, Party]], scope: Scope, pool: Pool) -> set[str]:
    """Name the municipalities in which nothing about the citizen stands but what the law keeps back today."""
    homes = {head.tenant for head, _ in mine}
    async with scoped(pool, Scope(municipalities=tuple(sorted(homes))), snapshot=True) as connection:
        if not await connection.fetchval(IN_FORCE, scope.citizen, scope.now):
            return set()
    async with scoped(pool, scope, snapshot=True) as connection:
        return homes - {head.tenant for head, party in mine if await _stands_in(connection, head, party, scope)}


async def _stands_in(connection: Connection, head: Head, party: Party, scope: Scope) -> bool:
    """Tell whether the citizen may see that they stand in a log: by an entry, or by one whose content is gone."""
    if await connection.fetchval(HAS_ROWS, scope.citizen, head.log_id):
        return True
    keys = [party.map_key(head.origin), *await _kept_keys(connection, head, scope)]
    return any([(await map_proof(connection, head.log_id, key))[0] for key in keys])


async def _signed(origin: str, party: Party, scope: Scope, pool: Pool, wait_seconds: float) -> dict[str, Any]:
    """Lay out one log once the newest root of its map is signed; without proof where that takes too long."""
    looks = int(wait_seconds / LOOK_SECONDS)
    while True:
        async with scoped(pool, scope, snapshot=True) as connection:
            head = await postgres.head(connection, origin)
            kept = await postgres.published_checkpoint(connection, head.log_id)
            root = None if kept is None else await _root(connection, head, kept)
            if kept is not None and root is not None:
                keys = [party.map_key(origin), *await _kept_keys(connection, head, scope)]
                lists = [await _list(connection, head, kept, party, key) for key in keys]
                shown = [lists[0], *(one for one in lists[1:] if one["entries"])]
                return {"origin": origin, "checkpoint": kept.note, "root": root, "lists": shown}
        if looks <= 0:
            return {"origin": origin, "checkpoint": "" if kept is None else kept.note, "root": None, "lists": []}
        looks -= 1
        await asyncio.sleep(LOOK_SECONDS)


async def _kept_keys(connection: Connection, head: Head, scope: Scope) -> list[bytes]:
    """Give the keys of what the law kept back from this citizen and does no more."""
    if scope.now is None:
        return []
    rows = await connection.fetch(
        "SELECT map_key FROM log.kept_keys($1, $2, $3)", head.log_id, scope.citizen, scope.now
    )
    return [row["map_key"] for row in rows]


async def _root(connection: Connection, head: Head, kept: KeptCheckpoint) -> dict[str, Any] | None:
    state = await map_state(connection, head.log_id)
    if state is None or state.index >= kept.size:
        return None
    entry = await postgres.entry(connection, head.log_id, state.index)
    row = await connection.fetchrow("SELECT salt, said FROM log.map_root($1)", head.log_id)
    if entry is None or row is None:
        return None
    return {
        "index": state.index,
        "leaf": encode(entry.leaf),
        "row": row["said"],
        "salt": encode(row["salt"]),
        "hashes": await _hashes(connection, head, kept, state.index),
    }


async def _list(
    connection: Connection, head: Head, kept: KeptCheckpoint, party: Party, map_key: bytes
) -> dict[str, Any]:
    """Lay out one list with its proof."""
    _, proof = await map_proof(connection, head.log_id, map_key)
    entries = []
    for index, committed in await map_entries(connection, head.log_id, map_key):
        stored = await postgres.entry(connection, head.log_id, index)
        leaf = b"" if stored is None else stored.leaf
        entries.append(
            {
                "index": index,
                "leaf": encode(leaf),
                "hashes": await _hashes(connection, head, kept, index),
                **_shown(stored, committed, party),
            }
        )
    return {
        "key": encode(map_key),
        "siblings": ["" if one == NOTHING else encode(one) for one in proof.siblings],
        "neighbours": [[encode(one.label), encode(one.value)] for one in proof.neighbours],
        "entries": entries,
    }


def _shown(stored: postgres.StoredEntry | None, committed: bytes, party: Party) -> Mapping[str, str]:
    """Open what is shown of an entry; where that is not there any more, only its commitment goes out."""
    sealed = None if stored is None else stored.sealed()
    if sealed is None:
        return {"committed": encode(committed)}
    try:
        shown = shown_bytes(orjson.loads(open_body(sealed, party)))
    except errors.LogError:
        return {"committed": encode(committed)}
    return {"shown": shown.decode(), "salt": encode(party.shown_salt(Leaf.from_bytes(sealed.leaf).eid))}


async def _hashes(connection: Connection, head: Head, kept: KeptCheckpoint, index: int) -> list[str]:
    return [encode(one) for one in await postgres.inclusion_proof(connection, head.log_id, index, kept.size)]
