"""The log in memory: who appends hears where it stands, and nothing is taken back."""

from collections.abc import Sequence

from broker.domain.days import danish_day
from broker.domain.errors import FactsChanged, LogUnavailable
from broker.domain.events import AuditEvent, OutcomeReached
from broker.domain.limits import Use
from broker.domain.notices import Notice
from broker.domain.receipts import Receipt
from broker.domain.stops import Handed


class FakeLog:
    """The door `AuditLog`. `broken` makes it refuse; `versions` is what a guard is held against."""

    def __init__(self, versions: dict[str, int] | None = None) -> None:
        self.broken = False
        self.versions: dict[str, int] = {} if versions is None else versions
        self.uses: list[Use] = []
        self.logs: dict[str, list[AuditEvent]] = {}
        self.told: list[Notice] = []
        self.handed: list[Handed] = []

    @property
    def events(self) -> list[AuditEvent]:
        """Give every event, log by log."""
        return [event for log in self.logs.values() for event in log]

    async def append(
        self,
        events: Sequence[AuditEvent],
        *,
        versions: Sequence[tuple[str, int]] = (),
        uses: Sequence[Use] = (),
        tell: Sequence[Notice] = (),
        handed: Sequence[Handed] = (),
    ) -> tuple[Receipt, ...]:
        """Write all events or none."""
        if self.broken:
            raise LogUnavailable
        if any(self.versions.get(citizen, 0) != version for citizen, version in versions):
            raise FactsChanged
        self.uses.extend(uses)
        for citizen, version in versions if uses else ():
            self.versions[citizen] = version + 1
        self._tell(tell)
        self.handed.extend(handed)
        return tuple(self._write(event) for event in events)

    def meetings_of(self, municipality: str, purpose: str, subjects: Sequence[str]) -> set[tuple[str, int]]:
        """Give the days on which something went out about these people under a law that counts them."""
        return {
            (event.subject, danish_day(event.at))
            for event in self.events
            if isinstance(event, OutcomeReached)
            and event.meeting
            and (event.municipality, event.purpose) == (municipality, purpose)
            and event.subject in subjects
        }

    def _tell(self, notices: Sequence[Notice]) -> None:
        """Note those whose unit has fetched nothing about their recipient before."""
        for notice in notices:
            fetched = {(told.municipality, told.unit, told.recipient) for told in self.told}
            if (notice.municipality, notice.unit, notice.recipient) not in fetched:
                self.told.append(notice)

    def _write(self, event: AuditEvent) -> Receipt:
        origin = f"fake/log/{event.municipality}/{danish_day(event.at) // 10000}"
        log = self.logs.setdefault(origin, [])
        log.append(event)
        return Receipt(origin, len(log) - 1)
