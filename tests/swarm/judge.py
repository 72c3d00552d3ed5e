"""The judge: a release after a withdrawal's commit, an ask without its entries, a batch that one ask poisoned.

Pure, over the evidence alone; it trusts neither the broker nor the play.

Two judgements of the same thing: by the order of the log, where the order of entries is that of commits; and by what
the clients saw, where an ask that began after a withdrawal was answered must not have what it took back.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.swarm.evidence import ASK, BLOCK, GRANT, LIFT, TRIES, WITHDRAW, Attempt, Entry, Evidence
from tests.swarm.standing import Standing, others_verdicts, standing_over

AFTER_COMMIT = "released after the commit of a withdrawal or block"
SEEN_AFTER = "seen by a client after a withdrawal or block was answered"
NO_ENTRY = "answered without its entries"
OTHER_ENTRY = "answered otherwise than the log says"
NO_OUTCOME = "on the log without an outcome, and nobody was left without an answer"
POISONED = "withheld though nothing stood against it"
UNEXPLAINED = "failed on a node that ran undisturbed"
LOG_BROKEN = "a log does not verify"
# What was asked of a node may meet a pause's last moments, and a connection's end is noticed a little later.
SLACK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that must not be."""

    kind: str
    line: str


@dataclass(slots=True)
class Judgement:
    """What was found: every fault, and the figures of the play."""

    faults: list[Fault] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)

    def of(self, kind: str) -> list[str]:
        """Give the faults of one kind."""
        return [fault.line for fault in self.faults if fault.kind == kind]


def judge(evidence: Evidence) -> Judgement:
    """Judge all of it."""
    checks = (_order, _sight, _entries_of_answers, _outcomes_of_asks, _every_log_tells, _failures, _logs)
    faults = [fault for check in checks for fault in check(evidence)]
    return Judgement(faults, figures_of(evidence, faults))


def _order(evidence: Evidence) -> Iterator[Fault]:
    """Hold every outcome against the state that the log itself gives for its place, and for the time it ran."""
    undisturbed = {attempt.place for attempt in evidence.attempts if not _disturbed(attempt, evidence)}
    told = {attempt.place for attempt in evidence.attempts if attempt.answered}
    for outcome, before, at in standing_over(evidence):
        place = f"{outcome.log} {outcome.index} ({outcome.citizen})"
        for source, category, consents, released in others_verdicts(outcome):
            line = f"{place}: {source}/{category}"
            if released and not all(at.live(consent, source, category) for consent in consents or ("",)):
                yield Fault(AFTER_COMMIT, line)
            # What was live before the ask and through to its end had to be released, whatever others did meanwhile. An
            # outcome that nobody was told of says that an ask failed: that is judged where its client waited in vain.
            if not released and outcome.place in told and before.always(at, source, category):
                silent = bool(outcome.body["failed_registers"])
                if not silent:
                    yield Fault(POISONED, f"{line}: {outcome.body['outcome']}, judged again {_again(outcome)}")
                elif outcome.place in undisturbed:
                    yield Fault(UNEXPLAINED, f"{line}: silent registers {outcome.body['failed_registers']}")


def _again(outcome: Entry) -> str:
    return "yes" if outcome.body["judged_again"] else "no"


def _sight(evidence: Evidence) -> Iterator[Fault]:
    """Hold every answer against the withdrawals and blocks that were answered before its ask began."""
    changes: defaultdict[str, list[Attempt]] = defaultdict(list)
    for attempt in evidence.attempts:
        if attempt.kind in {WITHDRAW, BLOCK} and attempt.answered:
            changes[attempt.citizen].append(attempt)
    lifted = {a.target: a.begin for a in evidence.attempts if a.kind == LIFT}
    for ask in evidence.attempts:
        if ask.kind != ASK:
            continue
        seen = {(source, category) for source, category, _ in ask.released} | {*ask.items}
        for change in changes[ask.citizen]:
            if change.end >= ask.begin:
                continue
            told = [line for line in seen if _took_back(change, ask, line, lifted, evidence.unit)]
            yield from (Fault(SEEN_AFTER, f"{ask.citizen}: {line} after {change.kind}") for line in told)


def _took_back(change: Attempt, ask: Attempt, line: tuple[str, str], lifted: dict[str, float], unit: str) -> bool:
    """Tell whether what an ask has was taken back by a change that was answered before it."""
    if change.kind == WITHDRAW:
        bases = {consent for *place, consents in ask.released if tuple(place) == line for consent in consents}
        return change.target in bases and (change.lines is None or line in change.lines)
    source, named_unit, category = change.block
    own = not any((place[0], place[1]) == line for place in ask.released)
    hits = source in {None, line[0]} and category in {None, line[1]} and named_unit in {None, unit}
    return hits and not own and lifted.get(change.target, float("inf")) > ask.end


def _entries_of_answers(evidence: Evidence) -> Iterator[Fault]:
    """Find for each answer the entries it claims, and hold them together."""
    entries = {entry.place: entry for entry in evidence.entries}
    asked = {entry.body["ask"]: entry for entry in evidence.entries if entry.kind == "ask"}
    kinds = {ASK: "outcome", WITHDRAW: "consent.withdrawn", BLOCK: "block.changed", LIFT: "block.changed",
             GRANT: "consent.granted"}  # fmt: skip
    for attempt in evidence.attempts:
        if not attempt.answered or attempt.kind not in kinds:
            continue
        entry = entries.get(attempt.place) if attempt.place else None
        if entry is None or entry.kind != kinds[attempt.kind] or entry.citizen != attempt.citizen:
            yield Fault(NO_ENTRY, f"{attempt.kind} of {attempt.citizen}: {attempt.place}")
        elif attempt.kind == ASK:
            first = asked.get(entry.body["ask"])
            if first is None or first.log != entry.log or first.index >= entry.index:
                yield Fault(NO_ENTRY, f"ask of {attempt.citizen}: no ask before {attempt.place}")
            elif not _same_answer(attempt, entry):
                yield Fault(OTHER_ENTRY, f"ask of {attempt.citizen}: {attempt.place}")
        elif not _same_change(attempt, entry):
            yield Fault(OTHER_ENTRY, f"{attempt.kind} of {attempt.citizen}: {attempt.place}")


def _same_answer(attempt: Attempt, entry: Entry) -> bool:
    body = entry.body
    if attempt.status == 403:
        return bool(body["outcome"] == "refused" and body["own_items"] == body["shared_items"] == 0)
    verdicts = {(v["key"]["source"], v["key"]["category"], v["outcome"]) for v in body["verdicts"]}
    released = {(source, category) for source, category, verdict in verdicts if verdict != "withhold"}
    return (
        body["ask"] == attempt.ask
        and verdicts == {*attempt.verdicts}
        and {*attempt.items} <= released
        and (body["own_items"], body["shared_items"]) == attempt.counts
    )


def _same_change(attempt: Attempt, entry: Entry) -> bool:
    if attempt.kind in {BLOCK, LIFT}:
        return bool(entry.body["block"] == attempt.target and entry.body["lifted"] == (attempt.kind == LIFT))
    lines = {(source, category) for _, source, category in entry.body["lines"]}
    return bool(entry.body["consent"] == attempt.target and (attempt.lines is None or lines == {*attempt.lines}))


def _outcomes_of_asks(evidence: Evidence) -> Iterator[Fault]:
    """Count: an ask without outcome, or an outcome nobody was told of, needs an ask that got no answer."""
    told = {attempt.place for attempt in evidence.attempts if attempt.kind == ASK and attempt.answered}
    without = Counter(a.citizen for a in evidence.attempts if a.kind == ASK and not a.answered)
    outcomes = {e.body["ask"]: e for e in evidence.entries if e.kind == "outcome" and e.log == evidence.log}
    left: Counter[str] = Counter()
    for entry in evidence.entries:
        if entry.kind == "ask" and entry.body["aim"] == "share":
            outcome = outcomes.pop(entry.body["ask"], None)
            if outcome is None or outcome.place not in told:
                left[entry.citizen] += 1
    yield from (Fault(NO_ENTRY, f"outcome without its ask: {entry.place}") for entry in outcomes.values())
    for citizen, count in left.items():
        if count > without[citizen]:
            yield Fault(NO_OUTCOME, f"{citizen}: {count} asks on the log, {without[citizen]} without an answer")


def _every_log_tells(evidence: Evidence) -> Iterator[Fault]:
    """Find for each source of another municipality that was read the entry on that municipality's log."""
    elsewhere = {(e.body["ask"], s) for e in evidence.entries if e.kind == "outcome" and e.log != evidence.log
                 for s in e.body["sources_read"]}  # fmt: skip
    home = evidence.log.split("/")[-2]
    for entry in evidence.entries:
        if entry.kind != "outcome" or entry.log != evidence.log:
            continue
        for source in entry.body["sources_read"]:
            if not source.startswith(home) and (entry.body["ask"], source) not in elsewhere:
                yield Fault(NO_ENTRY, f"{entry.place}: {source} was read and its municipality's log does not tell")


def _failures(evidence: Evidence) -> Iterator[Fault]:
    """Explain every request that was not answered as it should be: its node was paused or dead, or it came again."""
    unsure: set[tuple[str, str]] = set()
    for attempt in sorted(evidence.attempts, key=lambda a: a.begin):
        if attempt.answered:
            continue
        if not _explained(attempt, unsure, evidence):
            yield Fault(UNEXPLAINED, f"{attempt.kind} of {attempt.citizen}, node {attempt.node}: {_what(attempt)}")
        # It may have been carried out all the same: done once more, it is then no longer possible.
        unsure.add((attempt.citizen, attempt.target))


def _explained(attempt: Attempt, unsure: set[tuple[str, str]], evidence: Evidence) -> bool:
    again = attempt.status in {404, 409} and (attempt.citizen, attempt.target) in unsure
    return again or _disturbed(attempt, evidence)


def _disturbed(attempt: Attempt, evidence: Evidence) -> bool:
    """Tell whether the attempt's node was paused or dead while it ran."""
    return any(
        outage.node == attempt.node
        and outage.begin - SLACK_SECONDS <= attempt.end
        and attempt.begin <= outage.end + SLACK_SECONDS
        for outage in evidence.outages
    )


def _what(attempt: Attempt) -> str:
    return f"{attempt.status or 'no answer'} {attempt.said}".strip()


def _logs(evidence: Evidence) -> Iterator[Fault]:
    """Demand that every log verifies, and that every one of its entries was there to be judged."""
    read = Counter(entry.log for entry in evidence.entries)
    for log, size in evidence.sizes.items():
        if not evidence.intact.get(log):
            yield Fault(LOG_BROKEN, f"{log}: not intact")
        if read[log] != size or len({e.index for e in evidence.entries if e.log == log}) != size:
            yield Fault(LOG_BROKEN, f"{log}: {read[log]} entries read of {size}")


def figures_of(evidence: Evidence, faults: list[Fault]) -> dict[str, int]:
    """Count what was done and what came of it."""
    tries = Counter(a.kind for a in evidence.attempts if not a.unheard)
    asks = [a for a in evidence.attempts if a.kind == ASK and not a.unheard]
    outcomes = [e for e in evidence.entries if e.kind == "outcome" and e.log == evidence.log]
    kinds = Counter(outage.kind for outage in evidence.outages)
    faulty = Counter(fault.kind for fault in faults)
    other = [a for a in evidence.attempts if not a.answered and not a.unheard]
    return {
        "tries": sum(tries[kind] for kind in TRIES),
        "asks": tries[ASK],
        "withdrawals": tries[WITHDRAW],
        "blocks": tries[BLOCK],
        "grants": tries[GRANT],
        "lifts": tries[LIFT],
        "pauses": kinds["pause"],
        "kills": kinds["kill"],
        "asks answered with data": sum(a.status == 200 for a in asks),
        "asks refused": sum(a.status == 403 for a in asks),
        "lines released on a consent": sum(len(a.released) for a in asks),
        "asks judged again": sum(e.body["judged_again"] for e in outcomes),
        "changes under a running ask": _races(evidence),
        "requests without an answer": sum(a.status == 0 for a in other),
        "requests answered 5xx": sum(a.status >= 500 for a in other),
        "requests answered 4xx": sum(400 <= a.status < 500 for a in other),
        "outcomes with a silent register": sum(bool(e.body["failed_registers"]) for e in outcomes),
        "outcomes with a silent source": sum(bool(e.body["silent"]) for e in outcomes),
        "asks on the log without an outcome": _without_outcome(evidence),
        "releases after commit": faulty[AFTER_COMMIT] + faulty[SEEN_AFTER],
        "log entries": len(evidence.entries),
        "faults": len(faults),
    }


def _races(evidence: Evidence) -> int:
    """Count the asks during which a consent or block of their citizen changed."""
    return sum(bool(at.changed_since(before)) for _, before, at in standing_over(evidence))


def _without_outcome(evidence: Evidence) -> int:
    ended = {e.body["ask"] for e in evidence.entries if e.kind == "outcome"}
    return sum(e.kind == "ask" and e.body["aim"] == "share" and e.body["ask"] not in ended for e in evidence.entries)


__all__ = ["Fault", "Judgement", "Standing", "judge"]
