"""P3: whoever commits second sees the first. After a withdrawal's commit nothing relies on what it took back."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

from broker.adapters.audit_log import AuditLogPostgres
from broker.adapters.consents_sql import ConsentsSql
from broker.adapters.database import Pool, open_pool
from broker.adapters.handles_vault import HandlesVault
from broker.domain.errors import FactsChanged
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from demo.postgres import PrivatePostgres
from tests.consent_values import HOME, PURPOSE, UNIT, a_block, a_grant, a_line, blocked, granted, withdrawn
from tests.databases import BASE, Databases, opened
from tests.log_events import an_outcome

TRIES = 120


@dataclass
class Node:
    """One broker of several, with connections of its own."""

    pool: Pool
    log: AuditLogPostgres
    consents: ConsentsSql

    async def release(self, town: "Town", citizen: str) -> Receipt | None:
        """Read the facts, take a moment, release on them; None when they had changed."""
        facts = await self.consents.facts(HOME, UNIT, PURPOSE, town.case, [citizen])
        if not any(line.state == "granted" for line in facts.lines):
            return None
        await asyncio.sleep(random.random() / 200)
        try:
            (receipt,) = await self.log.append([an_outcome(citizen, town.actor)], versions=facts.versions)
        except FactsChanged:
            return None
        return receipt


@dataclass
class Town:
    """Three nodes over one pair of databases."""

    databases: Databases
    nodes: list[Node]
    case: str
    actor: str

    async def citizens(self, count: int) -> tuple[str, ...]:
        """Name new people."""
        return await self.databases.vault.citizens([Personal(f"{n:010d}") for n in range(count)])

    async def until_it_waits(self, work: "asyncio.Task[Any]") -> bool:
        """Tell whether some work comes to stand before a lock; no when it ends without. However slow the machine."""
        watcher = await asyncpg.connect(self.databases.admin)
        locked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        try:
            async with asyncio.timeout(20):
                while not work.done():
                    if await watcher.fetchval(locked) > 0:
                        return True
                    await asyncio.sleep(0.01)
            return False
        finally:
            await watcher.close()


@pytest.fixture
async def town(postgres: PrivatePostgres) -> AsyncIterator[Town]:
    """Open three nodes."""
    async with opened(postgres) as made:
        nodes = []
        for name in ("one", "two", "three"):
            pool = await open_pool(made.at.app, name=name, largest=4)
            vault = HandlesVault(made.vault_pool, made.keys)
            log = AuditLogPostgres(pool, vault, BASE)
            nodes.append(Node(pool, log, ConsentsSql(pool, log, vault)))
        (actor,) = await made.vault.citizens([Personal("9999999999")])
        yield Town(made, nodes, await made.vault.case(UNIT, Personal("17")), actor)
        for node in nodes:
            await node.log.aclose()
            await node.pool.close()


async def test_no_release_after_a_withdrawal(town: Town) -> None:
    """In many interleavings over three nodes, no outcome that relies on a consent stands behind its withdrawal."""
    one, two, three = town.nodes
    released, behind = 0, []
    for citizen in await town.citizens(TRIES):
        grant = a_grant(citizen, town.case)
        await one.consents.grant(grant, granted(grant))

        async def take_back(grant: object = grant) -> Receipt:
            await asyncio.sleep(random.random() / 100)
            (receipt,) = await three.consents.withdraw(grant.id, None, withdrawn(grant))  # type: ignore[attr-defined, arg-type]  # bound early
            return receipt

        taken, *tries = await asyncio.gather(
            take_back(), *(node.release(town, citizen) for node in (one, two, three, two))
        )
        assert taken is not None
        got = [receipt for receipt in tries if receipt is not None]
        released += len(got)
        behind += [receipt for receipt in got if receipt.index > taken.index]
        assert await two.release(town, citizen) is None

    # Both outcomes happened, or the race was none.
    assert 0 < released < 4 * TRIES
    assert behind == []


async def test_a_release_waits_for_a_withdrawal_under_way(town: Town) -> None:
    """A withdrawal that has begun and not committed holds the release back; committed, it stops it."""
    (citizen,) = await town.citizens(1)
    grant = a_grant(citizen, town.case)
    await town.nodes[0].consents.grant(grant, granted(grant))
    facts = await town.nodes[0].consents.facts(HOME, UNIT, PURPOSE, town.case, [citizen])
    other = await asyncpg.connect(town.databases.at.app)
    under_way = other.transaction()
    await under_way.start()
    await other.execute("SELECT set_config('borgerbro.subjects', $1, true)", citizen)
    await other.execute("UPDATE consents.citizen_state SET version = version + 1 WHERE citizen = $1", citizen)

    release = asyncio.create_task(town.nodes[1].log.append([an_outcome(citizen, town.actor)], versions=facts.versions))
    waiting = await town.until_it_waits(release)
    await under_way.commit()
    await other.close()

    assert waiting
    with pytest.raises(FactsChanged):
        await release


async def test_a_withdrawal_given_up_stops_nobody(town: Town) -> None:
    """A withdrawal that is rolled back lets the waiting release through."""
    (citizen,) = await town.citizens(1)
    grant = a_grant(citizen, town.case)
    await town.nodes[0].consents.grant(grant, granted(grant))
    facts = await town.nodes[0].consents.facts(HOME, UNIT, PURPOSE, town.case, [citizen])
    other = await asyncpg.connect(town.databases.at.app)
    under_way = other.transaction()
    await under_way.start()
    await other.execute("SELECT set_config('borgerbro.subjects', $1, true)", citizen)
    await other.execute("UPDATE consents.citizen_state SET version = version + 1 WHERE citizen = $1", citizen)
    release = asyncio.create_task(town.nodes[1].log.append([an_outcome(citizen, town.actor)], versions=facts.versions))
    waiting = await town.until_it_waits(release)
    await under_way.rollback()
    await other.close()

    assert waiting
    assert len(await release) == 1


async def test_a_withdrawal_waits_for_a_release_under_way(town: Town) -> None:
    """A release that holds the state first commits first: the withdrawal comes right behind it."""
    (citizen,) = await town.citizens(1)
    grant = a_grant(citizen, town.case)
    await town.nodes[0].consents.grant(grant, granted(grant))
    other = await asyncpg.connect(town.databases.at.app)
    under_way = other.transaction()
    await under_way.start()
    assert await other.fetchval("SELECT version FROM consents.hold_states($1)", [citizen]) == 1

    taking = asyncio.create_task(town.nodes[1].consents.withdraw(grant.id, None, withdrawn(grant)))
    waiting = await town.until_it_waits(taking)
    await under_way.commit()
    await other.close()
    await taking

    assert waiting


async def test_a_node_frozen_in_its_commit_stops_nobody(town: Town) -> None:
    """A node that stands still with the log's head in its hand loses it before anybody else's patience ends."""
    citizens = await town.citizens(4)
    frozen, other = await asyncpg.connect(town.databases.at.app), town.nodes[1]
    event = an_outcome(citizens[0], town.actor)
    keys = await other.log.prepare([event])
    try:
        await frozen.execute("BEGIN")
        await town.nodes[0].log.append_within(frozen, [event], keys)

        receipts = await asyncio.gather(*(other.log.append([an_outcome(c, town.actor)]) for c in citizens))
    finally:
        frozen.terminate()

    # What the frozen node had not committed is not on the log.
    assert sorted(receipt.index for (receipt,) in receipts) == [0, 1, 2, 3]


async def test_a_first_block_is_not_overtaken(town: Town) -> None:
    """Somebody of whom nothing was ever kept can still stop a running release: an absent state row is held too."""
    (citizen,) = await town.citizens(1)
    other = await asyncpg.connect(town.databases.at.app)
    under_way = other.transaction()
    await under_way.start()
    assert await other.fetchval("SELECT version FROM consents.hold_states($1)", [citizen]) == 0
    block = a_block(citizen)

    blocking = asyncio.create_task(town.nodes[0].consents.block(block, blocked(block)))
    waiting = await town.until_it_waits(blocking)
    await under_way.commit()
    await other.close()
    await blocking

    assert waiting
    with pytest.raises(FactsChanged):
        await town.nodes[1].log.append([an_outcome(citizen, town.actor)], versions=[(citizen, 0)])


async def test_a_childs_withdrawal_stops_the_citizens_release(town: Town) -> None:
    """A line about a child, taken back, stops a release about the citizen and one about the child alike."""
    citizen, child = await town.citizens(2)
    grant = a_grant(citizen, town.case, a_line(child, "school", "K01", giver=citizen))
    await town.nodes[0].consents.grant(grant, granted(grant))
    facts = await town.nodes[0].consents.facts(HOME, UNIT, PURPOSE, town.case, [citizen, child])
    await town.nodes[0].consents.withdraw(grant.id, None, withdrawn(grant))

    for versions in (facts.versions[:1], facts.versions[1:], facts.versions):
        with pytest.raises(FactsChanged):
            await town.nodes[1].log.append([an_outcome(citizen, town.actor)], versions=versions)


async def test_crossing_orders_never_lock_each_other(town: Town) -> None:
    """Releases and changes over the same people in every order all come to an end, each with an answer."""
    people = await town.citizens(6)
    work = []
    for turn in range(60):
        node, order = town.nodes[turn % 3], random.sample(people, 4)
        block = a_block(order[0])
        work.append(node.consents.block(block, blocked(block)))
        events = [an_outcome(citizen, town.actor) for citizen in order]
        work.append(node.log.append(events, versions=[(citizen, 0) for citizen in order]))

    results = await asyncio.wait_for(asyncio.gather(*work, return_exceptions=True), 60)

    faults = [
        result for result in results if isinstance(result, BaseException) and not isinstance(result, FactsChanged)
    ]
    assert faults == []
