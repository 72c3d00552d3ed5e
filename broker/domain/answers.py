"""What goes back to the asker: kept items and what may be said of the rest. Pure.

Rules kept here (P6):
- Withheld rows say nothing of how many children there are: of a child category one row stands, whoever it concerns.
- A subject is shown as `citizen` or `child-1`, `child-2`, counted over released children only.
- What the log holds and the asker may not see (`log_only` reasons) is not here at all; nor that a source was silent
  which is no longer permitted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from broker.domain.decisions import MASK, RELEASE, Basis, Decision, Missing, Verdict
from broker.domain.items import Found
from broker.domain.periods import Period
from broker.domain.receipts import Receipt, Released
from broker.domain.target_groups import Stated

CITIZEN = "citizen"
NO_CONSENT = "NO_CONSENT"


@dataclass(frozen=True, slots=True)
class ShownVerdict:
    """One row of the answer: per source and category, and per subject where something is released."""

    source: str
    category: str
    subject: str
    outcome: str
    own: bool = False
    basis: tuple[Basis, ...] = ()
    reasons: tuple[str, ...] = ()
    masks: tuple[str, ...] = ()
    missing: tuple[Missing, ...] = ()
    periods: tuple[tuple[Period, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one ask: what was found, the verdicts as shown, how subjects are called, the receipt.

    `stated` is what the asker's own case states of the citizen.
    """

    ask: str
    found: Found
    verdicts: tuple[ShownVerdict, ...]
    labels: dict[str, str]
    own_items: int
    shared_items: int
    receipt: Receipt
    policy_revision: str
    stated: Stated | None = None


def answer_of(released: Released) -> Answer:
    """Lay out what the asker may see of a released ask."""
    labels = subject_labels(released)
    verdicts = shown_verdicts(released, labels)
    own = {verdict.key for verdict in released.permit.decision.verdicts if verdict.own}
    own_items = sum(1 for item in released.found.items if item.key in own)
    permitted = {key.source for key in released.permit.keys}
    silent = tuple(row for row in released.found.silent if row.source in permitted)
    return Answer(
        ask=released.permit.recorded.ask.id,
        found=replace(released.found, silent=silent),
        verdicts=verdicts,
        labels=labels,
        own_items=own_items,
        shared_items=len(released.found.items) - own_items,
        receipt=released.receipt,
        policy_revision=released.permit.decision.mark.revision,
        stated=released.permit.facts.case.stated,
    )


def subject_labels(released: Released) -> dict[str, str]:
    """Name the subjects of what is released: the citizen, and children by number, not by name."""
    citizen = released.permit.recorded.citizen
    children = sorted({key.subject for key in released.permit.keys} - {citizen})
    return {citizen: CITIZEN} | {handle: f"child-{i}" for i, handle in enumerate(children, start=1)}


def shown_verdicts(released: Released, labels: dict[str, str]) -> tuple[ShownVerdict, ...]:
    """Collapse the verdicts to what may be shown, in order of source, category and subject."""
    keys = released.permit.keys
    rows: list[ShownVerdict] = []
    for (source, category), verdicts in sorted(_by_place(released.permit.decision).items()):
        out = sorted((v for v in verdicts if v.key in keys), key=lambda v: labels[v.key.subject])
        rows += [_released_row(v, labels) for v in out] or [_withheld_row(source, category, verdicts)]
    return tuple(rows)


def shown_places(decision: Decision) -> dict[tuple[str, str], ShownVerdict]:
    """Say of each (source, category) what an ask for it alone would be shown; how many children there are is not said.

    Each is judged by itself: whether a place may be seen does not hang on what else was asked about with it.
    """
    rows = {}
    for (source, category), verdicts in sorted(_by_place(decision).items()):
        permitted = replace(decision, verdicts=tuple(verdicts)).permitted
        out = [_released_row(v, {v.key.subject: CITIZEN}) for v in verdicts if v.key in permitted]
        rows[source, category] = _together(out) if out else _withheld_row(source, category, verdicts)
    return rows


def _by_place(decision: Decision) -> Mapping[tuple[str, str], list[Verdict]]:
    places: defaultdict[tuple[str, str], list[Verdict]] = defaultdict(list)
    for verdict in decision.verdicts:
        places[verdict.key.source, verdict.key.category].append(verdict)
    return places


def _together(rows: list[ShownVerdict]) -> ShownVerdict:
    """Make one row of those of several children: every basis, and every mask that any of them is under."""
    masks = {mask for row in rows for mask in row.masks}
    basis = {basis for row in rows for basis in row.basis}
    outcome = MASK if masks else RELEASE
    periods = {periods for row in rows for periods in row.periods}
    return replace(
        rows[0],
        outcome=outcome,
        basis=tuple(sorted(basis)),
        masks=tuple(sorted(masks)),
        periods=tuple(sorted(periods)),
    )


def _released_row(verdict: Verdict, labels: dict[str, str]) -> ShownVerdict:
    key = verdict.key
    return ShownVerdict(
        source=key.source,
        category=key.category,
        subject=labels[key.subject],
        outcome=verdict.outcome,
        own=verdict.own,
        basis=verdict.basis,
        masks=verdict.masks,
        periods=verdict.periods,
    )


def _withheld_row(source: str, category: str, verdicts: list[Verdict]) -> ShownVerdict:
    """Say no once for the place. A child nobody gave a line for adds nothing to what its sibling's line says."""
    codes = {code for verdict in verdicts for code in verdict.shown}
    missing = {row for verdict in verdicts for row in verdict.missing}
    return ShownVerdict(
        source=source,
        category=category,
        subject=CITIZEN,
        outcome="withhold",
        reasons=shown_reasons(codes),
        missing=tuple(sorted(missing)),
    )


def shown_reasons(codes: Collection[str]) -> tuple[str, ...]:
    """Make one word of what is shown of a place: where no line tells more, a generic one stands for all of them.

    Two generic ones would tell of a second child.
    """
    generic = {NO_CONSENT} if NO_CONSENT in codes else set(codes)
    return tuple(sorted(set(codes) - GENERIC_REASONS or generic))


# What stands where no line was ever given: the same for a citizen with and without (further) children.
GENERIC_REASONS = frozenset({NO_CONSENT, "OUT_OF_SCOPE_CATEGORY", "OUT_OF_SCOPE_SOURCE"})
