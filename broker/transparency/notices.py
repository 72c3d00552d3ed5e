"""Send what waits in the outbox; what got nowhere for days goes on paper, so that nobody is left untold.

At least once: a notice is forgotten only after its channel took it. One that was sent and not yet noted is sent again
under the same id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from broker.domain.errors import NoticeNotSent
from broker.domain.notices import GIVEN_UP_AFTER, PAPER, Notice, sent_events
from broker.ports import Clock
from broker.transparency.doors import NoticeChannel, Outbox

# What e-mail does not take in so many tries goes to Digital Post.
EMAIL_TRIES = 3
# A way that took nothing so often in a row in one round is down; each try of it may take half a minute.
LEFT_ALONE_AFTER = 3


@dataclass(frozen=True, slots=True)
class Channels:
    """The ways that stand open: to Digital Post, and e-mail for who chose it. What neither can take goes on paper."""

    post: NoticeChannel | None = None
    email: NoticeChannel | None = None

    def of(self, notice: Notice) -> NoticeChannel | None:
        """Choose the way of one notice, this time."""
        wanted = self.email if notice.address is not None else None
        if wanted is not None and (notice.tries <= EMAIL_TRIES or self.post is None):
            return wanted
        return self.post


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did: how many left, how many are tried again later, how many were given up and go on paper."""

    sent: int
    failed: int
    given_up: int


async def send_due(municipality: str, node: str, channels: Channels, outbox: Outbox, clock: Clock) -> Round:
    """Send a municipality's notices that are due; what no channel can take goes on paper. Several nodes may do so.

    What is taken is taken for a while from that very moment, so a long round sends nothing that another node has taken
    since. Each way has its own lane, so e-mail that drips holds up no letter to Digital Post; a way that takes nothing
    three times in a row is left alone until the next round.

    `node` is the handle of whoever sends. Raises `StoreUnavailable` or `LogUnavailable`; what was sent stays so.
    """
    lanes = {
        channel.name: _Lane(channel, node, outbox, clock) for channel in (channels.post, channels.email) if channel
    }
    on_paper = 0
    while batch := await outbox.due(municipality, clock.now()):
        given: dict[str, list[Notice]] = {name: [] for name in lanes}
        for notice in batch:
            channel = channels.of(notice)
            if channel is None:
                on_paper += await outbox.put_on_paper(notice, clock.now())
            else:
                given[channel.name].append(notice)
        ended = await asyncio.gather(*(lanes[name].send(given[name]) for name in lanes), return_exceptions=True)
        for fault in filter(None, ended):
            raise fault
    at = clock.now()
    on_paper += await outbox.give_up(municipality, at - GIVEN_UP_AFTER, at)
    return Round(sum(lane.sent for lane in lanes.values()), sum(lane.failed for lane in lanes.values()), on_paper)


@dataclass(slots=True)
class _Lane:
    """One way's letters of a round, one after the other."""

    channel: NoticeChannel
    node: str
    outbox: Outbox
    clock: Clock
    sent: int = 0
    failed: int = 0
    in_a_row: int = 0

    async def send(self, notices: Sequence[Notice]) -> None:
        """Send what the way takes; what it does not take comes again after its pause."""
        for notice in notices:
            if self.in_a_row >= LEFT_ALONE_AFTER or not await self._took(notice):
                self.failed += 1
                continue
            events = sent_events(notice, self.node, self.channel.name, self.clock.now())
            self.sent += await self.outbox.sent(notice, events)

    async def _took(self, notice: Notice) -> bool:
        try:
            await self.channel.send(notice)
        except NoticeNotSent:
            self.in_a_row += 1
            return False
        self.in_a_row = 0
        return True


async def take_on_paper(
    municipality: str, operator: str, write: Callable[[Sequence[Notice]], None], outbox: Outbox, clock: Clock
) -> tuple[Notice, ...]:
    """Give those that must be written to on paper to `write`, and then say of each on the log that it was taken.

    What `write` raises leaves all of them on the list. Two who take it at once each get what the other did not note.
    """
    listed = await outbox.given_up(municipality)
    write(listed)
    at = clock.now()
    return tuple([notice for notice in listed if await outbox.sent(notice, sent_events(notice, operator, PAPER, at))])
