"""The door `Evidences` over the transparency log: one entry's package (`audit/evidence.py`).

Rules kept here:
- One snapshot, under row-level security as an overseer of these municipalities.
- What is shown of the body goes out as its citizen is shown it, never the body, and never the citizen's key: the salt
  opens one commitment of one entry. Of an erased citizen there is none.
- What does not fit its commitment gets no package: there is nothing to prove but that it was changed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

import orjson

from audit import errors
from audit.commitment import Party, SealedEntry, check_rows, open_body, shown_commitment
from audit.evidence import Evidence, shown_in
from audit.note import VerifyKey
from audit.policy import NO_WITNESSES, Log, Policy
from audit.prove import prove
from broker.adapters.audit_log import shown_bytes
from broker.adapters.database import Pool, Scope, scoped
from broker.adapters.handles_vault import HandlesVault
from broker.domain.errors import Conflict, NotFound
from broker.domain.receipts import Receipt

_ENTRY = """
SELECT i.tenant, i.citizen, i.index_bytes, e.leaf, b.ciphertext, b.body_salt FROM log.index i
JOIN log.head h ON h.id = i.log_id JOIN log.entry e ON e.log_id = i.log_id AND e.idx = i.idx
LEFT JOIN log.body b ON b.log_id = i.log_id AND b.idx = i.idx
WHERE h.origin = $1 AND i.idx = $2 AND i.tenant = ANY ($3) AND i.kind <> 'map'
"""


class EvidencesPostgres:
    """The logs of one database, their public keys, and the witnesses' policy where the node knows it."""

    def __init__(self, pool: Pool, vault: HandlesVault, keys: Sequence[str], policy: Policy | None = None) -> None:
        self._pool = pool
        self._vault = vault
        self._keys = tuple(keys)
        logs = tuple(Log(VerifyKey.from_text(key)) for key in keys)
        self._policy = replace(policy or NO_WITNESSES, logs=logs).to_text()

    async def of(self, receipt: Receipt, municipalities: Collection[str]) -> tuple[str, bytes]:
        """Give whose log an entry stands on, and its package. Raises `StoreUnavailable`.

        Raises `NotFound` where it is none of these municipalities', and `Conflict` ("not_signed_yet", "changed").
        """
        mine = sorted(municipalities)
        async with scoped(self._pool, Scope(municipalities=tuple(mine)), snapshot=True) as connection:
            row = await connection.fetchrow(_ENTRY, receipt.log, receipt.index, mine)
            if row is None:
                raise NotFound
            try:
                proof = await prove(connection, receipt.log, receipt.index)
            except errors.LogError:
                raise Conflict("not_signed_yet") from None
        sealed = _sealed(row)
        salt, shown = await self._shown(row, sealed)
        made = Evidence(
            origin=receipt.log,
            index=receipt.index,
            leaf=sealed.leaf,
            proof=proof.to_text(),
            index_bytes=sealed.index_bytes,
            body_salt=sealed.body_salt,
            ciphertext_digest=sha256(sealed.ciphertext).digest(),
            keys=self._keys,
            policy=self._policy,
            shown=shown,
            shown_salt=salt,
        )
        return row["tenant"], made.pack()

    async def _shown(self, row: Any, sealed: SealedEntry) -> tuple[bytes | None, bytes | None]:
        """Open what is shown of a body, and give the salt of its commitment; neither where the key is gone."""
        pair = (row["citizen"], row["tenant"])
        key = (await self._vault.held_keys({pair})).get(pair)
        if key is None:
            return None, None
        party = Party(row["citizen"].encode(), key)
        try:
            leaf = check_rows(sealed)
            shown = shown_bytes(orjson.loads(open_body(sealed, party)))
            salt = party.shown_salt(leaf.eid)
            # What was committed to when it was written; words that came later prove nothing.
            return (salt, shown) if shown_commitment(salt, shown) == shown_in(sealed.index_bytes) else (None, None)
        except errors.Malformed:
            return None, None
        except errors.LogError:
            raise Conflict("changed") from None


def _sealed(row: Any) -> SealedEntry:
    """Take the rows of an entry; raise `Conflict` where they do not fit their commitment."""
    if row["ciphertext"] is None or row["body_salt"] is None:
        raise Conflict("changed")
    sealed = SealedEntry(row["leaf"], row["ciphertext"], row["body_salt"], row["index_bytes"].encode())
    try:
        check_rows(sealed)
    except errors.LogError:
        raise Conflict("changed") from None
    return sealed
