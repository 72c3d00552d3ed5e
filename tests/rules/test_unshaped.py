"""What the check of a question's shape refuses first, the rules refuse too: unknown means no, also in the second line.

Each row is a question that no broker puts. One of a kind nobody foresaw must not open what its fault lies beside.
"""

from typing import Any

import pytest

from broker.adapters.policy_answer import contract
from broker.domain.errors import PolicyBroken
from tests.model.engines import RULES, TABLES, Engines, opa_on_path
from tests.model.questions import ANNETTE, BO, block, key, line, person, question, role

S01 = key("socialcenter", "S01")
SAID = [line("socialcenter", "S01")]
Row = tuple[dict[str, Any], list[str]]


def s01(**parts: Any) -> dict[str, Any]:
    """Ask for S01, with Annette's consent."""
    return question(S01, **{"consents": SAID, **parts})


TABLE: dict[str, Row] = {
    "a role whose name is a number": (s01(caller={"roles": [role(name=5)]}), ["ROLE_KLE"]),
    "a role that a number delegated, where the case is another's": (
        s01(caller={"roles": [role(delegated_from=5)]}, case={"caseworker_on_case": False}), ["ROLE_KLE"],
    ),
    "a role of no known level": (s01(caller={"roles": [role(sensitivity=None)]}), ["ROLE_SENSITIVITY"]),
    "a role of no readable level, beside one of the level": (
        s01(caller={"roles": [role(), role(sensitivity="4")]}), [],
    ),
    "nobody knows which municipality asks, nor where the citizen lives": (
        s01(caller={"municipality": None}, subjects=[person(ANNETTE, municipality=None)]), ["NO_DELEGATION"],
    ),
    "nobody knows the day": (s01(today=None), ["PURPOSE_MISMATCH"]),
    "nobody knows from which day of the data": (s01(ask={"data_from": None}), ["OUT_OF_SCOPE_PERIOD"]),
    "no readable last day of the data": (s01(ask={"data_to": "20191231"}), ["OUT_OF_SCOPE_PERIOD"]),
    "a yes from no known day of the data": (s01(consents=[{**SAID[0], "data_from": None}]), ["OUT_OF_SCOPE_PERIOD"]),
    "a yes to no readable day of the data": (
        s01(consents=[{**SAID[0], "data_to": "20191231"}]), ["OUT_OF_SCOPE_PERIOD"],
    ),
    "a block of nobody in particular": (s01(blocks=[block(5)]), ["BLOCKED_BY_CITIZEN"]),
    "another person's block of an unreadable source": (s01(blocks=[block(BO, source=5)]), ["BLOCKED_BY_CITIZEN"]),
    "another person's block of an unreadable category": (s01(blocks=[block(BO, category=5)]), ["BLOCKED_BY_CITIZEN"]),
    "another person's block of an unreadable unit": (s01(blocks=[block(BO, unit=5)]), ["BLOCKED_BY_CITIZEN"]),
}  # fmt: skip


@pytest.mark.parametrize("engine", ["embedded", "opa"])
def test_the_rules_alone(engines: Engines, engine: str) -> None:
    """Past the check, each row ends as it says; the one that is given is so on what can be read."""
    if engine == "opa":
        opa_on_path()

    ended = {name: [verdict["reasons"] for verdict in engines.raw(engine, asked)] for name, (asked, _) in TABLE.items()}

    assert ended == {name: [reasons] for name, (_, reasons) in TABLE.items()}


@pytest.mark.parametrize("name", TABLE)
def test_no_row_gets_so_far(name: str) -> None:
    """The check of the shape refuses each row before any rule is asked."""
    with pytest.raises(PolicyBroken):
        contract(RULES, TABLES).refuse_bad(TABLE[name][0])
