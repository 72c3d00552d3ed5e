"""The letter that a yes ends soon: laid with the yes, sent in its time, gone with the last of what it opened."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from broker.domain.consents import Grant
from broker.domain.errors import Conflict
from broker.domain.notices import ENDS, WORKING_DAY, notice_of_end
from demo.postgres import PrivatePostgres
from tests.consent_values import HOME, NOON, a_grant, a_line, granted, paused, withdrawn
from tests.outboxes import ANNA, FakeChannel, PostOffice, open_post_office

# 29 February 2020 less 30 days, nine in the morning in Denmark.
DUE = datetime(2020, 1, 30, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
async def office(postgres: PrivatePostgres) -> AsyncIterator[PostOffice]:
    """Give an outbox over real databases."""
    async with open_post_office(postgres) as made:
        yield made


async def say_yes(office: PostOffice, channel: str = "online") -> Grant:
    """Let Anna say yes to two lines, on the page or at the desk."""
    given = a_grant(office.anna, office.case, a_line(office.anna), a_line(office.anna, category="S02"))
    actor = office.anna if channel == "online" else office.kim
    ends = notice_of_end(given.id, given.giver, ANNA, HOME, given.to_day, NOON)
    await office.databases.consents.grant(given, granted(given, actor, channel=channel), tell=ends)
    return given


@pytest.mark.parametrize("channel", ["online", "paper"])
async def test_it_is_sent_30_days_before_and_not_sooner(office: PostOffice, channel: str) -> None:
    """A second before the morning nothing leaves, and nothing is given up; then it does, once."""
    await say_yes(office, channel)
    post = FakeChannel()
    early = await office.round(post, DUE - NOON - SECOND)
    due = await office.round(post, DUE - NOON + WORKING_DAY)
    again = await office.round(post, DUE - NOON + timedelta(days=9))

    assert [(one.sent, one.given_up) for one in (early, due, again)] == [(0, 0), (1, 0), (0, 0)]
    assert [(one.cause, one.number) for one in post.took] == [(ENDS, ANNA)]


def test_its_time_of_day_tells_nothing() -> None:
    """It leaves at any time of the working day, so that a letter's minute does not say what it is about."""
    made = [notice_of_end("a", "b", ANNA, HOME, 20200229, NOON)[0].made_at for _ in range(30)]

    assert all(DUE <= at < DUE + WORKING_DAY for at in made)
    assert len({at.replace(second=0) for at in made}) > 5


async def test_without_a_channel_it_goes_on_paper_in_its_time(office: PostOffice) -> None:
    """A house that sends nothing lists nobody a year early."""
    await say_yes(office)

    rounds = [await office.round(None, DUE - NOON - SECOND), await office.round(None, DUE - NOON + WORKING_DAY)]
    assert [one.given_up for one in rounds] == [0, 1]


@pytest.mark.parametrize("channel", ["online", "phone"])
async def test_it_goes_with_the_yes(office: PostOffice, channel: str) -> None:
    """A pause, and a part taken back, leave it; once nothing is left of the yes, neither number nor letter is."""
    given = await say_yes(office)
    lines = [line.id for line in (await office.databases.consents.of_citizen(office.anna))[0].lines]
    actor = office.anna if channel == "online" else office.kim
    store = office.databases.consents
    await store.pause(given.id, None, paused(given, actor, channel=channel))
    await store.withdraw(given.id, lines[:1], withdrawn(given, actor, channel=channel))
    kept = await office.rows()
    await store.withdraw(given.id, None, withdrawn(given, actor, channel=channel))

    assert ([row["cause"] for row in kept], await office.rows()) == ([ENDS], [])


@pytest.mark.parametrize("channel", ["online", "paper"])
async def test_a_renewed_yes_sends_no_word_of_its_end(office: PostOffice, channel: str) -> None:
    """Whoever has said what comes after it is not told that it ends; the letter of the new one waits its time."""
    old, other = await say_yes(office), await say_yes(office)
    new = replace(a_grant(office.anna, office.case, a_line(office.anna)), renews=old.id)
    actor = office.anna if channel == "online" else office.kim
    ends = notice_of_end(new.id, new.giver, ANNA, HOME, new.to_day, NOON)
    await office.databases.consents.grant(new, granted(new, actor, channel=channel), tell=ends)

    assert {str(row["consent"]) for row in await office.rows()} == {other.id, new.id}


async def test_another_yes_keeps_its_own(office: PostOffice) -> None:
    """What is taken back is one yes; the letter of the other stays."""
    first, second = await say_yes(office), await say_yes(office)
    await office.databases.consents.withdraw(first.id, None, withdrawn(first))

    assert [str(row["consent"]) for row in await office.rows()] == [second.id]


async def test_a_yes_that_was_not_kept_lays_none(office: PostOffice) -> None:
    """The same yes twice is a conflict, and there is one letter."""
    given = await say_yes(office)
    ends = notice_of_end(given.id, given.giver, ANNA, HOME, given.to_day, NOON)
    with pytest.raises(Conflict):
        await office.databases.consents.grant(given, granted(given), tell=ends)

    assert len(await office.rows()) == 1
