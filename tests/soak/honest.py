"""A log that nobody bends, for long: whoever looks for damage must find none, however long they look.

Entries of many citizens on two logs, signed after each batch, submitted to a witness, proved, exported and checked.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from audit import postgres
from audit.checkpointer import Checkpointer, SignedHead
from audit.commitment import seal
from audit.committer import GroupCommitter, Submission
from audit.cosignature import Cosigner
from audit.export import export_log, verify_export
from audit.heads_file import HeadsFile
from audit.note import SigningKey
from audit.policy import Policy, parse
from audit.postgres import NewEntry, Pool
from audit.prove import prove
from audit.verify_postgres import verify_logs
from audit.witness import KnownLogs, Request, Witness
from broker.adapters.database import open_pool
from demo.postgres import PrivatePostgres
from tests.signing import own_checkpointer
from tests.unit.audit.sealed import ACTOR, CITIZEN, ORIGIN, OTHER, Crowded, laid

KEYS = {origin: SigningKey.generate(origin) for origin in (ORIGIN, OTHER)}
COSIGNER = Cosigner.generate("witness.example")
NOW = 1_790_000_000
MOST_AT_ONCE = 60
ROUNDS_BETWEEN_FULL_CHECKS = 50


@dataclass
class Honest:
    """The log, those who write to it, and those who watch it."""

    folder: Path
    dsn: str
    pool: Pool
    committers: list[GroupCommitter]
    checkpointer: dict[str, Checkpointer]
    witness: Witness
    policy: Policy
    dice: random.Random
    cosigned: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KEYS, 0))
    counts: Counter[str] = field(default_factory=Counter)

    async def round(self) -> None:
        """Write a batch from several callers, sign it, have it witnessed, prove some of it; raise AssertionError."""
        entries = [self._entry() for _ in range(self.dice.randint(1, MOST_AT_ONCE))]
        await asyncio.gather(
            *(self.committers[n % len(self.committers)].submit(Submission((one,))) for n, one in enumerate(entries))
        )
        self.counts["entries"] += len(entries)
        for origin in KEYS:
            signed = await self.checkpointer[origin].run_once(origin)
            async with self.pool.acquire() as connection:
                await postgres.publish_checkpoint(connection, origin, signed.checkpoint.size, signed.note)
            if signed.checkpoint.size:
                await self._witnessed(signed)
                await self._proved(origin, signed.checkpoint.size)
        self.counts["rounds"] += 1

    async def whole(self) -> None:
        """Check every row and an export of each log; raise AssertionError."""
        connection = await asyncpg.connect(self.dsn)
        for origin, key in KEYS.items():
            keys = [key.verify_key]
            (report,) = await verify_logs(connection, origin=origin, keys=keys)
            assert report.intact, report.faults
            folder = self.folder / str(self.counts["full checks"]) / str(key.verify_key.key_id.hex())
            await export_log(connection, origin, folder)
            assert verify_export(folder, origin=origin, keys=keys).intact
            self.counts["full checks"] += 1
        await connection.close()

    async def _witnessed(self, signed: SignedHead) -> None:
        origin, size = signed.checkpoint.origin, signed.checkpoint.size
        old, proof = self.cosigned[origin], list[bytes]()
        if 0 < old < size:
            async with self.pool.acquire() as connection:
                head = await postgres.head(connection, origin)
                proof = await postgres.consistency_proof(connection, head.log_id, old, size)
        answer = self.witness.add_checkpoint(Request(old, tuple(proof), signed.note).to_bytes())
        assert answer.status == 200, answer
        assert self.policy.open(signed.note + answer.text, origin, now=NOW, oldest=3600) == signed.checkpoint
        self.cosigned[origin] = size
        self.counts["cosigned"] += 1

    async def _proved(self, origin: str, size: int) -> None:
        index = self.dice.randrange(size)
        async with self.pool.acquire() as connection:
            proof = await prove(connection, origin, index)
        assert proof.extra is not None
        proof.verify(proof.extra, origin, [KEYS[origin].verify_key])
        self.counts["proved"] += 1

    def _entry(self) -> NewEntry:
        sealed = seal(eid=os.urandom(16), kind=1, subject=CITIZEN, actor=ACTOR, body=b"body", index={"kind": "ask"})
        return NewEntry(self.dice.choice((ORIGIN, OTHER)), sealed)


@asynccontextmanager
async def running(folder: Path, seed: int) -> AsyncIterator[Honest]:
    """Start a server with two logs, and all who watch them; take all away."""
    server = PrivatePostgres(folder / "server")
    policy = parse(
        "\n".join(
            [*(f"log {key.verify_key}" for key in KEYS.values()), f"witness w {COSIGNER.key}", "quorum w", ""]
        ).encode()
    )
    try:
        await asyncio.to_thread(server.start)
        dsn = await asyncio.to_thread(server.create_database, "honest")
        connection = await asyncpg.connect(dsn)
        for statement in laid():
            await connection.execute(statement)
        for origin in KEYS:
            await postgres.open_log(connection, origin, origin, 2026)
        await connection.close()
        pool = await open_pool(dsn, name="honest", largest=8)
        committers = [GroupCommitter(pool), GroupCommitter(pool, line=Crowded()), GroupCommitter(pool)]
        with HeadsFile(folder / "heads", "witness", new=True) as heads:
            logs = KnownLogs({origin: [key.verify_key] for origin, key in KEYS.items()})
            yield Honest(
                folder, dsn, pool, committers, {origin: own_checkpointer(pool, key) for origin, key in KEYS.items()},
                Witness(heads, [COSIGNER], logs, now=lambda: NOW), policy, random.Random(seed),
            )  # fmt: skip
        for committer in committers:
            await committer.aclose()
        await pool.close()
    finally:
        await asyncio.to_thread(server.remove)


async def honest(folder: Path, seed: int, goes_on: Callable[[int], bool]) -> Counter[str]:
    """Run on while `goes_on` says so of the rounds so far; give what was counted."""
    async with running(folder, seed) as house:
        while house.counts["rounds"] == 0 or goes_on(house.counts["rounds"]):
            await house.round()
            if house.counts["rounds"] % ROUNDS_BETWEEN_FULL_CHECKS == 0:
                await house.whole()
        await house.whole()
        return house.counts
