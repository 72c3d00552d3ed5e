"""The judge of the play over many nodes bites: what must not be is found in a record that was doctored to hold it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.swarm import judge as judges
from tests.swarm.evidence import ASK, BLOCK, GRANT, LIFT, WITHDRAW, Attempt, Entry, Evidence, Outage
from tests.swarm.judge import judge

LOG, OTHER = "broker.example/log/korsbaek/2019", "broker.example/log/noerrestrand/2019"
SOURCE, FAR = "korsbaek-health", "noerrestrand-health"
WHO = "borger-01"


def an_entry(index: int, kind: str, log: str = LOG, **body: Any) -> Entry:
    """Write one entry about the one citizen."""
    return Entry(log, index, kind, WHO, body)


def a_verdict(source: str, consent: str | None) -> dict[str, Any]:
    """Write a verdict on the health category: released on a consent, or withheld."""
    basis = [{"kind": "consent", "id": consent, "version": "1"}] if consent else []
    outcome = "release" if consent else "withhold"
    return {"key": {"source": source, "category": "H01"}, "outcome": outcome, "own": False, "basis": basis}


def an_outcome(index: int, ask: str, consent: str | None, *, source: str = SOURCE, log: str = LOG) -> Entry:
    """Write the outcome of an ask about one source."""
    return an_entry(
        index, "outcome", log, ask=ask, outcome="released" if consent else "refused",
        verdicts=[a_verdict(source, consent)], failed_registers=[], silent=[], judged_again=False, own_items=0,
        shared_items=1 if consent else 0, sources_read=[source] if consent else [],
    )  # fmt: skip


def an_attempt(kind: str, begin: float, index: int | None, **more: Any) -> Attempt:
    """Say what a client saw: one second's work, on the first node."""
    place = None if index is None else (LOG, index)
    given = {"status": {GRANT: 201, BLOCK: 201}.get(kind, 200), "node": 0} | more
    return Attempt(kind=kind, citizen=WHO, begin=begin, end=begin + 1, place=place, **given)


def an_answer(begin: float, index: int, ask: str, consent: str | None, source: str = SOURCE) -> Attempt:
    """Say what a caseworker saw of an ask about one source."""
    if consent is None:
        return an_attempt(ASK, begin, index, status=403)
    return an_attempt(
        ASK, begin, index, ask=ask, verdicts=((source, "H01", "release"),), released=((source, "H01", (consent,)),),
        items=((source, "H01"),), counts=(0, 1),
    )  # fmt: skip


def good() -> Evidence:
    """Give a record in which all is right: shared, taken back, refused; given anew, blocked, lifted, shared."""
    rows = (("", SOURCE, "H01"), ("", FAR, "H01"))
    no: dict[str, Any] = {"source": SOURCE, "unit": None, "category": None}
    entries = [
        an_entry(0, "consent.granted", consent="c1", lines=rows),
        an_entry(1, "ask", ask="a1", aim="share"),
        an_outcome(2, "a1", "c1"),
        an_entry(3, "ask", ask="a2", aim="share"),
        an_entry(4, "consent.withdrawn", consent="c1", lines=rows),
        an_outcome(5, "a2", None),
        an_entry(6, "consent.granted", consent="c2", lines=rows),
        an_entry(7, "block.changed", block="b1", lifted=False, **no),
        an_entry(8, "ask", ask="a3", aim="share"),
        an_outcome(9, "a3", None),
        an_entry(10, "block.changed", block="b1", lifted=True, **no),
        an_entry(11, "ask", ask="a4", aim="share"),
        an_outcome(12, "a4", "c2", source=FAR),
        an_outcome(0, "a4", "c2", source=FAR, log=OTHER),
    ]
    lines = ((SOURCE, "H01"), (FAR, "H01"))
    attempts = [
        an_attempt(GRANT, 0, 0, target="c1", lines=lines),
        an_answer(10, 2, "a1", "c1"),
        an_answer(20, 5, "a2", None),
        an_attempt(WITHDRAW, 20, 4, target="c1"),
        an_attempt(GRANT, 30, 6, target="c2", lines=lines),
        an_attempt(BLOCK, 40, 7, target="b1", block=(SOURCE, None, None)),
        an_answer(50, 9, "a3", None),
        an_attempt(LIFT, 60, 10, target="b1"),
        an_answer(70, 12, "a4", "c2", source=FAR),
    ]
    whole = {LOG: True, OTHER: True}
    return Evidence("korsbaek-jobcentre", LOG, attempts, entries, sizes={LOG: 13, OTHER: 1}, intact=whole)


def test_a_good_record_is_found_good() -> None:
    """Nothing is cried over what is as it must be, and it is counted rightly."""
    judgement = judge(good())

    assert judgement.faults == []
    counted = {name: judgement.figures[name] for name in ("asks", "withdrawals", "blocks", "releases after commit")}
    assert counted == {"asks": 4, "withdrawals": 1, "blocks": 1, "releases after commit": 0}
    assert judgement.figures["changes under a running ask"] == 1


Doctor = Callable[[Evidence], None]


def _put(evidence: Evidence, place: int, entry: Entry, *attempts: tuple[int, Attempt]) -> None:
    evidence.entries[place] = entry
    for number, attempt in attempts:
        evidence.attempts[number] = attempt


def _body(evidence: Evidence, place: int, **changed: Any) -> None:
    entry = evidence.entries[place]
    evidence.entries[place] = replace(entry, body={**entry.body, **changed})


def _change(evidence: Evidence, number: int, **changed: Any) -> None:
    evidence.attempts[number] = replace(evidence.attempts[number], **changed)


def _release_behind_a_withdrawal(evidence: Evidence) -> None:
    _put(evidence, 5, an_outcome(5, "a2", "c1"), (2, an_answer(20, 5, "a2", "c1")))


def _release_behind_a_block(evidence: Evidence) -> None:
    _put(evidence, 9, an_outcome(9, "a3", "c2"), (6, an_answer(39.5, 9, "a3", "c2")))


def _seen_after_a_withdrawal(evidence: Evidence) -> None:
    # The log says otherwise: it stands before the withdrawal. But the ask began when that had been answered.
    _change(evidence, 1, begin=25.0, end=26.0)


def _seen_after_a_block(evidence: Evidence) -> None:
    _body(evidence, 10, lifted=False, block="b2")
    _change(evidence, 7, status=0, place=None)
    _put(evidence, 9, an_outcome(9, "a3", "c2"), (6, an_answer(50, 9, "a3", "c2")))


def _forget_the_withdrawals_entry(evidence: Evidence) -> None:
    _change(evidence, 3, place=(LOG, 99))


def _forget_the_asks_entry(evidence: Evidence) -> None:
    _body(evidence, 1, ask="another")


def _answer_without_a_receipt(evidence: Evidence) -> None:
    _change(evidence, 1, place=None)


def _another_municipality_is_not_told(evidence: Evidence) -> None:
    del evidence.entries[13]
    evidence.sizes[OTHER] = 0


def _more_than_the_log_says(evidence: Evidence) -> None:
    _change(evidence, 1, items=((SOURCE, "H01"), ("korsbaek-social", "S01")))


def _another_outcome_than_answered(evidence: Evidence) -> None:
    _change(evidence, 1, status=403, released=(), items=())


def _an_ask_without_an_outcome(evidence: Evidence) -> None:
    evidence.entries.append(an_entry(13, "ask", ask="a5", aim="share"))
    evidence.sizes[LOG] = 14


def _an_outcome_nobody_was_told_of(evidence: Evidence) -> None:
    del evidence.attempts[1]


def _withheld_though_live(evidence: Evidence) -> None:
    _put(evidence, 2, an_outcome(2, "a1", None), (1, an_answer(10, 2, "a1", None)))


def _withheld_though_never_blocked(evidence: Evidence) -> None:
    _put(evidence, 12, an_outcome(12, "a4", None, source=FAR), (8, an_answer(70, 12, "a4", None)))
    evidence.entries[13] = an_outcome(0, "a4", None, source=FAR, log=OTHER)


def _a_silent_register(evidence: Evidence) -> None:
    _withheld_though_live(evidence)
    _body(evidence, 2, failed_registers=["people"])


def _an_error_on_a_node_that_ran(evidence: Evidence) -> None:
    evidence.attempts.append(an_attempt(ASK, 80, None, status=503))


def _a_pause_of_another_node(evidence: Evidence) -> None:
    _an_error_on_a_node_that_ran(evidence)
    evidence.outages.append(Outage(1, "pause", 79, 82))


def _a_log_that_does_not_verify(evidence: Evidence) -> None:
    evidence.intact[OTHER] = False


def _a_gap_in_the_log(evidence: Evidence) -> None:
    evidence.sizes[LOG] = 14


def _a_failed_ask_on_record(evidence: Evidence) -> None:
    # Nothing could be judged: withheld on the log, and an error to the client.
    _put(evidence, 2, an_outcome(2, "a1", None), (1, an_attempt(ASK, 10, None, status=503)))


DOCTORED: list[tuple[Doctor, set[str]]] = [
    (_release_behind_a_withdrawal, {judges.AFTER_COMMIT}),
    (_release_behind_a_block, {judges.AFTER_COMMIT}),
    (_seen_after_a_withdrawal, {judges.SEEN_AFTER}),
    (_seen_after_a_block, {judges.AFTER_COMMIT, judges.SEEN_AFTER, judges.UNEXPLAINED}),
    (_forget_the_withdrawals_entry, {judges.NO_ENTRY}),
    (_forget_the_asks_entry, {judges.NO_ENTRY, judges.NO_OUTCOME}),
    (_answer_without_a_receipt, {judges.NO_ENTRY, judges.NO_OUTCOME}),
    (_another_municipality_is_not_told, {judges.NO_ENTRY}),
    (_more_than_the_log_says, {judges.OTHER_ENTRY}),
    (_another_outcome_than_answered, {judges.OTHER_ENTRY}),
    (_an_ask_without_an_outcome, {judges.NO_OUTCOME}),
    (_an_outcome_nobody_was_told_of, {judges.NO_OUTCOME}),
    (_withheld_though_live, {judges.POISONED}),
    (_withheld_though_never_blocked, {judges.POISONED}),
    (_a_failed_ask_on_record, {judges.UNEXPLAINED}),
    (_a_silent_register, {judges.UNEXPLAINED}),
    (_an_error_on_a_node_that_ran, {judges.UNEXPLAINED}),
    (_a_pause_of_another_node, {judges.UNEXPLAINED}),
    (_a_log_that_does_not_verify, {judges.LOG_BROKEN}),
    (_a_gap_in_the_log, {judges.LOG_BROKEN}),
]


@pytest.mark.parametrize(("doctor", "cries"), DOCTORED, ids=lambda row: getattr(row, "__name__", "")[1:])
def test_what_must_not_be_is_found(doctor: Doctor, cries: set[str]) -> None:
    """One thing that must not be, put into a good record, is cried by its name, and nothing else is."""
    evidence = good()
    doctor(evidence)

    assert {fault.kind for fault in judge(evidence).faults} == cries


def test_what_a_pause_explains_is_no_fault() -> None:
    """No answer from a node that was stopped or dead is counted, not cried; nor is a change that had been made."""
    evidence = good()
    evidence.outages.append(Outage(0, "kill", 79, 82))
    evidence.attempts += [
        an_attempt(ASK, 80, None, status=0, said="ServerDisconnectedError"),
        an_attempt(WITHDRAW, 80, None, status=0, target="c2"),
        an_attempt(WITHDRAW, 90, None, status=409, target="c2"),
    ]
    evidence.entries.append(an_entry(13, "ask", ask="a5", aim="share"))
    evidence.sizes[LOG] = 14

    judgement = judge(evidence)

    assert judgement.faults == []
    assert judgement.figures["requests without an answer"] == 2
    assert judgement.figures["asks on the log without an outcome"] == 1
