"""How other rules would have answered: each kind of change is told as what it is, and nothing is told twice."""

import json
from collections.abc import Sequence

import pytest

from broker.domain.asks import Key
from broker.domain.decisions import MASK, RELEASE, WITHHOLD, Basis, Missing, Verdict
from broker.oversight.replay import Answer, Asked, Change, changes

KEY = Key("social", "S01", "h-1")
QUESTION = json.dumps({"ask": {"purpose": "jobplan"}, "keys": [{}]}).encode()
BY_CONSENT, BY_LAW = (Basis("consent", "c-7", "1", "RSL-11a-1"),), (Basis("statute", "SEL-152", "2019", "SEL-152"),)
GIVEN = Verdict(KEY, RELEASE, basis=BY_CONSENT)
BY_STATUTE = Verdict(KEY, RELEASE, basis=BY_LAW)
MASKED = Verdict(KEY, MASK, basis=BY_CONSENT, masks=("address",))
HELD = Verdict(KEY, WITHHOLD, reasons=("NO_CONSENT",), shown=("NO_CONSENT",))
HELD_ELSE = Verdict(KEY, WITHHOLD, reasons=("ROLE_KLE",), shown=("ROLE_KLE",))
HELD_ASKING = Verdict(KEY, WITHHOLD, reasons=("NO_CONSENT",), shown=("NO_CONSENT",), missing=(Missing("s", "c", "g"),))


class Always:
    """Rules that answer every question alike."""

    def __init__(self, *verdicts: Verdict) -> None:
        self._answer: Answer | None = verdicts or None

    def answers(self, questions: Sequence[bytes]) -> list[Answer | None]:
        """Answer, or not."""
        return [self._answer for _ in questions]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (HELD, GIVEN, [("newly_released", "NO_CONSENT")]),
        (GIVEN, HELD_ELSE, [("newly_refused", "ROLE_KLE")]),
        (GIVEN, BY_STATUTE, [("basis_changed", "consent > SEL-152")]),
        (GIVEN, MASKED, [("obligations_changed", "none > address")]),
        (MASKED, BY_STATUTE, [("basis_changed", "consent > SEL-152"), ("obligations_changed", "address > none")]),
        (HELD, HELD_ELSE, [("reasons_changed", "NO_CONSENT > ROLE_KLE")]),
        (HELD, HELD_ASKING, [("reasons_changed", "NO_CONSENT > NO_CONSENT")]),
        (GIVEN, GIVEN, []),
        (HELD, HELD, []),
    ],
)
def test_each_change_is_told_as_what_it_is(before: Verdict, after: Verdict, told: list[tuple[str, str]]) -> None:
    """By kind, purpose, category, and what stood or stands in the way; a consent's id is not told."""
    found = changes([Asked("log 3", QUESTION)], Always(before), Always(after))

    expected = tuple(Change(kind, "jobplan", "S01", by) for kind, by in told)
    assert found == ([("log 3", expected)] if expected else [])


def test_a_question_that_is_no_longer_answered_is_a_change() -> None:
    """Rules that give no decision where those of before did are told; where neither does, nothing changed."""
    asked = [Asked("log 3", QUESTION)]

    assert changes(asked, Always(GIVEN), Always()) == [("log 3", (Change("no_longer_answered", "jobplan", "", ""),))]
    assert changes(asked, Always(), Always()) == []
