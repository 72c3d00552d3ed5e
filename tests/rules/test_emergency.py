"""Danger to life as a table: what is unlike a call-out that its holder has granted, and how the key then ends."""

from typing import Any

import pytest

from tests.model.engines import TABLES, Engines
from tests.model.questions import (
    ANNETTE,
    BO,
    LENE,
    NOW,
    TODAY,
    VIKTOR,
    block,
    call_out,
    child,
    emergency,
    key,
    line,
    person,
    role,
    said,
    tables,
)

E01, H06, P02 = key("sundhed", "E01"), key("sundhed", "H06"), key("sundhed", "P02")
GIVEN = ((), ())
NO = ("EMERGENCY_NOT_JUSTIFIED",)
SECOND = 1
HOURS = 4 * 3600
APPROVAL = {"unit": "sundhed", "to_units": ["jobcenter"], "from": 20190101, "to": 20191231}
# One server of OPA for each set of tables would take longer than it tells.
IN_PROCESS = ("embedded", "plain")
FAMILY = {"unit": "familiecenter", "system_units": ["familiecenter"]}
CASE = {"exists": True, "open": True, "concerns_citizen": True, "unit": "jobcenter", "kle": "15.20.04"}


def on_call(**changes: Any) -> dict[str, Any]:
    """Give the asker the on-call role, changed."""
    return {"roles": [role(**{"name": "vagt_akut", "kle": ["29.*"], **changes})]}


def behind(**changes: Any) -> dict[str, Any]:
    """Ask with a request that is unlike the plain one."""
    return emergency(request=call_out(**changes))


def answered(answer: str = "yes", **changes: Any) -> dict[str, Any]:
    """Ask with one answer that is unlike the plain one."""
    return behind(answers=[said(answer, **changes)])


def both(ours: dict[str, Any], changes: dict[str, Any], *keys: dict[str, str], **parts: Any) -> dict[str, Any]:
    """Ask with a request and another one beside it, which is like it but for these changes."""
    return emergency(*keys, emergency=[ours, ours | {"id": "e-2", "answers": [said("yes")]} | changes], **parts)


REQUEST = {
    "the holder said yes": (emergency(), GIVEN),
    "medicine too": (emergency(H06), GIVEN),
    "contact persons too": (emergency(key("sundhed", "P03")), GIVEN),
    "no such request": (emergency(emergency=[]), NO),
    "another request": (behind(id="e-2"), NO),
    "about somebody else": (behind(citizen=BO), NO),
    "of another caseworker": (behind(caseworker=BO), NO),
    "of another unit": (behind(unit="ydelse"), NO),
    "for another call-out": (behind(case="c-999"), NO),
    "about the child, asked of the citizen": (
        emergency(request=call_out(citizen=VIKTOR), subjects=[person(ANNETTE), child()]), NO,
    ),
    "the source was not asked": (behind(sources=["socialcenter"]), NO),
    "for another purpose": (emergency(ask={"purpose": "jobplan"}), NO),
    "for no purpose at all": (emergency(ask={"purpose": "nysgerrighed"}), NO),
    "a citizen nobody knows": (emergency(subjects=[person(ANNETTE, known=False)]), NO),
    "a child of the citizen": (
        emergency(key("sundhed", "E01", VIKTOR), subjects=[person(ANNETTE), child()]), NO,
    ),
    "the child themself": (
        emergency(
            key("sundhed", "E01", VIKTOR), request=call_out(citizen=VIKTOR), ask={"citizen": VIKTOR},
            subjects=[child(VIKTOR, child_of_citizen=False)],
        ),
        GIVEN,
    ),
    "outside the profile": (emergency(key("sundhed", "H01")), ("PURPOSE_MISMATCH",)),
    "a category the source does not hold": (emergency(key("sundhed", "P01")), ("PURPOSE_MISMATCH",)),
    "an ordinary ask may not rest on it": (emergency(ask={"emergency": None}), ("CASE_MISMATCH",)),
}  # fmt: skip
BESIDE = {
    "the yes to another request": (both(call_out(answers=[]), {}), NO),
    "the no to another request": (both(call_out(), {"answers": [said("no")]}), GIVEN),
    "what another request asks for": (both(call_out(sources=["socialcenter"]), {}), NO),
    "the reason of another request": (both(call_out(), {"reason": "LIFE_VISIT"}, P02), NO),
    "a standing yes, from another request on": (
        both(
            call_out(unit="familiecenter", answers=[], requested_at=NOW - HOURS), {"requested_at": NOW}, caller=FAMILY,
        ),
        NO,
    ),
    "a standing yes, from this request on": (
        emergency(request=call_out(unit="familiecenter", answers=[]), caller=FAMILY), GIVEN,
    ),
}  # fmt: skip
ANSWERS = {
    "nobody has answered": (behind(answers=[]), NO),
    "the holder said no": (answered("no"), NO),
    "a no after the yes": (behind(answers=[said("yes"), said("no", at=NOW)]), NO),
    "a no before the yes": (behind(answers=[said("no", at=NOW - 7200), said("yes")]), NO),
    "a no of another unit": (behind(answers=[said("yes"), said("no", unit="socialcenter")]), GIVEN),
    "a yes of another unit": (answered(unit="socialcenter"), NO),
    "the asker's own yes": (answered(by=LENE), NO),
    "the asker's own no ends nothing": (behind(answers=[said("yes"), said("no", by=LENE)]), GIVEN),
    "said this second": (answered(at=NOW), GIVEN),
    "said a second from now": (answered(at=NOW + SECOND), NO),
    "a second before the hours are over": (answered(at=NOW - HOURS + SECOND), GIVEN),
    "when the hours are over": (answered(at=NOW - HOURS), NO),
    "a second yes counts for itself": (behind(answers=[said("yes", at=NOW - HOURS), said("yes")]), GIVEN),
    "our own unit's data": (
        emergency(E01, request=call_out(unit="sundhed"), caller={"unit": "sundhed", "system_units": ["sundhed"]}), NO,
    ),
    "a unit that holds no health data": (
        emergency(
            key("socialcenter", "P02"),
            request=call_out(sources=["socialcenter"], reason="LIFE_VISIT", answers=[said("yes", unit="socialcenter")]),
        ),
        NO,
    ),
    "a unit that goes on no call-outs": (
        emergency(E01, request=call_out(unit="skole"), caller={"unit": "skole", "system_units": ["skole"]}), NO,
    ),
}  # fmt: skip
PLACE = {
    "where the citizen is, for a reason that takes none": (emergency(P02), NO),
    "where the citizen is, to go there": (emergency(P02, request=call_out(reason="LIFE_VISIT")), GIVEN),
    "the same for others' lives": (emergency(P02, request=call_out(reason="OTHERS_VISIT")), GIVEN),
    "a reason that is none": (emergency(P02, request=call_out(reason="BORED")), NO),
    "a protected citizen, to go there": (
        emergency(P02, request=call_out(reason="LIFE_VISIT"), subjects=[person(ANNETTE, protected=True)]), GIVEN,
    ),
    "a protected citizen, for a reason that takes none": (
        emergency(P02, subjects=[person(ANNETTE, protected=True)]), NO,
    ),
}  # fmt: skip
RELAXED = {
    "a citizen of another municipality": (
        emergency(subjects=[person(ANNETTE, municipality="dragsholm")]), GIVEN,
    ),
    "a citizen of another municipality, with a case here": (
        emergency(case={**CASE, "caseworker_on_case": True}, subjects=[person(ANNETTE, municipality="dragsholm")]),
        GIVEN,
    ),
    "a case that is not the asker's": (emergency(case={**CASE, "caseworker_on_case": False}), GIVEN),
    "a closed case": (emergency(case={**CASE, "open": False}), GIVEN),
    "a block does not stand against danger to life": (emergency(blocks=[block()]), GIVEN),
}  # fmt: skip
KEPT = {
    "log-in": (emergency(caller={**on_call(), "nsis": "Low"}), ("NSIS_TOO_LOW",)),
    "employment": (emergency(caller={**on_call(), "employed": False}), ("ROLE_EXPIRED",)),
    "the system speaks for the unit": (emergency(caller={**on_call(), "system_units": ["skole"]}), ("ROLE_KLE",)),
    "the on-call role": (emergency(caller={"roles": [role(kle=["29.*", "15.*"])]}), ("ROLE_KLE",)),
    "the on-call role, also where there is a case": (
        emergency(case=CASE, caller={"roles": [role(kle=["29.*", "15.*"])]}), ("ROLE_KLE",),
    ),
    "its attestation": (emergency(caller=on_call(attested_on=TODAY - 10001)), ("ROLE_EXPIRED",)),
    "its level": (emergency(caller=on_call(sensitivity=2)), ("ROLE_SENSITIVITY",)),
    "the registers": (emergency(failed_registers=["cpr"]), ("SOURCE_UNAVAILABLE",)),
    "the registers, where nobody said yes": (
        emergency(request=call_out(answers=[]), failed_registers=["cpr"]), ("SOURCE_UNAVAILABLE",),
    ),
    "kinship": (emergency(related=True), ("SELF_OR_RELATED",)),
    "death": (emergency(subjects=[person(ANNETTE, dead_on=TODAY)]), ("SUBJECT_DECEASED",)),
    "a consent opens nothing more": (
        emergency(E01, request=call_out(answers=[]), consents=[line("sundhed", "E01", purpose="fare_for_liv")]), NO,
    ),
    "the on-call role gives no ordinary view": (
        emergency(
            key("jobcenter", "B01"), ask={"emergency": None, "purpose": "jobplan"}, emergency=[],
            case={**CASE, "caseworker_on_case": True}, caller=on_call(kle=["15.*"]),
        ),
        ("ROLE_KLE",),
    ),
}  # fmt: skip
TABLE = {
    f"{part}: {name}": row
    for part, rows in (
        ("request", REQUEST), ("beside", BESIDE), ("answers", ANSWERS), ("place", PLACE), ("relaxed", RELAXED),
        ("kept", KEPT),
    )
    for name, row in rows.items()
}  # fmt: skip


def test_every_engine_gives_the_rows_the_same_decision(engines: Engines, engine: str) -> None:
    """Each row's whole decision is the model's (`tools/mutants` counts on it)."""
    assert engines.differing(engine, {name: asked for name, (asked, _) in TABLE.items()}) == []


@pytest.mark.parametrize("name", TABLE)
def test_the_table(engines: Engines, engine: str, name: str) -> None:
    """Each row ends as it says: given on SUL § 43 stk. 2, or withheld for just these reasons."""
    asked, expected = TABLE[name]

    verdict = engines.verdict(engine, asked)

    if expected == GIVEN:
        assert (verdict.released, verdict.reasons) == (True, ())
        assert [basis.id for basis in verdict.basis] == ["SUL-43-2"]
    else:
        assert (verdict.released, verdict.reasons) == (False, expected)


@pytest.mark.parametrize(
    ("approval", "expected"),
    [
        ({}, GIVEN),
        ({"to": TODAY - 1}, NO),
        ({"from": TODAY + 1}, NO),
        ({"from": TODAY, "to": TODAY}, GIVEN),
        ({"to_units": ["skole"]}, NO),
        ({"unit": "socialcenter"}, NO),
    ],
)
def test_a_standing_yes(engines: Engines, approval: dict[str, Any], expected: Any) -> None:
    """A unit's standing yes counts on its days, for the units it names, and for that unit's own sources alone."""
    law = tables(standing_approvals={"s": {**APPROVAL, **approval}})

    verdicts = [engines.verdict(name, behind(answers=[]), law) for name in IN_PROCESS]

    assert {verdict.reasons for verdict in verdicts} == {() if expected == GIVEN else expected}


@pytest.mark.parametrize(
    ("request_", "released"),
    [
        ({"requested_at": NOW}, True),
        ({"requested_at": NOW + SECOND}, False),
        ({"requested_at": NOW - HOURS + SECOND}, True),
        ({"requested_at": NOW - HOURS}, False),
        ({"answers": [said("no")]}, False),
    ],
)
def test_a_standing_yes_counts_from_the_request(engines: Engines, request_: dict[str, Any], released: bool) -> None:
    """A standing yes lasts as long as any, from the moment of the request; a no to the request beats it."""
    law = tables(standing_approvals={"s": APPROVAL})

    verdicts = [engines.verdict(name, behind(**{"answers": [], **request_}), law) for name in IN_PROCESS]

    assert [verdict.released for verdict in verdicts] == [released, released]


@pytest.mark.parametrize(("protected", "reason", "masks"), [
    (False, "LIFE", ()), (True, "LIFE", ("address",)), (None, "LIFE", ("address",)),
    (True, "LIFE_VISIT", ()), (None, "OTHERS_VISIT", ()),
])  # fmt: skip
def test_masks(engines: Engines, engine: str, protected: bool | None, reason: str, masks: tuple[str, ...]) -> None:
    """What tells a protected place is masked, unless the reason is that somebody must go there (domain.md 4.5 b)."""
    asked = emergency(request=call_out(reason=reason), subjects=[person(ANNETTE, protected=protected)])

    assert engines.verdict(engine, asked).masks == masks


def test_an_answer_tells_nothing_of_who_the_number_belongs_to(engines: Engines, engine: str) -> None:
    """Without a yes the known, the unknown, the dead, the protected and the caseworker's own kin look alike."""
    worlds = [
        emergency(E01, request=call_out(answers=[]), subjects=[person(ANNETTE, **who)], related=related)
        for who, related in [
            ({}, False), ({"known": False}, False), ({"dead_on": TODAY}, False), ({"protected": True}, False),
            ({}, True), ({"municipality": None}, False),
        ]
    ]  # fmt: skip

    verdicts = [engines.verdict(engine, world) for world in worlds]

    assert {(verdict.outcome, verdict.shown, verdict.missing, verdict.masks) for verdict in verdicts} == {
        ("withhold", NO, (), ())
    }


def test_the_words_behind_a_reason() -> None:
    """Each reason code and each thing an emergency relaxes says in Danish and English what it means."""
    rule = TABLES["settings"]["emergency"]

    assert all(row["da"] and row["en"] for row in [*rule["reasons"].values(), *rule["relaxed"].values()])
    assert rule["hours"] == HOURS // 3600
