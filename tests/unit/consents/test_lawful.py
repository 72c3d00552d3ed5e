"""Where the law is the basis nobody is asked; where it wants a written yes, an oral one is not kept."""

from __future__ import annotations

import asyncio
import copy
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.consents.desk import TakenYes, record_at_desk
from broker.consents.desk_answer import SaidYes, read_at_desk, yes_at_desk
from broker.consents.lines import Wanted, WantedLine
from broker.consents.request import request_consent
from broker.domain.errors import BadAsk, ConsentNotNeeded
from broker.domain.identity import Caller, Role, System
from broker.domain.laws import REQUIRED
from broker.domain.personal import Personal
from tests.builders import CASE, CITIZEN, HEALTH, JOB, REGISTRY, SOCIAL, SmallHouse, a_caller, a_house

SICKNESS, PAY = "sygedagpengeopfoelgning", "pay"


def house_with_benefits(folder: Path) -> SmallHouse:
    """The small house, and a benefits office that knows which benefits somebody has."""
    raw: dict[str, Any] = copy.deepcopy(REGISTRY)
    raw["units"][PAY] = raw["units"]["jobcentre"] | {"kind": "benefits"}
    raw["sources"][PAY] = raw["sources"][JOB] | {"unit": PAY, "reads": {"Y01": {}}}
    return asyncio.run(a_house(folder, units=raw["units"], sources=raw["sources"]))


def wanted(purpose: str, *lines: tuple[str, str]) -> Wanted:
    """Want these lines, for a year."""
    return Wanted(CITIZEN, purpose, Personal(CASE), tuple(WantedLine(*line) for line in lines), 20200303)


def test_nobody_is_asked_for_what_a_statute_gives(tmp_path: Path) -> None:
    """Which benefits somebody has, for sickness benefit: RSL § 11 a, stk. 2 gives it, so no yes is asked for.

    Line by line: what takes a yes may be asked for, but not together with what does not.
    """
    house = house_with_benefits(tmp_path)

    for lines in ([(PAY, "Y01")], [(PAY, "Y01"), (HEALTH, "H01")]):
        with pytest.raises(ConsentNotNeeded) as caught:
            asyncio.run(request_consent(str(uuid.uuid4()), wanted(SICKNESS, *lines), a_caller(), house.ports))
        assert caught.value.statute == "RSL-11a-2-sygedagpenge"

    asyncio.run(request_consent(str(uuid.uuid4()), wanted(SICKNESS, (HEALTH, "H01")), a_caller(), house.ports))
    assert [row.category for request in house.consents.requests.values() for row in request.lines] == ["H01"]


def test_the_same_benefits_take_a_yes_for_another_purpose(tmp_path: Path) -> None:
    """For a jobplan no statute gives them: then the citizen is asked."""
    house = house_with_benefits(tmp_path)

    asyncio.run(request_consent(str(uuid.uuid4()), wanted("jobplan", (PAY, "Y01")), a_caller(), house.ports))

    assert len(house.consents.requests) == 1


def test_nobody_is_asked_for_the_units_own(tmp_path: Path) -> None:
    """What the unit itself holds in its own case is not handed over, so no yes is asked for."""
    house = asyncio.run(a_house(tmp_path))

    with pytest.raises(ConsentNotNeeded) as caught:
        asyncio.run(request_consent(str(uuid.uuid4()), wanted("jobplan", (JOB, "B01")), a_caller(), house.ports))

    assert caught.value.statute == "OWN_CASE"


@pytest.mark.parametrize(("form", "line", "kept"), [
    ("oral", (HEALTH, "H01"), False), ("paper", (HEALTH, "H01"), True), ("oral", (SOCIAL, "S01"), True),
])  # fmt: skip
def test_a_written_yes_where_the_law_wants_one(tmp_path: Path, form: str, line: tuple[str, str], kept: bool) -> None:
    """Were SUL to want writing without exception (a row of law, no code), an oral yes to health would not be kept."""
    house = asyncio.run(a_house(tmp_path))
    rows = tuple(
        replace(row, written=REQUIRED) if row.id == "SUL-43-1" else row for row in house.directory.consent_laws
    )
    ports = replace(house.ports, directory=replace(house.directory, consent_laws=rows))
    taken = TakenYes(form, "da", Personal("read aloud and read back"))
    work = record_at_desk(str(uuid.uuid4()), wanted("jobplan", line), taken, a_caller(), ports)

    if kept:
        asyncio.run(work)
    else:
        with pytest.raises(BadAsk) as caught:
            asyncio.run(work)
        assert caught.value.pointer == "/form"
    assert len(house.consents.consents) == int(kept)


@pytest.mark.parametrize(("form", "line", "kept"), [
    ("oral", (HEALTH, "H01"), False), ("paper", (HEALTH, "H01"), True), ("oral", (SOCIAL, "S01"), True),
])  # fmt: skip
def test_so_it_is_where_the_desk_answers_a_request(
    tmp_path: Path, form: str, line: tuple[str, str], kept: bool
) -> None:
    """What the law would have in writing the desk neither offers nor keeps by word of mouth."""
    house = asyncio.run(a_house(tmp_path))
    rows = tuple(
        replace(row, written=REQUIRED) if row.id == "SUL-43-1" else row for row in house.directory.consent_laws
    )
    ports = replace(house.ports, directory=replace(house.directory, consent_laws=rows))
    system, role = System("page", "korsbaek", frozenset({"school-office"})), Role("borgerservice", ("23.*",), 2)
    desk = Caller(system, a_caller(unit="school-office", roles=(role,), cpr=Personal("6604770018")).caseworker)
    made = str(uuid.uuid4())
    asyncio.run(request_consent(made, wanted("jobplan", line), a_caller(), ports))
    reading = asyncio.run(read_at_desk(made, None, "da", CITIZEN, desk, ports))
    said = SaidYes(None, reading.digest, TakenYes(form, "da", Personal("read aloud and read back")))

    assert reading.must_be_written is (line == (HEALTH, "H01"))
    if kept:
        asyncio.run(yes_at_desk(made, said, CITIZEN, desk, ports))
    else:
        with pytest.raises(BadAsk) as caught:
            asyncio.run(yes_at_desk(made, said, CITIZEN, desk, ports))
        assert caught.value.pointer == "/form"
    assert len(house.consents.consents) == int(kept)
