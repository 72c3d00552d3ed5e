"""What was expected and what was seen: each difference is found, and said in one line."""

from datetime import UTC, datetime
from typing import Any

import pytest

from broker.domain.entries import LogEntry
from broker.domain.receipts import Receipt
from demo.scenario.callers import Reply
from demo.scenario.expect import compare
from demo.scenario.seen import Names, Seen

NAMES = Names({"anna": "h-anna", "bo": "h-bo"}, {"c1": "uuid-1"})
BODY: dict[str, Any] = {
    "verdicts": [
        {
            "source": "social",
            "category": "S01",
            "subject": "citizen",
            "verdict": "release",
            "masks": [],
            "basis": [{"kind": "consent", "id": "uuid-1", "version": "1"}],
        },
        {
            "source": "social",
            "category": "S03",
            "subject": "citizen",
            "verdict": "withhold",
            "reasons": [{"code": "NO_CONSENT"}],
            "missing": [{"source": "social", "category": "S03", "giver": "citizen"}],
        },
    ],
    "items": [{"id": "S1", "title": "Hjemmevejleder"}, {"id": "J1"}],
    "counts": {"own": 1, "shared": 1},
    "sources": [{"source": "social", "state": "answered"}, {"source": "health", "state": "silent"}],
    "weeks": [{"week": "2019-W11", "total_minutes": 645, "excess_minutes": 285}],
    "findings": [{"rules": ["O2", "O6"], "items": [0, 1], "figures": {"grants": 2}}],
    "plans": [{"item": 0, "replaceable": True}],
    "gaps": [{"code": "silent", "source": "health", "area": None}],
}


def an_entry(kind: str, **index: Any) -> LogEntry:
    """Make a log entry of Korsbæk about Anna."""
    row = {"kind": kind, "citizen": "h-anna", **index}
    body = {"own_items": 1, "shared_items": 2, "verdicts": index.get("verdicts", [])}
    at = datetime(2019, 3, 4, tzinfo=UTC)
    return LogEntry(Receipt("x/korsbaek/2019", 0), "korsbaek", at, kind, row, "intact", body)


def seen(status: int = 200, **more: Any) -> Seen:
    """Make what a step showed."""
    return Seen(NAMES, Reply(status, more.pop("body", BODY)), citizen="anna", **more)


def differences(expect: dict[str, Any] | None, what: Seen | None = None) -> list[str]:
    """Say what did not hold."""
    return [f"{check.what}: {check.line}" for check in compare(expect, what or seen()) if not check.held]


HOLDING: list[dict[str, Any]] = [
    {"status": 200},
    {"verdicts": [{"source": "social", "category": "S01", "verdict": "release", "basis": "c1"}]},
    {"verdicts": [{"source": "social", "category": "S03", "verdict": "withhold", "reason": "NO_CONSENT"}]},
    {"reasons": ["NO_CONSENT"], "missing": ["social/S03"]},
    {"items": ["J1", "S1"], "counts": {"own": 1, "shared": 1}, "silent": ["health"]},
    {"no_trace_of": ["slidgigt"], "no_findings": ["O3"]},
    {"weeks": {"2019-W11": {"total_minutes": 645}}},
    {"findings": [{"rules": ["O6", "O2"], "items": ["J1", "S1"], "figures": {"grants": 2}}]},
    {"plans": 1, "replaceable": ["S1"], "gaps": ["silent:health"]},
]
FAILING: list[tuple[dict[str, Any], str]] = [
    ({"status": 403}, "status: expected 403, got 200"),
    (
        {"verdicts": [{"source": "social", "category": "S03", "verdict": "release"}]},
        "verdicts: social/S03: expected release, got withhold NO_CONSENT",
    ),
    (
        {"verdicts": [{"source": "social", "category": "S03", "verdict": "withhold", "reason": "CASE_MISMATCH"}]},
        "verdicts: social/S03: expected withhold CASE_MISMATCH, got withhold NO_CONSENT",
    ),
    (
        {"verdicts": [{"source": "school", "category": "K01", "verdict": "withhold"}]},
        "verdicts: school/K01: expected withhold, got no such row",
    ),
    (
        {"only": True, "verdicts": [{"source": "social", "category": "S01", "verdict": "release"}]},
        "verdicts, only: not expected: social/S03/citizen withhold",
    ),
    ({"items": ["S1"]}, "items: not expected J1"),
    ({"items": ["S1", "J1", "H1"]}, "items: missing H1"),
    ({"counts": {"own": 3}}, "items, own: expected 3, got 1"),
    ({"silent": []}, "silent: not expected health"),
    ({"no_trace_of": ["HJEMMEVEJLEDER"]}, "no trace of “HJEMMEVEJLEDER”: it stands in the answer"),
    ({"weeks": {"2019-W11": {"excess_minutes": 60}}}, "week 2019-W11, excess_minutes: expected 60, got 285"),
    ({"weeks": {"2019-W12": {"excess_minutes": 60}}}, "week 2019-W12, excess_minutes: expected 60, got nothing"),
    ({"no_findings": ["O6"]}, "no finding O6: there is one"),
    ({"findings": [{"rules": ["O3"]}]}, "finding O3: expected one, got none (findings: O2/O6)"),
    ({"plans": 2}, "plans: expected 2, got 1"),
    ({"replaceable": []}, "replaceable: not expected S1"),
    ({"calls": {"social": ["S01"]}}, "asked of social: missing S01"),
]


@pytest.mark.parametrize("expect", HOLDING)
def test_what_is_so_holds(expect: dict[str, Any]) -> None:
    """An expectation that is met makes no difference."""
    assert differences(expect) == []


@pytest.mark.parametrize(("expect", "line"), FAILING)
def test_what_is_not_so_is_said_in_one_line(expect: dict[str, Any], line: str) -> None:
    """An expectation that is not met is one line, with expected and got."""
    assert differences(expect) == [line]


def test_a_refusal_nobody_expected_is_a_difference() -> None:
    """A step without a status must not be refused, with or without other expectations."""
    refused = seen(403, body={"type": "urn:borgerbro:problem:refused", "reasons": [{"code": "ROLE_KLE"}]})

    told = "status: expected no refusal, got 403 urn:borgerbro:problem:refused ROLE_KLE"
    assert differences(None, refused) == [told]
    assert told in differences({"reasons": ["ROLE_KLE"]}, refused)
    assert differences({"status": 403, "problem": "refused", "reasons": ["ROLE_KLE"]}, refused) == []


def test_the_log_is_held_entry_by_entry() -> None:
    """Exactly the expected entries, in order, each with its subject, outcome and counts."""
    what = seen(entries=(an_entry("ask"), an_entry("outcome", outcome="partly", categories=["S01"], reasons=["X"])))
    ask = {"municipality": "korsbaek", "kind": "ask", "subject": "anna"}
    outcome = {"municipality": "korsbaek", "kind": "outcome", "outcome": "partly", "own": 1, "shared": 2}

    assert differences({"log": [ask, outcome | {"categories": ["S01"], "reasons_include": ["X"]}]}, what) == []
    assert differences({"log": [ask]}, what) == [
        "log of korsbaek, entries: expected ask anna, got ask anna, outcome anna"
    ]
    assert differences({"log": [ask, outcome | {"subject": "bo"}]}, what) == [
        "log of korsbaek, entry 2, subject: expected bo, got anna"
    ]
    assert differences({"log": []}, what) == ["log of korsbaek, entries: expected none, got ask anna, outcome anna"]


def test_the_reason_on_the_log_may_be_another_than_the_one_shown() -> None:
    """`logged` is held against the outcome's body, not against the answer."""
    verdict = {
        "key": {"source": "social", "category": "S03", "subject": "h-anna"},
        "outcome": "withhold",
        "reasons": ["BLOCKED_BY_CITIZEN"],
    }
    what = seen(entries=(an_entry("outcome", verdicts=[verdict]),))
    row = {"source": "social", "category": "S03", "verdict": "withhold", "reason": "NO_CONSENT"}

    assert differences({"verdicts": [row | {"logged": "BLOCKED_BY_CITIZEN"}]}, what) == []
    assert differences({"verdicts": [row | {"logged": "NO_CONSENT"}]}, what) == [
        "verdicts: social/S03, on the log: expected NO_CONSENT, got ['BLOCKED_BY_CITIZEN']"
    ]


def test_a_childs_name_finds_the_answers_word_for_it() -> None:
    """The answer says `child-1`; the log tells which child that is."""
    verdict = {"key": {"source": "family", "category": "F01", "subject": "h-bo"}, "outcome": "mask", "reasons": []}
    shown = {"source": "family", "category": "F01", "subject": "child-1", "verdict": "mask", "masks": ["child_name"]}
    what = seen(body={"verdicts": [shown]}, entries=(an_entry("outcome", verdicts=[verdict]),))
    row = {"source": "family", "category": "F01", "subject": "bo", "verdict": "mask", "masks": ["child_name"]}

    assert differences({"verdicts": [row]}, what) == []
    assert differences({"verdicts": [row | {"masks": []}]}, what) == [
        "verdicts: family/F01/child-1, masks: not expected child_name"
    ]


def test_a_check_of_the_log_is_held_to_what_it_names() -> None:
    """`intact` and `bad_entry` are read from the report of `python -m audit verify`."""
    fault = {"where": "entry 7", "what": "index row does not match its commitment", "index": 7}
    broken = {"logs": [{"intact": False, "faults": [fault]}], "stray": []}

    assert differences({"intact": False, "bad_entry": 7}, seen(0, report=broken)) == []
    assert differences({"bad_entry": 6}, seen(0, report=broken)) == ["bad entry: expected 6, the check names [7]"]
    assert len(differences({"intact": True}, seen(0, report=broken))) == 1
    assert len(differences({"intact": True}, seen(0, report={"logs": []}))) == 1


def test_rows_of_a_look_match_field_by_field() -> None:
    """Each given field must match; codes match rows that carry them; a number counts the rows."""
    rows = ({"kind": "outcome", "outcome": "refused", "reasons": [{"code": "NO_CONSENT"}]}, {"kind": "ask"})
    what = seen(0, rows=rows, texts="Hvem har set på mig")

    assert differences({"rows": 2, "text": ["Hvem har set"]}, what) == []
    assert differences({"rows": [{"kind": "outcome", "reasons": ["NO_CONSENT"]}]}, what) == []
    assert differences({"rows": [{"kind": "outcome", "outcome": "released"}]}, what) == [
        'row {"kind": "outcome", "outcome": "released"}: none of 2 rows is it'
    ]
    assert differences({"text": ["Ingen"]}, what) == ["text “Ingen”: it is not on the page"]


def test_what_a_page_must_not_say_is_looked_for_on_a_page_that_came() -> None:
    """Large and small letters are one; where no page was shown, nothing is proved by what is not on it."""
    assert differences({"not_text": ["Nina", "piller"]}, seen(0, texts="Socialcenter Korsbæk bad om lov")) == []
    assert differences({"not_text": ["NINA"]}, seen(0, texts="Det var Nina Vagt")) == [
        "no text “NINA”: it is on the page"
    ]
    assert differences({"not_text": ["Nina"]}, seen(0)) == ["no text “Nina”: no page was shown"]
