"""The doors that notices alone go through: what waits, the ways they go, and how citizens want to be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from broker.domain.notice_choices import Choice, NoticesChosen, Pending
from broker.domain.notices import Notice, NoticeSent
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt


class Outbox(Protocol):
    """Notices that wait to be sent. Raises `StoreUnavailable`; `sent` also `LogUnavailable`."""

    async def due(self, municipality: str, at: datetime) -> tuple[Notice, ...]:
        """Take some notices whose time has come; each comes again after a pause, until it is `sent`."""

    async def sent(self, notice: Notice, events: Sequence[NoticeSent]) -> bool:
        """Forget a notice and what went with it, and say so on the log; tell whether nobody had said so before."""

    async def put_on_paper(self, notice: Notice, at: datetime) -> int:
        """Put one that no channel can take on the list for paper; give how many were (one, or none)."""

    async def give_up(self, municipality: str, made_by: datetime, at: datetime) -> int:
        """Put what was made by a moment, and has not left, on the list for paper; give how many."""

    async def given_up(self, municipality: str) -> tuple[Notice, ...]:
        """List what must go on paper, the oldest first."""


class NoticeChoices(Protocol):
    """How citizens want to be told. Raises `StoreUnavailable`; `keep` also `LogUnavailable`."""

    async def of_citizen(self, citizen: str) -> Mapping[str, Choice]:
        """Give what a citizen chose, by municipality; where they chose nothing there is nothing."""

    async def await_code(self, municipality: str, citizen: str, pending: Pending, at: datetime) -> None:
        """Keep a code that is to come back, in place of an earlier one. Raises `Conflict` after too many in a day."""

    async def take_try(self, municipality: str, citizen: str, at: datetime) -> Pending | None:
        """Count one try of the code that waits and give it; None where none waits, or its tries or time are over."""

    async def keep(
        self, choice: Choice, event: NoticesChosen, *, proved: Pending | None = None, tell: Sequence[Notice] = ()
    ) -> Receipt | None:
        """Keep a choice; None where nothing changes. `proved` is the code that came back, where one had to.

        Raises `Conflict` where that code is used, and after too many changes in a day.
        """


class CodeMail(Protocol):
    """A way to an address that nobody has confirmed yet."""

    async def send_code(self, address: Personal[str], code: Personal[str]) -> None:
        """Send a code to an address, and not a word of what it is for. Raises `NoticeNotSent`."""


class NoticeChannel(Protocol):
    """A way to a citizen."""

    name: str

    async def send(self, notice: Notice) -> None:
        """Hand a notice over; twice is as good as once. Raises `NoticeNotSent`."""
