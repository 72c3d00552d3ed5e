"""A synchronous replica dies, or the primary does: what was confirmed is on both disks, what is not is refused.

Two real PostgreSQL with streaming replication; `kill` is SIGKILL. PostgreSQL itself says of a commit whose wait for the
replica was cut off that it "has already committed locally, but might not have been replicated": such a line is no line.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from audit.contention import Line
from audit.note import SigningKey
from broker.adapters.audit_log import AuditLogPostgres
from broker.adapters.consents_sql import ConsentsSql
from broker.adapters.database import open_pool
from broker.adapters.handles_vault import HandlesVault
from broker.adapters.keys_file import new_house_keys
from broker.domain.errors import LogUnavailable, StoreUnavailable
from broker.domain.identity import Caseworker
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from demo.postgres import PrivatePostgres
from demo.postgres_standby import Standby
from tests.consent_values import a_block, blocked
from tests.databases import BASE, fresh
from tests.log_events import NOON, an_ask
from tests.signing import own_checkpointer
from tests.unit.audit.sealed import Crowded

SECONDS = 1.0
# A deadline that bounds a hang; says nothing of speed.
NEVER = 60.0


@pytest.fixture
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PrivatePostgres, Standby]]:
    """Give a primary whose commits wait for its replica."""
    folder = tmp_path_factory.mktemp("pair")
    primary = PrivatePostgres(folder / "primary", followed=True)
    replica = Standby(folder / "replica", primary)
    try:
        primary.start()
        yield primary, replica
    finally:
        replica.remove()
        primary.remove()


class House:
    """The log, the consents and the vault over the primary, with short deadlines."""

    def __init__(self, log: AuditLogPostgres, consents: ConsentsSql, vault: HandlesVault) -> None:
        self.log, self.consents, self.vault = log, consents, vault
        self.anna, self.kim, self.database = "", "", ""

    async def meet(self) -> None:
        """Give everybody a handle, and open the log with a first line."""
        (self.anna,) = await self.vault.citizens([Personal("0101900001")])
        kim = Caseworker(Personal("kim"), "https://employer", "korsbaek", "job", (), "Substantial", NOON)
        self.kim = await self.vault.actor(kim)
        await self.ask("first")

    async def ask(self, name: str) -> Receipt:
        """Put one ask on the log."""
        (receipt,) = await self.log.append([an_ask(self.anna, self.kim, ask=name)])
        return receipt


@asynccontextmanager
async def a_house(
    pair: tuple[PrivatePostgres, Standby], *, largest: int = 4, line: Line | None = None
) -> AsyncIterator[House]:
    """Open a house over the pair, the replica following and demanded."""
    primary, replica = pair
    async with fresh(primary) as (_, at):
        await asyncio.to_thread(replica.start)
        await asyncio.to_thread(replica.demand)
        pool = await open_pool(at.app, name="test", largest=largest, timeout_seconds=SECONDS)
        vault_pool = await open_pool(at.vault, name="test", largest=largest, timeout_seconds=SECONDS)
        vault = HandlesVault(vault_pool, new_house_keys())
        log = AuditLogPostgres(pool, vault, BASE, timeout_seconds=SECONDS, line=line)
        house = House(log, ConsentsSql(pool, log, vault), vault)
        house.database = at.app.rpartition("/")[2]
        try:
            await house.meet()
            yield house
        finally:
            await log.aclose()
            pool.terminate()
            vault_pool.terminate()


@pytest.mark.parametrize("line", [Line, Crowded], ids=["calm", "crowded"])
async def test_a_line_that_is_on_one_disk_is_no_line(pair: tuple[PrivatePostgres, Standby], line: type[Line]) -> None:
    """With the replica dead an ask is refused within its deadline, though the primary has its line."""
    async with a_house(pair, line=line()) as house, asyncio.timeout(NEVER):
        pair[1].kill()
        with pytest.raises(LogUnavailable):
            await house.ask("second")
        # It may be seen on the primary: the log holds too much rather than too little.
        pair[1].start()
        await asyncio.to_thread(pair[1].await_state, "sync")
        assert (await house.ask("third")).index in {1, 2}


async def test_a_node_whose_commits_wait_is_not_ready(pair: tuple[PrivatePostgres, Standby]) -> None:
    """Log and vault say no while their commits wait for a dead replica, and yes again when it follows."""
    async with a_house(pair) as house, asyncio.timeout(NEVER):
        await house.log.ping()
        await house.vault.ping()
        pair[1].kill()
        with pytest.raises(LogUnavailable):
            await house.log.ping()
        with pytest.raises(StoreUnavailable):
            await house.vault.ping()
        pair[1].start()
        await asyncio.to_thread(pair[1].await_state, "sync")
        await house.log.ping()
        await house.vault.ping()


async def test_nobody_waits_in_a_queue_without_end(pair: tuple[PrivatePostgres, Standby]) -> None:
    """More changes than connections, all waiting for a dead replica: each is refused within its deadlines."""
    async with a_house(pair, largest=2) as house, asyncio.timeout(NEVER):
        pair[1].kill()
        blocks = [a_block(house.anna) for _ in range(120)]
        began = time.monotonic()
        answers = await asyncio.gather(
            *(house.consents.block(block, blocked(block)) for block in blocks), return_exceptions=True
        )
        waited = time.monotonic() - began

        assert {type(answer) for answer in answers} <= {StoreUnavailable, LogUnavailable}
        # One wait for a connection and one for the commit, the look before it included; 120 in pairs would be sixty.
        assert waited < 30 * SECONDS


async def test_an_operator_can_go_on_without_a_replica(pair: tuple[PrivatePostgres, Standby]) -> None:
    """Once nobody demands the replica any more, asks are put on record again."""
    async with a_house(pair) as house, asyncio.timeout(NEVER):
        pair[1].kill()
        with pytest.raises(LogUnavailable):
            await house.ask("second")
        await asyncio.to_thread(pair[1].release)
        async with asyncio.timeout(NEVER):
            while True:
                try:
                    assert (await house.ask("third")).index > 0
                    break
                except LogUnavailable:
                    continue


@pytest.mark.parametrize("line", [Line, Crowded], ids=["calm", "crowded"])
async def test_what_was_confirmed_outlives_the_primary(pair: tuple[PrivatePostgres, Standby], line: type[Line]) -> None:
    """The primary killed under load and the replica promoted: every line that was confirmed is there."""
    primary, replica = pair
    confirmed: list[int] = []

    async with a_house(pair, line=line()) as house, asyncio.timeout(NEVER):

        async def keep_asking(caller: int) -> None:
            for number in range(100_000):
                try:
                    confirmed.append((await house.ask(f"{caller}-{number}")).index)
                except LogUnavailable:
                    return

        asking = [asyncio.create_task(keep_asking(caller)) for caller in range(8)]
        while len(confirmed) < 100:
            await asyncio.sleep(0.01)
        primary.kill()
        await asyncio.gather(*asking)

    await asyncio.to_thread(replica.promote)
    connection = await asyncpg.connect(replica.dsn(house.database))
    there = {row["idx"] for row in await connection.fetch("SELECT idx FROM log.entry")}
    await connection.close()
    assert set(confirmed) <= there


@pytest.mark.parametrize("line", [Line, Crowded], ids=["calm", "crowded"])
async def test_a_head_is_free_while_its_last_writer_waits(
    pair: tuple[PrivatePostgres, Standby], line: type[Line]
) -> None:
    """Where writers stand in line nobody holds the log's head while the replica is waited for; both ways it is a no."""
    async with a_house(pair, line=line()) as house, asyncio.timeout(NEVER):
        admin = await asyncpg.connect(pair[0].dsn(house.database))
        await admin.execute("SET synchronous_commit = off")
        pair[1].kill()
        asking = asyncio.create_task(house.ask("second"))
        while not await admin.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"):
            await asyncio.sleep(0.01)
        free = await admin.fetch("SELECT FROM log.head FOR UPDATE SKIP LOCKED")
        with pytest.raises(LogUnavailable):
            await asking
        await admin.close()
    assert bool(free) == (line is Crowded)


async def test_nothing_is_signed_that_could_be_lost(pair: tuple[PrivatePostgres, Standby]) -> None:
    """An entry that can be seen and is on one disk only is not signed: the checkpointer waits for the replica first."""
    key = SigningKey.generate(f"{BASE}/korsbaek/2019")
    async with a_house(pair, line=Crowded()) as house, asyncio.timeout(NEVER):
        pair[1].kill()
        with pytest.raises(LogUnavailable):
            await house.ask("second")
        async with asyncpg.create_pool(pair[0].dsn(house.database), min_size=1, max_size=1) as pool:
            mine = await pool.fetchval("SELECT pg_backend_pid()")
            signing = asyncio.create_task(own_checkpointer(pool, key).run_once(f"{BASE}/korsbaek/2019"))
            # The house's own writer may wait for the replica too, so it is the checkpointer's that is looked at.
            waiting = "SELECT query FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND pid = $1"
            admin = await asyncpg.connect(pair[0].dsn(house.database))
            while (waits := await admin.fetchval(waiting, mine)) is None:
                assert not signing.done()
                await asyncio.sleep(0.01)
            assert "emit_message" in waits
            assert await admin.fetchval("SELECT count(*) FROM log.checkpoint") == 0
            pair[1].start()
            assert (await signing).checkpoint.size == 2
            await admin.close()
