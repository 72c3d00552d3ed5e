"""Which yeses a look-up lacked, as lines the citizen can be asked for. Says no more than the answer (P6)."""

from __future__ import annotations

from broker.consents.lines import MENDED_BY_CONSENT
from broker.domain.answers import Answer
from broker.domain.directory import Directory
from broker.domain.identity import Caller

Line = tuple[str, str]


def missing_of(answer: Answer) -> list[Line]:
    """List the (source, category) lines that the decision itself says are missing."""
    return sorted({(row.source, row.category) for verdict in answer.verdicts for row in verdict.missing})


def beyond(reasons: tuple[str, ...], purpose: str, caller: Caller, directory: Directory) -> list[Line]:
    """List what could be asked for after a refusal: all that the purpose reaches in one's own municipality.

    Empty unless a yes can mend every reason. Made of the registry alone, so it tells nothing of the citizen.
    """
    aim = directory.purposes.get(purpose)
    if aim is None or not aim.consent or not MENDED_BY_CONSENT.issuperset(reasons):
        return []
    return sorted(
        (source.id, category)
        for source in directory.sources.values()
        if source.municipality == caller.municipality and source.unit != caller.unit
        for category in source.categories & aim.categories
        if not directory.categories[category].never
    )
