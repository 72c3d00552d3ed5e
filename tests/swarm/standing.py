"""What the log itself says of a citizen's consents and blocks at each of its places."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tests.swarm.evidence import Entry, Evidence

Names = tuple[str | None, str | None, str | None]


@dataclass(frozen=True, slots=True)
class Standing:
    """One citizen's consents and blocks behind one entry.

    `broken` counts, for each line, how often a change left it shut.
    """

    unit: str
    given: frozenset[tuple[str, str, str]] = frozenset()  # consent, source, category
    blocks: frozenset[tuple[str, Names]] = frozenset()
    broken: tuple[tuple[tuple[str, str], int], ...] = ()
    changes: int = 0

    def after(self, entry: Entry) -> Standing:
        """Give what stands behind one more entry."""
        body = entry.body
        if entry.kind in {"consent.granted", "consent.withdrawn"}:
            lines = frozenset((body["consent"], source, category) for _, source, category in body["lines"])
            given = self.given | lines if entry.kind == "consent.granted" else self.given - lines
            return self._become(given, self.blocks)
        if entry.kind == "block.changed":
            block = (body["block"], (body["source"], body["unit"], body["category"]))
            return self._become(self.given, self.blocks - {block} if body["lifted"] else self.blocks | {block})
        return self

    def live(self, consent: str, source: str, category: str) -> bool:
        """Tell whether this consent opens this line here, and no block closes it."""
        return (consent, source, category) in self.given and not self._blocked(source, category)

    def open(self, source: str, category: str) -> bool:
        """Tell whether any consent opens this line here."""
        return any(self.live(consent, source, category) for consent, *_ in self.given)

    def always(self, later: Standing, source: str, category: str) -> bool:
        """Tell whether a line was open from here to a later place without a break."""
        line = (source, category)
        return self.open(source, category) and dict(self.broken).get(line, 0) == dict(later.broken).get(line, 0)

    def changed_since(self, before: Standing) -> int:
        """Count the changes since an earlier place."""
        return self.changes - before.changes

    def _become(self, given: frozenset[tuple[str, str, str]], blocks: frozenset[tuple[str, Names]]) -> Standing:
        then = replace(self, given=given, blocks=blocks, changes=self.changes + 1)
        counts = dict(self.broken)
        for _, source, category in self.given | given:
            if not then.open(source, category):
                counts[source, category] = counts.get((source, category), 0) + 1
        return replace(then, broken=tuple(counts.items()))

    def _blocked(self, source: str, category: str) -> bool:
        return any(
            names[0] in {None, source} and names[1] in {None, self.unit} and names[2] in {None, category}
            for _, names in self.blocks
        )


def standing_over(evidence: Evidence) -> Iterator[tuple[Entry, Standing, Standing]]:
    """Give each outcome on the asking municipality's log, what stood behind its ask, and what stands at its place."""
    now: defaultdict[str, Standing] = defaultdict(lambda: Standing(evidence.unit))
    asked: dict[str, Standing] = {}
    mine = (entry for entry in evidence.entries if entry.log == evidence.log)
    for entry in sorted(mine, key=lambda e: e.index):
        if entry.kind == "ask":
            asked[entry.body["ask"]] = now[entry.citizen]
        elif entry.kind == "outcome":
            yield entry, asked.get(entry.body["ask"], now[entry.citizen]), now[entry.citizen]
        else:
            now[entry.citizen] = now[entry.citizen].after(entry)


def others_verdicts(outcome: Entry) -> Iterator[tuple[str, str, tuple[str, ...], bool]]:
    """Give each verdict about another unit's data: source, category, the consents it rests on, and whether released."""
    for verdict in outcome.body["verdicts"]:
        if not verdict["own"]:
            consents = tuple(basis["id"] for basis in verdict["basis"] if basis["kind"] == "consent")
            yield verdict["key"]["source"], verdict["key"]["category"], consents, verdict["outcome"] != "withhold"
