"""Step 5: read every permitted source at once, permitted categories only (P5); who stays silent is named (P12)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from broker.domain.asks import Key
from broker.domain.errors import SourceFailed
from broker.domain.items import Found, Item, Silent
from broker.domain.receipts import Permit
from broker.exchange.together import each
from broker.ports import Source


async def fetch(permit: Permit, sources: Mapping[str, Source]) -> Found:
    """Read what the permit names, nothing else. Each source keeps its own deadline; one that fails stops no other.

    An error that nobody named ends the ask, and with it every read that is still under way.
    """
    places = sorted(_grouped(permit.keys).items())
    answers = await each(
        [_read(sources[source], permit, subject, categories) for (source, subject), categories in places]
    )
    told = [
        (item, item.key in {Key(*place[:1], category, *place[1:]) for category in categories})
        for (place, categories), answer in zip(places, answers, strict=True)
        if not isinstance(answer, Silent)
        for item in answer
    ]
    # Nobody speaks for another: what a source says of somebody, or in a name, it was not asked for is no answer.
    items = tuple(item for item, asked_for in told if asked_for)
    silent = {answer for answer in answers if isinstance(answer, Silent)}
    return Found(items, tuple(sorted(silent, key=lambda s: (s.source, s.why))), len(told) - len(items))


def _grouped(keys: frozenset[Key]) -> dict[tuple[str, str], frozenset[str]]:
    """Gather the permitted categories of each source and subject: one read each."""
    grouped: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for key in keys:
        grouped[key.source, key.subject].add(key.category)
    return {place: frozenset(categories) for place, categories in grouped.items()}


async def _read(source: Source, permit: Permit, subject: str, categories: frozenset[str]) -> tuple[Item, ...] | Silent:
    # A department's system may still hold somebody under a number they no longer have.
    numbers = (permit.facts.cprs[subject], *permit.facts.former.get(subject, ()))
    try:
        told = [await source.read(number, subject, categories) for number in numbers]
    except SourceFailed as failure:
        return Silent(failure.source, failure.why)
    return tuple(item for items in told for item in items)
