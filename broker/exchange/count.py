"""What goes out on which yes: noted for each, and counted for those that may be used a limited number of times.

Used is what something goes out on (`broker/domain/limits.py`): a yes whose sources all stayed silent is not used, nor
is one that was only asked about. A source that answered with nothing has told that there is nothing.
"""

from __future__ import annotations

from broker.domain.asks import EVALUATION, Key
from broker.domain.items import Found
from broker.domain.limits import Use
from broker.domain.receipts import Permit
from broker.domain.stops import Handed


def uses_of(kept: Found, permit: Permit) -> tuple[Use, ...]:
    """Name the limited yeses that what goes out rests on, each once."""
    recorded = permit.recorded
    limited = {line.consent: line.subject for line in permit.facts.consents.lines if line.limit is not None}
    if not limited or recorded.aim == EVALUATION:
        return ()
    out = kept.answered(permit.keys)
    relied = {basis.id for verdict in permit.decision.verdicts if verdict.key in out for basis in verdict.basis}
    return tuple(
        Use(recorded.caller.municipality, consent, recorded.ask.id, limited[consent], recorded.at)
        for consent in sorted(relied & limited.keys())
    )


def handed_on(kept: Found, permit: Permit) -> tuple[Handed, ...]:
    """Name the lines of yeses to the caller's unit that what goes out rests on, each once."""
    recorded = permit.recorded
    if recorded.aim == EVALUATION:
        return ()
    out = kept.answered(permit.keys)
    relied = {(basis.id, v.key) for v in permit.decision.verdicts if v.key in out for basis in v.basis}
    lines = {
        line.id
        for line in permit.facts.consents.lines
        if (line.consent, Key(line.source, line.category, line.subject)) in relied
        and line.recipient == recorded.caller.unit
    }
    return tuple(Handed(recorded.caller.municipality, line, recorded.at) for line in sorted(lines))
