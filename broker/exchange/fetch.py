"""Step 5: read every permitted source at once, permitted categories only (P5); who stays silent is named (P12)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from broker.domain.asks import Key
from broker.domain.errors import SourceFailed
from broker.domain.items import Found, Item, Silent
from broker.domain.own_look import OwnPermit
from broker.domain.personal import Personal
from broker.domain.receipts import Permit
from broker.exchange.together import each
from broker.ports import Source

Place = tuple[tuple[str, str], frozenset[str]]
Numbers = Mapping[str, tuple[Personal[str], ...]]


async def fetch(permit: Permit, sources: Mapping[str, Source]) -> Found:
    """Read what the permit names, nothing else. Each source keeps its own deadline; one that fails stops no other.

    An error that nobody named ends the ask, and with it every read that is still under way.
    """
    places = sorted(_grouped(permit.keys).items())
    # A department's system may still hold somebody under a number they no longer have.
    facts = permit.facts
    numbers = {who: (number, *facts.former.get(who, ())) for who, number in facts.cprs.items()}
    return await _fetch(places, numbers, sources)


async def fetch_own(permit: OwnPermit, sources: Mapping[str, Source]) -> Found:
    """Read what a citizen's own look may show them, nothing else; in the same way."""
    return await _fetch(sorted(permit.places.items()), permit.numbers, sources)


async def _fetch(places: Sequence[Place], numbers: Numbers, sources: Mapping[str, Source]) -> Found:
    answers = await each(
        [_read(sources[source], numbers[subject], subject, categories) for (source, subject), categories in places]
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


async def _read(
    source: Source, numbers: tuple[Personal[str], ...], subject: str, categories: frozenset[str]
) -> tuple[Item, ...] | Silent:
    try:
        told = [await source.read(number, subject, categories) for number in numbers]
    except SourceFailed as failure:
        return Silent(failure.source, failure.why)
    return tuple(item for items in told for item in items)
