"""The tally of a what-if: each question once, small numbers withheld with their neighbours, and table words alone."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from broker.domain.asks import Key
from broker.domain.decisions import MASK, RELEASE, WITHHOLD, Basis, Verdict
from broker.oversight.replay import Answer, Asked
from broker.oversight.what_if_tally import Tally, known_words
from tests.unit.test_replay_changes import BY_STATUTE, GIVEN, HELD, HELD_ELSE, MASKED, Always

KNOWN = known_words(
    {
        "purposes": {"jobplan": {}, "school": {}},
        "reasons": {"NO_CONSENT": {}, "ROLE_KLE": {}},
        "statutes": {"SEL-152": {}},
        "consent_bases": {"RSL-11a-1": {}},
    }
)


def asked(count: int, purpose: str = "jobplan", start: int = 0) -> list[Asked]:
    """Give so many questions for a purpose."""
    rows = range(start, start + count)
    return [Asked(str(n), json.dumps({"ask": {"purpose": purpose, "n": n}, "keys": [{}]}).encode()) for n in rows]


@pytest.mark.parametrize(
    ("before", "after", "kind", "by"),
    [
        (HELD, GIVEN, "newly_released", "NO_CONSENT"),
        (GIVEN, HELD_ELSE, "newly_refused", "ROLE_KLE"),
        (GIVEN, BY_STATUTE, "basis_changed", "consent > SEL-152"),
        (GIVEN, MASKED, "obligations_changed", "none > address"),
        # Two changes in one question: counted once, at the first.
        (MASKED, BY_STATUTE, "basis_changed", "consent > SEL-152"),
        (HELD, HELD_ELSE, "reasons_changed", "NO_CONSENT > ROLE_KLE"),
        (GIVEN, GIVEN, "same", ""),
    ],
)
def test_each_question_counts_once(before: Verdict, after: Verdict, kind: str, by: str) -> None:
    """By what would become of it, and why."""
    tally = Tally()
    tally.put(asked(7), Always(before), Always(after), KNOWN)
    found = tally.result({}, 0)

    (row,) = found.rows
    assert (row.kind, row.by, row.counts, row.total) == (kind, by, (7,), 7)
    assert (found.purposes, found.totals, found.total) == (("jobplan",), (7,), 7)


def test_what_the_rules_of_then_do_not_answer_is_not_the_same() -> None:
    """It is counted as what cannot be put, never as unchanged."""
    tally = Tally()
    tally.put(asked(6), Always(), Always(GIVEN), KNOWN)

    assert [(row.kind, row.by, row.total) for row in tally.result({}, 0).rows] == [("not_put", "no_answer", 6)]


def test_a_small_number_cannot_be_worked_out() -> None:
    """Beside a withheld cell another is withheld in its row, its column or its sums: none follows by subtraction."""
    tally = Tally()
    tally.put(asked(3), Always(GIVEN), Always(HELD), KNOWN)
    tally.put(asked(20, start=3), Always(GIVEN), Always(GIVEN), KNOWN)
    tally.put(asked(20, "school", start=23), Always(GIVEN), Always(GIVEN), KNOWN)
    found = tally.result({"erased": 6}, 3)

    refused = next(row for row in found.rows if row.kind == "newly_refused")
    column = found.purposes.index("jobplan")
    assert (refused.counts[column], refused.total) == (None, None)
    rest = [row.counts[column] for row in found.rows if row.kind != "newly_refused"]
    assert None in [*rest, found.totals[column]]
    assert found.deleted is None


def test_what_cannot_be_put_again_is_counted_by_why() -> None:
    """Erased questions stand as such, under no purpose."""
    tally = Tally()
    tally.put(asked(9), Always(GIVEN), Always(GIVEN), KNOWN)
    found = tally.result({"erased": 6}, 12)

    assert found.purposes == ("jobplan", "")
    erased = next(row for row in found.rows if row.kind == "not_put")
    assert (erased.by, erased.counts, found.total, found.deleted) == ("erased", (0, 6), 15, 12)


def test_no_word_but_a_tables() -> None:
    """Whatever rules write where a basis, a reason or a purpose stands: only what tables name is told."""
    canary = "h-1234567890"

    class Leaking:
        """Rules that write a handle wherever they can."""

        def answers(self, questions: Sequence[bytes]) -> list[Answer | None]:
            """Answer with it."""
            verdict = Verdict(Key("social", "S01", "h-1"), RELEASE, basis=(Basis("statute", canary, "1", canary),))
            return [(verdict,) for _ in questions]

    tally = Tally()
    tally.put(asked(6), Always(GIVEN), Leaking(), KNOWN)
    reasons = (Verdict(Key("social", "S01", "h-1"), WITHHOLD, reasons=(canary,), shown=(canary,)),)
    tally.put(asked(6, start=6), Always(GIVEN), Always(*reasons), KNOWN)
    tally.put(asked(6, canary, start=12), Always(GIVEN), Always(GIVEN), KNOWN)
    masks = (Verdict(Key("social", "S01", "h-1"), MASK, basis=GIVEN.basis, masks=(canary,)),)
    tally.put(asked(6, start=18), Always(GIVEN), Always(*masks), KNOWN)
    found = tally.result({}, 0)

    assert canary not in repr(found)
    assert {row.by for row in found.rows} == {"consent > other", "other", "", "none > other"}


def test_nothing_asked_is_nothing_told() -> None:
    """An empty month is an empty table."""
    assert Tally().result({}, 0).rows == ()
