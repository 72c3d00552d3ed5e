"""Backups put back, one or several together: each memory that was left alone tells (P7).

The checkpointer remembers in a file of its own, and so does the witness; the database has the record. The rows stand in
tests/bent_log.yaml under `put_back`.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from audit.checkpointer import Checkpointer
from audit.cosignature import Cosigner
from audit.heads_file import HeadsFile
from audit.postgres import append, checkpoints, consistency_proof, head
from audit.witness import KnownLogs, Request, Witness
from demo.postgres import PrivatePostgres
from tests.bending import CASES, ENTRIES, KEY, SIGNED, Bent, copy_of, entry, make_template
from tests.databases import drop
from tests.signing import sign_and_publish
from tests.unit.audit.sealed import ORIGIN

PUT_BACK = [row for row in CASES["cases"] if "put_back" in row]
BEFORE, NOW = SIGNED[1], SIGNED[-1]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def made(postgres: PrivatePostgres) -> AsyncIterator[dict[int, str]]:
    """Give the log at each state it has been in."""
    states = await make_template(postgres)
    yield states
    await drop(postgres, *states.values())


class Memories:
    """The files of checkpointer and witness, as they are and as a backup has them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cosigner = Cosigner.generate("witness.example")
        for name in ("checkpointer", "witness"):
            HeadsFile(folder / name, name, new=True).close()

    def back_up(self) -> None:
        """Copy both files."""
        for name in ("checkpointer", "witness"):
            shutil.copy(self.folder / name, self.folder / f"{name}.backup")

    def put_back(self, name: str) -> None:
        """Put one file back to what its backup has."""
        shutil.copy(self.folder / f"{name}.backup", self.folder / name)

    def cosigned(self, old: int, proof: list[bytes], signed: str) -> int:
        """Submit a checkpoint to the witness; give its status."""
        with HeadsFile(self.folder / "witness", "witness") as heads:
            logs = KnownLogs({ORIGIN: [KEY.verify_key]})
            witness = Witness(heads, [self.cosigner], logs, now=lambda: 1)
            return witness.add_checkpoint(Request(old, tuple(proof), signed).to_bytes()).status


async def sign(server: PrivatePostgres, template: str, memories: Memories, old: int, *, first: bool) -> str:
    """Let a house in this state sign, and its witness cosign; give the note."""
    async with asyncpg.create_pool(server.dsn(template), min_size=1, max_size=1) as pool:
        with HeadsFile(memories.folder / "checkpointer", "checkpointer") as heads:
            note = await sign_and_publish(Checkpointer(pool, [KEY], heads, take_over=first), ORIGIN)
        async with pool.acquire() as connection:
            log = await head(connection, ORIGIN)
            proof = await consistency_proof(connection, log.log_id, old, log.size) if old else []
    assert memories.cosigned(old, proof, note) == 200
    return note


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("row", PUT_BACK, ids=[row["name"] for row in PUT_BACK])
async def test_what_was_not_put_back_tells(
    postgres: PrivatePostgres, made: dict[int, str], tmp_path: Path, row: dict[str, Any]
) -> None:
    """Each memory put back alone is noticed by another; all that the house has together by who keeps a checkpoint."""
    memories, back = Memories(tmp_path), set(row["put_back"])
    async with copy_of(postgres, made[BEFORE]) as house:
        await sign(postgres, house, memories, 0, first=True)
        memories.back_up()
        connection = await asyncpg.connect(postgres.dsn(house))
        await append(connection, ENTRIES[BEFORE:NOW])
        await connection.close()
        kept = await sign(postgres, house, memories, BEFORE, first=False)
        for name in back - {"database"}:
            memories.put_back(name)

        noticed, said = await noticed_after(postgres, made[BEFORE] if "database" in back else house, memories, kept)

    assert noticed == set(row["found_by"]), said
    assert any(row["says"] in line for line in said), said


async def noticed_after(
    server: PrivatePostgres, template: str, memories: Memories, kept: str
) -> tuple[set[str], list[str]]:
    """Let the house go on from a database, and give who notices and what they say."""
    async with copy_of(server, template) as name, asyncpg.create_pool(server.dsn(name), min_size=1, max_size=1) as pool:
        superuser = await asyncpg.connect(server.dsn(name))
        size = (await head(superuser, ORIGIN)).size
        await append(superuser, [entry(600 + number) for number in range(4)])
        with HeadsFile(memories.folder / "checkpointer", "checkpointer") as heads:
            bent = Bent(server, name, pool, superuser, Checkpointer(pool, [KEY], heads), kept)
            noticed = await bent.noticed_by()
        if "checkpointer" not in noticed:
            log = await head(superuser, ORIGIN)
            signed = [one async for one in checkpoints(superuser, log.log_id)][-1].note
            proof = await consistency_proof(superuser, log.log_id, size, log.size)
            status = memories.cosigned(size, proof, signed)
            noticed |= set() if status == 200 else {"witness"}
            bent.said.append(f"the witness answers {status}")
        await superuser.close()
    return noticed, bent.said
