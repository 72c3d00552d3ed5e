"""What the door `Emergencies` promises, over the fake and over PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from broker.adapters.break_glass_sql import BreakGlassSql
from broker.domain.break_glass import BreakGlass
from broker.domain.errors import Conflict, FactsChanged, NotFound, StoreUnavailable
from broker.domain.identity import Caseworker
from broker.domain.personal import Personal
from broker.ports import AuditLog, Emergencies, Handles
from demo.postgres import PrivatePostgres
from tests.break_glass_values import FAR_HEALTH, HOME, NEXT_TOWN, NOON, UNIT, WORDS, a_call, an_answer, called, decided
from tests.databases import Databases, opened
from tests.fakes.emergencies import FakeEmergencies
from tests.fakes.handles import FakeHandles
from tests.fakes.log import FakeLog


@dataclass
class Watch:
    """A store with the people that the tests speak of, and a request of Kim's about Anna."""

    emergencies: Emergencies
    log: AuditLog
    anna: str
    kim: str
    grethe: str
    call: BreakGlass

    async def say(self, said: str, **given: Any) -> None:
        """Let Grethe answer for a health unit."""
        answer = an_answer(self.grethe, said, **given)
        home = self.call.holders[answer.unit]
        await self.emergencies.decide(self.call.id, answer, home, decided(self.call, answer))

    async def now(self, municipality: str = HOME) -> BreakGlass:
        """Read the request as a municipality sees it."""
        return await self.emergencies.by_id(self.call.id, municipality)


async def a_watch(emergencies: Emergencies, log: AuditLog, handles: Handles) -> Watch:
    """Let Kim ask."""
    (anna,) = await handles.citizens([Personal("0101900001")])
    case = await handles.case(UNIT, WORDS.callout)
    kim, grethe = [
        await handles.actor(Caseworker(Personal(who), "https://employer", HOME, UNIT, (), "Substantial", NOON))
        for who in ("kim", "grethe")
    ]
    call = a_call(anna, case, kim)
    await emergencies.request(call, WORDS, called(call), called(call, municipality=NEXT_TOWN))
    return Watch(emergencies, log, anna, kim, grethe, call)


class EmergenciesContract:
    """Requests and answers are kept with their events; who was not asked sees and says nothing."""

    async def test_a_request_is_kept_as_it_was_made(self, watch: Watch) -> None:
        """What was asked comes back, with nobody's answer yet; the words are opened apart."""
        assert await watch.now() == watch.call
        assert await watch.emergencies.words(watch.call, HOME) == WORDS

    async def test_one_id_one_request(self, watch: Watch) -> None:
        """An id that is taken is a conflict."""
        with pytest.raises(Conflict):
            await watch.emergencies.request(watch.call, WORDS, called(watch.call))

    @pytest.mark.parametrize("said", ["yes", "no"])
    async def test_an_answer_is_kept(self, watch: Watch, said: str) -> None:
        """A unit's answer stands, with who and when."""
        await watch.say(said, at=NOON + timedelta(minutes=3))

        assert (await watch.now()).answers == (an_answer(watch.grethe, said, at=NOON + timedelta(minutes=3)),)

    @pytest.mark.parametrize(("first", "then"), [("yes", "yes"), ("no", "no"), ("no", "yes")])
    async def test_said_once_and_a_no_is_final(self, watch: Watch, first: str, then: str) -> None:
        """A yes is not said again, which would lengthen it; after a no nothing is said."""
        await watch.say(first)

        with pytest.raises(Conflict):
            await watch.say(then, at=NOON + timedelta(hours=3))

        assert [answer.said for answer in (await watch.now()).answers] == [first]

    async def test_a_yes_is_taken_back(self, watch: Watch) -> None:
        """A no after a yes is kept beside it."""
        await watch.say("yes")
        await watch.say("no", at=NOON + timedelta(minutes=1))

        assert [answer.said for answer in (await watch.now()).answers] == ["yes", "no"]

    async def test_each_unit_for_itself(self, watch: Watch) -> None:
        """One unit's no leaves another's yes; each municipality sees its own answers, the asking one all."""
        await watch.say("yes")
        await watch.say("no", unit=FAR_HEALTH)

        assert {(a.unit, a.said) for a in (await watch.now()).answers} == {
            ("korsbaek-health", "yes"),
            (FAR_HEALTH, "no"),
        }
        assert {a.unit for a in (await watch.now(NEXT_TOWN)).answers} == {FAR_HEALTH}

    async def test_who_was_not_asked(self, watch: Watch) -> None:
        """Another municipality finds nothing; a unit that was not asked, or speaks for another's, says nothing."""
        answer = an_answer(watch.grethe, unit="oestby-job")
        with pytest.raises(NotFound):
            await watch.now("fjernby")
        with pytest.raises(NotFound):
            await watch.emergencies.words(watch.call, "fjernby")
        with pytest.raises(NotFound):
            await watch.emergencies.decide(
                watch.call.id, answer, NEXT_TOWN, decided(watch.call, an_answer(watch.grethe))
            )
        at_home = an_answer(watch.grethe)
        with pytest.raises(NotFound):
            await watch.emergencies.decide(watch.call.id, at_home, NEXT_TOWN, decided(watch.call, at_home))
        assert (await watch.now()).answers == ()

    @pytest.mark.parametrize("request_id", ["", "x", "00000000-0000-0000-0000-000000000000", "%"])
    async def test_what_is_no_request(self, watch: Watch, request_id: str) -> None:
        """An id of nothing, or that is none, finds nothing."""
        with pytest.raises(NotFound):
            await watch.emergencies.by_id(request_id, HOME)

    async def test_an_event_speaks_of_its_request(self, watch: Watch) -> None:
        """An event about another request is refused before anything is written."""
        answer = an_answer(watch.grethe)
        with pytest.raises(ValueError, match="another"):
            await watch.emergencies.decide(watch.call.id, answer, HOME, decided(watch.call, answer, request="x"))

    async def test_an_answer_changes_the_citizens_state(self, watch: Watch) -> None:
        """P3: a release that rests on the state before an answer is turned away."""
        event = called(watch.call)
        await watch.log.append([event], versions=[(watch.anna, 0)])
        await watch.say("yes")

        with pytest.raises(FactsChanged):
            await watch.log.append([event], versions=[(watch.anna, 0)])
        await watch.log.append([event], versions=[(watch.anna, 1)])


class TestFakeEmergencies(EmergenciesContract):
    """The fake that use cases are tested with."""

    @pytest.fixture
    async def watch(self) -> Watch:
        """Give a request in memory."""
        versions: dict[str, int] = {}
        log = FakeLog(versions)
        return await a_watch(FakeEmergencies(log, versions), log, FakeHandles())


class TestBreakGlassSql(EmergenciesContract):
    """The real one."""

    @pytest.fixture
    async def databases(self, postgres: PrivatePostgres) -> AsyncIterator[Databases]:
        """Give both databases."""
        async with opened(postgres) as made:
            yield made

    @pytest.fixture
    async def watch(self, databases: Databases) -> Watch:
        """Give a request in PostgreSQL."""
        store = BreakGlassSql(databases.pool, databases.log, databases.vault)
        return await a_watch(store, databases.log, databases.vault)

    async def test_yes_and_no_at_once(self, watch: Watch) -> None:
        """Of a yes and a no at the same time the no is kept, whichever commits first, in twenty tries."""
        for n in range(20):
            call = replace(watch.call, id=f"00000000-0000-4000-8000-{n:012}")
            await watch.emergencies.request(call, WORDS, called(call))
            both = [an_answer(watch.grethe, said) for said in ("yes", "no")]
            told = await asyncio.gather(
                *(watch.emergencies.decide(call.id, one, HOME, decided(call, one)) for one in both),
                return_exceptions=True,
            )

            answers = [answer.said for answer in (await watch.emergencies.by_id(call.id, HOME)).answers]
            assert "no" in answers
            assert isinstance(told[1], tuple)
            assert isinstance(told[0], tuple) == (answers == ["yes", "no"]) or answers == ["no", "yes"]
            assert all(isinstance(one, tuple | Conflict) for one in told)

    async def test_nothing_readable_lies_in_the_database(self, watch: Watch, databases: Databases) -> None:
        """What the caseworker wrote, the call-out and the number stand in no row in the clear."""
        admin = await asyncpg.connect(databases.admin)
        rows = [
            str(row)
            for table in ("request", "source", "answer")
            for row in await admin.fetch(f"SELECT * FROM break_glass.{table}")
        ]
        await admin.close()

        assert not any(word in row for row in rows for word in ("CANARY", "pills", "V-2019-311", "0101900001"))

    @pytest.mark.parametrize("statement", [
        "UPDATE break_glass.answer SET said = 'yes'", "DELETE FROM break_glass.answer", "TRUNCATE break_glass.answer",
        "UPDATE break_glass.request SET caseworker = 'x'", "DELETE FROM break_glass.source",
    ])  # fmt: skip
    async def test_history_is_only_added_to(self, watch: Watch, databases: Databases, statement: str) -> None:
        """Not even the superuser rewrites what was asked or said by a plain statement."""
        await watch.say("no")
        admin = await asyncpg.connect(databases.admin)

        with pytest.raises(asyncpg.PostgresError):
            await admin.execute(statement)
        await admin.close()

    async def test_an_answer_needs_its_event(self, watch: Watch, databases: Databases) -> None:
        """With a log that takes nothing no answer is kept, and the citizen's state stays as it was."""
        admin = await asyncpg.connect(databases.admin)
        await admin.execute("REVOKE EXECUTE ON FUNCTION log.append FROM borgerbro_app")

        with pytest.raises(StoreUnavailable):
            await watch.say("yes")

        await admin.execute("GRANT EXECUTE ON FUNCTION log.append TO borgerbro_app")
        await admin.close()
        assert (await watch.now()).answers == ()
        await watch.log.append([called(watch.call)], versions=[(watch.anna, 0)])
