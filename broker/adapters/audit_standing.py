"""The door `Standings` over the transparency log: sizes, signatures, witnesses, and what does not fit.

Rules kept here:
- A node remembers, while it lives, the largest published head that it has seen of each log: a log that became shorter,
  or does not go on from it, was put back or forked, whatever the database says by then.
- A witness counts by its signature where the node knows the policy; without one only names are read, and it says so.
- An ask counts as without outcome once its time is over; only the last week is looked through.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from audit import note, postgres
from audit.checkpoint import Checkpoint, open_checkpoint, read_unverified
from audit.cosignature import LATEST_TIME, time_of
from audit.errors import LogError, Malformed, NotVerified
from audit.merkle import consistency_holds
from audit.note import VerifyKey
from audit.policy import NONE, Log, Policy, read_policy
from broker.adapters.database import Connection, Pool, Scope, scoped
from broker.domain.integrity import LOOKED_BACK, MOST_SHOWN, OUTCOME_WITHIN, Cosigned, OpenAsk, Quorum, Standing
from broker.domain.receipts import Receipt

_LOGS = """
SELECT h.id, h.origin, h.tenant, h.year, h.size, h.root,
    h.year = (SELECT max(n.year) FROM log.head n WHERE n.tenant = h.tenant) AS newest,
    (SELECT i.at FROM log.index i WHERE i.log_id = h.id ORDER BY i.idx DESC LIMIT 1) AS grown_at,
    coalesce(s.size, 0) AS signed_size, s.root AS signed_root, s.signed_at,
    coalesce(p.size, 0) AS published_size, p.published_at, p.note,
    extract(epoch FROM clock_timestamp() - coalesce(p.published_at, h.opened_at))::float8 AS waited
FROM log.head h
LEFT JOIN LATERAL (SELECT * FROM log.checkpoint c WHERE c.log_id = h.id ORDER BY c.size DESC LIMIT 1) s ON true
LEFT JOIN LATERAL (SELECT * FROM log.checkpoint c WHERE c.log_id = h.id AND c.published_at IS NOT NULL
                   ORDER BY c.size DESC LIMIT 1) p ON true
WHERE h.tenant = ANY ($1) ORDER BY h.tenant, h.year DESC
"""
_OPEN = """
SELECT * FROM (SELECT i.tenant, h.origin, i.idx, i.at, i.unit, count(*) OVER (PARTITION BY i.tenant) AS found,
    row_number() OVER (PARTITION BY i.tenant ORDER BY i.at DESC, i.idx DESC) AS place
FROM log.index i JOIN log.head h ON h.id = i.log_id
WHERE i.tenant = ANY ($1) AND i.at >= $2 AND i.at < $3 AND i.kind = 'ask'
  AND NOT EXISTS (SELECT FROM log.index o WHERE o.ask = i.ask AND o.kind = 'outcome' AND o.tenant = i.tenant
                  AND o.at >= $2)
) AS without WHERE place <= $4 ORDER BY place
"""
_KEPT_BACK = """
SELECT d.tenant, count(*) FILTER (WHERE coalesce(d.ended_at, d.until_at) > $2) AS in_force,
    coalesce(sum(k.hidden) FILTER (WHERE coalesce(d.ended_at, d.until_at) <= $2), 0)::bigint AS overdue
FROM log.deferral d LEFT JOIN LATERAL (
    SELECT count(*) AS hidden FROM log.index i
    WHERE i.citizen = d.citizen AND i.unit = d.unit AND i.at >= d.from_at AND i.at < coalesce(d.ended_at, d.until_at)
      AND coalesce(d.ended_at, d.until_at) <= $2 AND log.kept_back(i.citizen, i.unit, i.kind, i.at)
) k ON true
WHERE d.tenant = ANY ($1) AND d.from_at IS NOT NULL GROUP BY d.tenant
"""


class WitnessPolicyRefused(Exception):
    """The file that names the witnesses cannot be used; says why."""


def witness_policy(path: Path | None) -> Policy | None:
    """Read which witnesses are to cosign (C2SP tlog-policy); raise `WitnessPolicyRefused`."""
    if path is None:
        return None
    try:
        return read_policy(path)
    except (LogError, OSError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else str(fault)
        raise WitnessPolicyRefused(f"witness_policy: {why}") from None


def public_policy(policy: Policy | None, keys: Sequence[str]) -> str:
    """Write the policy as whoever checks these logs needs it: their keys, the witnesses, the quorum.

    Empty where there is none, or where it takes no witness at all.
    """
    if policy is None or policy.quorum == NONE:
        return ""
    return replace(policy, logs=tuple(Log(VerifyKey.from_text(key)) for key in keys)).to_text()


class StandingsPostgres:
    """The logs of one database. `limit_seconds` is after how long unpublished asks are refused."""

    def __init__(self, pool: Pool, keys: Sequence[str], limit_seconds: float, policy: Policy | None = None) -> None:
        self._pool = pool
        self._keys = tuple(VerifyKey.from_text(key) for key in keys)
        self._limit = limit_seconds
        self._policy = policy
        # The largest published head that was seen of each log.
        self._seen: dict[str, Checkpoint] = {}

    async def of(self, municipalities: Collection[str], now: datetime) -> tuple[Standing, ...]:
        """Give each log of these municipalities, the newest year first. Raises `StoreUnavailable`."""
        mine, at = sorted(municipalities), int(now.timestamp())
        scope = Scope(municipalities=tuple(mine), now=at)
        since, until = int((now - LOOKED_BACK).timestamp()), int((now - OUTCOME_WITHIN).timestamp())
        async with scoped(self._pool, scope, snapshot=True) as connection:
            rows = await connection.fetch(_LOGS, mine)
            asks = await connection.fetch(_OPEN, mine, since, until, MOST_SHOWN)
            kept = {row["tenant"]: row for row in await connection.fetch(_KEPT_BACK, mine, at)}
            bent = {row["origin"] for row in rows if await self._is_bent(connection, row)}
        return tuple(
            self._standing(row, [ask for ask in asks if ask["tenant"] == row["tenant"]], kept, bent) for row in rows
        )

    def _standing(self, row: Any, asks: Sequence[Any], kept: dict[str, Any], bent: set[str]) -> Standing:
        over = not row["newest"] and row["published_size"] == row["size"]
        deferred = kept.get(row["tenant"])
        mine = row["newest"]
        return Standing(
            log=row["origin"],
            municipality=row["tenant"],
            year=row["year"],
            newest=row["newest"],
            size=row["size"],
            grown_at=None if row["grown_at"] is None else datetime.fromtimestamp(row["grown_at"], UTC),
            signed_size=row["signed_size"],
            signed_at=row["signed_at"],
            published_size=row["published_size"],
            published_at=row["published_at"],
            waited_seconds=None if over else row["waited"],
            limit_seconds=self._limit,
            witnesses=self._witnesses(row["note"]),
            quorum=self._quorum(row["note"]),
            shorter=row["size"] < max(row["signed_size"], self._known(row["origin"])),
            bent=row["origin"] in bent,
            signature_holds=self._signature_holds(row),
            open_asks=tuple(_open_ask(ask) for ask in asks) if mine else (),
            open_count=asks[0]["found"] if mine and asks else 0,
            kept_back=deferred["in_force"] if mine and deferred else 0,
            overdue=deferred["overdue"] if mine and deferred else 0,
            published_root=_root(row["note"]),
        )

    def _known(self, origin: str) -> int:
        return self._seen[origin].size if origin in self._seen else 0

    async def _is_bent(self, connection: Connection, row: Any) -> bool:
        """Tell whether a log does not go on from what was signed or seen of it; remember the head where it does."""
        if row["signed_size"] == row["size"] and row["signed_size"] and row["signed_root"] != row["root"]:
            return True
        if row["note"] is None or self._signature_holds(row) is False:
            return False
        try:
            published = read_unverified(row["note"])
        except Malformed:
            return True
        seen = self._seen.get(row["origin"])
        if seen is not None:
            if published.size < seen.size or row["size"] < seen.size:
                return False  # It is shorter, which is told as such.
            if not await _goes_on(connection, row["id"], seen, published):
                return True
        self._seen[row["origin"]] = published
        return False

    def _signature_holds(self, row: Any) -> bool | None:
        """Tell whether the newest published head is signed by the log's own key; None where that cannot be told."""
        if row["note"] is None or not self._keys:
            return None
        try:
            open_checkpoint(row["note"], row["origin"], self._keys)
        except (Malformed, NotVerified):
            return False
        return True

    def _witnesses(self, signed: str | None) -> tuple[Cosigned, ...]:
        if signed is None:
            return ()
        try:
            if self._policy is not None:
                at = self._policy.cosigned(signed)
                return tuple(Cosigned(name, _moment(at.get(name)), judged=True) for name in self._policy.witnesses)
            own = {key.name for key in self._keys}
            lines = [line for line in note.read(signed).signatures if line.name not in own]
        except Malformed:
            return ()
        return tuple(Cosigned(line.name, _moment(time_of(line.signature)), judged=False) for line in lines)

    def _quorum(self, signed: str | None) -> Quorum | None:
        policy = self._policy
        if policy is None or policy.quorum == NONE:
            return None
        group = policy.groups.get(policy.quorum)
        least, members = (1, 1) if group is None else (group.least, len(group.members))
        try:
            met = signed is not None and policy.has_quorum(policy.cosigned(signed))
        except Malformed:
            met = False
        return Quorum(least, members, met)


def _root(signed: str | None) -> str | None:
    """Give the root that a checkpoint tells, in base64; None where there is none that can be read."""
    try:
        return None if signed is None else b64encode(read_unverified(signed).root).decode()
    except Malformed:
        return None


async def _goes_on(connection: Connection, log_id: int, seen: Checkpoint, published: Checkpoint) -> bool:
    """Tell whether a published head goes on from one that was seen; where nothing proves it any more, it does not."""
    if seen.size == published.size or not seen.size:
        return not seen.size or seen.root == published.root
    try:
        proof = await postgres.consistency_proof(connection, log_id, seen.size, published.size)
    except LogError:
        return False
    return consistency_holds(seen.size, published.size, seen.root, published.root, proof)


def _open_ask(row: Any) -> OpenAsk:
    return OpenAsk(Receipt(row["origin"], row["idx"]), datetime.fromtimestamp(row["at"], UTC), row["unit"] or "")


def _moment(seconds: int | None) -> datetime | None:
    """Read a witness's time; one that no calendar holds is no time."""
    if seconds is None or not 0 < seconds <= min(LATEST_TIME, 253_402_300_799):
        return None
    return datetime.fromtimestamp(seconds, UTC)
