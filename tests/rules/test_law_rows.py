"""Rows of law: which one a release names on which day, between which units; and that a change of law is a row."""

import copy
from typing import Any

import pytest

from broker.policy_tables import PolicyFaults, refuse_bad_tables
from tests.model.engines import Engines
from tests.model.questions import ANNETTE, key, line, person, question, role, tables

S01, H01, Y01 = key("socialcenter", "S01"), key("sundhed", "H01"), key("ydelse", "Y01")
FAMILY = {"unit": "familiecenter", "system_units": ["familiecenter"], "roles": [role(kle=["27.*"])]}
FAMILY_CASE = {"unit": "familiecenter", "kle": "27.12.04"}


def laws(engines: Engines, engine: str, asked: dict[str, Any], law: Any = None) -> tuple[str, ...]:
    """Name the rows of law that the one key of a question is released on."""
    verdict = engines.verdict(engine, asked, law or tables())
    return tuple(basis.law for basis in verdict.basis)


def with_yes(one: dict[str, str], today: int, purpose: str = "helhedsorienteret_plan", **parts: Any) -> dict[str, Any]:
    """Ask for one key on a day, with Annette's yes of that same day."""
    recipient = parts.get("caller", {}).get("unit", "jobcenter")
    said = {"purpose": purpose, "recipient": recipient, "from": today, "to": today}
    yes = line(one["source"], one["category"], **said)
    return question(one, today=today, ask={"purpose": purpose}, consents=[yes], **parts)


@pytest.mark.parametrize(
    ("one", "today", "row"),
    [
        (S01, 20180630, "RSL-11a-1-plan"),
        (S01, 20180701, "LAB-30b"),
        (S01, 20191231, "LAB-30b"),
        (S01, 20200101, "LAB-40-3"),
        (S01, 20200229, "LAB-40-3"),
        (S01, 20250901, "LAB-40-3"),
        (H01, 20180630, "SUL-43-1"),
        (H01, 20250901, "SUL-43-1"),
    ],
)
def test_one_plan_by_its_day(engines: Engines, engine: str, one: dict[str, str], today: int, row: str) -> None:
    """The yes to one plan rests on the numbering of the day, first and last day included; health always on SUL."""
    assert laws(engines, engine, with_yes(one, today)) == (row,)


@pytest.mark.parametrize(
    ("unit", "one", "row"),
    [
        ("jobcenter", S01, "LAB-30b"),
        ("familiecenter", S01, "SEL-141-7"),
        ("familiecenter", H01, "SUL-43-1"),
        ("sundhed", S01, "SEL-141-7"),
    ],
)
def test_by_who_receives(engines: Engines, engine: str, unit: str, one: dict[str, str], row: str) -> None:
    """The same yes rests on another law where another kind of unit receives."""
    caller = {"unit": unit, "system_units": [unit], "roles": [role(kle=["15.*"])]}

    assert laws(engines, engine, with_yes(one, 20190304, caller=caller, case={"unit": unit})) == (row,)


def test_health_unit_fetches_by_its_own_rule(engines: Engines, engine: str) -> None:
    """A health unit that fetches health information for another purpose rests on SUL § 42 d, not on § 43."""
    health = {"unit": "sundhed", "system_units": ["sundhed"], "roles": [role(kle=["15.*"])]}
    elsewhere = tables()
    elsewhere["sources"] = elsewhere["sources"] | {
        "far": {"unit": "far", "municipality": "norrestrand", "categories": ["H01"]}
    }
    elsewhere["units"] = elsewhere["units"] | {"far": {"municipality": "norrestrand", "kind": "health_centre"}}
    asked = with_yes(key("far", "H01"), 20190304, caller=health, case={"unit": "sundhed"})

    assert laws(engines, engine, asked, elsewhere) == ("SUL-42d",)


def test_statutes_between_their_units(engines: Engines, engine: str) -> None:
    """Economic information goes by law between units that pay, not from a school or to a health centre."""
    at_school = tables()
    at_school["sources"] = at_school["sources"] | {
        "skole": {"unit": "skole", "municipality": "korsbaek", "categories": ["Y01"]}
    }
    help_case = {"kle": "32.24.04"}
    roles = [role(kle=["32.*"])]
    payer = {"roles": roles}
    healer = {"unit": "sundhed", "system_units": ["sundhed"], "roles": roles}
    ask = {"purpose": "oekonomisk_hjaelp"}

    assert laws(engines, engine, question(Y01, ask=ask, case=help_case, caller=payer)) == ("RSL-11a-2",)
    unfit = question(key("skole", "Y01"), ask=ask, case=help_case, caller=payer)
    assert laws(engines, engine, unfit, at_school) == ()
    assert laws(engines, engine, question(Y01, ask=ask, case=help_case | {"unit": "sundhed"}, caller=healer)) == ()


def test_a_family_that_moved_by_its_day(engines: Engines, engine: str) -> None:
    """SEL § 152 to the last day of 2023, barnets lov from the first of 2024."""
    one = key("norre_social", "S01")
    asked = {"ask": {"purpose": "flytning"}, "caller": FAMILY, "case": FAMILY_CASE}

    assert laws(engines, engine, question(one, today=20231231, **asked)) == ("SEL-152",)
    assert laws(engines, engine, question(one, today=20240101, **asked)) == ("BL-flytning",)


def test_a_change_of_law_is_a_row(engines: Engines, engine: str) -> None:
    """A law that ends and one that follows are two rows: from that day the answer names the other, without code."""
    law = copy.deepcopy(tables())
    old = law["consent_bases"]["LAB-40-3"]
    law["consent_bases"]["LAB-40-3"] = old | {"to": 20260630}
    law["consent_bases"]["LAB-41"] = old | {"from": 20260701, "paragraph": "LAB § 41", "to_units": ["social_centre"]}
    law["purposes"]["helhedsorienteret_plan"]["consent_bases"].append("LAB-41")
    old_row = law["consent_bases"]["SEL-141-7"]
    law["consent_bases"]["SEL-141-7"] = old_row | {"to_units": ["family_centre"]}
    refuse_bad_tables(law)

    assert laws(engines, engine, with_yes(S01, 20260630), law) == ("LAB-40-3",)
    after = engines.verdict(engine, with_yes(S01, 20260701), law)
    assert after.reasons == ("PURPOSE_MISMATCH",)
    social = {"unit": "socialcenter", "system_units": ["socialcenter"], "roles": [role(kle=["15.*"])]}
    asked = with_yes(key("familiecenter", "F01"), 20260701, caller=social, case={"unit": "socialcenter"})
    assert laws(engines, engine, asked, law) == ("LAB-41",)


@pytest.mark.parametrize(("today", "given"), [(20200228, True), (20200229, True), (20200301, False)])
def test_a_yes_ends_with_its_law(engines: Engines, engine: str, today: int, given: bool) -> None:
    """A yes lasts a calendar year under its law, whatever last day it names: 29 February is in, 1 March is out."""
    long = line("socialcenter", "S01") | {"from": 20190301, "to": 20211231}

    verdict = engines.verdict(engine, question(S01, consents=[long], today=today))

    assert verdict.reasons == (() if given else ("CONSENT_EXPIRED",))


@pytest.mark.parametrize(("today", "given"), [(20210228, True), (20210301, False)])
def test_a_yes_of_a_leap_day(engines: Engines, engine: str, today: int, given: bool) -> None:
    """A yes of 29 February lasts to 28 February of the next year."""
    leap = line("socialcenter", "S01") | {"from": 20200229, "to": 99991231}

    assert engines.verdict(engine, question(S01, consents=[leap], today=today)).released is given


def test_no_yes_counts_where_the_law_alone_decides(engines: Engines, engine: str) -> None:
    """A yes to what rests on a statute alone opens nothing: nobody is to be asked, and none counts."""
    yes = line("ydelse", "Y01", purpose="oekonomisk_hjaelp")
    asked = question(Y01, ask={"purpose": "oekonomisk_hjaelp"}, consents=[yes], case={"kle": "15.20.04"})

    verdict = engines.verdict(engine, asked)

    assert (verdict.released, verdict.reasons, verdict.missing) == (False, ("NO_CONSENT",), ())


def test_reports_of_concern_stay_outside(engines: Engines, engine: str) -> None:
    """No purpose, statute or yes reaches underretninger: they go their own way, and never through the broker."""
    law = tables()
    assert [name for name, row in law["purposes"].items() if "F04" in row["categories"]] == []
    yes = line("familiecenter", "F04", ANNETTE)

    for purpose in law["purposes"]:
        asked = question(
            key("familiecenter", "F04"), ask={"purpose": purpose}, consents=[yes], subjects=[person(ANNETTE)]
        )
        assert not engines.verdict(engine, asked, law).released


def _overlap(law: dict[str, Any]) -> None:
    law["consent_bases"]["LAB-30b"]["to"] = 20200101


def _unnamed(law: dict[str, Any]) -> None:
    law["purposes"]["jobplan"]["consent_bases"].remove("SUL-43-1")


def _too_far(law: dict[str, Any]) -> None:
    law["consent_bases"]["SUL-43-1"]["purposes"]["jobplan"].append("H02")


def _general(law: dict[str, Any]) -> None:
    law["consent_bases"]["SUL-43-1"]["form"]["names"].remove("case")


def _unknown_unit(law: dict[str, Any]) -> None:
    law["statutes"]["RSL-11a-2"]["from_units"].append("bank")


def _backwards(law: dict[str, Any]) -> None:
    law["statutes"]["SEL-152"]["from"] = 20240101


def _without_gdpr(law: dict[str, Any]) -> None:
    law["statutes"]["SEL-152"]["gdpr_basis"] = ""


def _unwritten(law: dict[str, Any]) -> None:
    law["consent_bases"]["SUL-43-1"]["form"]["written"] = "sometimes"


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (_overlap, "consent_bases/LAB-30b: says the same as LAB-40-3 for helhedsorienteret_plan, on the same days"),
        (_unnamed, "consent_bases/SUL-43-1: the purpose jobplan does not name it"),
        (_too_far, "consent_bases/SUL-43-1: reaches further than the purpose jobplan"),
        (_general, "consent_bases/SUL-43-1: a consent names source, recipient, category, purpose and case"),
        (_unknown_unit, "statutes/RSL-11a-2: a kind of unit that the registry does not know"),
        (_backwards, "statutes/SEL-152: ends before it begins"),
        (_without_gdpr, "statutes/SEL-152: basis, paragraph, GDPR basis or note is missing"),
        (_unwritten, "consent_bases/SUL-43-1: the form is not readable"),
    ],
)
def test_bad_rows_are_named(damage: Any, fault: str) -> None:
    """A row that says too little, too much, or the same as another is refused when it is loaded, with its place."""
    law = copy.deepcopy(tables())
    damage(law)

    with pytest.raises(PolicyFaults) as caught:
        refuse_bad_tables(law)

    assert caught.value.faults == [fault]
