"""Break-glass (værdispring): what an on-call caseworker asked of those who hold the data, and what those said.

The health person who holds the data decides (SUL § 43 stk. 2 and 3). One no of a unit is final; a yes counts for some
hours from when it was said (`policies/emergency.rego` judges that, not this module).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from broker.domain.errors import Conflict
from broker.domain.personal import Personal

YES, NO = "yes", "no"


@dataclass(frozen=True, slots=True)
class HolderAnswer:
    """What a person of a unit that holds data said (`yes` or `no`), by handle, and when."""

    unit: str
    said: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """A request: about whom, by whom, for which call-out (handles), why (a code), and which sources are asked for.

    `sources` gives each source its unit, `holders` each of those units its municipality. The words lie elsewhere,
    sealed.
    """

    id: str
    municipality: str
    citizen: str
    unit: str
    caseworker: str
    case: str
    reason: str
    requested_at: datetime
    sources: Mapping[str, str]
    holders: Mapping[str, str]
    answers: tuple[HolderAnswer, ...] = ()

    def refuse_answer(self, unit: str, said: str) -> None:
        """Raise `Conflict` where this unit's answer can no longer be `said`: a yes is said once, and a no is final."""
        told = {answer.said for answer in self.answers if answer.unit == unit}
        if NO in told or said in told:
            raise Conflict("already_decided")


@dataclass(frozen=True, slots=True)
class Words:
    """What the on-call caseworker wrote, for the holders' eyes: the call-out's number and why life is in danger."""

    callout: Personal[str]
    text: Personal[str]
