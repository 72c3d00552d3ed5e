"""What the door `AuditLog` promises, over the fake and over PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from audit.verify_postgres import verify_logs
from broker.domain.errors import FactsChanged, LogUnavailable
from broker.domain.identity import Caseworker
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.ports import AuditLog, Consents, Handles
from demo.postgres import PrivatePostgres
from tests.consent_values import a_block, blocked
from tests.databases import Databases, opened
from tests.fakes.consents import FakeConsents
from tests.fakes.handles import FakeHandles
from tests.fakes.log import FakeLog
from tests.log_events import NOON, an_ask, an_item, an_outcome


@dataclass
class Desk:
    """A log with somebody to write about, and consents that share its transaction."""

    log: AuditLog
    consents: Consents
    anna: str
    bo: str
    kim: str

    async def change(self, citizen: str) -> None:
        """Change something of a citizen's consents."""
        block = a_block(citizen)
        await self.consents.block(block, blocked(block))


async def a_desk(log: AuditLog, consents: Consents, handles: Handles) -> Desk:
    """Give everybody a handle."""
    anna, bo = await handles.citizens([Personal("0101900001"), Personal("0202900002")])
    kim = Caseworker(Personal("kim"), "https://employer", "korsbaek", "job", (), "Substantial", NOON)
    return Desk(log, consents, anna, bo, await handles.actor(kim))


class AuditLogContract:
    """All or nothing, in order, and never on facts that have changed."""

    async def test_entries_stand_one_after_the_other(self, desk: Desk) -> None:
        """Each entry has the next place on its municipality's log of its year."""
        first = await desk.log.append([an_ask(desk.anna, desk.kim), an_outcome(desk.anna, desk.kim)])
        (third,) = await desk.log.append([an_ask(desk.bo, desk.kim)])

        assert [receipt.index for receipt in (*first, third)] == [0, 1, 2]
        assert {receipt.log for receipt in (*first, third)} == {first[0].log}
        assert first[0].log.endswith("/log/korsbaek/2019")

    async def test_each_municipality_and_year_has_its_own(self, desk: Desk) -> None:
        """Another municipality's entry, or another (Danish) year's, stands on another log, from its beginning."""
        new_year = datetime(2019, 12, 31, 23, tzinfo=UTC)
        events = [
            an_ask(desk.anna, desk.kim),
            an_ask(desk.anna, desk.kim, municipality="oestby"),
            an_ask(desk.anna, desk.kim, at=new_year),
        ]

        receipts = await desk.log.append(events)

        assert [receipt.index for receipt in receipts] == [0, 0, 0]
        assert [receipt.log.rpartition("/log/")[2] for receipt in receipts] == [
            "korsbaek/2019",
            "oestby/2019",
            "korsbaek/2020",
        ]

    async def test_a_clock_set_back_moves_nothing(self, desk: Desk) -> None:
        """What comes later stands later, whatever time it says of itself."""
        events = [an_ask(desk.anna, desk.kim, at=at) for at in (NOON, NOON - timedelta(days=1), NOON)]

        receipts = [(await desk.log.append([event]))[0] for event in events]

        assert [receipt.index for receipt in receipts] == [0, 1, 2]
        assert {receipt.log for receipt in receipts} == {receipts[0].log}

    async def test_nothing_written_nothing_received(self, desk: Desk) -> None:
        """No events give no receipts."""
        assert await desk.log.append([]) == ()

    async def test_unchanged_facts_let_it_through(self, desk: Desk) -> None:
        """While every version is still the same, the entry is written; somebody never heard of has version 0."""
        await desk.change(desk.anna)

        (receipt,) = await desk.log.append([an_outcome(desk.anna, desk.kim)], versions=[(desk.anna, 1), (desk.bo, 0)])

        assert receipt.index == 1

    async def test_changed_facts_write_nothing(self, desk: Desk) -> None:
        """When one version has moved on, none of the events is written."""
        await desk.change(desk.bo)

        with pytest.raises(FactsChanged):
            await desk.log.append(
                [an_outcome(desk.anna, desk.kim), an_outcome(desk.bo, desk.kim)],
                versions=[(desk.anna, 0), (desk.bo, 0)],
            )
        (receipt,) = await desk.log.append([an_ask(desk.anna, desk.kim)])

        assert receipt.index == 1  # after the block's own entry

    async def test_many_at_once_each_have_their_place(self, desk: Desk) -> None:
        """Sixty entries handed in at once have sixty places without a gap."""
        asks = [desk.log.append([an_ask(desk.anna, desk.kim)], versions=[(desk.anna, 0)]) for _ in range(60)]

        receipts = [receipt for (receipt,) in await asyncio.gather(*asks)]

        assert sorted(receipt.index for receipt in receipts) == list(range(60))

    async def test_one_changed_fact_spoils_nobody_elses_entry(self, desk: Desk) -> None:
        """Of many handed in at once, those whose facts changed are refused, and only those."""
        await desk.change(desk.bo)
        tries = [
            desk.log.append([an_ask(citizen, desk.kim)], versions=[(citizen, 0)])
            for citizen in [desk.anna, desk.bo] * 20
        ]

        results = await asyncio.gather(*tries, return_exceptions=True)

        assert [type(result) for result in results] == [tuple, FactsChanged] * 20


class TestFakeLog(AuditLogContract):
    @pytest.fixture
    async def desk(self) -> Desk:
        """Give the fake."""
        log = FakeLog()
        return await a_desk(log, FakeConsents(log), FakeHandles())

    async def test_a_broken_log_writes_nothing(self, desk: Desk) -> None:
        """A log that is down says so."""
        desk.log.broken = True  # type: ignore[attr-defined]  # the fake's own switch

        with pytest.raises(LogUnavailable):
            await desk.log.append([an_ask(desk.anna, desk.kim)])


@pytest.fixture
async def databases(postgres: PrivatePostgres) -> AsyncIterator[Databases]:
    """Give both databases."""
    async with opened(postgres) as made:
        yield made


@pytest.fixture
async def superuser(databases: Databases) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """Give the one who may do anything."""
    connection = await asyncpg.connect(databases.admin)
    yield connection
    await connection.close()


class TestAuditLogPostgres(AuditLogContract):
    @pytest.fixture
    async def desk(self, databases: Databases) -> Desk:
        """Give the real one."""
        return await a_desk(databases.log, databases.consents, databases.vault)

    async def test_no_content_lies_open(self, desk: Desk, superuser: "asyncpg.Connection[Any]") -> None:
        """What was handed out is nowhere in the database in the clear; nor are verdicts or roles outside the body."""
        await desk.log.append([an_outcome(desk.anna, desk.kim, an_item(desk.anna, "Mentor hver mandag"))])
        rows = [
            row for table in ("entry", "body", "index") for row in await superuser.fetch(f"SELECT * FROM log.{table}")
        ]
        held = " ".join(v.decode("latin-1") if isinstance(v, bytes) else str(v) for row in rows for v in row.values())

        assert "korsbaek-job" in held
        for secret in ("Mentor", "plan-17", "question", "0101900001"):
            assert secret not in held

    async def test_what_was_handed_out_can_be_recognised(self, desk: Desk, databases: Databases) -> None:
        """The same items digest differently in every entry, so nobody can compare two without the key."""
        item = an_item(desk.anna, "Mentor hver mandag")
        receipts = await desk.log.append([an_outcome(desk.anna, desk.kim, item) for _ in range(2)])
        reader = databases.reader

        digests = [(await reader.entry(receipt, subject=desk.anna)).body["kept"] for receipt in receipts]  # type: ignore[index]  # intact

        assert len(set(digests)) == 2
        assert {len(digest) for digest in digests} == {64}

    async def test_a_log_without_its_database_is_down(self, desk: Desk, databases: Databases) -> None:
        """Without the main database nothing is written, and we say it in our own words."""
        await databases.pool.close()

        with pytest.raises(LogUnavailable) as caught:
            await desk.log.append([an_ask(desk.anna, desk.kim)])
        assert not str(caught.value)

    async def test_a_log_that_refuses_is_down(self, databases: Databases, desk: Desk) -> None:
        """A database that answers, but takes no entry, is a log that is down: the asker's error, not the library's."""
        await desk.log.append([an_ask(desk.anna, desk.kim)])
        admin = await asyncpg.connect(databases.admin)
        await admin.execute("REVOKE EXECUTE ON FUNCTION log.append FROM borgerbro_app")
        await admin.close()

        with pytest.raises(LogUnavailable):
            await desk.log.append([an_ask(desk.anna, desk.kim)])

    async def test_a_log_without_its_keys_is_down(self, desk: Desk, databases: Databases) -> None:
        """Without the vault nothing is written: an entry that nobody could open again would be no evidence."""
        await databases.vault_pool.close()

        with pytest.raises(LogUnavailable):
            await desk.log.append([an_ask(desk.anna, desk.kim)])

    async def test_no_event_hides_a_personal_value(self, desk: Desk) -> None:
        """An event that was given a personal value where a code belongs is not written."""
        wrong = replace(an_ask(desk.anna, desk.kim), ask=Personal("0101900001"))

        with pytest.raises(TypeError):
            await desk.log.append([wrong])

    async def test_an_edit_is_found(
        self, desk: Desk, databases: Databases, superuser: "asyncpg.Connection[Any]"
    ) -> None:
        """A line edited behind the broker's back by the superuser is named by the check, and shown as changed."""
        (receipt,) = await desk.log.append([an_ask(desk.anna, desk.kim)])
        assert [report.faults for report in await verify_logs(superuser)] == [()]
        await superuser.execute(
            "UPDATE log.index SET index_bytes = replace(index_bytes, 'jobplan', 'flytning'),"
            " fields = replace(fields::text, 'jobplan', 'flytning')::jsonb"
        )

        (report,) = await verify_logs(superuser)

        assert not report.intact
        assert (await databases.reader.entry(receipt, municipalities=["korsbaek"])).state == "changed"

    async def test_the_same_event_twice_is_two_entries(self, desk: Desk) -> None:
        """A repeated ask is an access of its own."""
        ask = an_ask(desk.anna, desk.kim)

        receipts = [*await desk.log.append([ask]), *await desk.log.append([ask])]

        assert receipts == [Receipt(receipts[0].log, 0), Receipt(receipts[0].log, 1)]
