"""How often a yes may be used: once, or some times in each calendar month; and what a use of it is. Pure.

Rules kept here:
- One ask that hands something out on a yes is one use of it, however many of its lines it takes.
- A yes that is used up is as none until it may be used again; one that was for once never is.
- Months are Danish calendar months, YYYYMM. A month that lies before one already used in counts as that one: a clock
  that was set back gives no new uses.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from broker.domain.days import danish_day
from broker.domain.errors import BadAsk

MOST_A_MONTH = 31


@dataclass(frozen=True, slots=True)
class Limit:
    """Once (`times` of 1), or at most so many times in each month. Raises `BadAsk` for any other."""

    times: int
    monthly: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.times <= (MOST_A_MONTH if self.monthly else 1):
            raise BadAsk("/limit", "no_such_limit")

    @property
    def code(self) -> str:
        """Name it in one word, as the log and the pages do: `once`, `monthly-2`."""
        return f"monthly-{self.times}" if self.monthly else "once"

    def within(self, wider: Limit | None) -> bool:
        """Tell whether it lets nobody look oftener than another limit, or none, does."""
        return wider is None or not self.monthly or (wider.monthly and self.times <= wider.times)

    def left(self, latest: int, used: int, today: int) -> int:
        """Count the uses left on a day, of `used` in `latest`, the last month in which it was used (0: none yet)."""
        counts = not self.monthly or latest >= month_of(today)
        return max(0, self.times - used) if counts else self.times


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a limited yes: of which consent, given to which municipality, by which ask, when.

    `subject` is a person whose state is held.
    """

    municipality: str
    consent: str
    ask: str
    subject: str
    at: datetime

    @property
    def month(self) -> int:
        """The Danish month it counts in."""
        return month_of(danish_day(self.at))


def month_of(day: int) -> int:
    """Give the month (YYYYMM) of a day (YYYYMMDD)."""
    return day // 100


def limit_of(code: str) -> Limit:
    """Read the word of a limit; raise `BadAsk` for any that is none."""
    kind, _, times = code.partition("-")
    if code == "once":
        return Limit(1)
    if kind != "monthly" or not (times.isascii() and times.isdigit() and len(times) < len("100")):
        raise BadAsk("/limit", "no_such_limit")
    return Limit(int(times), monthly=True)
