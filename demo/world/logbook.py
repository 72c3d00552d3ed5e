"""The world's own look into the broker's logs, with the keys it made: what was written, by step, bodies opened.

Also what somebody with the database's own power could do to a log: the scenarios show that it is found out.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from broker.adapters.audit_reader import LogReaderPostgres
from broker.adapters.database import Pool, open_pool
from broker.adapters.handles_vault import HandlesVault
from broker.adapters.keys_file import read_house_keys
from broker.domain.entries import LogEntry
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from demo.world.children import ROOT, WorldBroken
from demo.world.world import World

# The kind of the entries that a log writes about itself: each is the root of its own map.
ROOT_OF_MAP = "map"
# The checkpointer signs within a second; a log that was tampered with stays unsigned for ever.
SECONDS_TO_SIGN = 1.5
INDEX_EDIT = """
UPDATE log.index SET index_bytes = jsonb_set(fields, '{purpose}', '"jobplan"')::text,
fields = jsonb_set(fields, '{purpose}', '"jobplan"')
"""
INDEX_ROW = "SELECT index_bytes, fields::text FROM log.index WHERE log_id = $1 AND idx = $2"
PUT_BACK = "UPDATE log.index SET index_bytes = $3, fields = $4::jsonb WHERE log_id = $1 AND idx = $2"
# What each word of a scenario does to an entry; `truncate` is told apart below.
EDITS = {
    "leaf": ("UPDATE log.entry SET leaf = set_byte(leaf, 114, get_byte(leaf, 114) # 1)",),
    # The log's own entries have an empty body, where there is no byte to change.
    "body": ("UPDATE log.body SET ciphertext = ciphertext || '\\x00'",),
    "index": (INDEX_EDIT,),
    "delete": ("DELETE FROM log.index", "DELETE FROM log.body", "DELETE FROM log.entry"),
}


@dataclass(frozen=True, slots=True)
class LogBook:
    """The logs of one staged world."""

    world: World
    reader: LogReaderPostgres
    vault: HandlesVault

    async def sizes(self) -> dict[str, int]:
        """Tell how long each log is."""
        return {state.origin: state.size for state in await self.reader.logs()}

    async def since(self, sizes: Mapping[str, int]) -> list[LogEntry]:
        """Read what was written since those sizes, log by log, in order.

        The roots of a log's own map are left out: the log writes them about itself, whenever their time comes.
        """
        entries = []
        for state in await self.reader.logs():
            for index in range(sizes.get(state.origin, 0), state.size):
                receipt = Receipt(state.origin, index)
                entries.append(await self.reader.entry(receipt, municipalities=[state.municipality]))
        return [entry for entry in entries if entry.kind != ROOT_OF_MAP]

    async def handle(self, cpr: str) -> str:
        """Give the handle a person is known by."""
        (handle,) = await self.vault.citizens([Personal(cpr)])
        return handle

    async def origin_of(self, municipality: str) -> str:
        """Name a municipality's newest log; raise `WorldBroken` when it has none."""
        origins = [state.origin for state in await self.reader.logs([municipality])]
        if not origins:
            raise WorldBroken(f"{municipality} has no log yet")
        return origins[-1]

    async def signed(self) -> None:
        """Wait until every log's head is signed, so that what is cut off now was promised before."""
        for _ in range(int(SECONDS_TO_SIGN / 0.05)):
            if all(state.signed_size == state.size for state in await self.reader.logs()):
                return
            await asyncio.sleep(0.05)

    async def verify(self, municipality: str | None) -> dict[str, Any]:
        """Have the logs checked from outside: `python -m audit verify`, as anyone would."""
        await self.signed()
        origin = ["--origin", await self.origin_of(municipality)] if municipality else []
        told = await _run(
            *("-m", "audit", "verify", "--json", "--database", self.world.databases.superuser, *origin),
            *("--vkey-file", str(self.world.files.keys / "log.vkey")),
        )
        try:
            report: dict[str, Any] = json.loads(told)
        except ValueError:
            raise WorldBroken("`python -m audit verify` gave no report") from None
        return report

    async def let_write(self, *, writes: bool) -> None:
        """Let the log take entries, or none from now on, as when its database fails."""
        connection = await asyncpg.connect(self.world.databases.superuser)
        try:
            what = "GRANT EXECUTE ON FUNCTION log.append TO" if writes else "REVOKE EXECUTE ON FUNCTION log.append FROM"
            await connection.execute(f"{what} borgerbro_app")
        finally:
            await connection.close()

    async def tamper(self, municipality: str, index: int, what: str) -> int:
        """Change one entry as the database's superuser could; -1 is the newest. Give its index."""
        await self.signed()
        connection = await asyncpg.connect(self.world.databases.superuser)
        try:
            async with connection.transaction():
                (row,) = await connection.fetch(
                    "SELECT id, size FROM log.head WHERE origin = $1", await self.origin_of(municipality)
                )
                place: int = index if index >= 0 else row["size"] + index
                if not 0 <= place < row["size"]:
                    raise WorldBroken(f"the log of {municipality} has no entry {index}")
                if what == "truncate":
                    await _truncate(connection, row["id"], place)
                for statement in EDITS.get(what, ()):
                    await connection.execute(f"{statement} WHERE log_id = $1 AND idx = $2", row["id"], place)
        finally:
            await connection.close()
        return place

    @asynccontextmanager
    async def tampered(self, municipality: str, index: int) -> AsyncIterator[int]:
        """Change one index row as the superuser could, give its index, and put the row back afterwards."""
        connection = await asyncpg.connect(self.world.databases.superuser)
        try:
            (log,) = await connection.fetch(
                "SELECT id, size FROM log.head WHERE origin = $1", await self.origin_of(municipality)
            )
            place: int = index if index >= 0 else log["size"] + index
            (row,) = await connection.fetch(INDEX_ROW, log["id"], place)
            try:
                # Whoever is called off does not know whether it was done; what is put back is right either way.
                await connection.execute(f"{INDEX_EDIT} WHERE log_id = $1 AND idx = $2", log["id"], place)
                yield place
            finally:
                await connection.execute(PUT_BACK, log["id"], place, row["index_bytes"], row["fields"])
        finally:
            await connection.close()


@asynccontextmanager
async def open_log_book(world: World) -> AsyncIterator[LogBook]:
    """Open the logs of the world as it is staged now."""
    pool: Pool = await open_pool(world.addresses.app, name="world", largest=2)
    vault_pool: Pool = await open_pool(world.addresses.vault, name="world", largest=2)
    try:
        vault = HandlesVault(vault_pool, read_house_keys(world.files.keys / "house.json"))
        yield LogBook(world, LogReaderPostgres(pool, vault), vault)
    finally:
        await pool.close()
        await vault_pool.close()


async def _truncate(connection: Any, log_id: int, size: int) -> None:
    """Cut the log off and write its head anew, so that it is a log that never was longer."""
    for statement in EDITS["delete"]:
        await connection.execute(f"{statement} WHERE log_id = $1 AND idx >= $2", log_id, size)
    rows = await connection.fetch("SELECT leaf FROM log.entry WHERE log_id = $1 ORDER BY idx", log_id)
    peaks = _peaks([row["leaf"] for row in rows])
    root = peaks[-1] if peaks else hashlib.sha256(b"").digest()
    for peak in reversed(peaks[:-1]):
        root = hashlib.sha256(b"\x01" + peak + root).digest()
    await connection.execute(
        "UPDATE log.head SET size = $2, root = $3, frontier = $4 WHERE id = $1", log_id, size, root, b"".join(peaks)
    )


def _peaks(leaves: Sequence[bytes]) -> list[bytes]:
    """Hash leaves to the roots of their complete subtrees, largest first (RFC 6962 section 2.1)."""
    peaks: list[bytes] = []
    for count, leaf in enumerate(leaves):
        node, carry = hashlib.sha256(b"\x00" + leaf).digest(), count
        while carry & 1:
            node, carry = hashlib.sha256(b"\x01" + peaks.pop() + node).digest(), carry >> 1
        peaks.append(node)
    return peaks


async def _run(*arguments: str) -> bytes:
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        told, _ = await process.communicate()
    finally:
        # Whoever is called off leaves nothing running.
        if process.returncode is None:
            process.kill()
            await process.wait()
    return told
