"""Of several asks at once, on several nodes, no more use a limited yes than it allows: one is judged behind another."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

import asyncpg
import pytest

from broker.adapters.audit_log import AuditLogPostgres
from broker.adapters.consents_sql import ConsentsSql
from broker.adapters.database import Pool, open_pool
from broker.adapters.handles_vault import HandlesVault
from broker.domain.errors import FactsChanged
from broker.domain.limits import Limit, Use
from broker.domain.personal import Personal
from demo.postgres import PrivatePostgres
from tests.consent_values import HOME, NOON, PURPOSE, TO, UNIT, a_grant, a_line, granted, withdrawn
from tests.databases import BASE, Databases, opened
from tests.log_events import an_outcome

ASKS, TODAY = 6, 20190301


class Node:
    """One broker of several, with connections of its own."""

    def __init__(self, pool: Pool, databases: Databases) -> None:
        vault = HandlesVault(databases.vault_pool, databases.keys)
        self.pool, self.log = pool, AuditLogPostgres(pool, vault, BASE)
        self.consents = ConsentsSql(pool, self.log, vault)

    async def take(self, consent: str, citizen: str, case: str, at: datetime = NOON) -> bool:
        """Ask as the road does: read, use what may be used, and where that moved read again; tell whether it was."""
        ask = str(uuid4())
        while True:
            facts = await self.consents.facts(HOME, UNIT, PURPOSE, case, [citizen])
            if not any(line.state == "granted" for line in facts.usable(TODAY).lines):
                return False
            uses = [Use(HOME, consent, ask, citizen, at)]
            try:
                await self.log.append([an_outcome(citizen, citizen, ask=ask)], versions=facts.versions, uses=uses)
            except FactsChanged:
                continue
            return True


class Town:
    """Two nodes over one pair of databases."""

    def __init__(self, databases: Databases, nodes: list[Node], case: str) -> None:
        self.databases, self.nodes, self.case = databases, nodes, case

    async def citizens(self, count: int) -> tuple[str, ...]:
        """Name people."""
        return await self.databases.vault.citizens([Personal(f"{n:010d}") for n in range(count)])


@pytest.fixture
async def town(postgres: PrivatePostgres) -> AsyncIterator[Town]:
    """Open two nodes."""
    async with opened(postgres) as made:
        nodes = [Node(await open_pool(made.at.app, name=name, largest=4), made) for name in ("one", "two")]
        yield Town(made, nodes, await made.vault.case(UNIT, Personal("17")))
        for node in nodes:
            await node.log.aclose()
            await node.pool.close()


@pytest.mark.parametrize("limit", [Limit(1), Limit(2, monthly=True)], ids=["once", "twice a month"])
async def test_asks_at_once_never_share_the_last_use(town: Town, limit: Limit) -> None:
    """Many asks on two nodes, in shared batches and apart: just as many as the limit says get it, for each citizen."""
    people = await town.citizens(8)
    grants = {}
    for citizen in people:
        grants[citizen] = a_grant(citizen, town.case, limit=limit)
        await town.nodes[0].consents.grant(grants[citizen], granted(grants[citizen]))

    took = await asyncio.gather(
        *(
            node.take(grants[citizen].id, citizen, town.case)
            for _ in range(ASKS // 2)
            for citizen in people
            for node in town.nodes
        )
    )

    assert sum(took) == limit.times * len(people)
    for citizen in people:
        (consent,) = await town.nodes[1].consents.of_citizen(citizen)
        assert (len(consent.uses), consent.left(TODAY)) == (limit.times, 0)


async def test_of_one_batch_the_first_alone_uses_it(town: Town) -> None:
    """Of outcomes in one statement, judged on the same facts, one is written; the rest are judged again."""
    (citizen,) = await town.citizens(1)
    grant = a_grant(citizen, town.case, limit=Limit(1))
    one = town.nodes[0]
    await one.consents.grant(grant, granted(grant))
    facts = await one.consents.facts(HOME, UNIT, PURPOSE, town.case, [citizen])

    got = await asyncio.gather(
        *(
            one.log.append(
                [an_outcome(citizen, citizen, ask=ask)],
                versions=facts.versions,
                uses=[Use(HOME, grant.id, ask, citizen, NOON)],
            )
            for ask in ("a", "b", "c")
        ),
        one.log.append([an_outcome(citizen, citizen, ask="d")]),
        return_exceptions=True,
    )

    assert [isinstance(row, FactsChanged) for row in got] == [False, True, True, False]


async def test_asks_about_different_people_never_share_the_last_use(town: Town) -> None:
    """A yes for once about a parent and a child: an ask about each, judged at the same moment, and one is written."""
    parent, child = await town.citizens(2)
    lines = [a_line(parent), replace(a_line(child), giver=parent, capacity="custody_holder")]
    grant = a_grant(parent, town.case, *lines, limit=Limit(1))
    one, two = town.nodes
    await one.consents.grant(grant, granted(grant))
    facts = [await one.consents.facts(HOME, UNIT, PURPOSE, town.case, [person]) for person in (parent, child)]

    got = await asyncio.gather(
        *(
            node.log.append(
                [an_outcome(person, parent, ask=ask)],
                versions=told.versions,
                uses=[Use(HOME, grant.id, ask, person, NOON)],
            )
            for node, person, told, ask in zip((one, two), (parent, child), facts, ("a", "b"), strict=True)
        ),
        return_exceptions=True,
    )

    assert sorted(isinstance(row, FactsChanged) for row in got) == [False, True]
    (consent,) = await one.consents.of_citizen(parent)
    assert len(consent.uses) == 1


async def test_uses_and_withdrawals_meet_without_a_deadlock(town: Town) -> None:
    """Asks about several people in any order, and their withdrawals, all end; behind a withdrawal nothing is used."""
    people = await town.citizens(6)
    grants = [a_grant(citizen, town.case, limit=Limit(31, monthly=True)) for citizen in people]
    for grant in grants:
        await town.nodes[0].consents.grant(grant, granted(grant))

    async def together(node: Node, order: list[int]) -> None:
        versions = [
            row
            for n in order
            for row in (await node.consents.facts(HOME, UNIT, PURPOSE, town.case, [people[n]])).versions
        ]
        uses = [Use(HOME, grants[n].id, str(uuid4()), people[n], NOON) for n in order]
        try:
            await node.log.append([an_outcome(people[order[0]], people[0])], versions=versions, uses=uses)
        except FactsChanged:
            return

    orders = [list(range(6)), list(range(5, -1, -1)), [3, 0, 5, 1], [1, 5, 0, 3]]
    async with asyncio.timeout(60):
        await asyncio.gather(
            *(together(node, order) for order in orders * 3 for node in town.nodes),
            *(town.nodes[1].consents.withdraw(grant.id, None, withdrawn(grant)) for grant in grants),
        )
    assert not any([await town.nodes[0].take(grant.id, grant.citizen, town.case) for grant in grants])


async def test_a_use_is_never_taken_off_the_record(town: Town) -> None:
    """The node's own role cannot change or delete a use, nor write one about somebody whose state it does not hold."""
    (citizen,) = await town.citizens(1)
    grant = a_grant(citizen, town.case, limit=Limit(1), to_day=TO)
    await town.nodes[0].consents.grant(grant, granted(grant))
    assert await town.nodes[0].take(grant.id, citizen, town.case)

    connection = await asyncpg.connect(town.databases.at.app)
    try:
        for statement in (
            "DELETE FROM consents.consent_use",
            "UPDATE consents.consent_use SET month = 200001",
            "TRUNCATE consents.consent_use",
        ):
            with pytest.raises(asyncpg.PostgresError):
                await connection.execute(statement)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(
                "INSERT INTO consents.consent_use VALUES ('korsbaek', $1, 'x', $2, 201903, now())", grant.id, citizen
            )
        assert await connection.fetchval("SELECT count(*) FROM consents.consent_use") == 0  # Not its to see unnamed.
    finally:
        await connection.close()
    assert not await town.nodes[1].take(grant.id, citizen, town.case)
