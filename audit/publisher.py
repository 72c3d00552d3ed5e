"""Publish a signed checkpoint once the witnesses of a policy stand behind it.

Rules kept here:
- All witnesses are asked at once, each within its time; one that is gone delays nobody by more than that.
- Published means: the quorum of the policy has cosigned, by cosignatures of the present.
- A log at rest is cosigned again now and then, so that the time of its cosignatures tells that nothing was added since.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from audit import postgres
from audit.checkpoint import Checkpoint
from audit.checkpointer import SignedHead
from audit.policy import Policy
from audit.postgres import Pool
from audit.witness_client import Disputed, Outcome, WitnessClient

SECONDS_OF_REST = 120


@dataclass(frozen=True, slots=True)
class Publication:
    """What came of publishing one head: whether it is published, and what each silent or disputing witness said."""

    origin: str
    size: int
    published: bool
    silent: dict[str, str] = field(default_factory=dict)
    disputed: dict[str, str] = field(default_factory=dict)


class Publisher:
    """Collects cosignatures and publishes. `sign` writes a checkpoint signed by the log itself; `now` is POSIX time.

    `rest` is for how many seconds cosignatures of a log that does not grow count as of the present.
    """

    def __init__(
        self,
        pool: Pool,
        policy: Policy,
        witnesses: Sequence[WitnessClient],
        sign: Callable[[Checkpoint], str],
        *,
        now: Callable[[], int],
        rest: int = SECONDS_OF_REST,
    ) -> None:
        self._pool = pool
        self._policy = policy
        self._witnesses = tuple(witnesses)
        self._sign = sign
        self._now = now
        self._rest = rest
        # Of each log the head last published and when, and the cosignatures collected for the head at hand.
        self._published: dict[str, tuple[int, int]] = {}
        self._lines: dict[str, tuple[int, dict[str, str]]] = {}

    async def publish(self, head: SignedHead) -> Publication:
        """Have a head cosigned and publish it if the quorum is there; does nothing for one published just now.

        Raises asyncpg.PostgresError.
        """
        origin, size = head.checkpoint.origin, head.checkpoint.size
        published = self._published.get(origin)
        if published is not None and published[0] == size and self._now() - published[1] < self._rest:
            return Publication(origin, size, published=True)
        signed = self._sign(head.checkpoint)
        before = self._collected(origin, size, signed, again=published is not None and published[0] == size)
        missing = [witness for witness in self._witnesses if witness.name not in before]
        prove = _Prover(self._pool, head.log_id, size)
        outcomes = await asyncio.gather(*(witness.cosign(signed, prove) for witness in missing))
        told = dict(zip((witness.name for witness in missing), outcomes, strict=True))
        lines = before | {name: outcome for name, outcome in told.items() if isinstance(outcome, str)}
        self._lines[origin] = (size, lines)
        whole = signed + "".join(lines[name] for name in self._policy.witnesses if name in lines)
        enough = self._policy.has_quorum(self._policy.cosigned(whole, now=self._now(), oldest=self._rest))
        if enough:
            async with self._pool.acquire() as connection:
                await postgres.publish_checkpoint(connection, origin, size, whole)
            self._published[origin] = (size, self._now())
        return _publication(head, told, enough=enough)

    def _collected(self, origin: str, size: int, signed: str, *, again: bool) -> dict[str, str]:
        """Give the cosignatures already collected for this head that are still of the present; none to begin anew."""
        held, lines = self._lines.get(origin, (-1, {}))
        if held != size or again:
            return {}
        present = self._policy.cosigned(signed + "".join(lines.values()), now=self._now(), oldest=self._rest)
        return {name: line for name, line in lines.items() if name in present}


def _publication(head: SignedHead, told: dict[str, Outcome], *, enough: bool) -> Publication:
    silent = {name: told.why for name, told in told.items() if not isinstance(told, str | Disputed)}
    disputed = {name: told.why for name, told in told.items() if isinstance(told, Disputed)}
    return Publication(head.checkpoint.origin, head.checkpoint.size, enough, silent, disputed)


class _Prover:
    """Proves to every witness that asks that the tree of its size is a prefix of the one at hand."""

    def __init__(self, pool: Pool, log_id: int, size: int) -> None:
        self._pool = pool
        self._log_id = log_id
        self._size = size

    async def __call__(self, old: int) -> Sequence[bytes]:
        """Give the consistency proof from an old size."""
        async with self._pool.acquire() as connection:
            return await postgres.consistency_proof(connection, self._log_id, old, self._size)
