"""What an overseer writes into the form of the log: codes, whole Danish days, and the order; never a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import ConfigDict, Field

from broker.oversight.search import Wanted
from broker.web.access_wire import MOST_OF_A_MARK
from broker.web.kept_wire import NAMES, CodesKept
from broker.web.pages.filters import wish_of
from broker.web.pages.words import marked

OLDEST = "oldest"
NOT_HERE = marked("Choose one of those on the list.")


class Criteria(CodesKept):
    """The fields of the form: the same, and the mark to go on from."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    cursor: Annotated[str | None, Field(max_length=MOST_OF_A_MARK)] = None


@dataclass(frozen=True, slots=True)
class Written:
    """The form as it was filled in, without what was left empty, and what is wrong with it."""

    criteria: Criteria
    kept: Mapping[str, str]
    faults: tuple[tuple[str, str], ...] = ()

    def wanted(self, limit: int) -> Wanted:
        """Make the wish."""
        here = self.criteria
        found = replace(
            wish_of(self.kept).filter,
            emergency={"yes": True, "no": False}.get(here.emergency),
            oldest_first=here.order == OLDEST or None,
        )
        return Wanted(found, cursor=here.cursor, limit=limit, holder=here.holder or None,
                      municipality=here.municipality or None)  # fmt: skip


def wish_of_codes(criteria: Criteria) -> Written:
    """Read the form's codes; a day that does not exist is a fault."""
    kept = {name: getattr(criteria, name) for name in NAMES if getattr(criteria, name)}
    return Written(criteria, kept, wish_of(kept).faults)
