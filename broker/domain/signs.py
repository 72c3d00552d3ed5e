"""The signs that a ranking of accesses goes by: rows of a table, each with its weight, bounds and known explanations.

Rules kept here:
- A sign is about an access. Nothing here, and nothing made of it, is a score on a citizen (Datatilsynet 2023-212-0015).
- What a sign looks at is fixed in `broker/domain/sightings.py`; how much it weighs, and from where on it speaks, is
  data with a source, whose SHA-256 stands on the log before a draw.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from broker.domain.directory import Delegation


@dataclass(frozen=True, slots=True)
class Sign:
    """One row: what it weighs, in how many accesses it is expected before any were seen, its bounds, its explanations.

    `explained_by` names what, where it stands, leaves the sign out. `source` says where it comes from.
    """

    id: str
    da: str
    en: str
    source: str
    weight: float
    expected: float
    explained_by: tuple[str, ...] = ()
    bounds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Explanation:
    """What explains a sign away, in both languages."""

    id: str
    da: str
    en: str


@dataclass(frozen=True, slots=True)
class RankingRules:
    """The table: signs and explanations by id, how many reviews a day it is for, and how long what was shown rests.

    `homes` maps units to their municipalities, and `agreements` are the delegations: both of the registry.
    `revision` is the SHA-256 of the table.
    """

    revision: str
    signs: Mapping[str, Sign]
    explanations: Mapping[str, Explanation]
    reviews_a_day: int
    rest_days: int
    remember_days: int
    open_hour: int
    close_hour: int
    homes: Mapping[str, str] = field(default_factory=dict)
    agreements: tuple[Delegation, ...] = ()

    def lets_act(self, owner: str, home: str, day: int) -> bool:
        """Tell whether an agreement lets one municipality act for another on a Danish day (YYYYMMDD)."""
        return any(
            (one.from_municipality, one.to_municipality) == (owner, home) and one.from_day <= day <= one.to_day
            for one in self.agreements
        )
