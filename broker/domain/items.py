"""Items: what sources tell, in one shape, each with where it came from.

Rules kept here:
- Titles, people and texts are `Personal`; times, kinds and codes are plain but never in a `repr`.
- An item belongs to one `Key`: its source, its category and the subject it concerns.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from broker.domain.asks import Key
from broker.domain.personal import Personal

KINDS = frozenset(
    {"plan", "goal", "intervention", "visit", "meeting", "assessment", "statement"}
    | {"benefit", "limitation", "contact", "absence"}
)
# The states an item can be in. A source's own words are mapped to these; without one, its days alone decide.
STATUSES = frozenset({"requested", "planned", "active", "finished", "cancelled"})
# What an intervention is for: FFB, FSIII, jobcentre and school share no codes, so this short list is our own.
NEEDS = frozenset(
    {"struktur", "komme_ud", "angst", "foraeldrerolle", "bevaegelse", "smerter", "oekonomi", "bolig"}
    | {"sprog", "uddannelse", "job", "doegnrytme", "misbrug", "netvaerk", "administration"}
)


@dataclass(frozen=True, slots=True)
class LawRef:
    """A legal reference as the source states it, such as act `SEL`, paragraph `§ 85`."""

    act: str
    paragraph: str


@dataclass(frozen=True, slots=True, repr=False)
class Visit:
    """A planned presence: weekly (`weekday` 1 = Monday) or on one `day` (YYYYMMDD); minutes after midnight."""

    start_minute: int
    end_minute: int
    weekday: int | None = None
    day: int | None = None


@dataclass(frozen=True, slots=True, repr=False)
class ItemPerson:
    """A person an item names: `role` such as helper, coordinator, child, citizen; `label` replaces a masked name."""

    role: str
    name: Personal[str] | None = None
    phone: Personal[str] | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Item:
    """One thing a source tells about one subject. Days are YYYYMMDD (Danish); both ends of a period inclusive.

    `need` is one of `NEEDS`, `status` one of `STATUSES`; `limits` are ICF codes (`d415`), `demands` codes of
    `broker/view/codes.py` (`staaende`); `topic` is a code, or several parted by commas.
    `plan_type` marks plans and plan parts (`min_plan`, `handleplan_voksen`, `rehab_forberedende_del` …).
    `decision` is the source's own decision id: two grants stay two decisions (C29).
    """

    source: str
    category: str
    subject: str
    kind: str
    id: Personal[str]
    fetched_at: datetime
    unit: str
    title: Personal[str] | None = None
    text: Personal[str] | None = None
    from_day: int | None = None
    to_day: int | None = None
    people: tuple[ItemPerson, ...] = ()
    law: tuple[LawRef, ...] = ()
    kle: str | None = None
    need: str | None = None
    limits: tuple[str, ...] = ()
    demands: tuple[str, ...] = ()
    visits: tuple[Visit, ...] = ()
    topic: str | None = None
    status: str | None = None
    decision: Personal[str] | None = None
    plan_type: str | None = None
    next_follow_up: int | None = None
    hours_per_week: float | None = None

    @property
    def key(self) -> Key:
        """The verdict this item stands or falls with."""
        return Key(self.source, self.category, self.subject)


@dataclass(frozen=True, slots=True)
class Silent:
    """A source that gave no answer: which, and why in our words (`timeout`, `refused`, `unreadable`, `too_much`)."""

    source: str
    why: str


@dataclass(frozen=True, slots=True)
class Found:
    """What the permitted sources told: items (not shown in a `repr`), and who stayed silent."""

    items: tuple[Item, ...] = field(repr=False)
    silent: tuple[Silent, ...] = ()
    dropped: int = 0

    def answered(self, keys: Iterable[Key]) -> frozenset[Key]:
        """Give the keys that a source told something of, or said that there is nothing of.

        A source that stayed silent about one person may have told of another.
        """
        silent, told = {row.source for row in self.silent}, {item.key for item in self.items}
        return frozenset(key for key in keys if key in told or key.source not in silent)
