"""Send what waits in the outbox; what got nowhere for days goes on paper, so that nobody is left untold.

At least once: a notice is forgotten only after its channel took it. One that was sent and not yet noted is sent again
under the same id.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from broker.domain.errors import NoticeNotSent
from broker.domain.notices import GIVEN_UP_AFTER, PAPER, Notice, sent_events
from broker.ports import Clock, NoticeChannel, Outbox

# What e-mail does not take in so many tries goes to Digital Post.
EMAIL_TRIES = 3


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

    `node` is the handle of whoever sends. Raises `StoreUnavailable` or `LogUnavailable`; what was sent stays so.
    """
    at = clock.now()
    sent = failed = on_paper = 0
    while batch := await outbox.due(municipality, at):
        for notice in batch:
            channel = channels.of(notice)
            if channel is None:
                on_paper += await outbox.put_on_paper(notice, at)
                continue
            try:
                await channel.send(notice)
            except NoticeNotSent:
                failed += 1
            else:
                sent += await outbox.sent(notice, sent_events(notice, node, channel.name, at))
    return Round(sent, failed, on_paper + await outbox.give_up(municipality, at - GIVEN_UP_AFTER, at))


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
