"""Whom a unit must tell that it fetched something about them from another unit (GDPR art. 14, stk. 1). Pure.

Each person has a letter of their own, about their own data; a child too young for post of their own has none.
"""

from __future__ import annotations

from broker.domain.asks import EVALUATION
from broker.domain.directory import Directory
from broker.domain.facts import Subject
from broker.domain.items import Found
from broker.domain.notices import FETCHED, Notice, notice_to
from broker.domain.receipts import Permit

# Digital Post is had from this age on, in whole years.
OWN_POST = 15


def letters_of(kept: Found, permit: Permit, directory: Directory) -> tuple[Notice, ...]:
    """Make a letter to each whose data goes to a unit from another unit's source; the log adds the first ones alone.

    A source that stayed silent gave nothing: the letter waits for the fetch that gets something.
    """
    recorded, facts = permit.recorded, permit.facts
    if recorded.aim == EVALUATION:
        return ()
    caller = recorded.caller
    out = kept.answered(permit.keys)
    fetched = {key.subject for key in out if directory.sources[key.source].unit != caller.unit}
    told = [row.handle for row in facts.subjects if row.handle in fetched and _has_post(row, facts.today)]
    return tuple(
        notice_to(handle, facts.cprs[handle], caller.municipality, FETCHED, recorded.at, unit=caller.unit)
        for handle in told
    )


def _has_post(subject: Subject, today: int) -> bool:
    """Tell whether somebody is old enough; of a child whose day of birth nobody knows, it is not said."""
    if subject.born is None:
        return not subject.child_of_citizen
    return today - subject.born >= OWN_POST * 10_000
