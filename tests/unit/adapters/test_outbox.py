"""What waits to be told: with its cause or not at all, at least once, by any node, and on paper in the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from broker.adapters.clock_system import FixedClock
from broker.adapters.database import Scope, scoped
from broker.adapters.notice_choices_sql import NoticeChoicesSql
from broker.domain.errors import Conflict, StoreUnavailable
from broker.domain.notice_choices import DIGITAL_POST, EMAIL, LEAST, Choice, NoticesChosen, week_before
from broker.domain.notices import (
    CHOSEN,
    EMERGENCY,
    GIVEN_UP_AFTER,
    PAPER,
    PAUSES,
    REQUEST,
    Notice,
    notice_to,
    sent_events,
)
from broker.domain.personal import Personal
from broker.transparency.notices import Channels, Round, take_on_paper
from demo.postgres import PrivatePostgres
from tests.consent_values import HOME, NOON, a_request, requested
from tests.outboxes import ANNA, BO, FakeChannel, PostOffice, open_post_office


@pytest.fixture
async def office(postgres: PrivatePostgres) -> AsyncIterator[PostOffice]:
    """Give an outbox over real databases."""
    async with open_post_office(postgres) as made:
        yield made


async def test_what_was_asked_is_told_and_then_forgotten(office: PostOffice) -> None:
    """The notice reaches the channel with its number, its row is gone, and the log says that it was sent."""
    notice = await office.ask()
    channel = FakeChannel()

    first, second = await office.round(channel), await office.round(channel, timedelta(days=1))

    assert channel.took == [notice]
    assert (first, second) == (Round(1, 0, 0), Round(0, 0, 0))
    assert await office.rows() == []
    assert await office.sent_entries() == [(office.anna, office.node)]


async def test_a_change_that_fails_leaves_no_notice(office: PostOffice) -> None:
    """The same request again is a conflict: its notice is not there either."""
    request = a_request(office.anna, office.case)
    event = requested(request, office.kim)
    await office.databases.consents.request(request, event)

    notice = notice_to(office.anna, ANNA, HOME, REQUEST, NOON)
    with pytest.raises(Conflict):
        await office.databases.consents.request(request, event, tell=[notice])

    assert await office.rows() == []


async def test_with_the_log_down_there_is_neither_change_nor_notice(office: PostOffice) -> None:
    """The notice commits with the entry that says why, or not at all."""
    await office.rows("REVOKE EXECUTE ON FUNCTION log.append FROM borgerbro_app")
    with pytest.raises(StoreUnavailable):
        await office.ask()
    await office.rows("GRANT EXECUTE ON FUNCTION log.append TO borgerbro_app")

    assert await office.rows() == []
    assert await office.rows("SELECT FROM consents.request") == []


async def test_what_was_not_taken_is_tried_again_with_growing_pauses(office: PostOffice) -> None:
    """A broken channel gets it again after each pause, never sooner; when it works, once."""
    await office.ask()
    broken, at = FakeChannel(broken=True), timedelta(0)
    for pause in PAUSES[:3]:
        assert (await office.round(broken, at)).failed == 1
        assert (await office.round(broken, at + pause - timedelta(seconds=1))).failed == 0
        at += pause

    works = FakeChannel()
    await office.round(works, at)

    assert len(works.took) == 1
    assert list(PAUSES) == sorted(PAUSES)


async def test_two_nodes_never_take_the_same(office: PostOffice) -> None:
    """Twenty-five notices and four who send at once: each is taken by one."""
    for _ in range(25):
        await office.ask()
    channels = [FakeChannel() for _ in range(4)]

    rounds = await asyncio.gather(*(office.round(channel) for channel in channels))

    took = [notice.id for channel in channels for notice in channel.took]
    assert len(took) == len(set(took)) == sum(one.sent for one in rounds) == 25


async def test_what_another_node_is_taking_is_passed_over(office: PostOffice) -> None:
    """Nobody waits for a row that another holds, and nobody gets it; once let go, it is there to be taken."""
    notice = await office.ask()
    async with scoped(office.databases.pool, Scope(municipality=HOME)) as connection:
        await connection.fetch("SELECT FROM notices.waiting FOR UPDATE")
        taking = asyncio.create_task(office.outbox.due(HOME, NOON))
        done, _ = await asyncio.wait([taking], timeout=2)

    assert done == {taking}
    assert (await taking, await office.outbox.due(HOME, NOON)) == ((), (notice,))


async def test_one_who_dies_while_sending_leaves_it_to_the_next(office: PostOffice) -> None:
    """Taken and never noted as sent: after the pause it goes again, under the same id, so that it can be told."""
    notice = await office.ask()
    assert await office.outbox.due(HOME, NOON) == (notice,)

    channel = FakeChannel()
    too_early = await office.round(channel, PAUSES[0] - timedelta(seconds=1))
    later = await office.round(channel, PAUSES[0])

    assert (too_early.sent, later.sent) == (0, 1)
    assert [one.id for one in channel.took] == [notice.id]


async def test_sent_twice_stands_on_the_log_once(office: PostOffice) -> None:
    """Whoever notes it second is told so, and writes nothing."""
    notice = await office.ask()
    event = sent_events(notice, office.node, "digital_post", NOON)

    assert [await office.outbox.sent(notice, event), await office.outbox.sent(notice, event)] == [True, False]
    assert len(await office.sent_entries()) == 1


async def test_what_got_nowhere_goes_on_paper(office: PostOffice) -> None:
    """After three days it is given up and on the list; who takes the list stands on the log, and it is then empty."""
    notice = await office.ask()
    broken = FakeChannel(broken=True)
    before = await office.round(broken, GIVEN_UP_AFTER - timedelta(minutes=1))
    after = await office.round(broken, GIVEN_UP_AFTER)
    lists: list[tuple[Notice, ...]] = []
    clock = FixedClock(NOON + GIVEN_UP_AFTER)

    taken = await take_on_paper(HOME, office.kim, lambda all_: lists.append(tuple(all_)), office.outbox, clock)
    again = await take_on_paper(HOME, office.kim, lambda all_: lists.append(tuple(all_)), office.outbox, clock)

    assert (before.given_up, after.given_up) == (0, 1)
    assert (taken, again) == ((notice,), ())
    assert lists == [(notice,), ()]
    assert await office.sent_entries() == [(office.anna, office.kim)]
    assert PAPER == "paper"


async def test_a_list_that_cannot_be_written_stays_a_list(office: PostOffice) -> None:
    """Nobody is said to be written to whose line never reached the disk."""
    notice = await office.ask()
    await office.round(None)

    def full(_: object) -> None:
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - What the disk says.
        await take_on_paper(HOME, office.kim, full, office.outbox, FixedClock(NOON))

    assert await office.outbox.given_up(HOME) == (notice,)
    assert await office.sent_entries() == []


async def test_without_a_channel_all_go_on_paper_at_once(office: PostOffice) -> None:
    """A house that cannot send says so in its first round, not after three days."""
    await office.ask()

    assert await office.round(None) == Round(0, 0, 1)
    assert await office.outbox.counts(HOME) == ((REQUEST, True, 1),)


async def test_what_is_kept_back_causes_no_notice_before_it_shows(office: PostOffice) -> None:
    """While the law keeps an emergency back, neither channel nor paper has it; then it goes, with its full three days.

    One about somebody else, and one of another unit, go at once.
    """
    until = NOON + timedelta(days=60)
    await office.keep_back(office.anna, "acute", until)
    held = await office.emergency(office.anna, ANNA, "acute")
    others = [await office.emergency(office.anna, ANNA, "night"), await office.emergency(office.bo, BO, "acute")]
    channel, broken = FakeChannel(), FakeChannel(broken=True)

    await office.round(channel)
    silent = [await office.round(None, GIVEN_UP_AFTER * 2), await office.round(channel, timedelta(days=59))]
    tried = await office.round(broken, timedelta(days=60))
    shown = await office.round(channel, timedelta(days=60) + PAUSES[0])

    assert silent == [Round(0, 0, 0)] * 2
    assert (tried, shown) == (Round(0, 1, 0), Round(1, 0, 0))
    assert channel.took[-1] == held
    assert {one.id for one in channel.took[:-1]} == {one.id for one in others}


async def test_the_number_lies_sealed(office: PostOffice) -> None:
    """No column of what waits holds the number, in any way of writing it."""
    await office.ask()
    (row,) = await office.rows("SELECT w::text, encode(sealed_number, 'escape') FROM notices.waiting w")

    assert not any(ANNA.disclose() in text for text in row)


async def test_a_sealed_number_opens_in_its_own_notice_alone(office: PostOffice) -> None:
    """Who writes Bo's number into Anna's notice, or hers into his, tells nobody anything."""
    await office.ask()
    await office.ask(citizen=office.bo, number=BO)
    await office.rows(
        "UPDATE notices.waiting a SET sealed_number = b.sealed_number FROM notices.waiting b WHERE a.id <> b.id"
    )
    channel = FakeChannel()

    await office.round(channel)

    assert channel.took == []


async def test_no_other_municipality_sees_or_sends_it(office: PostOffice) -> None:
    """In another's scope, or none, the table is empty, and nothing can be added to it for this one."""
    await office.ask()
    for scope in (Scope(), Scope(municipality="fjernby"), Scope(citizen=office.anna), Scope(municipalities=(HOME,))):
        async with scoped(office.databases.pool, scope) as connection:
            assert await connection.fetchval("SELECT count(*) FROM notices.waiting") == 0
            assert await connection.execute("DELETE FROM notices.waiting") == "DELETE 0"

    assert await office.outbox.due("fjernby", NOON) == ()
    assert len(await office.rows()) == 1


async def test_a_node_never_changes_whom_a_notice_is_to(office: PostOffice) -> None:
    """The application's role moves the next try, and may not touch recipient or number."""
    await office.ask()
    for column, value in (("recipient", "'x'"), ("sealed_number", "'x'"), ("municipality", "'korsbaek'")):
        with pytest.raises(StoreUnavailable):
            async with scoped(office.databases.pool, Scope(municipality=HOME)) as connection:
                await connection.execute(f"UPDATE notices.waiting SET {column} = {value}")


async def chose(office: PostOffice, way: str, *, weekly: bool = False, address: str | None = None) -> None:
    """Let Anna choose how she is told."""
    door = NoticeChoicesSql(office.databases.pool, office.databases.log, office.databases.vault)
    event = NoticesChosen(
        municipality=HOME, subject=office.anna, actor=office.anna, at=NOON, way=way, weekly=weekly
    )  # fmt: skip
    choice = Choice(way, weekly, Personal(address) if address else None)
    await door.keep(choice, event, tell=[notice_to(office.anna, ANNA, HOME, CHOSEN, NOON)])


async def test_once_a_week_one_letter_stands_for_all(office: PostOffice) -> None:
    """Nothing before Monday at nine but that it was chosen; then one letter, and a line of the log for each notice."""
    await chose(office, DIGITAL_POST, weekly=True)
    asked = [await office.ask() for _ in range(3)]
    other = await office.ask(citizen=office.bo, number=BO)
    post, monday = FakeChannel(), week_before(NOON) + timedelta(days=7) - NOON
    await office.round(post, monday - timedelta(seconds=1))
    before = [(one.cause, one.recipient) for one in post.took]
    late = await office.ask(at=NOON + monday + timedelta(seconds=1))
    channels = [FakeChannel() for _ in range(3)]
    await asyncio.gather(*(office.round(channel, monday + timedelta(minutes=1)) for channel in channels))
    took = [one for channel in channels for one in channel.took]

    assert sorted(before) == sorted([(CHOSEN, office.anna), (REQUEST, other.recipient)])
    assert len(took) == 1
    assert {took[0].id, *(id_ for id_, _ in took[0].together)} == {one.id for one in asked}
    assert [str(row["id"]) for row in await office.rows()] == [late.id]
    assert len(await office.sent_entries()) == len(asked) + 2


async def test_what_goes_weekly_is_given_up_three_days_after_its_monday(office: PostOffice) -> None:
    """Waiting for Monday is not getting nowhere: its three days begin then, and none goes on paper before."""
    await chose(office, DIGITAL_POST, weekly=True)
    await office.round(FakeChannel())
    await office.ask()
    monday = week_before(NOON) + timedelta(days=7) - NOON
    broken = FakeChannel(broken=True)
    rounds = [
        await office.round(broken, after)
        for after in (GIVEN_UP_AFTER, monday, monday + GIVEN_UP_AFTER - timedelta(minutes=1), monday + GIVEN_UP_AFTER)
    ]

    assert [one.given_up for one in rounds] == [0, 0, 0, 1]


async def test_who_wants_the_least_is_told_what_must_be(office: PostOffice) -> None:
    """A request is deleted unsent; an emergency, and the choice itself, are told; Bo is told all."""
    await chose(office, LEAST)
    await office.ask()
    await office.emergency(office.anna, ANNA, "acute")
    await office.ask(citizen=office.bo, number=BO)
    post = FakeChannel()
    await office.round(post)

    told = sorted((one.recipient == office.bo, one.cause) for one in post.took)
    assert told == [(False, EMERGENCY), (False, CHOSEN), (True, REQUEST)]
    assert await office.rows() == []


async def test_email_goes_to_who_chose_it_and_falls_back(office: PostOffice) -> None:
    """By e-mail three times, then in Digital Post; that it was chosen goes in Digital Post at once."""
    await chose(office, EMAIL, address="anna@example.dk")
    await office.ask()
    mail, post = FakeChannel("email", broken=True), FakeChannel()
    at = timedelta(0)
    tries = []
    for pause in (timedelta(0), *PAUSES[:3]):
        at += pause
        tries.append((await office.round_of(Channels(post, mail), at)).failed)
    works = FakeChannel("email")
    await office.ask(at=NOON + at)
    await office.round_of(Channels(post, works), at)

    assert tries == [1, 1, 1, 0]
    assert [one.cause for one in post.took] == [CHOSEN, REQUEST]
    assert [one.address for one in works.took] == [Personal("anna@example.dk")]


async def test_without_a_mail_server_who_chose_email_has_digital_post(office: PostOffice) -> None:
    """What a house can no longer do is no reason to tell nobody; with neither it goes on paper."""
    await chose(office, EMAIL, address="anna@example.dk")
    await office.ask()
    post = FakeChannel()

    assert (await office.round(post)).sent == 2
    await office.ask()
    assert await office.round(None) == Round(0, 0, 1)
