"""Annette, row by row (`domain.md` 6, scenario 1)."""

from typing import Any

import pytest

from broker.domain.decisions import Basis, Decision, Missing
from tests.model.engines import Engines
from tests.model.questions import ANNETTE, BO, VIKTOR, child, key, line, person, question, role

OWN = ("release", ("own_case",), (), ())
SHARED = ("release", ("consent",), (), ())
MASKED = ("mask", ("consent",), (), ("child_name",))
ROWS = {
    ("jobcenter", "B03", ANNETTE): OWN,
    ("jobcenter", "B02", ANNETTE): OWN,
    ("jobcenter", "B01", ANNETTE): OWN,
    ("socialcenter", "S01", ANNETTE): SHARED,
    ("socialcenter", "S02", ANNETTE): SHARED,
    ("socialcenter", "S04", ANNETTE): ("withhold", (), ("OUT_OF_SCOPE_CATEGORY",), ()),
    ("socialcenter", "S03", ANNETTE): ("withhold", (), ("OUT_OF_SCOPE_CATEGORY",), ()),
    ("familiecenter", "F01", VIKTOR): MASKED,
    ("familiecenter", "F02", VIKTOR): ("withhold", (), ("OUT_OF_SCOPE_CATEGORY",), ()),
    ("familiecenter", "F04", VIKTOR): ("withhold", (), ("PURPOSE_MISMATCH",), ()),
    ("sundhed", "H01", ANNETTE): SHARED,
    ("sundhed", "H02", ANNETTE): ("withhold", (), ("PURPOSE_MISMATCH",), ()),
    ("skole", "K01", VIKTOR): ("withhold", (), ("NO_CONSENT",), ()),
}
C1 = [
    line("socialcenter", "S01"),
    line("socialcenter", "S02"),
    line("familiecenter", "F01", VIKTOR, capacity="custody"),
    line("sundhed", "H01"),
]


def annette(**changes: Any) -> dict[str, Any]:
    """Make Lene's ask about Annette and Viktor."""
    plain = {"subjects": [person(ANNETTE), child()], "consents": C1}
    return question(*(key(*row) for row in ROWS), **{**plain, **changes})


def rows(decision: Decision) -> dict[tuple[str, str, str], Any]:
    """Lay a decision out as the scenario's table."""
    return {
        (v.key.source, v.key.category, v.key.subject): (
            v.outcome, tuple(basis.kind for basis in v.basis), v.shown, v.masks,
        )
        for v in decision.verdicts
    }  # fmt: skip


def test_every_row(engines: Engines, engine: str) -> None:
    """Each of the thirteen rows comes out as the scenario says, own and shared apart."""
    decision = engines.decide(engine, annette())

    assert rows(decision) == ROWS
    assert {v.key.source for v in decision.verdicts if v.own} == {"jobcenter"}
    assert len(decision.permitted) == 7
    shared = [v for v in decision.verdicts if v.released and not v.own]
    assert {(v.key.category, v.basis) for v in shared} == {
        (category, (Basis("consent", "C1", "1", law),))
        for category, law in (("S01", "LAB-30b"), ("S02", "LAB-30b"), ("F01", "LAB-30b"), ("H01", "SUL-43-1"))
    }


def test_what_is_missing(engines: Engines, engine: str) -> None:
    """What would help is named for each row refused for want of consent, and for no other."""
    verdicts = engines.decide(engine, annette()).verdicts

    assert {one for v in verdicts for one in v.missing} == {
        Missing("familiecenter", "F02", "custody_holder"),
        Missing("skole", "K01", "custody_holder"),
        Missing("socialcenter", "S03", "citizen"),
        Missing("socialcenter", "S04", "citizen"),
    }


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"case": {"concerns_citizen": False}}, "CASE_MISMATCH"),
        ({"caller": {"roles": [role(kle=["27.*"])]}}, "ROLE_KLE"),
        ({"caller": {"roles": []}}, "ROLE_KLE"),
    ],
)
def test_negative_twins(engines: Engines, engine: str, changes: dict[str, Any], code: str) -> None:
    """Another citizen's case and a colleague without the role are denied whole, with that one reason."""
    decision = engines.decide(engine, annette(**changes))

    assert decision.refused
    assert decision.reasons(shown=True) == (code,)
    assert not any(v.missing for v in decision.verdicts)


def test_the_day_after(engines: Engines, engine: str) -> None:
    """On 29 February 2020 the consent still holds; on 1 March it is `CONSENT_EXPIRED` and nothing is shared."""
    last, after = (engines.decide(engine, annette(today=day)) for day in (20200229, 20200301))

    assert len(last.permitted) == 0 or last.shares
    by_key = {(v.key.source, v.key.category): v for v in after.verdicts}
    for row in C1:
        assert by_key[row["source"], row["category"]].reasons == ("CONSENT_EXPIRED",)
    assert after.refused


def test_shared_custody(engines: Engines, engine: str) -> None:
    """S1b: where Bo holds custody too, F01 is `CUSTODY_INCOMPLETE` until he says yes as well."""
    subjects = [person(ANNETTE), child(VIKTOR, ANNETTE, BO)]
    bo = line("familiecenter", "F01", VIKTOR, BO, consent="C2", version=3)

    alone = engines.decide(engine, annette(subjects=subjects))
    both = engines.decide(engine, annette(subjects=subjects, consents=[*C1, bo]))

    f01 = ("familiecenter", "F01", VIKTOR)
    assert rows(alone) == {**ROWS, f01: ("withhold", (), ("CUSTODY_INCOMPLETE",), ())}
    assert rows(both) == {**ROWS, f01: ("mask", ("consent", "consent"), (), ("child_name",))}
    [relied] = [v.basis for v in both.verdicts if v.key.category == "F01"]
    assert relied == (Basis("consent", "C1", "1", "LAB-30b"), Basis("consent", "C2", "3", "LAB-30b"))


def test_one_source_stopped(engines: Engines, engine: str) -> None:
    """A line withdrawn is `CONSENT_REVOKED`, and everything else stays as it was."""
    stopped = [one | ({"state": "withdrawn"} if one["category"] == "S02" else {}) for one in C1]

    decision = engines.decide(engine, annette(consents=stopped))

    assert rows(decision) == {**ROWS, ("socialcenter", "S02", ANNETTE): ("withhold", (), ("CONSENT_REVOKED",), ())}
