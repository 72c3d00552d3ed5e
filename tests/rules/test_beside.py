"""What lies beside a key and must not turn its answer: another child, role, line, unit or day. Asked of every engine.

Each row would end otherwise if one condition of one rule were forgotten (`python3 run.py mutants`).
"""

from typing import Any

import pytest

from tests.model.engines import Engines
from tests.model.questions import ANNETTE, BO, VIKTOR, child, days, key, line, person, question, role

VERA = "h-vera"
S01, P02, P03 = key("socialcenter", "S01"), key("socialcenter", "P02"), key("sundhed", "P03")
Y01 = key("ydelse", "Y01")
F01, H01 = key("familiecenter", "F01", VIKTOR), key("sundhed", "H01", VIKTOR)
SAID = line("socialcenter", "S01")
HERS = line("familiecenter", "F01", VIKTOR)
VIKTORS = line("familiecenter", "F01", VIKTOR, VIKTOR, id="l-2", consent="C2")
LONG = {"from": 20180101, "to": 99991231}
WIDE = role(kle=["15.*", "27.*"])
SCHOOL = role(name="skoleperson")
SOCIAL = {"unit": "socialcenter", "system_units": ["socialcenter"], "roles": [role(kle=["27.*"])]}
CHILD_CASE = {"unit": "socialcenter", "kle": "27.24.03", "consent_tried": True}
FINANCIAL = {"purpose": "oekonomisk_hjaelp"}
PAYING = {"unit": "ydelse", "system_units": ["ydelse"], "roles": [role(kle=["32.*"])]}


def s01(*lines: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """Ask for S01 about Annette, with these lines."""
    return question(S01, consents=[{**one, "id": f"l-{n}"} for n, one in enumerate(lines)], **parts)


def of_viktor(one: dict[str, str], *lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Ask for a key about Viktor, who is unlike the plain child, with these lines."""
    return question(one, subjects=[person(ANNETTE), child(VIKTOR, **changes)], consents=list(lines))


def with_sister(*lines: dict[str, Any]) -> dict[str, Any]:
    """Ask for F01 about Viktor, who has a sister, with these lines."""
    return question(F01, subjects=[person(ANNETTE), child(), child(VERA)], consents=list(lines))


def strict(*roles: dict[str, Any], one: dict[str, str] = S01, **parts: Any) -> dict[str, Any]:
    """Ask from the municipality that is strict about KLE, with these roles and the citizen's yes."""
    caller = {"municipality": "dragsholm", "roles": [*roles]}
    lines = [line(one["source"], one["category"])]
    return question(one, caller=caller, subjects=[person(ANNETTE, municipality="dragsholm")], consents=lines, **parts)


def roles(one: dict[str, str], *held: dict[str, Any]) -> dict[str, Any]:
    """Ask for a key with these roles and the citizen's yes."""
    return question(one, caller={"roles": [*held]}, consents=[line(one["source"], one["category"])])


# The question; the reasons it is withheld for, or the consents and statutes it rests on.
WITHHELD = {
    "strict: somebody else's case is no matter of roles": (
        strict(role(), case={"concerns_citizen": False}), ["CASE_MISMATCH"],
    ),
    "a role that lapsed, and somebody else's case": (
        s01(SAID, case={"concerns_citizen": False}, caller={"roles": [role(attested_on=20180303)]}), ["CASE_MISMATCH"],
    ),
    "a narrow role, and somebody else's case": (
        s01(SAID, case={"concerns_citizen": False}, caller={"roles": [SCHOOL]}), ["CASE_MISMATCH"],
    ),
    "a role below the level, and somebody else's case": (
        s01(SAID, case={"concerns_citizen": False}, caller={"roles": [role(sensitivity=2)]}), ["CASE_MISMATCH"],
    ),
    "a child's place, where the citizen is protected": (
        question(key("socialcenter", "P02", VIKTOR), ask={"purpose": "funktionsudredning"},
                 subjects=[person(ANNETTE, protected=True), child()]),
        ["ADDRESS_PROTECTED"],
    ),
    "strict: a role that lapsed is not besides one of another subject": (
        strict({**WIDE, "attested_on": 20180303}), ["ROLE_EXPIRED"],
    ),
    "strict: the subject of a role that does not cover the case": (strict(role(), role(kle=["27.*"])), ["ROLE_KLE"]),
    "a narrow role that does not cover the case": (
        roles(key("jobcenter", "B03"), SCHOOL, role(name="mentor_udfoerer", kle=["27.*"])), ["ROLE_KLE"],
    ),
    "a wide role for certain purposes that does not cover the case": (
        roles(S01, SCHOOL, role(name="sundhedsperson", kle=["29.*"])), ["ROLE_KLE"],
    ),
    "an agreement that ended, where the case is another's": (
        s01(SAID, subjects=[person(ANNETTE, municipality="norrestrand")], case={"caseworker_on_case": False},
            today=20220101),
        ["NO_CASE_RELATION"],
    ),
    "an agreement of other subjects, where the case is another's": (
        s01(SAID, subjects=[person(ANNETTE, municipality="norrestrand")], caller={"roles": [WIDE]},
            case={"caseworker_on_case": False, "kle": "27.24.03"}),
        ["NO_CASE_RELATION"],
    ),
    "an agreement with where the child lives": (
        s01(SAID, subjects=[person(ANNETTE, municipality="dragsholm"), child(municipality="norrestrand")]),
        ["NO_DELEGATION"],
    ),
    "an agreement with another municipality than ours": (
        s01(SAID, subjects=[person(ANNETTE, municipality="norrestrand")],
            caller={"municipality": "dragsholm", "roles": [WIDE]}),
        ["NO_DELEGATION"],
    ),
    "a yes to what rests on the law alone": (
        question(Y01, ask=FINANCIAL, consents=[line("ydelse", "Y01", **FINANCIAL)]), ["NO_CONSENT"],
    ),
    "a statute that gives to other kinds of unit than ours": (
        question(Y01, ask=FINANCIAL, caller={**PAYING, "unit": "sundhed", "system_units": ["sundhed"]},
                 case={"unit": "sundhed", "kle": "32.24.04"}),
        ["NO_CONSENT"],
    ),
    "a statute that takes from other kinds of unit than theirs": (
        question(key("sundhed", "P02"), ask=FINANCIAL, caller=PAYING, case={"unit": "ydelse", "kle": "32.24.04"}),
        ["NO_CONSENT"],
    ),
    "a child who died today": (of_viktor(F01, HERS, dead_on=20190304), ["CUSTODY_UNKNOWN"]),
    "a day before any law of a yes": (s01(SAID, today=19980630), ["PURPOSE_MISMATCH"]),
    "an old line of a category that no law of the purpose carries": (
        s01(line("socialcenter", "S05", **LONG)), ["OUT_OF_SCOPE_CATEGORY"],
    ),
    "an old line of a source that no law knows": (s01(line("nowhere", "S01", **LONG)), ["OUT_OF_SCOPE_SOURCE"]),
    "somebody else's word, from today on": (s01({**SAID, "giver": BO, "from": 20190304}), ["NO_CONSENT"]),
    "a line that begins tomorrow and ends today": (
        s01({**SAID, "from": 20190305, "to": 20190304}), ["CONSENT_NOT_YET_VALID"],
    ),
    "somebody else's word, and another's own of the same": (
        s01({**SAID, "giver": BO}, line("socialcenter", "S01", VIKTOR, VIKTOR), subjects=[person(ANNETTE), child()]),
        ["NO_CONSENT"],
    ),
    "a silent register tells nothing of roles": (
        s01(SAID, failed_registers=["cpr"], caller={"roles": []}), ["SOURCE_UNAVAILABLE"],
    ),
    "a known child makes no known citizen": (
        s01(SAID, subjects=[person(ANNETTE, known=False), child()]), ["CASE_MISMATCH"],
    ),
    "a closed case tells nothing of where the citizen lives": (
        s01(SAID, case={"open": False}, subjects=[person(ANNETTE, municipality="dragsholm")]), ["CASE_MISMATCH"],
    ),
    "taken back before it began": (s01({**SAID, "state": "withdrawn", "from": 20190305}), ["CONSENT_REVOKED"]),
    "taken back, and older than its law lets it be": (
        s01({**SAID, **LONG, "state": "withdrawn"}), ["CONSENT_REVOKED"],
    ),
    "somebody else's word, on its last day": (s01({**SAID, "giver": BO, "to": 20190304}), ["NO_CONSENT"]),
    "paused, and past its last day": (s01({**SAID, "state": "paused", "to": 20190303}), ["CONSENT_EXPIRED"]),
    "paused, and older than its law lets it be": (s01({**SAID, **LONG, "state": "paused"}), ["CONSENT_EXPIRED"]),
    "paused, and not begun": (s01({**SAID, "state": "paused", "from": 20190305}), ["CONSENT_NOT_YET_VALID"]),
    "a line that ends before it begins": (s01({**SAID, "from": 20190305, "to": 20190303}), ["CONSENT_EXPIRED"]),
    "paused, and another category given": (
        s01({**SAID, "state": "paused"}, line("socialcenter", "S02")), ["NO_CONSENT"],
    ),
    "paused, to another unit": (s01({**SAID, "recipient": "ydelse", "state": "paused"}), ["NO_CONSENT"]),
    "past, to another unit": (s01({**SAID, "recipient": "ydelse", "to": 20190303}), ["NO_CONSENT"]),
    "for another purpose, to another unit": (
        s01({**SAID, "recipient": "ydelse", "purpose": "jobplan"}), ["NO_CONSENT"],
    ),
    "somebody said it of him, and the mother of his sister": (
        with_sister({**HERS, "giver": BO}, line("familiecenter", "F01", VERA)), ["NO_CONSENT"],
    ),
    "a child whom no register knows makes no child's case": (
        question(key("skole", "K01"), ask={"purpose": "boernefaglig_undersoegelse"}, case=CHILD_CASE, caller=SOCIAL,
                 subjects=[person(ANNETTE), child(known=False)]),
        ["NO_CONSENT"],
    ),
    "the child moved here, the citizen did not": (
        question(key("norre_social", "S01"), ask={"purpose": "flytning"}, case=CHILD_CASE, caller=SOCIAL,
                 subjects=[person(ANNETTE, municipality="norrestrand"), child()], today=20181231),
        ["NO_CONSENT"],
    ),
}  # fmt: skip
GIVEN = {
    "strict: what belongs to no subject": (strict(role(), one=P03), ["C1"]),
    "strict: a role for the subject too": (strict(WIDE), ["C1"]),
    "a child who dies tomorrow": (of_viktor(F01, HERS, dead_on=20190305), ["C1"]),
    "his sister's mother said nothing of her": (with_sister(HERS), ["C1"]),
    "another consent of the mother's, about his sister": (
        with_sister(HERS, line("familiecenter", "F01", VERA, consent="C2")), ["C1"],
    ),
    "another consent about the child, of the same": (
        s01(SAID, line("socialcenter", "S01", VIKTOR, VIKTOR, consent="C2"), subjects=[person(ANNETTE), child()]),
        ["C1"],
    ),
    "the days of a yes that was taken back": (
        s01({**SAID, **days(20190101, 20190131)}, {**SAID, **days(20190201, 20190228), "state": "withdrawn"}), ["C1"],
    ),
    "what the child says before 15": (of_viktor(F01, HERS, VIKTORS), ["C1"]),
    "what the young person says besides": (of_viktor(F01, HERS, VIKTORS, born=20040304), ["C1", "C2"]),
    "what the mother says of a young person's health": (
        of_viktor(
            H01, line("sundhed", "H01", VIKTOR, VIKTOR), line("sundhed", "H01", VIKTOR, consent="C2"), born=20040304,
        ),
        ["C1"],
    ),
    "a statute that would reach the unit's own": (
        question(Y01, ask=FINANCIAL, caller=PAYING, case={"unit": "ydelse", "kle": "32.24.04"}), ["OWN_CASE"],
    ),
    "the law of emergencies, and the unit's own": (
        question(P02, ask={"purpose": "fare_for_liv"}, caller=SOCIAL, case=CHILD_CASE), ["OWN_CASE"],
    ),
}  # fmt: skip
TABLE = WITHHELD | GIVEN


@pytest.mark.parametrize("name", WITHHELD)
def test_what_is_withheld(engines: Engines, engine: str, name: str) -> None:
    """Each row is withheld for just these reasons."""
    asked, reasons = WITHHELD[name]

    verdict = engines.verdict(engine, asked)

    assert (verdict.released, list(verdict.reasons)) == (False, reasons)


@pytest.mark.parametrize("name", GIVEN)
def test_what_is_given(engines: Engines, engine: str, name: str) -> None:
    """Each row is given, and rests on just these."""
    asked, relied_on = GIVEN[name]

    verdict = engines.verdict(engine, asked)

    assert (verdict.released, [basis.id for basis in verdict.basis]) == (True, relied_on)


def test_every_engine_gives_the_rows_the_same_decision(engines: Engines, engine: str) -> None:
    """Each row's whole decision is the model's (`tools/mutants` counts on it)."""
    assert engines.differing(engine, {name: asked for name, (asked, _) in TABLE.items()}) == []
