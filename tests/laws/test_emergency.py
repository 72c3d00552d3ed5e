"""Laws of an emergency: whatever else is true, it opens one profile of one citizen to one person for some hours."""

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.laws.test_policy import decide, released
from tests.model.engines import TABLES
from tests.model.questions import emergency, random_question, said

RULE = TABLES["settings"]["emergency"]
PROFILE = {"P01", "P02", "P03", "E01", "H06"}
BASIS = "SUL-43-2"
many = settings(max_examples=150, deadline=None)


def asked_in_danger(seed: int) -> dict[str, Any]:
    """Find a random question that rests on a call-out, from this seed on."""
    while True:
        question = random_question(random.Random(seed))
        if question["ask"]["emergency"] is not None:
            return question
        seed += 1


emergencies = st.integers(0, 2**48).map(asked_in_danger)


@many
@given(emergencies)
def test_never_outside_profile_citizen_person_and_window(question: dict[str, Any]) -> None:
    """What goes out was opened by a holder's live yes to this very request, within profile, citizen and person."""
    behind = question["emergency"][0] if question["emergency"] else None

    for key in released(question):
        assert behind is not None
        assert key.category in PROFILE
        assert key.subject == behind["citizen"] == question["ask"]["citizen"]
        assert (behind["id"], behind["case"]) == (question["ask"]["emergency"], question["ask"]["case"])
        assert (behind["unit"], behind["caseworker"]) == (question["caller"]["unit"], question["caller"]["handle"])
        assert question["ask"]["purpose"] == RULE["purpose"]
        assert key.source in behind["sources"]
        assert TABLES["sources"][key.source]["unit"] != behind["unit"]
        assert lives(question, behind, TABLES["sources"][key.source]["unit"])


def lives(question: dict[str, Any], behind: dict[str, Any], unit: str) -> bool:
    """Tell whether a unit's yes, said by one of its own or standing, is open at the moment of the ask."""
    answers = [row for row in behind["answers"] if row["unit"] == unit and row["by"] != behind["caseworker"]]
    standing = [
        behind["requested_at"]
        for row in TABLES["standing_approvals"].values()
        if row["unit"] == unit and behind["unit"] in row["to_units"] and row["from"] <= question["today"] <= row["to"]
    ]
    since = [row["at"] for row in answers if row["said"] == "yes"] + standing
    said_no = any(row["said"] == "no" for row in answers)
    return not said_no and any(0 <= question["at"] - at < RULE["hours"] * 3600 for at in since)


@many
@given(emergencies)
def test_a_no_takes_everything_of_that_unit(question: dict[str, Any]) -> None:
    """P3: once each holder has said no nothing goes out, and a no never opens anything."""
    units = sorted({row["unit"] for row in TABLES["sources"].values()})
    refused = [
        {**row, "answers": [*row["answers"], *(said("no", unit=unit) for unit in units)]}
        for row in question["emergency"]
    ]

    assert released(question | {"emergency": refused}) == set()


@many
@given(emergencies)
def test_without_a_request_nothing(question: dict[str, Any]) -> None:
    """The asker's word alone opens nothing, whatever case, consent or block there is."""
    assert released(question | {"emergency": []}) == set()


@many
@given(emergencies)
def test_time_only_closes(question: dict[str, Any]) -> None:
    """Four hours on nothing goes out on an answer that was given by now."""
    later = question | {"at": question["at"] + RULE["hours"] * 3600 + 1}

    assert released(later) == set()


@many
@given(st.integers(0, 2**48).map(lambda seed: random_question(random.Random(seed))))
def test_the_law_of_danger_opens_no_ordinary_ask(question: dict[str, Any]) -> None:
    """SUL § 43 stk. 2 is never the basis of an ask that rests on no request, whoever has said yes to what."""
    ordinary = {**question, "ask": {**question["ask"], "emergency": None}, "emergency": emergency()["emergency"]}

    assert BASIS not in {basis.id for verdict in decide(ordinary).verdicts for basis in verdict.basis}
