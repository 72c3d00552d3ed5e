"""When a yes ends soon, and what renews it: a new one, asked for anew, that begins when the old one is over. Pure.

So the two never hold at once, and whoever stops the one that holds has stopped it: nothing of the other is left over.
"""

from __future__ import annotations

from broker.domain.consents import GRANTED, PARTLY_GRANTED, ConsentRequest, RequestLine
from broker.domain.days import day_of

SOON_DAYS = 30


def days_left(to_day: int, today: int) -> int | None:
    """Count the days after today on which what ends soon still holds (0: today is its last); None while it does not."""
    left = (day_of(to_day) - day_of(today)).days
    return left if 0 <= left <= SOON_DAYS else None


def follows(new: ConsentRequest, earlier: ConsentRequest, today: int) -> bool:
    """Tell whether a request renews what an earlier one got: the same, or less of it, from after its last day on.

    Less of it is fewer lines, fewer days of data, a limit where there was none, or a lower one; never the other way.

    It rests on what the unit knows of its own request alone: never on what the giver did with their yes since (P6).
    """
    same = (new.municipality, new.unit, new.purpose, new.case) == (
        earlier.municipality,
        earlier.unit,
        earlier.purpose,
        earlier.case,
    )
    got = earlier.state(today) in {GRANTED, PARTLY_GRANTED} and days_left(earlier.to_day, today) is not None
    within = all(any(_within(line, old) for old in earlier.lines) for line in new.lines)
    oftener = earlier.limit is not None and (new.limit is None or not new.limit.within(earlier.limit))
    return same and got and within and not oftener and new.from_day > earlier.to_day


def _within(line: RequestLine, old: RequestLine) -> bool:
    of_it = (line.source, line.category) == (old.source, old.category)
    return of_it and old.data_from <= line.data_from and line.data_to <= old.data_to
