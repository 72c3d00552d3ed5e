"""The log in memory: who appends hears where it stands, and nothing is taken back."""

from collections.abc import Mapping, Sequence

from broker.domain.days import danish_day
from broker.domain.errors import FactsChanged, LogUnavailable
from broker.domain.events import AuditEvent, OutcomeReached
from broker.domain.receipts import Receipt


class FakeLog:
    """The door `AuditLog`. `broken` makes it refuse; `versions` is what a guard is held against."""

    def __init__(self, versions: Mapping[str, int] | None = None) -> None:
        self.broken = False
        self.versions: Mapping[str, int] = {} if versions is None else versions
        self.logs: dict[str, list[AuditEvent]] = {}

    @property
    def events(self) -> list[AuditEvent]:
        """Give every event, log by log."""
        return [event for log in self.logs.values() for event in log]

    async def append(
        self, events: Sequence[AuditEvent], *, versions: Sequence[tuple[str, int]] = ()
    ) -> tuple[Receipt, ...]:
        """Write all events or none."""
        if self.broken:
            raise LogUnavailable
        if any(self.versions.get(citizen, 0) != version for citizen, version in versions):
            raise FactsChanged
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

    def _write(self, event: AuditEvent) -> Receipt:
        origin = f"fake/log/{event.municipality}/{danish_day(event.at) // 10000}"
        log = self.logs.setdefault(origin, [])
        log.append(event)
        return Receipt(origin, len(log) - 1)
