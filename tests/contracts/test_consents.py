"""What the door `Consents` promises, over the fake and over PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from broker.adapters.consents_sql import ConsentsSql
from broker.adapters.database import open_pool
from broker.domain.consents import GRANTED, PARTLY_GRANTED, PAUSED, REFUSED, REQUESTED, WITHDRAWN, ReadText
from broker.domain.days import danish_day
from broker.domain.errors import BadAsk, Conflict, FactsChanged, LogUnavailable, NotFound, StoreUnavailable
from broker.domain.facts import ConsentFacts
from broker.domain.identity import Caseworker
from broker.domain.limits import Limit, Use
from broker.domain.personal import Personal
from broker.ports import AuditLog, Consents, Handles
from demo.postgres import PrivatePostgres
from tests.consent_values import (
    HOME,
    NEXT_TOWN,
    NOON,
    PURPOSE,
    UNIT,
    a_block,
    a_grant,
    a_line,
    a_request,
    blocked,
    granted,
    paused,
    refused,
    requested,
    resumed,
    withdrawn,
    yes_to,
)
from tests.databases import Databases, opened
from tests.fakes.consents import FakeConsents
from tests.fakes.handles import FakeHandles
from tests.fakes.log import FakeLog
from tests.log_events import an_outcome

TODAY = 20190302


@dataclass
class Town:
    """A store with the people that the tests speak of."""

    consents: Consents
    log: AuditLog
    anna: str
    bo: str
    child: str
    case: str
    kim: str

    async def facts(self, *subjects: str, **other: str) -> ConsentFacts:
        """Read what the jobcentre may rest on about these people."""
        asked = {"municipality": HOME, "unit": UNIT, "purpose": PURPOSE, "case": self.case} | other
        return await self.consents.facts(**asked, subjects=subjects or [self.anna])


async def a_town(consents: Consents, log: AuditLog, handles: Handles) -> Town:
    """Give everybody a handle."""
    people: Sequence[Personal[str]] = [Personal("0101900001"), Personal("0202900002"), Personal("0303100003")]
    anna, bo, child = await handles.citizens(people)
    kim = Caseworker(Personal("kim"), "https://employer", HOME, UNIT, (), "Substantial", NOON)
    return Town(consents, log, anna, bo, child, await handles.case(UNIT, Personal("2019-17")), await handles.actor(kim))


class ConsentsContract:
    """Consents are asked for, given, refused, taken back; each change is on the log or has not happened."""

    async def test_nothing_given_nothing_found(self, town: Town) -> None:
        """Of somebody who never said yes there are no lines, no blocks, and version 0."""
        assert await town.facts(town.anna, town.bo) == ConsentFacts((), (), ((town.anna, 0), (town.bo, 0)))

    async def test_a_yes_covers_its_lines(self, town: Town) -> None:
        """A yes is found by the unit, purpose and case it was given to, line by line."""
        grant = a_grant(town.anna, town.case, a_line(town.anna), a_line(town.anna, "health", "H01"))

        (receipt,) = await town.consents.grant(grant, granted(grant))
        found = await town.facts()

        assert receipt.index == 0
        assert {(line.source, line.category, line.state) for line in found.lines} == {
            ("social", "S01", GRANTED),
            ("health", "H01", GRANTED),
        }
        assert {(line.consent, line.version, line.giver, line.recipient) for line in found.lines} == {
            (grant.id, 1, town.anna, UNIT)
        }
        assert found.versions == ((town.anna, 1),)

    async def test_a_line_keeps_the_days_it_reaches_over(self, town: Town) -> None:
        """Asked for, given and read: two lines of one place stand apart by their days; one without has them all."""
        lines = [a_line(town.anna, data_from=20180101, data_to=20181231), a_line(town.anna, data_from=20190101)]
        request = a_request(town.anna, town.case, a_line(town.anna, "health", "H01"), *lines)
        await town.consents.request(request, requested(request, town.kim))
        kept = await town.consents.request_by_id(request.id, citizen=town.anna)
        grant = yes_to(request, town.anna)
        await town.consents.grant(grant, granted(grant))

        asked_for = {(line.source, line.data_from, line.data_to) for line in kept.lines}
        (consent,) = await town.consents.of_citizen(town.anna)
        assert asked_for == {("social", 20180101, 20181231), ("social", 20190101, 99991231), ("health", 0, 99991231)}
        assert {(line.source, line.data_from, line.data_to) for line in consent.lines} == asked_for
        assert {(line.source, line.data_from, line.data_to) for line in (await town.facts()).lines} == asked_for

    async def test_who_may_learn_the_source_is_kept(self, town: Town) -> None:
        """Of the request as of the consent: some by name, or everybody."""
        lines = [a_line(town.anna, source_told_to=(town.bo,)), a_line(town.anna, "health", "H01")]
        request = a_request(town.anna, town.case, *lines)
        await town.consents.request(request, requested(request, town.kim))
        kept = await town.consents.request_by_id(request.id, citizen=town.anna)
        grant = yes_to(request, town.anna)
        await town.consents.grant(grant, granted(grant))
        (consent,) = await town.consents.of_citizen(town.anna)

        told = {("social", (town.bo,)), ("health", None)}
        assert {(line.source, line.source_told_to) for line in kept.lines} == told
        assert {(line.source, line.source_told_to) for line in consent.lines} == told

    @pytest.mark.parametrize("other", [{"purpose": "jobplan"}, {"case": "22"}, {"municipality": NEXT_TOWN}])
    async def test_a_yes_covers_nothing_else(self, town: Town, other: dict[str, str]) -> None:
        """Another purpose, case or municipality does not find it."""
        grant = a_grant(town.anna, town.case)
        await town.consents.grant(grant, granted(grant))

        assert (await town.facts(**other)).lines == ()

    async def test_a_yes_to_another_unit_is_found_as_that(self, town: Town) -> None:
        """Of the same municipality's other units, the yes to the same purpose is found, and names whom it was given."""
        grant = a_grant(town.anna, town.case)
        await town.consents.grant(grant, granted(grant))

        found = await town.facts(unit="korsbaek-school", case="22")

        assert [line.recipient for line in found.lines] == [UNIT]

    async def test_a_request_in_the_case_tells_whether_consent_was_tried(self, town: Town) -> None:
        """Open, then not answered in time, or refused: read with the other facts; another case's request is not."""
        request = a_request(town.anna, town.case)
        await town.consents.request(request, requested(request, town.kim))
        asked = await town.facts()
        assert not asked.consent_was_tried(request.answer_by)
        assert asked.consent_was_tried(20190401)

        await town.consents.refuse(request.id, town.anna, refused(request, town.anna))

        assert (await town.facts()).consent_was_tried(TODAY)
        assert not (await town.facts(case="22")).consent_was_tried(20190401)
        assert not (await town.facts(unit="korsbaek-school")).consent_was_tried(20190401)

    async def test_a_yes_to_all_is_no_try(self, town: Town) -> None:
        """Where everything asked for was given, nothing was refused and nothing is open."""
        request = a_request(town.anna, town.case)
        await town.consents.request(request, requested(request, town.kim))
        grant = yes_to(request, town.anna)
        await town.consents.grant(grant, granted(grant))

        assert not (await town.facts()).consent_was_tried(20190401)

    async def test_meetings_are_kept_by_the_release(self, town: Town) -> None:
        """A day something goes out under a law that counts them is found by its person, purpose and municipality.

        Ten asks of one day are one day; what is refused or counts nothing leaves none; a guard that fails takes the day
        with it.
        """
        met = {"subject": town.child, "actor": town.kim, "municipality": HOME, "requester": HOME, "purpose": PURPOSE}
        day = an_outcome(**met, meeting=True, at=NOON)
        await asyncio.gather(*(town.log.append([day]) for _ in range(10)))
        await town.log.append([an_outcome(**met, at=NOON + timedelta(days=2))])
        late = an_outcome(**met, meeting=True, at=NOON + timedelta(days=3))
        with pytest.raises(FactsChanged):
            await town.log.append([late], versions=[(town.child, 7)])
        # Half past eleven in the evening in London is the next day in Denmark.
        evening = NOON.replace(hour=23, minute=30) + timedelta(days=7)
        await town.log.append([an_outcome(**met, meeting=True, at=evening)], versions=[(town.child, 0)])

        found = await town.facts(town.child)

        assert found.meetings == ((town.child, danish_day(NOON)), (town.child, danish_day(evening)))
        assert danish_day(evening) == danish_day(NOON) + 8
        assert (await town.facts(town.anna)).meetings == ()
        assert (await town.facts(town.child, purpose="jobplan")).meetings == ()
        assert (await town.facts(town.child, municipality=NEXT_TOWN)).meetings == ()

    async def test_a_yes_to_all_answers_the_request(self, town: Town) -> None:
        """A request is open until its giver answers; then it says how."""
        request = a_request(town.anna, town.case)
        await town.consents.request(request, requested(request, town.kim))
        (before,) = await town.consents.requests_of(town.anna)

        grant = yes_to(request, town.anna)
        await town.consents.grant(grant, granted(grant))
        after = await town.consents.request_by_id(request.id, municipality=HOME)

        assert before == request
        assert (before.state(TODAY), after.state(TODAY)) == (REQUESTED, GRANTED)
        assert [answer.consent for answer in after.answers] == [grant.id]

    async def test_a_yes_to_some_is_partly_granted(self, town: Town) -> None:
        """Refusing one line does not block the others."""
        lines = (a_line(town.anna), a_line(town.anna, "health", "H01"))
        request = a_request(town.anna, town.case, *lines)
        await town.consents.request(request, requested(request, town.kim))

        grant = yes_to(request, town.anna, lines[0])
        await town.consents.grant(grant, granted(grant))

        assert (await town.consents.request_by_id(request.id, citizen=town.anna)).state(TODAY) == PARTLY_GRANTED
        assert [line.source for line in (await town.facts()).lines] == ["social"]

    async def test_a_no_is_kept(self, town: Town) -> None:
        """A refusal answers the request, and covers nothing."""
        request = a_request(town.anna, town.case)
        await town.consents.request(request, requested(request, town.kim))

        await town.consents.refuse(request.id, town.anna, refused(request, town.anna))

        assert (await town.consents.request_by_id(request.id, citizen=town.anna)).state(TODAY) == REFUSED
        assert (await town.facts()).lines == ()

    async def test_what_was_read_before_a_no_is_its_givers_to_read(self, town: Town) -> None:
        """The giver of a no reads again exactly what they were shown; nobody else does, and a yes has none."""
        read = ReadText("en", "ab" * 32, Personal("Det her siger jeg nej til."))
        request, other = a_request(town.anna, town.case), a_request(town.anna, town.case)
        for one in (request, other):
            await town.consents.request(one, requested(one, town.kim))
        await town.consents.refuse(request.id, town.anna, refused(request, town.anna), read=read)
        await town.consents.refuse(other.id, town.anna, refused(other, town.anna))

        assert await town.consents.read_before_no(request.id, town.anna) == read
        assert await town.consents.read_before_no(other.id, town.anna) is None
        for named, who in (
            (request.id, town.bo),
            ("no-id", town.anna),
            (a_request(town.anna, town.case).id, town.anna),
        ):
            with pytest.raises(NotFound):
                await town.consents.read_before_no(named, who)

    async def test_an_answer_is_given_once(self, town: Town) -> None:
        """Whoever has answered cannot answer again, neither yes nor no."""
        request = a_request(town.anna, town.case)
        await town.consents.request(request, requested(request, town.kim))
        await town.consents.refuse(request.id, town.anna, refused(request, town.anna))
        grant = yes_to(request, town.anna)

        with pytest.raises(Conflict):
            await town.consents.grant(grant, granted(grant))
        with pytest.raises(Conflict):
            await town.consents.refuse(request.id, town.anna, refused(request, town.anna))

    async def test_a_request_lapses(self, town: Town) -> None:
        """After its last day a request can no longer be answered."""
        request = a_request(town.anna, town.case)
        await town.consents.request(request, requested(request, town.kim))
        grant = yes_to(request, town.anna)

        too_late = datetime(2019, 3, 31, 22, tzinfo=UTC)  # midnight in Denmark

        with pytest.raises(Conflict):
            await town.consents.grant(grant, replace(granted(grant), at=too_late))
        await town.consents.grant(grant, replace(granted(grant), at=too_late - timedelta(minutes=1)))

    async def test_a_yes_beyond_the_request_is_refused(self, town: Town) -> None:
        """Nobody says yes to what was not asked."""
        request = a_request(town.anna, town.case)
        await town.consents.request(request, requested(request, town.kim))
        grant = replace(yes_to(request, town.anna), lines=(a_line(town.anna, "health", "H01"),))

        with pytest.raises(BadAsk):
            await town.consents.grant(grant, granted(grant))
        assert (await town.facts()).versions == ((town.anna, 0),)

    async def test_somebody_elses_request_is_not_there(self, town: Town) -> None:
        """Another citizen and another municipality find no such request, and cannot answer it."""
        request = a_request(town.anna, town.case)
        await town.consents.request(request, requested(request, town.kim))

        assert await town.consents.requests_of(town.bo) == ()
        assert await town.consents.requests_of(town.bo, municipality=request.municipality) == ()
        assert await town.consents.requests_of(town.anna, municipality=NEXT_TOWN) == ()
        (known,) = await town.consents.requests_of(town.anna, municipality=request.municipality)
        assert known.id == request.id
        for stranger in ({"citizen": town.bo}, {"municipality": NEXT_TOWN}, {}):
            with pytest.raises(NotFound):
                await town.consents.request_by_id(request.id, **stranger)
        with pytest.raises(NotFound):
            await town.consents.refuse(request.id, town.bo, refused(request, town.bo))

    @pytest.mark.parametrize("named", ["", "no id", "7ec1f0f4-3e0c-4f4e-8f4f-000000000000"])
    async def test_what_does_not_exist_is_not_found(self, town: Town, named: str) -> None:
        """An id that names nothing is answered like one that is another's."""
        grant = a_grant(town.anna, town.case, id=named)

        with pytest.raises(NotFound):
            await town.consents.request_by_id(named, citizen=town.anna)
        with pytest.raises(NotFound):
            await town.consents.withdraw(named, None, withdrawn(grant))
        with pytest.raises(NotFound):
            await town.consents.shown(named, town.anna)

    async def test_a_withdrawn_line_covers_nothing_more(self, town: Town) -> None:
        """Taking back one line leaves the other, and both show the consent's new version."""
        grant = a_grant(town.anna, town.case, a_line(town.anna), a_line(town.anna, "health", "H01"))
        await town.consents.grant(grant, granted(grant))
        health = next(line.id for line in (await town.facts()).lines if line.source == "health")

        await town.consents.withdraw(grant.id, [health], withdrawn(grant))
        found = await town.facts()

        assert {line.source: line.state for line in found.lines} == {"social": GRANTED, "health": WITHDRAWN}
        assert {line.version for line in found.lines} == {2}
        assert found.versions == ((town.anna, 2),)

    async def test_a_whole_withdrawal_takes_what_is_left(self, town: Town) -> None:
        """Withdrawing all takes back every line still standing; then there is nothing left to take back."""
        grant = a_grant(town.anna, town.case, a_line(town.anna), a_line(town.anna, "health", "H01"))
        await town.consents.grant(grant, granted(grant))
        first = (await town.facts()).lines[0].id
        await town.consents.withdraw(grant.id, [first], withdrawn(grant))

        await town.consents.withdraw(grant.id, None, withdrawn(grant))

        assert {line.state for line in (await town.facts()).lines} == {WITHDRAWN}
        for lines in (None, [first]):
            with pytest.raises(Conflict):
                await town.consents.withdraw(grant.id, lines, withdrawn(grant))

    async def test_only_the_giver_takes_back(self, town: Town) -> None:
        """A stranger finds nothing to withdraw, and a giver only their own lines."""
        grant, other = a_grant(town.anna, town.case), a_grant(town.bo, town.case)
        await town.consents.grant(grant, granted(grant))
        await town.consents.grant(other, granted(other))
        (theirs,) = (await town.facts(town.bo)).lines

        with pytest.raises(NotFound):
            await town.consents.withdraw(grant.id, None, replace(withdrawn(grant), giver=town.bo, actor=town.bo))
        with pytest.raises(NotFound):
            await town.consents.withdraw(grant.id, [theirs.id], withdrawn(grant))

    async def test_a_desk_takes_back_for_the_giver_it_names(self, town: Town) -> None:
        """A desk sees its municipality's consents; in the name of somebody who gave no line of one it ends none."""
        grant = a_grant(town.anna, town.case)
        await town.consents.grant(grant, granted(grant))

        by_phone = replace(withdrawn(grant, town.kim, channel="phone"), giver=town.bo)

        with pytest.raises(NotFound):
            await town.consents.withdraw(grant.id, None, by_phone)
        assert [line.state for line in (await town.facts()).lines] == ["granted"]

    async def test_a_desk_takes_back_for_its_own_municipality(self, town: Town) -> None:
        """By phone a withdrawal is recorded by the consent's own municipality and by no other."""
        grant = a_grant(town.anna, town.case)
        await town.consents.grant(grant, granted(grant))
        by_phone = withdrawn(grant, town.kim, channel="desk_phone")

        with pytest.raises(NotFound):
            await town.consents.withdraw(grant.id, None, replace(by_phone, municipality=NEXT_TOWN))
        await town.consents.withdraw(grant.id, None, by_phone)

        assert {line.state for line in (await town.facts()).lines} == {WITHDRAWN}

    async def test_a_paused_line_rests_until_it_holds_again(self, town: Town) -> None:
        """Pausing one line leaves the other; each step moves the version, and the last day stays what it was."""
        grant = a_grant(town.anna, town.case, a_line(town.anna), a_line(town.anna, "health", "H01"))
        await town.consents.grant(grant, granted(grant))
        health = next(line.id for line in (await town.facts()).lines if line.source == "health")

        await town.consents.pause(grant.id, [health], paused(grant))
        resting = await town.facts()
        await town.consents.resume(grant.id, None, resumed(grant))
        again = await town.facts()

        assert {line.source: line.state for line in resting.lines} == {"social": GRANTED, "health": PAUSED}
        assert resting.versions == ((town.anna, 2),)
        assert {(line.state, line.to_day, line.version) for line in again.lines} == {(GRANTED, grant.to_day, 3)}
        assert again.versions == ((town.anna, 3),)

    async def test_what_cannot_rest_or_hold_again(self, town: Town) -> None:
        """Nothing rests twice; nothing that was taken back, never rested, or is over holds again."""
        grant = a_grant(town.anna, town.case, a_line(town.anna), a_line(town.anna, "health", "H01"))
        await town.consents.grant(grant, granted(grant))
        social, health = sorted((await town.facts()).lines, key=lambda line: line.source, reverse=True)
        with pytest.raises(Conflict):
            await town.consents.resume(grant.id, None, resumed(grant))
        await town.consents.pause(grant.id, [social.id], paused(grant))
        with pytest.raises(Conflict):
            await town.consents.pause(grant.id, [social.id], paused(grant))
        late = replace(resumed(grant), at=NOON + timedelta(days=366))
        with pytest.raises(Conflict):
            await town.consents.resume(grant.id, None, late)
        await town.consents.withdraw(grant.id, None, withdrawn(grant))

        for lines in (None, [social.id], [health.id]):
            with pytest.raises(Conflict):
                await town.consents.resume(grant.id, lines, resumed(grant))
        assert {line.state for line in (await town.facts()).lines} == {WITHDRAWN}

    async def test_only_the_giver_pauses_and_resumes(self, town: Town) -> None:
        """A stranger changes nothing of another's yes, nor does another municipality's desk."""
        grant = a_grant(town.anna, town.case)
        await town.consents.grant(grant, granted(grant))
        bo = {"giver": town.bo, "actor": town.bo}
        next_town = paused(grant, town.kim, channel="desk_phone", municipality=NEXT_TOWN)

        with pytest.raises(NotFound):
            await town.consents.pause(grant.id, None, paused(grant, **bo))
        with pytest.raises(NotFound):
            await town.consents.pause(grant.id, None, next_town)
        await town.consents.pause(grant.id, None, paused(grant))
        with pytest.raises(NotFound):
            await town.consents.resume(grant.id, None, resumed(grant, **bo))

        assert [line.state for line in (await town.facts()).lines] == [PAUSED]

    async def test_a_new_yes_does_not_revive_the_old(self, town: Town) -> None:
        """Saying yes again is a new consent; the one taken back stays taken back."""
        old, new = a_grant(town.anna, town.case), a_grant(town.anna, town.case)
        await town.consents.grant(old, granted(old))
        await town.consents.withdraw(old.id, None, withdrawn(old))

        await town.consents.grant(new, granted(new))

        states = {line.consent: line.state for line in (await town.facts()).lines}
        assert states == {old.id: WITHDRAWN, new.id: GRANTED}

    async def test_the_history_stays(self, town: Town) -> None:
        """A citizen sees each step: given when, taken back when, through what."""
        grant = a_grant(town.anna, town.case)
        await town.consents.grant(grant, granted(grant))
        later = NOON + timedelta(hours=1)
        await town.consents.withdraw(grant.id, None, replace(withdrawn(grant), at=later))

        (seen,) = await town.consents.of_citizen(town.anna)

        assert [(step.version, step.state, step.at) for step in seen.history] == [
            (1, GRANTED, NOON),
            (2, WITHDRAWN, later),
        ]
        assert seen.live_lines(TODAY) == ()
        assert (seen.version, seen.given_at, seen.text_digest) == (2, NOON, grant.text_digest)

    async def test_what_was_shown_is_the_givers_to_read(self, town: Town) -> None:
        """The giver reads again exactly what they said yes to, and how an oral yes was taken; nobody else does."""
        how = Personal("Laest op paa dansk af Kim, gentaget og bekraeftet.")
        grant = a_grant(town.anna, town.case, form="oral", evidence=how)
        await town.consents.grant(grant, granted(grant, town.kim, channel="desk_oral"))

        assert await town.consents.shown(grant.id, town.anna) == (grant.text, how)
        with pytest.raises(NotFound):
            await town.consents.shown(grant.id, town.bo)

    async def test_a_use_is_counted_and_moves_the_version(self, town: Town) -> None:
        """A yes for once is told with its limit; its use is told with it from then on, and moves who it is about."""
        grant = a_grant(town.anna, town.case, a_line(town.anna), a_line(town.anna, "health", "H01"), limit=Limit(1))
        await town.consents.grant(grant, granted(grant))
        before = await town.facts()
        use = Use(HOME, grant.id, "ask-1", town.anna, NOON)
        await town.log.append([an_outcome(town.anna, town.kim)], versions=before.versions, uses=[use])
        after = await town.facts()
        (consent,) = await town.consents.of_citizen(town.anna)

        assert [(line.limit, line.used_up(TODAY)) for line in before.lines] == [(Limit(1), False)] * 2
        assert [(line.used, line.used_up(TODAY)) for line in after.lines] == [(1, True)] * 2
        assert (after.usable(TODAY).lines, after.versions) == ((), ((town.anna, 2),))
        assert (consent.limit, consent.uses, consent.left(TODAY), consent.spent) == (Limit(1), (NOON,), 0, True)
        with pytest.raises(FactsChanged):
            await town.log.append([an_outcome(town.anna, town.kim)], versions=before.versions, uses=[use])

    async def test_a_month_brings_new_uses(self, town: Town) -> None:
        """Twice a month: used up by the second, there again on the first of the next; every use stays on record."""
        twice = Limit(2, monthly=True)
        grant = a_grant(town.anna, town.case, limit=twice)
        await town.consents.grant(grant, granted(grant))
        for number, day in enumerate((1, 31)):
            at, facts = datetime(2019, 3, day, 11, tzinfo=UTC), await town.facts()
            use = Use(HOME, grant.id, f"ask-{number}", town.anna, at)
            await town.log.append([an_outcome(town.anna, town.kim)], versions=facts.versions, uses=[use])
        (line,) = (await town.facts()).lines
        (consent,) = await town.consents.of_citizen(town.anna)

        assert [line.used_up(day) for day in (20190228, 20190331, 20190401)] == [True, True, False]
        assert (consent.left(20190331), consent.left(20190401), consent.spent, len(consent.uses)) == (0, 2, False, 2)

    async def test_a_month_that_is_over_gives_no_new_uses(self, town: Town) -> None:
        """With the clock set back behind a use of April, what March is asked for counts in April."""
        grant = a_grant(town.anna, town.case, limit=Limit(3, monthly=True))
        await town.consents.grant(grant, granted(grant))
        left = []
        for number, month in enumerate((4, 3, 3)):
            at, facts = datetime(2019, month, 2, 11, tzinfo=UTC), await town.facts()
            use = Use(HOME, grant.id, f"ask-{number}", town.anna, at)
            await town.log.append([an_outcome(town.anna, town.kim)], versions=facts.versions, uses=[use])
            (consent,) = await town.consents.of_citizen(town.anna)
            left.append([consent.left(20190331), consent.left(20190430)])
        (line,) = (await town.facts()).lines

        assert left == [[2, 2], [1, 1], [0, 0]]
        assert [line.used_up(day) for day in (20190331, 20190430, 20190501)] == [True, True, False]

    async def test_a_wish_bounds_how_often(self, town: Town) -> None:
        """Asked for twice a month, a yes for once or once a month is one, and a yes to more or without bound is not."""
        asked = a_request(town.anna, town.case, limit=Limit(2, monthly=True))
        await town.consents.request(asked, requested(asked, town.kim))
        kept = await town.consents.request_by_id(asked.id, citizen=town.anna)

        for wider in (None, Limit(3, monthly=True)):
            grant = replace(yes_to(kept, town.anna), limit=wider)
            with pytest.raises(BadAsk):
                await town.consents.grant(grant, granted(grant))
        grant = replace(yes_to(kept, town.anna), limit=Limit(1, monthly=True))
        await town.consents.grant(grant, granted(grant))
        assert kept.limit == Limit(2, monthly=True)
        assert (await town.consents.request_by_id(asked.id, citizen=town.anna)).state(TODAY) == GRANTED

    async def test_what_is_used_up_neither_rests_nor_comes_back(self, town: Town) -> None:
        """A yes for once that was used can be taken back; it is not paused, and so never let hold again."""
        grant = a_grant(town.anna, town.case, limit=Limit(1))
        await town.consents.grant(grant, granted(grant))
        facts, use = await town.facts(), Use(HOME, grant.id, "ask-1", town.anna, NOON)
        await town.log.append([an_outcome(town.anna, town.kim)], versions=facts.versions, uses=[use])

        with pytest.raises(Conflict):
            await town.consents.pause(grant.id, None, paused(grant))
        await town.consents.withdraw(grant.id, None, withdrawn(grant))
        assert (await town.facts()).lines[0].state == WITHDRAWN

    async def test_a_childs_line_moves_both_versions(self, town: Town) -> None:
        """A yes about a child, and taking it back, moves the child's version and the citizen's."""
        grant = a_grant(town.anna, town.case, a_line(town.child, "school", "K01", giver=town.anna))
        receipts = await town.consents.grant(grant, granted(grant), granted(grant, subject=town.child))
        given = await town.facts(town.anna, town.child)

        await town.consents.withdraw(grant.id, None, withdrawn(grant), withdrawn(grant, subject=town.child))

        assert len(receipts) == 2
        assert given.versions == ((town.anna, 1), (town.child, 1))
        assert (await town.facts(town.anna, town.child)).versions == ((town.anna, 2), (town.child, 2))

    async def test_each_hears_of_what_concerns_them(self, town: Town) -> None:
        """Taking back only one's own line makes no entry about the child."""
        own, childs = a_line(town.anna), a_line(town.child, "school", "K01", giver=town.anna)
        grant = a_grant(town.anna, town.case, own, childs)
        await town.consents.grant(grant, granted(grant))
        (line,) = [line.id for line in (await town.facts(town.anna)).lines if line.subject == town.anna]

        receipts = await town.consents.withdraw(
            grant.id, [line], withdrawn(grant), withdrawn(grant, subject=town.child)
        )

        assert len(receipts) == 1

    async def test_both_holders_answer_for_themselves(self, town: Town) -> None:
        """Under shared custody each holder answers their own lines; the request is granted when both have."""
        lines = [a_line(town.child, "school", "K01", giver=giver) for giver in (town.anna, town.bo)]
        request = a_request(town.anna, town.case, *lines)
        await town.consents.request(request, requested(request, town.kim))
        for giver, state in ((town.bo, PARTLY_GRANTED), (town.anna, GRANTED)):
            (asked,) = await town.consents.requests_of(giver)
            grant = yes_to(asked, giver)
            await town.consents.grant(grant, granted(grant))
            assert (await town.consents.request_by_id(request.id, municipality=HOME)).state(TODAY) == state

        assert {line.giver for line in (await town.facts(town.child)).lines} == {town.anna, town.bo}

    async def test_a_young_persons_own_yes_is_theirs_alone(self, town: Town) -> None:
        """What a young person was asked and answered about their own health is not shown to the parent."""
        request = a_request(town.anna, town.case, a_line(town.anna), a_line(town.child, "health", "H01"))
        await town.consents.request(request, requested(request, town.kim))
        grant = yes_to(request, town.child)
        await town.consents.grant(grant, granted(grant, subject=town.child))

        (as_parent,) = await town.consents.requests_of(town.anna)
        (as_child,) = await town.consents.of_citizen(town.child)

        assert ([line.subject for line in as_parent.lines], as_parent.answers) == ([town.anna], ())
        assert [line.category for line in as_child.lines] == ["H01"]
        assert await town.consents.of_citizen(town.anna) == ()

    async def test_a_sources_municipality_reads_its_own_lines(self, town: Town) -> None:
        """The municipality whose source is opened sees those lines; a third sees nothing."""
        abroad = a_line(town.anna, "oestby-family", "F01", source_municipality=NEXT_TOWN)
        grant = a_grant(town.anna, town.case, a_line(town.anna), abroad)
        await town.consents.grant(grant, granted(grant))

        (theirs,) = await town.consents.of_citizen(town.anna, municipality=NEXT_TOWN)
        (ours,) = await town.consents.of_citizen(town.anna, municipality=HOME)

        assert [line.source for line in theirs.lines] == ["oestby-family"]
        assert len(ours.lines) == 2
        assert await town.consents.of_citizen(town.anna, municipality="third") == ()

    async def test_a_block_holds_everywhere_until_lifted(self, town: Town) -> None:
        """A citizen's standing no is a fact for whoever asks about them, in every municipality."""
        block = a_block(town.anna)
        await town.consents.block(block, blocked(block))

        assert (await town.facts()).blocks == (block,)
        assert (await town.facts(municipality=NEXT_TOWN)).blocks == (block,)
        assert (await town.facts(town.bo)).blocks == ()
        assert await town.consents.blocks_of(town.anna) == (block,)

        await town.consents.unblock(block.id, blocked(block, lifted=True))

        assert await town.facts() == ConsentFacts((), (), ((town.anna, 2),))
        with pytest.raises(NotFound):
            await town.consents.unblock(block.id, blocked(block, lifted=True))

    async def test_nobody_lifts_anothers_block(self, town: Town) -> None:
        """A block is its citizen's alone."""
        block = a_block(town.anna)
        await town.consents.block(block, blocked(block))

        with pytest.raises(NotFound):
            await town.consents.unblock(block.id, replace(blocked(block, lifted=True), subject=town.bo, actor=town.bo))

    async def test_an_event_of_another_consent_is_refused(self, town: Town) -> None:
        """A change takes only the events that speak of it."""
        grant = a_grant(town.anna, town.case)

        with pytest.raises(ValueError, match="another consent"):
            await town.consents.grant(grant, replace(granted(grant), consent="another"))


class TestFakeConsents(ConsentsContract):
    @pytest.fixture
    async def town(self) -> Town:
        """Give the fake."""
        log = FakeLog()
        return await a_town(FakeConsents(log), log, FakeHandles())

    async def test_no_log_no_change(self, town: Town) -> None:
        """When the log refuses, nothing has changed."""
        grant = a_grant(town.anna, town.case)
        town.log.broken = True  # type: ignore[attr-defined]  # the fake's own switch

        with pytest.raises(LogUnavailable):
            await town.consents.grant(grant, granted(grant))
        assert await town.facts() == ConsentFacts((), (), ((town.anna, 0),))


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


class TestConsentsSql(ConsentsContract):
    @pytest.fixture
    async def town(self, databases: Databases) -> Town:
        """Give the real one."""
        return await a_town(databases.consents, databases.log, databases.vault)

    async def test_no_log_no_change(self, town: Town, superuser: "asyncpg.Connection[Any]") -> None:
        """When the log's function fails, the change is not there either; when it works again, both are."""
        grant = a_grant(town.anna, town.case)
        await superuser.execute("REVOKE EXECUTE ON FUNCTION log.append FROM borgerbro_app")
        with pytest.raises(StoreUnavailable):
            await town.consents.grant(grant, granted(grant))
        before = await town.facts()
        await superuser.execute("GRANT EXECUTE ON FUNCTION log.append TO borgerbro_app")

        await town.consents.grant(grant, granted(grant))

        assert before == ConsentFacts((), (), ((town.anna, 0),))
        assert len((await town.facts()).lines) == 1
        assert await superuser.fetchval("SELECT count(*) FROM log.entry") == 1

    async def test_the_log_says_what_was_taken_back(self, town: Town, superuser: "asyncpg.Connection[Any]") -> None:
        """The entry of a withdrawal names the lines that it ended, whatever the caller believed."""
        grant = a_grant(town.anna, town.case, a_line(town.anna), a_line(town.anna, "health", "H01"))
        await town.consents.grant(grant, granted(grant))
        health = next(line.id for line in (await town.facts()).lines if line.source == "health")

        await town.consents.withdraw(grant.id, [health], withdrawn(grant))

        kinds = "SELECT fields -> 'sources' FROM log.index WHERE kind = 'consent.withdrawn'"
        assert await superuser.fetchval(kinds) == '["health"]'

    async def test_two_withdrawals_of_one_line_are_one(self, town: Town) -> None:
        """Of ten withdrawals at the same moment one takes effect and nine find nothing left."""
        grant = a_grant(town.anna, town.case)
        await town.consents.grant(grant, granted(grant))

        tries = [town.consents.withdraw(grant.id, None, withdrawn(grant)) for _ in range(10)]
        results = await asyncio.gather(*tries, return_exceptions=True)

        assert sorted(type(result).__name__ for result in results) == ["Conflict"] * 9 + ["tuple"]
        assert (await town.facts()).versions == ((town.anna, 2),)

    async def test_a_withdrawal_that_waited_reads_again(
        self, town: Town, superuser: "asyncpg.Connection[Any]", databases: Databases
    ) -> None:
        """Two that stand before the same lock at once: the second sees what the first took back, and says so."""
        grant = a_grant(town.anna, town.case)
        await town.consents.grant(grant, granted(grant))
        watcher = await asyncpg.connect(databases.admin)
        locked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"

        async with superuser.transaction():
            await superuser.execute("SELECT FROM consents.citizen_state FOR UPDATE")
            tries = [asyncio.create_task(town.consents.withdraw(grant.id, None, withdrawn(grant))) for _ in range(2)]
            async with asyncio.timeout(20):
                while await watcher.fetchval(locked) < 2:
                    await asyncio.sleep(0.01)
        results = await asyncio.gather(*tries, return_exceptions=True)
        await watcher.close()

        assert sorted(type(result).__name__ for result in results) == ["Conflict", "tuple"]

    async def test_ten_answers_at_once_are_one(self, town: Town) -> None:
        """Of ten answers by the same giver at the same moment one is kept."""
        request = a_request(town.anna, town.case)
        await town.consents.request(request, requested(request, town.kim))
        grants = [yes_to(request, town.anna) for _ in range(10)]

        results = await asyncio.gather(
            *(town.consents.grant(grant, granted(grant)) for grant in grants), return_exceptions=True
        )

        assert sorted(type(result).__name__ for result in results) == ["Conflict"] * 9 + ["tuple"]
        assert len((await town.facts()).lines) == 1

    async def test_no_text_lies_open(self, town: Town, superuser: "asyncpg.Connection[Any]") -> None:
        """What was written, shown and noted down is nowhere in the database in the clear."""
        request = a_request(town.anna, town.case)
        await town.consents.request(request, requested(request, town.kim))
        grant = replace(yes_to(request, town.anna), form="oral", evidence=Personal("Kim laeste op."))
        await town.consents.grant(grant, granted(grant, town.kim, channel="desk_oral"))
        held = ""
        other = a_request(town.anna, town.case)
        await town.consents.request(other, requested(other, town.kim))
        read = ReadText("da", "ab" * 32, Personal("Det her siger jeg nej til."))
        await town.consents.refuse(other.id, town.anna, refused(other, town.anna), read=read)
        tables = await superuser.fetch(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('consents', 'log', 'web')"
        )
        for schema, table in tables:
            for row in await superuser.fetch(f'SELECT * FROM "{schema}"."{table}"'):
                held += " ".join(v.decode("latin-1") if isinstance(v, bytes) else str(v) for v in row.values())

        assert request.id in held
        for secret in ("hjaelp", "siger jeg ja", "siger jeg nej", "laeste op"):
            assert secret not in held

    async def test_history_is_only_added_to(self, town: Town, superuser: "asyncpg.Connection[Any]") -> None:
        """Not even the tables' owner changes or empties what stands there by mistake."""
        grant, block = a_grant(town.anna, town.case), a_block(town.anna)
        request = a_request(town.anna, town.case)
        await town.consents.request(request, requested(request, town.kim))
        await town.consents.grant(grant, granted(grant))
        await town.consents.block(block, blocked(block))

        for table in (
            *("request", "request_line", "request_state", "consent", "line", "line_state", "block", "block_state"),
        ):
            for statement in (
                f"UPDATE consents.{table} SET municipality = municipality",
                f"DELETE FROM consents.{table}",
                f"TRUNCATE consents.{table} CASCADE",
            ):
                with pytest.raises(asyncpg.RaiseError, match="only added to"):
                    await superuser.execute(statement)

    async def test_a_silent_database_is_said_in_our_words(self, town: Town, databases: Databases) -> None:
        """A database that is gone raises our own error, which repeats nothing of its own."""
        await databases.pool.close()

        with pytest.raises(StoreUnavailable) as caught:
            await town.facts()
        assert not str(caught.value)

    async def test_the_same_statement_whatever_is_found(
        self, town: Town, databases: Databases, superuser: "asyncpg.Connection[Any]"
    ) -> None:
        """Reading the facts is one statement for the database, for somebody with consents and for a stranger (P6)."""
        grant = a_grant(town.anna, town.case)
        await town.consents.grant(grant, granted(grant))
        sent: list[str] = []
        one = await open_pool(databases.at.app, name="test", largest=1)
        async with one.acquire() as connection:
            connection.add_query_logger(lambda record: sent.append(record.query))
            listened = ConsentsSql(one, databases.log, databases.vault)
        for subject in (town.anna, town.bo):
            await listened.facts(HOME, UNIT, PURPOSE, town.case, [subject])
        await one.close()

        assert len(sent) == 2
        assert sent[0] == sent[1]
