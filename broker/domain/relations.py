"""How who looked stands to whom they looked at, as the registers answer: cases, teams, families, colleagues.

Rules kept here:
- None is "the register did not say". What is unknown neither accuses nor explains.
- It is asked about one access, at a moment; what begins later is not known before it begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Relation:
    """What stands between a caseworker and a citizen, of the moment of an access.

    `named_from` and `named_to` (seconds, as known when asked) are since when and until when the caseworker is named on
    a case of the citizen; 0 as the beginning is "never", 0 as the end "still". Where they have been on several, it is
    the one that covers the access, else the nearest. `team` is that a case of the citizen is their team's, `covering`
    that they were on duty or stood in for the one who is named.
    """

    named_from: int | None = None
    named_to: int | None = None
    team: bool | None = None
    covering: bool | None = None
    colleague: bool | None = None
    same_surname: bool | None = None
    same_address: bool | None = None
    family: bool | None = None
    vip: bool | None = None
    recorder_gains: bool | None = None

    def named_at(self, at: int) -> bool | None:
        """Tell whether the caseworker was named on a case of the citizen at a moment."""
        if self.named_from is None:
            return None
        return 0 < self.named_from <= at and (not self.named_to or at < self.named_to)


UNKNOWN = Relation()


class Relations(Protocol):
    """What the registers answer, for ranking."""

    def between(self, actor: str, citizen: str, at: int, asked: int) -> Relation:
        """Tell what stood between them at a moment, as far as is known at a later one (`asked`); both in seconds."""


class NothingKnown:
    """Registers that say nothing: what the index tells is all there is."""

    def between(self, actor: str, citizen: str, at: int, asked: int) -> Relation:  # noqa: ARG002 - the door's shape
        """Say that nothing is known."""
        return UNKNOWN
