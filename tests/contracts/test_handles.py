"""What the door `Handles` promises, over the fake and over the vault."""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from broker.adapters.handles_vault import HandlesVault
from broker.adapters.keys_file import new_house_keys
from broker.domain.errors import NotFound, StoreUnavailable
from broker.domain.identity import Caseworker, OfficerLogin
from broker.domain.personal import Personal
from broker.ports import Handles
from demo.postgres import PrivatePostgres
from tests.databases import Databases, opened
from tests.fakes.handles import FakeHandles

ANNA, BO = Personal("010190-0001"), Personal("020290-0002")
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
KIM = Caseworker(
    Personal("kim"), "https://employer", "korsbaek", "job", (), "Substantial", NOW, Personal("Kim Lind Test")
)


class HandlesContract:
    """Random names that stay."""

    async def test_one_number_keeps_one_handle(self, handles: Handles) -> None:
        """A number has the same handle each time, with or without its hyphen, and in any order."""
        anna, bo = await handles.citizens([ANNA, BO])

        assert await handles.citizens([BO, ANNA, Personal("0101900001")]) == (bo, anna, anna)
        assert anna != bo

    async def test_a_handle_tells_nothing(self, handles: Handles) -> None:
        """A handle is 128 random bits; no digit of the number shows in its making."""
        (anna,) = await handles.citizens([ANNA])

        assert len(bytes.fromhex(anna)) == 16

    async def test_no_numbers_no_handles(self, handles: Handles) -> None:
        """Asking for nobody gives nobody."""
        assert await handles.citizens([]) == ()

    async def test_an_employee_is_one_actor(self, handles: Handles) -> None:
        """An employee keeps one handle whatever unit they ask for; another employer's employee has another."""
        first = await handles.actor(KIM)

        assert await handles.actor(replace(KIM, unit="social", name=None)) == first
        assert await handles.actor(replace(KIM, issuer="https://other")) != first

    async def test_an_employee_is_found_by_their_id(self, handles: Handles) -> None:
        """Whoever was seen is found by employer and id; nobody else is, and looking makes no handle."""
        kim = await handles.actor(KIM)

        assert await handles.employee(KIM.issuer, KIM.id) == kim
        assert await handles.employee("https://other", KIM.id) is None
        assert await handles.employee(KIM.issuer, Personal("bo")) is None
        assert await handles.employee(KIM.issuer, Personal("bo")) is None

    async def test_citizens_and_cases_are_no_employees(self, handles: Handles) -> None:
        """Employees, overseers and nodes act by their work; a citizen, a case, and what nobody has do not."""
        (anna,) = await handles.citizens([ANNA])
        case = await handles.case("job", Personal("1"))

        assert [await handles.is_employee(one) for one in (anna, case, "0" * 32)] == [False, False, False]
        assert await handles.is_employee(await handles.actor(KIM))
        assert await handles.is_employee(await handles.node("one"))

    async def test_an_overseer_is_an_actor_too(self, handles: Handles) -> None:
        """Somebody who is both caseworker and DPO is one person to the log."""
        officer = OfficerLogin(KIM.id, KIM.issuer, "dpo", frozenset({"korsbaek"}), "High", NOW)

        assert await handles.officer(officer) == await handles.actor(KIM)

    async def test_a_node_is_an_actor_of_its_own(self, handles: Handles) -> None:
        """A node keeps its handle, another node has another, and no employee of that name is one."""
        first = await handles.node("kim")

        assert await handles.node("kim") == first
        assert first not in (await handles.node("other"), await handles.actor(KIM))

    async def test_a_case_number_belongs_to_its_unit(self, handles: Handles) -> None:
        """The same case number in another unit is another case, and never a citizen."""
        case = await handles.case("job", ANNA)

        assert await handles.case("job", ANNA) == case
        assert await handles.case("social", ANNA) != case
        assert (await handles.citizens([ANNA]))[0] != case

    async def test_an_ask_names_all_three_at_once(self, handles: Handles) -> None:
        """Citizen, employee and case get the handles they would each get alone."""
        told = await handles.of_ask(ANNA, KIM, "job", Personal("17"))

        assert told == (
            *(await handles.citizens([ANNA])),
            await handles.actor(KIM),
            await handles.case("job", Personal("17")),
        )

    async def test_knowing_is_noted(self, handles: Handles) -> None:
        """Noting who is known takes any of the numbers that are named, also none, and names nobody anew."""
        named = await handles.citizens([ANNA, BO])

        assert await handles.citizens([ANNA, BO], {ANNA: True}) == named
        assert await handles.citizens([ANNA, BO], {}) == named


class TestFakeHandles(HandlesContract):
    @pytest.fixture
    def handles(self) -> Handles:
        """Give the fake."""
        return FakeHandles()


@pytest.fixture
async def databases(postgres: PrivatePostgres) -> AsyncIterator[Databases]:
    """Give both databases."""
    async with opened(postgres) as made:
        yield made


class TestHandlesVault(HandlesContract):
    @pytest.fixture
    def handles(self, databases: Databases) -> Handles:
        """Give the vault."""
        return databases.vault

    async def test_a_key_stays_and_is_its_owners_alone(self, databases: Databases) -> None:
        """Each person has one key a municipality, the same each time, and no two are alike."""
        vault = databases.vault
        pairs = {(handle, place) for handle in await vault.citizens([ANNA, BO]) for place in ("korsbaek", "oestby")}

        keys = await vault.keys(pairs)

        assert keys == await HandlesVault(databases.vault_pool, databases.keys).keys(pairs)
        assert len(set(keys.values())) == 4
        assert {len(key) for key in keys.values()} == {32}

    async def test_no_key_for_a_name_never_given(self, databases: Databases) -> None:
        """A handle that the vault does not know gets no key."""
        with pytest.raises(StoreUnavailable):
            await databases.vault.keys([(secrets.token_hex(16), "korsbaek")])

    async def test_keys_open_with_their_own_wrapping_key_only(self, databases: Databases) -> None:
        """Without the wrapping key, what the vault holds opens nothing."""
        (anna,) = await databases.vault.citizens([ANNA])
        await databases.vault.keys([(anna, "korsbaek")])
        stranger = HandlesVault(databases.vault_pool, replace(databases.keys, wrapping=new_house_keys().wrapping))

        with pytest.raises(StoreUnavailable):
            await stranger.keys([(anna, "korsbaek")])

    async def test_a_key_moved_to_another_name_does_not_open(self, databases: Databases) -> None:
        """A wrapped key that somebody copies into another person's row is refused."""
        anna, bo = await databases.vault.citizens([ANNA, BO])
        await databases.vault.keys([(anna, "korsbaek"), (bo, "korsbaek")])
        owner = await asyncpg.connect(databases.at.vault_owner)
        await owner.execute("UPDATE vault.subject_key SET wrapped = (SELECT wrapped FROM vault.subject_key LIMIT 1)")
        await owner.close()

        with pytest.raises(StoreUnavailable):
            await databases.vault.keys([(anna, "korsbaek"), (bo, "korsbaek")])

    async def test_many_at_once_agree(self, databases: Databases) -> None:
        """Eight callers naming the same new people in different orders give the same names, and none waits in vain."""
        people = [Personal(f"0101{n:06d}") for n in range(40)]
        orders = [people[n:] + people[:n] for n in range(0, 40, 5)]
        given = await asyncio.gather(*(databases.vault.citizens(order) for order in orders))

        named = [dict(zip(order, one, strict=True)) for order, one in zip(orders, given, strict=True)]

        assert all(names == named[0] for names in named)

    async def test_the_vault_holds_no_number(self, databases: Databases) -> None:
        """Neither a number nor an employee's name stands in any table of the vault."""
        await databases.vault.citizens([ANNA])
        await databases.vault.actor(KIM)
        owner = await asyncpg.connect(databases.at.vault_owner)
        held = str(await owner.fetch("SELECT p::text, encode(sealed, 'escape') FROM vault.person p"))
        await owner.close()

        assert "0101900001" not in held
        assert "Kim" not in held

    async def test_nobody_without_the_pepper_makes_a_digest(self, databases: Databases) -> None:
        """There are few numbers to try: the database alone tells nobody which of them a row stands for (P4)."""
        await databases.vault.citizens([ANNA])
        owner = await asyncpg.connect(databases.at.vault_owner)
        (held,) = [row["digest"] for row in await owner.fetch("SELECT digest FROM vault.person")]
        await HandlesVault(databases.vault_pool, new_house_keys()).citizens([ANNA])
        rows = await owner.fetchval("SELECT count(*) FROM vault.person")
        await owner.close()

        written = [text.encode() for text in ("0101900001", "010190-0001", "citizen:0101900001")]
        plain = [hashlib.new(name, text).digest() for name in ("sha256", "sha3_256", "blake2s") for text in written]
        keyed = [hmac.digest(key, text, "sha256") for key in (b"", bytes(32)) for text in written]
        assert held not in [*plain, *keyed, *(text.ljust(32)[:32] for text in written)]
        assert rows == 2

    async def test_an_employee_can_be_disclosed(self, databases: Databases) -> None:
        """An actor's handle leads back to who they are; a citizen's does not."""
        actor = await databases.vault.actor(KIM)
        (anna,) = await databases.vault.citizens([ANNA])

        identity = await databases.vault.disclose_actor(actor)

        assert (identity.issuer, identity.id, identity.name) == (KIM.issuer, KIM.id, KIM.name)
        with pytest.raises(NotFound):
            await databases.vault.disclose_actor(anna)

    async def test_only_numbers_that_no_register_knows_are_purged(self, databases: Databases) -> None:
        """Purging takes those noted as unknown, keys and all; those known, or never looked up, stay."""
        numbers = [ANNA, BO, Personal("0303900003")]
        unknown, known, unsure = await databases.vault.citizens(numbers, {ANNA: False, BO: True})
        await databases.vault.keys([(unknown, "korsbaek")])
        assert await databases.vault.citizens(numbers, {BO: False}) == (unknown, known, unsure)

        assert await databases.vault.purge_unknown(datetime.now(UTC) - timedelta(hours=1)) == 0
        assert await databases.vault.purge_unknown(datetime.now(UTC) + timedelta(hours=1)) == 1

        assert (await databases.vault.citizens([BO, Personal("0303900003")])) == (known, unsure)
        assert (await databases.vault.citizens([ANNA])) != (unknown,)
        with pytest.raises(StoreUnavailable):
            await databases.vault.keys([(unknown, "korsbaek")])

    async def test_the_broker_cannot_read_the_vaults_tables(self, databases: Databases) -> None:
        """The broker's role at the vault has its functions and no table."""
        for table in ("person", "subject_key"):
            for statement in (f"SELECT * FROM vault.{table}", f"DELETE FROM vault.{table}"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await databases.vault_pool.execute(statement)

    async def test_a_silent_vault_is_said_in_our_words(self, databases: Databases) -> None:
        """A vault that is gone raises our own error, which repeats nothing of the database's."""
        await databases.vault_pool.close()

        with pytest.raises(StoreUnavailable) as caught:
            await databases.vault.citizens([ANNA])
        assert not str(caught.value)
