"""Periods of the data: which days of what a source tells a yes names, or an ask wants. Pure.

Days are Danish, YYYYMMDD, both ends inside. Who names no period means every day.
"""

from __future__ import annotations

from dataclasses import dataclass

from broker.domain.days import NO_BEGINNING, NO_END, day_of
from broker.domain.errors import BadAsk


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """Some days of the data; every day where none is named. Raises `BadAsk` for days that are none or out of order."""

    from_day: int = NO_BEGINNING
    to_day: int = NO_END

    def __post_init__(self) -> None:
        try:
            for day in {self.from_day, self.to_day} - {NO_BEGINNING, NO_END}:
                day_of(day)
        except ValueError:
            raise BadAsk("/data_from", "no_such_day") from None
        if self.from_day > self.to_day:
            raise BadAsk("/data_to", "before_its_beginning")

    @property
    def named(self) -> bool:
        """Whether it is less than every day."""
        return self != EVERY_DAY

    def meets(self, first: int, last: int) -> bool:
        """Tell whether any day from the first to the last, both inside, lies in it."""
        return max(self.from_day, first) <= min(self.to_day, last)


EVERY_DAY = Period()
