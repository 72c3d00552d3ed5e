"""Conditions of law that rest on what the broker itself remembers: meetings about a child, and consent tried first."""

from typing import Any

import pytest

from tests.model.engines import Engines
from tests.model.questions import ANNETTE, VIKTOR, child, key, line, person, question, role

SCHOOL = {"unit": "skole", "system_units": ["skole"], "roles": [role(kle=["17.*"])]}
SOCIAL = {"unit": "socialcenter", "system_units": ["socialcenter"], "roles": [role(kle=["27.*"])]}
F01 = key("familiecenter", "F01", VIKTOR)
S01 = key("socialcenter", "S01")


def meeting(days: list[int], today: int, *, follow_up: bool = False) -> dict[str, Any]:
    """Ask for a meeting about Viktor from the school, where meetings were held before."""
    return question(
        F01,
        subjects=[person(ANNETTE), child(meetings=days)],
        today=today,
        ask={"purpose": "ssd_moede", "follow_up": follow_up},
        caller=SCHOOL,
        case={"unit": "skole", "kle": "17.00.00"},
    )


@pytest.mark.parametrize(
    ("days", "today", "follow_up", "held"),
    [
        ([], 20190304, False, True),
        ([], 20190304, True, True),
        ([20190304], 20190304, False, True),
        ([20190303], 20190304, False, False),
        ([20190303], 20190304, True, True),
        ([20190301, 20190303], 20190304, True, False),
        ([20190301, 20190304], 20190304, False, True),
        ([20180305], 20190304, False, False),
        ([20180305], 20190304, True, True),
        ([20180304], 20190304, False, True),
        ([20200229], 20210228, False, False),
        ([20200229], 20210301, False, True),
        ([20190228], 20200228, False, True),
        ([20190301], 20200229, False, False),
        ([20190331], 20190331, False, True),
        ([20201231], 20210101, False, False),
    ],
)
def test_one_meeting_and_one_follow_up(
    engines: Engines, engine: str, days: list[int], today: int, follow_up: bool, held: bool
) -> None:
    """SEL § 49 a, stk. 2: one meeting, one follow-up said to be one, and the whole of a day is the same meeting."""
    verdict = engines.verdict(engine, meeting(days, today, follow_up=follow_up))

    assert verdict.released is held
    assert verdict.reasons == (() if held else ("SSD_LIMIT_REACHED",))
    assert verdict.missing == ()


def test_each_child_has_meetings_of_their_own(engines: Engines, engine: str) -> None:
    """A meeting about one child takes nothing from its sister."""
    asked = meeting([20190301], 20190304)
    asked["subjects"].append(child("h-vera"))
    asked["keys"].insert(0, key("familiecenter", "F01", "h-vera"))

    first, second = engines.decide(engine, asked).verdicts

    assert (first.key.subject, first.released) == ("h-vera", True)
    assert (second.key.subject, second.reasons) == (VIKTOR, ("SSD_LIMIT_REACHED",))


def test_the_new_numbering_counts_on(engines: Engines, engine: str) -> None:
    """A meeting held under SEL § 49 a counts under barnets lov: it is one legal basis in two rows."""
    assert engines.verdict(engine, meeting([20231215], 20240105)).reasons == ("SSD_LIMIT_REACHED",)
    last = engines.verdict(engine, meeting([], 20231231))
    first = engines.verdict(engine, meeting([], 20240101))

    assert [basis.law for verdict in (last, first) for basis in verdict.basis] == ["SEL-49a", "BL-ssd"]


@pytest.mark.parametrize(("tried", "held"), [(True, True), (False, False)])
def test_a_childs_case_tries_consent_first(engines: Engines, engine: str, tried: bool, held: bool) -> None:
    """RSL § 11 c lets health and family information go only where a yes was tried; till then it names who to ask."""
    asked = question(
        F01,
        subjects=[person(ANNETTE), child()],
        ask={"purpose": "boernefaglig_undersoegelse"},
        caller=SOCIAL,
        case={"unit": "socialcenter", "kle": "27.24.03", "consent_tried": tried},
    )

    verdict = engines.verdict(engine, asked)

    assert [basis.law for basis in verdict.basis] == (["RSL-11c"] if held else [])
    assert verdict.reasons == (() if held else ("NO_CONSENT",))
    assert [row.giver for row in verdict.missing] == ([] if held else ["custody_holder"])


def test_a_yes_in_a_childs_case_is_a_yes(engines: Engines, engine: str) -> None:
    """Where the yes that was tried was given, the case rests on it and needs no statute."""
    yes = line("familiecenter", "F01", VIKTOR, recipient="socialcenter", purpose="boernefaglig_undersoegelse")
    asked = question(
        F01,
        subjects=[person(ANNETTE), child()],
        consents=[yes],
        ask={"purpose": "boernefaglig_undersoegelse"},
        caller=SOCIAL,
        case={"unit": "socialcenter", "kle": "27.24.03"},
    )

    assert [basis.law for basis in engines.verdict(engine, asked).basis] == ["RSL-11a-1"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"recipient": "ydelse"}, "OUT_OF_SCOPE_RECIPIENT"),
        ({"recipient": "ydelse", "case": "c-9"}, "OUT_OF_SCOPE_RECIPIENT"),
        ({"recipient": "ydelse", "state": "withdrawn"}, "NO_CONSENT"),
        ({"recipient": "ydelse", "to": 20190303}, "NO_CONSENT"),
        ({"recipient": "ydelse", "from": 20190305}, "NO_CONSENT"),
        ({"recipient": "ydelse", "purpose": "jobplan"}, "NO_CONSENT"),
        ({"recipient": "ydelse", "subject": VIKTOR}, "NO_CONSENT"),
        ({"case": "c-9"}, "NO_CONSENT"),
    ],
)
def test_a_yes_to_another_unit(engines: Engines, engine: str, changes: dict[str, Any], reason: str) -> None:
    """A live yes for the same purpose, given to another unit, is named on the log; the asker is told of no consent."""
    yes = line("socialcenter", "S01") | changes

    verdict = engines.verdict(engine, question(S01, consents=[yes]))
    without = engines.verdict(engine, question(S01))

    assert verdict.reasons == (reason,)
    assert (verdict.shown, verdict.missing) == (without.shown, without.missing) == (("NO_CONSENT",), without.missing)


@pytest.mark.parametrize(
    ("source", "category", "reason"),
    [
        ("*", "S01", "CONSENT_TOO_GENERAL"),
        ("socialcenter", "*", "CONSENT_TOO_GENERAL"),
        ("*", "alle relevante oplysninger", "CONSENT_TOO_GENERAL"),
        ("alle", "alle", "CONSENT_TOO_GENERAL"),
        ("familiecenter", "*", "NO_CONSENT"),
        ("*", "F01", "NO_CONSENT"),
    ],
)
def test_a_yes_to_everything_is_no_yes(engines: Engines, engine: str, source: str, category: str, reason: str) -> None:
    """A record that names no source or category, such as one brought over, opens nothing (RSL § 11 a)."""
    general = line(source, category)
    asked = question(S01, consents=[general])

    verdict = engines.verdict(engine, asked)

    assert (verdict.released, verdict.reasons) == (False, (reason,))
    assert verdict.shown == (reason,)
    assert [row.giver for row in verdict.missing] == ["citizen"]


def test_a_yes_to_everything_beside_a_proper_one(engines: Engines, engine: str) -> None:
    """Beside a yes that names what it is for, the general one neither adds nor takes."""
    both = [line("*", "*", id="l0"), line("socialcenter", "S01")]

    assert engines.verdict(engine, question(S01, consents=both)).released
