"""The restore drill of docs/restore-drill.md, played: both servers' disks are lost under load, and brought back.

Base backups and the WAL of log and key store are kept apart, each by a keeper that commits wait for. Between backup and
loss a citizen is erased. What must come back is every line that anybody was told of, and nothing of the erased.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg

from audit.checkpointer import Checkpointer
from audit.cosignature import Cosigner
from audit.heads_file import HeadsFile
from audit.postgres import consistency_proof, head
from audit.verify_postgres import verify_logs
from audit.witness import KnownLogs, Request, Witness
from broker.adapters.database import Addresses, bootstrap, upgrade
from broker.adapters.keys_file import HouseKeys, new_house_keys
from broker.domain.errors import LogUnavailable, StoreUnavailable
from demo.postgres import PrivatePostgres
from tests.databases import PASSWORDS, doors
from tests.erasures import KEY, LOG, LOG_KEY, Years, years_over
from tests.soak.walkeeper import WalKeeper, base_backup, lose, restore

CALLERS = 4
FEWEST_LINES = 40
SECONDS_OF_LOAD = 60.0
# Nothing here is about deadlines: on a busy machine a commit may wait for its keeper for long.
PATIENT = 60.0


@dataclass
class Memories:
    """What is no database's: the files of checkpointer and witness, which nobody ever restores."""

    folder: Path
    cosigner: Cosigner
    cosigned: int = 0

    async def sign(
        self, address: str, *, new: bool = False, file: str = "checkpointer", take_over: bool = False
    ) -> None:
        """Let the log's head be signed and cosigned; raise AssertionError where the witness says no.

        Raises TreeMismatch where the checkpointer signs nothing; `file` is where it keeps what it signed.
        """
        logs = KnownLogs({LOG: [LOG_KEY.verify_key]})
        with (
            HeadsFile(self.folder / file, "checkpointer", new=new) as mine,
            HeadsFile(self.folder / "witness", "witness", new=new) as theirs,
        ):
            async with asyncpg.create_pool(address, min_size=1, max_size=1) as pool:
                signed = await Checkpointer(pool, [LOG_KEY], mine, take_over=take_over).run_once(LOG)
                size, proof = signed.checkpoint.size, list[bytes]()
                if 0 < self.cosigned < size:
                    async with pool.acquire() as connection:
                        log = await head(connection, LOG)
                        proof = await consistency_proof(connection, log.log_id, self.cosigned, size)
            witness = Witness(theirs, [self.cosigner], logs, now=lambda: 1)
            answer = witness.add_checkpoint(Request(self.cosigned, tuple(proof), signed.note).to_bytes())
        assert answer.status == 200, f"the witness answers {answer.status}"
        self.cosigned = size


@dataclass
class Drill:
    """The house with two servers, what is kept of each elsewhere, and a clock for each step."""

    folder: Path
    log: PrivatePostgres
    vault: PrivatePostgres
    keepers: tuple[WalKeeper, WalKeeper]
    at: Addresses
    keys: HouseKeys
    memories: Memories
    told: set[int]
    took: Counter[str]

    @property
    def servers(self) -> tuple[PrivatePostgres, PrivatePostgres]:
        """Give both servers, the log's first."""
        return self.log, self.vault

    async def play(self) -> None:
        """Live, be backed up, erase, lose both disks under load, restore, and look; raise AssertionError."""
        async with self.open_house() as years:
            await years.ask_about(years.anna, years.bo)
            await self.memories.sign(self.at.checkpointer, new=True)
            for server, name in zip(self.servers, ("log", "vault"), strict=True):
                await self.timed(f"base backup of the {name}", base_backup, server, self.folder / f"base-{name}")
            anna = years.anna
            assert await self.keys_of(anna) == 1
            await years.erase()
            self.told.update(receipt.index for receipt in await years.ask_about(years.bo))
            await self.memories.sign(self.at.checkpointer)
            await self.lose_under_load(years)
        await self.bring_back()
        await self.look(anna)

    async def lose_under_load(self, years: Years) -> None:
        """Ask about Bo, several at a time, until both disks are gone in the middle of it."""
        gone = asyncio.Event()
        asking = [asyncio.create_task(self._keep_asking(years, gone)) for _ in range(CALLERS)]
        async with asyncio.timeout(SECONDS_OF_LOAD):
            while len(self.told) < FEWEST_LINES:
                await asyncio.sleep(0.01)
        for server in self.servers:
            await asyncio.to_thread(lose, server)
        gone.set()
        await asyncio.gather(*asking)
        for keeper in self.keepers:
            await asyncio.to_thread(keeper.stop)

    async def _keep_asking(self, years: Years, gone: asyncio.Event) -> None:
        while not gone.is_set():
            try:
                receipts = await years.ask_about(years.bo)
            except (LogUnavailable, StoreUnavailable):
                await asyncio.sleep(0.05)
                continue
            self.told.update(receipt.index for receipt in receipts if receipt.log == LOG)

    async def bring_back(self) -> None:
        """Restore both from their base backups and all the WAL that was kept."""
        for server, keeper, name in zip(self.servers, self.keepers, ("log", "vault"), strict=True):
            keeper.close_the_last()
            base = self.folder / f"base-{name}"
            copied, recovered = await asyncio.to_thread(restore, server, base, keeper.folder)
            self.took[f"ms to copy the {name} back"] = round(copied * 1000)
            self.took[f"ms to recover the {name}"] = round(recovered * 1000)
        self.at = moved(self.at, self.log, self.vault)

    async def bring_back_too_early(self) -> None:
        """Lose the log's server once more, and restore it to the moment of its base backup, as nobody should."""
        await asyncio.to_thread(lose, self.log)
        wal = self.keepers[0].folder
        await asyncio.to_thread(restore, self.log, self.folder / "base-log", wal, too_early=True)
        self.at = moved(self.at, self.log, self.vault)

    async def look(self, anna: str) -> None:
        """See that all is there that was told, that nobody is startled, and that the erased stay erased."""
        connection = await asyncpg.connect(self.superuser(self.log, self.at.app))
        there = {row["idx"] for row in await connection.fetch(_PLACES, LOG)}
        lost = self.told - there
        assert lost == set(), f"{len(lost)} entries that were acknowledged are lost"
        began = time.monotonic()
        await self.memories.sign(self.at.checkpointer)
        self.took["ms to the first head signed and witnessed"] = round((time.monotonic() - began) * 1000)
        reports = await verify_logs(connection, deletion_keys=[KEY.verify_key])
        assert all(report.intact for report in reports), [report.faults for report in reports]
        assert await connection.fetchval("SELECT count(*) FROM log.index WHERE citizen = $1", anna) == 0
        await connection.close()
        assert await self.keys_of(anna) == 0, "the key of somebody erased is back"
        where = self.superuser(self.log, self.at.app)
        async with doors(where, self.at, self.keys, timeout_seconds=PATIENT) as house:
            await house.log.ping()
            await house.vault.ping()
        self.took["acknowledged"] = len(self.told)
        self.took["stored, and nobody was told"] = len(there) - len(self.told)

    async def keys_of(self, citizen: str) -> int:
        """Count a citizen's keys, as the key store's superuser."""
        connection = await asyncpg.connect(self.superuser(self.vault, self.at.vault))
        try:
            count: int = await connection.fetchval("SELECT count(*) FROM vault.subject_key WHERE handle = $1", citizen)
            return count
        finally:
            await connection.close()

    @asynccontextmanager
    async def open_house(self) -> AsyncIterator[Years]:
        """Open the doors, and those who may erase."""
        (self.folder / "registry").mkdir()
        async with (
            doors(self.superuser(self.log, self.at.app), self.at, self.keys, timeout_seconds=PATIENT) as made,
            years_over(made, self.folder / "registry", timeout_seconds=PATIENT) as years,
        ):
            yield years

    async def timed(self, what: str, does: Callable[..., Any], *arguments: Any) -> None:
        """Do one step, and note how long it took."""
        began = time.monotonic()
        await asyncio.to_thread(does, *arguments)
        self.took[f"ms for the {what}"] = round((time.monotonic() - began) * 1000)

    @staticmethod
    def superuser(server: PrivatePostgres, address: str) -> str:
        """Give the superuser's address of the database that a role's address names."""
        return server.dsn(address.rpartition("/")[2])


def moved(at: Addresses, log: PrivatePostgres, vault: PrivatePostgres) -> Addresses:
    """Give the same addresses where a server came back on another port."""
    changed = {}
    for name in at.__slots__:
        before, _, rest = getattr(at, name).rpartition(":")
        port = vault.port if name.startswith("vault") else log.port
        changed[name] = f"{before}:{port}/{rest.partition('/')[2]}"
    return replace(at, **changed)


@asynccontextmanager
async def a_drill(folder: Path) -> AsyncIterator[Drill]:
    """Set up two durable servers, each with a keeper of WAL that its commits wait for; take all away."""
    log, vault = (PrivatePostgres(folder / name, durable=True) for name in ("log", "vault"))
    keepers = WalKeeper(folder / "wal-log", log), WalKeeper(folder / "wal-vault", vault)
    try:
        for server in (log, vault):
            await asyncio.to_thread(server.start)
        token = secrets.token_hex(4)
        names = {"main": f"main_{token}", "vault": f"vault_{token}", "vault_admin_dsn": vault.dsn()}
        at = await bootstrap(log.dsn(), PASSWORDS, **names)
        await upgrade(at.owner, "main")
        await upgrade(at.vault_owner, "vault")
        for keeper in keepers:
            await asyncio.to_thread(keeper.start)
            await asyncio.to_thread(keeper.demand)
        (folder / "memories").mkdir()
        memories = Memories(folder / "memories", Cosigner.generate("witness.example"))
        yield Drill(folder, log, vault, keepers, at, new_house_keys(), memories, set(), Counter())
    finally:
        for keeper in keepers:
            await asyncio.to_thread(keeper.stop)
        for server in (log, vault):
            await asyncio.to_thread(server.remove)


async def restores(folder: Path, _: int, goes_on: Callable[[int], bool]) -> Counter[str]:
    """Play the drill again and again; give what was counted, and of each step the slowest."""
    counted: Counter[str] = Counter()
    while counted["drills"] == 0 or goes_on(counted["drills"]):
        place = folder / f"drill-{counted['drills']}"
        place.mkdir(mode=0o711)
        async with a_drill(place) as drill:
            await drill.play()
        for what, value in drill.took.items():
            counted[what] = max(counted[what], value) if what.startswith("ms") else counted[what] + value
        counted["drills"] += 1
    return counted


_PLACES = "SELECT e.idx FROM log.entry e JOIN log.head h ON h.id = e.log_id WHERE h.origin = $1"
