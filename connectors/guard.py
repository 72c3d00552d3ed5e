"""The guarded door of every source: what all kinds promise is kept here, once.

Whoever adds a kind writes `_read` (and `_find`, where a source knows people by ids of its own) and cannot forget a
promise: in time, not too much, in our words, only what was permitted, only about whom it was asked, and never writing.
"""

from __future__ import annotations

import asyncio
import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self, final

from broker.domain.errors import SourceFailed
from broker.domain.items import Item
from broker.domain.personal import Personal
from connectors.breaker import Breaker
from connectors.mapping import Mapped, Origin, Read, compile_reads
from connectors.values import Malformed

_CPR = re.compile(r"[0-9]{10}")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a source may cost: seconds, bytes, records and answers of one read; reads at once; failures in a row."""

    deadline_seconds: float = 3.0
    most_bytes: int = 2_000_000
    most_records: int = 1_000
    most_answers: int = 50
    most_at_once: int = 16
    most_failures: int = 5
    rest_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class Dropped:
    """What a source told that was not taken over, for its operator: no word of it, only where, why and how many.

    `why`: `other_person` and `other_category` (too much was told), `malformed` (the record does not fit its mapping),
    `not_understood` (a code or time was left out of an item that otherwise fits).
    """

    source: str
    category: str
    why: str
    count: int


@dataclass(frozen=True, slots=True)
class Condition:
    """How a source does, for its operator: how its reads ended so far, how many are under way, and whether it rests.

    A read ended `answered`, with a `why` of `SourceFailed`, or `resting`, when the source was not asked at all.
    """

    reads: Mapping[str, int]
    under_way: int
    rests: bool


class Errand:
    """One read about one subject: the number to ask with, and what may still be spent. Raises `SourceFailed`."""

    def __init__(self, source: str, cpr: str, limits: Limits) -> None:
        self.source = source
        self.cpr = cpr
        self.most_records = limits.most_records
        self._bytes_left = limits.most_bytes
        self._answers_left = limits.most_answers

    @property
    def bytes_left(self) -> int:
        """How many bytes the source may still tell in this read."""
        return self._bytes_left

    def spend_answer(self) -> None:
        """Count one more answer; a source whose pages never end is stopped here."""
        self._answers_left -= 1
        if self._answers_left < 0:
            raise SourceFailed(self.source, "too_much")

    def takes(self, count: int) -> bool:
        """Count bytes that were told, and say whether the source might tell so many."""
        self._bytes_left -= count
        return self._bytes_left >= 0

    def spend_bytes(self, count: int) -> None:
        """Count bytes that were told; too many end the read."""
        if not self.takes(count):
            raise SourceFailed(self.source, "too_much")

    def fill(self, template: Any, own_id: str | None = None) -> Any:
        """Put the subject's number (or the source's own id of them) into a copy of a body or header template."""
        match template:
            case str():
                filled = template.replace("{cpr}", self.cpr).replace("{cpr_hyphen}", f"{self.cpr[:6]}-{self.cpr[6:]}")
                return filled if own_id is None else filled.replace("{id}", own_id)
            case dict():
                return {name: self.fill(inner, own_id) for name, inner in template.items()}
            case list():
                return [self.fill(inner, own_id) for inner in template]
        return template


class Connector(ABC):
    """A source as the house sees it (the `Source` door). Write `_read`; never override `read`.

    `now` tells the time of fetching; `report` hears of what was dropped, and of nothing else.
    """

    kind: str

    def __init__(
        self,
        name: str,
        reads: Mapping[str, Any],
        limits: Limits,
        *,
        now: Callable[[], datetime],
        report: Callable[[Dropped], None] | None = None,
    ) -> None:
        self.name = name
        self.limits: Final = limits
        self._reads = compile_reads(self.kind, reads)
        self.categories: Final = frozenset(read.category for read in self._reads)
        self._now = now
        self._report = report
        self._places = asyncio.Semaphore(limits.most_at_once)
        self._breaker = Breaker(limits.most_failures, limits.rest_seconds)
        self._ended: Counter[str] = Counter()
        self._under_way = 0

    @property
    def condition(self) -> Condition:
        """Tell how the source does."""
        return Condition(dict(self._ended), self._under_way, self._breaker.is_open)

    @abstractmethod
    async def open(self) -> None:
        """Make ready what is kept open between reads; asks the source nothing."""

    @abstractmethod
    async def close(self) -> None:
        """Close what `open` made ready."""

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @final
    async def read(self, subject: Personal[str], handle: str, categories: frozenset[str]) -> tuple[Item, ...]:
        """Read the permitted categories about one subject, in time, or raise `SourceFailed`.

        Only the queries of these categories are sent (P5). One that fails fails the whole read: half an answer would
        look like all of it.
        """
        try:
            told, names = await self._within_limits(subject.disclose(), categories)
            return self._items(told, names, Origin(self.name, handle, self._now()))
        except SourceFailed as failed:
            why = failed.why
        # Raised out here, so that the source's own words hang on it in no way (P4).
        raise SourceFailed(self.name, why)

    async def _find(self, errand: Errand) -> str | None:
        """Give what the source calls the subject, or None when it does not know them; here, the number itself."""
        return errand.cpr

    @abstractmethod
    async def _read(self, errand: Errand, own_id: str, read: Read) -> list[Any]:
        """Ask one query and give its raw records. May raise anything; `SourceFailed` where it knows better why."""

    async def _within_limits(
        self, cpr: str, categories: frozenset[str]
    ) -> tuple[list[tuple[Read, list[Any]]], frozenset[str]]:
        if _CPR.fullmatch(cpr) is None or not categories <= self.categories:
            # Neither comes from a source: an unchecked number, or a category that this source has no mapping for.
            raise SourceFailed(self.name, "refused")
        if not categories:
            return [], frozenset()
        if not self._breaker.may_ask():
            self._ended["resting"] += 1
            raise SourceFailed(self.name, "unreachable")
        try:
            async with asyncio.timeout(self.limits.deadline_seconds), self._places:
                answer = await self._ask_all(Errand(self.name, cpr, self.limits), categories)
        except Exception as error:  # noqa: BLE001  # Whatever a source can cause is named in our words.
            why = _why(error)
            self._ended[why] += 1
            # A person with too many records is no sign that the source is ill.
            if why != "too_much":
                self._breaker.failed()
            raise SourceFailed(self.name, why) from None
        self._ended["answered"] += 1
        self._breaker.succeeded()
        return answer

    async def _ask_all(
        self, errand: Errand, categories: frozenset[str]
    ) -> tuple[list[tuple[Read, list[Any]]], frozenset[str]]:
        """Send the permitted queries all at once, in a fixed order (P6)."""
        self._under_way += 1
        try:
            own_id = await self._find(errand)
            if own_id is None:
                return [], frozenset()
            permitted = [read for read in self._reads if read.category in categories]
            if len(permitted) == 1:
                answers = [await self._read(errand, own_id, permitted[0])]
            else:
                async with asyncio.TaskGroup() as group:
                    tasks = [group.create_task(self._read(errand, own_id, read)) for read in permitted]
                answers = [task.result() for task in tasks]
        finally:
            self._under_way -= 1
        told = list(zip(permitted, answers, strict=True))
        if sum(len(records) for _, records in told) > self.limits.most_records:
            raise SourceFailed(self.name, "too_much")
        return told, frozenset({errand.cpr, own_id})

    def _items(self, told: Sequence[tuple[Read, list[Any]]], names: frozenset[str], origin: Origin) -> tuple[Item, ...]:
        items: list[Item] = []
        dropped: Counter[tuple[str, str]] = Counter()
        try:
            for read, records in told:
                found = (_item(read, record, names, origin, dropped) for record in records)
                items += [item for item in found if item is not None]
        except Exception:  # noqa: BLE001  # A record that nobody foresaw is this source's trouble, not the others' (P12).
            self._ended["unreadable"] += 1
            raise SourceFailed(self.name, "unreadable") from None
        if self._report is not None:
            for (category, why), count in sorted(dropped.items()):
                self._report(Dropped(self.name, category, why, count))
        return tuple(items)


def _item(
    read: Read, record: Any, names: frozenset[str], origin: Origin, dropped: Counter[tuple[str, str]]
) -> Item | None:
    """Make an item of a record that is about the subject, of the category, and well formed; else count why not."""
    try:
        if not read.concerns(record, names):
            dropped[read.category, "other_person"] += 1
            return None
        if not read.is_of_category(record):
            dropped[read.category, "other_category"] += 1
            return None
        mapped = Mapped(read, record)
        item = mapped.item(origin)
    except Malformed:
        dropped[read.category, "malformed"] += 1
        return None
    if mapped.not_understood:
        dropped[read.category, "not_understood"] += mapped.not_understood
    return item


def _why(error: Exception) -> str:
    """Say in our words why a read failed. Whatever we do not know came from what the source said."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    match error:
        case SourceFailed():
            return error.why
        case TimeoutError():
            return "timeout"
        case OSError():
            return "unreachable"
    return "unreadable"
