"""What the asker is shown of a withheld key: nothing of a fact that is not theirs to learn (P6). Every engine."""

from typing import Any

import pytest

from broker.adapters.policy_answer import contract
from broker.domain.decisions import PolicyMark
from broker.domain.errors import PolicyBroken
from tests.model.engines import RULES, TABLES, Engines
from tests.model.plain_policy import plain_decision
from tests.model.questions import ANNETTE, BO, VIKTOR, block, child, key, line, person, question, representative

S01 = key("socialcenter", "S01")
F01 = key("familiecenter", "F01", VIKTOR)
H01 = key("sundhed", "H01", VIKTOR)
SAID = [line("socialcenter", "S01")]
PAST = [line("socialcenter", "S01", state="granted", to=20190303)]
RENEWED = [*SAID, {**PAST[0], "id": "l-old"}]
ELSEWHERE = [line("socialcenter", "S02")]
BY_BO = [line("socialcenter", "S01", giver=BO)]
HERS, EITHERS = (ANNETTE,), (ANNETTE, BO)
BY_CITIZEN, BY_HOLDER, NOBODY = ("citizen",), ("custody_holder",), ()


def place(protected: Any, *lines: dict[str, Any]) -> dict[str, Any]:
    """Ask where Annette lives, for a purpose it belongs to."""
    lines = tuple({**one, "purpose": "funktionsudredning"} for one in lines)
    ask, subjects = {"purpose": "funktionsudredning"}, [person(ANNETTE, protected=protected)]
    return question(key("socialcenter", "P02"), ask=ask, subjects=subjects, consents=list(lines))


def s01(lines: Any = (), **parts: Any) -> dict[str, Any]:
    """Ask for S01 on these lines."""
    return question(S01, consents=list(lines), **parts)


def viktor(one: dict[str, str], holders: tuple[str, ...], *givers: str, **changes: Any) -> dict[str, Any]:
    """Ask for one key about Viktor, in this custody, with a line from each giver."""
    son = child(VIKTOR, *holders, **changes)
    lines = [line(one["source"], one["category"], VIKTOR, giver) for giver in givers]
    return question(one, subjects=[person(ANNETTE), son], consents=lines)


def orphan(*lines: dict[str, Any]) -> dict[str, Any]:
    """Ask for F01 about Viktor, of whom the register names no custody holder."""
    return question(F01, subjects=[person(ANNETTE), child(custody=[])], consents=list(lines))


def anew(asked: dict[str, Any]) -> dict[str, Any]:
    """Let each line stand a second time, as it was taken back before."""
    before = [{**one, "id": f"{one['id']}-old", "state": "withdrawn"} for one in asked["consents"]]
    return {**asked, "consents": [*asked["consents"], *before]}


YOUNG = {"born": 20040304}
TABLE = {
    "protected, and nobody asked": (place(True), ("NO_CONSENT",), BY_CITIZEN),
    "perhaps protected, and nobody asked": (place(None), ("NO_CONSENT",), BY_CITIZEN),
    "protected, and another category given": (
        place(True, line("socialcenter", "S01")), ("OUT_OF_SCOPE_CATEGORY",), BY_CITIZEN,
    ),
    "protected, and the consent past": (
        place(True, line("socialcenter", "P02", to=20190303)), ("CONSENT_EXPIRED",), BY_CITIZEN,
    ),
    "protected, and said yes to": (place(True, line("socialcenter", "P02")), ("NO_CONSENT",), BY_CITIZEN),
    "related, and nobody asked": (s01(related=True), ("NO_CONSENT",), BY_CITIZEN),
    "related, and the consent withdrawn": (
        s01([line("socialcenter", "S01", state="withdrawn")], related=True), ("CONSENT_REVOKED",), BY_CITIZEN,
    ),
    "related, and said yes to": (s01(SAID, related=True), ("NO_CONSENT",), BY_CITIZEN),
    "related, and said yes to anew": (s01(RENEWED, related=True), ("NO_CONSENT",), BY_CITIZEN),
    "related, and the data the unit's own": (question(key("jobcenter", "B01"), related=True), ("NO_CONSENT",), NOBODY),
    "related, and the law does not reach": (
        question(F01, subjects=[person(ANNETTE), child()], ask={"purpose": "ssd_moede"}, related=True),
        ("SSD_LIMIT_REACHED",), NOBODY,
    ),
    "related, and dead": (
        question(S01, subjects=[person(ANNETTE, dead_on=20190301)], related=True), ("SUBJECT_DECEASED",), NOBODY,
    ),
    "blocked, said yes to, and dead": (
        s01(SAID, blocks=[block()], subjects=[person(ANNETTE, dead_on=20190301)]), ("SUBJECT_DECEASED",), NOBODY,
    ),
    "blocked, and nobody asked": (s01(blocks=[block()]), ("NO_CONSENT",), BY_CITIZEN),
    "blocked, and another category given": (
        s01(ELSEWHERE, blocks=[block()]), ("OUT_OF_SCOPE_CATEGORY",), BY_CITIZEN,
    ),
    "blocked, and the consent past": (s01(PAST, blocks=[block()]), ("CONSENT_EXPIRED",), BY_CITIZEN),
    "blocked, and said yes to": (s01(SAID, blocks=[block()]), ("NO_CONSENT",), BY_CITIZEN),
    "of unknown age, and said yes to": (
        s01(RENEWED, subjects=[person(ANNETTE, born=None)]), ("NO_CONSENT",), BY_CITIZEN,
    ),
    "under guardianship, on one's own word": (
        s01(RENEWED, subjects=[person(ANNETTE, representatives=[representative()])]), ("NO_CONSENT",), BY_CITIZEN,
    ),
    "on the word of an attorney whose power names no sharing": (
        s01(BY_BO, subjects=[person(ANNETTE, representatives=[representative(BO, "power_of_attorney")])]),
        ("NO_CONSENT",), BY_CITIZEN,
    ),
    "the same word, and nobody who represents her": (s01(BY_BO), ("NO_CONSENT",), BY_CITIZEN),
    "under guardianship, on a third person's word": (
        s01(
            [line("socialcenter", "S01", giver=VIKTOR), *PAST],
            subjects=[person(ANNETTE, representatives=[representative()])],
        ),
        ("CONSENT_EXPIRED",), BY_CITIZEN,
    ),
    "nobody's child": (orphan(), ("NO_CONSENT",), BY_HOLDER),
    "nobody's child, and another category given": (
        orphan(line("familiecenter", "F02")), ("OUT_OF_SCOPE_CATEGORY",), BY_HOLDER,
    ),
    "nobody's child, and said yes to": (orphan(line("familiecenter", "F01", VIKTOR)), ("NO_CONSENT",), BY_HOLDER),
    "a child of unknown age, one of two": (
        viktor(F01, EITHERS, ANNETTE, born=None), ("CUSTODY_INCOMPLETE",), BY_HOLDER,
    ),
    "15, and the mother alone said yes": (viktor(F01, HERS, ANNETTE, **YOUNG), ("NO_CONSENT",), BY_HOLDER),
    "15, and the mother said yes anew": (
        anew(viktor(F01, HERS, ANNETTE, **YOUNG)), ("NO_CONSENT",), BY_HOLDER,
    ),
    "15, and one of two said yes": (viktor(F01, EITHERS, ANNETTE, **YOUNG), ("CUSTODY_INCOMPLETE",), BY_HOLDER),
    "15, health, and the mother alone said yes": (viktor(H01, HERS, ANNETTE, **YOUNG), ("NO_CONSENT",), BY_HOLDER),
    "15, health, and one of two said yes": (
        viktor(H01, EITHERS, ANNETTE, **YOUNG), ("CUSTODY_INCOMPLETE",), BY_HOLDER,
    ),
    "15, a citizen, and the holder alone said yes": (
        s01([line("socialcenter", "S01", giver=BO)], subjects=[child(ANNETTE, BO, child_of_citizen=False, **YOUNG)]),
        ("NO_CONSENT",), ("citizen", "custody_holder"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_what_is_shown(engines: Engines, engine: str, name: str) -> None:
    """Each row is withheld, shown for these reasons, and asks for the lines of these givers."""
    asked, shown, givers = TABLE[name]

    verdict = engines.verdict(engine, asked)

    assert not verdict.released
    assert verdict.shown == shown
    assert tuple(one.giver for one in verdict.missing) == givers


def test_every_engine_gives_the_rows_the_same_decision(engines: Engines, engine: str) -> None:
    """Each row's whole decision is the model's (`tools/mutants` counts on it)."""
    assert engines.differing(engine, {name: asked for name, (asked, *_) in TABLE.items()}) == []


@pytest.mark.parametrize(
    "damage",
    [
        {"shown": []},
        {"shown": ["BLOCKED_BY_CITIZEN"]},
        {"shown": ["NO_CONSENT", "BLOCKED_BY_CITIZEN"]},
        {"shown": ["BECAUSE"]},
        {"reasons": ["BECAUSE"]},
    ],
)
def test_an_answer_that_shows_too_much_is_none(damage: dict[str, Any]) -> None:
    """A withheld key that shows nothing, a reason of the log alone or one nobody knows voids the whole answer."""
    asked = s01(blocks=[block()])
    raw = plain_decision(asked, TABLES)
    raw["verdicts"][0] |= damage

    with pytest.raises(PolicyBroken):
        contract(RULES, TABLES).decision(raw, asked, PolicyMark("plain", "", ""))


def test_what_goes_out_shows_no_reason() -> None:
    """A released key that shows a reason voids the whole answer."""
    asked = s01(SAID)
    raw = plain_decision(asked, TABLES)
    raw["verdicts"][0]["shown"] = ["NO_CONSENT"]

    with pytest.raises(PolicyBroken):
        contract(RULES, TABLES).decision(raw, asked, PolicyMark("plain", "", ""))
