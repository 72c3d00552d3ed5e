"""Letters under attack by slowness: a round that outlasts what its letters are taken for, and a way that is down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from broker.adapters.clock_system import FixedClock
from broker.adapters.mail_smtp import WHOLE_SECONDS
from broker.adapters.notice_choices_sql import NoticeChoicesSql
from broker.adapters.outbox_sql import LETTERS
from broker.domain.errors import NoticeNotSent
from broker.domain.notice_choices import EMAIL, Choice, NoticesChosen
from broker.domain.notices import PAUSES, Notice
from broker.domain.personal import Personal
from broker.transparency.notices import EMAIL_TRIES, LEFT_ALONE_AFTER, Channels, send_due
from demo.postgres import PrivatePostgres
from tests.consent_values import HOME, NOON
from tests.outboxes import FakeChannel, PostOffice, open_post_office


@pytest.fixture
async def post(postgres: PrivatePostgres) -> AsyncIterator[PostOffice]:
    """Open an outbox."""
    async with open_post_office(postgres) as made:
        yield made


@dataclass
class SlowChannel:
    """A way that takes all the time it may for each letter; late in the round another node looks at what is due."""

    clock: FixedClock
    meanwhile: FakeChannel
    post: PostOffice
    name: str = "digital_post"
    took: list[Notice] = field(default_factory=list)

    async def send(self, notice: Notice) -> None:
        """Take a letter slowly."""
        self.clock.at = self.clock.now() + timedelta(seconds=WHOLE_SECONDS)
        if len(self.took) > LETTERS * 2:
            await send_due(HOME, self.post.node, Channels(self.meanwhile), self.post.outbox, self.clock)
        self.took.append(notice)


@dataclass
class DeadChannel:
    """A way that takes nothing, and notes how often it was tried."""

    name: str = "email"
    tried: int = 0

    async def send(self, notice: Notice) -> None:
        """Take nothing."""
        self.tried += 1
        raise NoticeNotSent


def test_a_batch_is_over_before_its_letters_are_anybodys() -> None:
    """The slowest way tries as many letters as are taken at once within the shortest pause."""
    assert PAUSES[0].total_seconds() > LETTERS * WHOLE_SECONDS


async def test_a_long_round_sends_nothing_twice(post: PostOffice) -> None:
    """Of a round that outlasts the shortest pause, no letter leaves a second time by a node that works beside it."""
    told = {(await post.ask()).id for _ in range(LETTERS * 3)}
    clock, other = FixedClock(NOON), FakeChannel()
    slow = SlowChannel(clock, other, post)

    await send_due(HOME, post.node, Channels(slow), post.outbox, clock)

    assert clock.now() - NOON > PAUSES[0]
    left = [notice.id for notice in (*slow.took, *other.took)]
    assert sorted(left) == sorted(told)


async def wants_email(post: PostOffice) -> None:
    """Let Anna have chosen e-mail."""
    door = NoticeChoicesSql(post.databases.pool, post.databases.log, post.databases.vault)
    event = NoticesChosen(municipality=HOME, subject=post.anna, actor=post.anna, at=NOON, way=EMAIL, weekly=False)
    await door.keep(Choice(EMAIL, address=Personal("anna@example.dk")), event)


async def test_e_mail_that_is_down_holds_up_no_post(post: PostOffice) -> None:
    """It is tried three times in a round however many letters wait for it, and what goes by post leaves at once."""
    await wants_email(post)
    for _ in range(LETTERS * 2):
        await post.ask()
    for _ in range(LETTERS * 2):
        await post.ask(citizen=post.bo, number=Personal("0202900002"))
    digital, dead = FakeChannel(), DeadChannel()

    done = await post.round_of(Channels(digital, dead))

    assert (dead.tried, done.failed, done.sent) == (LEFT_ALONE_AFTER, LETTERS * 2, LETTERS * 2)
    assert {notice.recipient for notice in digital.took} == {post.bo}


async def test_a_way_that_hangs_stands_before_nobody_elses_lane(post: PostOffice) -> None:
    """While e-mail is talked with, the letters to Digital Post that were taken with it have left."""
    await wants_email(post)
    await post.ask()
    await post.ask(citizen=post.bo, number=Personal("0202900002"))
    digital, came = FakeChannel(), asyncio.Event()

    class Hanging:
        name = "email"

        async def send(self, notice: Notice) -> None:
            came.set()
            await asyncio.Event().wait()

    going = asyncio.create_task(post.round_of(Channels(digital, Hanging())))
    try:
        async with asyncio.timeout(20):
            await came.wait()
            while not digital.took:
                await asyncio.sleep(0.01)
    finally:
        going.cancel()
        await asyncio.gather(going, return_exceptions=True)

    assert [notice.recipient for notice in digital.took] == [post.bo]


async def test_nobody_loses_their_letter_to_a_way_that_is_down(post: PostOffice) -> None:
    """What e-mail was not even tried for goes to Digital Post like what it refused."""
    await wants_email(post)
    told = {(await post.ask()).id for _ in range(LETTERS)}
    digital, dead, after = FakeChannel(), DeadChannel(), timedelta(0)
    for pause in PAUSES[: EMAIL_TRIES + 1]:
        await post.round_of(Channels(digital, dead), after)
        after += pause

    assert {notice.id for notice in digital.took} == told
