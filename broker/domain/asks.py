"""What is wanted: one citizen, one purpose, one case; categories and sources, or all the purpose allows."""

from __future__ import annotations

from dataclasses import dataclass

from broker.domain.periods import EVERY_DAY, Period
from broker.domain.personal import Personal

# What an ask sets out to do: have data, ask the citizen for consent, or only hear whether it may.
SHARE, CONSENT, EVALUATION = "share", "consent", "evaluation"


@dataclass(frozen=True, slots=True)
class Ask:
    """One ask. `categories` or `sources` of None mean: what the purpose and the registry give (`design.md` 6b f).

    `places`, where given, are the (source, category) that are meant, out of the named sources and categories.
    `id` is minted by the broker (UUID text) and ties all entries of this ask. `request_id` is the caller's own
    and never unique: a repeat is an access of its own. `emergency` names the break-glass request it rests on.
    `follow_up` says that this is the one follow-up to an earlier meeting (SEL § 49 a); whether it may be is judged.
    `period` is the days of the data that are wanted.
    """

    id: str
    citizen: Personal[str]
    purpose: str
    case: Personal[str]
    categories: frozenset[str] | None = None
    sources: frozenset[str] | None = None
    request_id: str | None = None
    repeat: bool = False
    places: frozenset[tuple[str, str]] | None = None
    emergency: str | None = None
    follow_up: bool = False
    period: Period = EVERY_DAY


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What one verdict is about: a source, a category, and the subject's handle (`design.md` 6b a)."""

    source: str
    category: str
    subject: str
