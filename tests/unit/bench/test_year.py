"""The year that supervision is tried on: the same from the same seed, honest work as it claims, and no key in it."""

import ast
from collections import Counter
from dataclasses import fields
from functools import cache
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest

from bench.year.almanac import is_working_day, midnight
from bench.year.kinds import KINDS, WITH, WITHOUT
from bench.year.registers import Registers
from bench.year.size import QUICK, Size
from bench.year.town import HOME, build_town
from bench.year.year import Played, Year
from broker.domain.accesses import Access

SEED = 5
SMALL = Size(citizens=3_000, staff=30, units=8, snoopers=24, days=40)
FOLDER = Path(__file__).parents[3] / "bench" / "year"


@cache
def a_year() -> tuple[Year, tuple[Played, ...]]:
    """Play one small year for all tests that look at it."""
    year = Year(SEED, QUICK)
    return year, tuple(year.days())


def why_of_year() -> Counter[str]:
    """Count why the accesses of the year were made."""
    return Counter(why for played in a_year()[1] for why in played.key.why)


def wrong_accesses() -> list[tuple[Access, int]]:
    """Give every access of a snooper, with the snooper's number."""
    return [
        (access, played.key.snoopers[access.entry])
        for played in a_year()[1]
        for access in played.accesses
        if access.entry in played.key.snoopers
    ]


def print_of(seed: int) -> str:
    """Give one hash of everything a small year holds, the key too."""
    taken = sha256()
    for played in Year(seed, SMALL).days():
        taken.update(repr((played.accesses, played.key)).encode())
    return taken.hexdigest()


def test_a_seed_is_a_year() -> None:
    """The same seed gives the same accesses and the same key, byte for byte; another seed gives others."""
    assert print_of(1) == print_of(1) != print_of(2)


def test_entries_come_in_the_order_of_time() -> None:
    """Entries are numbered once and rise with the moment they were made at, as a log's do."""
    _, days = a_year()
    places = [(access.entry, access.at) for played in days for access in played.accesses]

    assert all(one < other for (one, _), (other, _) in pairwise(places))
    assert all(
        [access.at for access in played.accesses] == sorted(access.at for access in played.accesses) for played in days
    )


def test_honest_work_is_mostly_on_own_cases() -> None:
    """Own cases are most of it; standing in, meetings, wrong numbers and emergencies are there, each in its measure."""
    why = why_of_year()
    total = sum(why.values())
    shares = {name: count / total for name, count in why.items()}

    assert 0.5 < shares["own_case"] < 0.8
    assert 0.01 < shares["on_leave"] < 0.06
    assert 0.03 < shares["team_meeting"] + shares["review"] < 0.2
    assert 0.0005 < shares["wrong_number"] < 0.01
    assert 0.001 < shares["shift"] < 0.05
    assert {"fresh_case", "reopened", "caller", "unit_phone", "emergency"} <= why.keys()


def test_offices_are_closed_on_days_off() -> None:
    """On a day off there is a small share of a working day's accesses, and it is not nothing over the year."""
    _, days = a_year()
    working = [len(played.accesses) for played in days if is_working_day(played.day)]
    free = [len(played.accesses) for played in days if not is_working_day(played.day)]

    assert 0 < sum(free) / len(free) < 0.1 * sum(working) / len(working)


def test_the_broker_refused_what_has_no_case() -> None:
    """A refusal hands nothing out, an answer names a basis, and an emergency is one by its purpose."""
    for played in a_year()[1]:
        for access in played.accesses:
            assert (access.outcome == "refused") == (not access.basis) == (not access.categories)
            assert access.emergency == (access.purpose == "fare_for_liv")
            assert access.municipality == HOME


def test_nobody_handles_their_own() -> None:
    """No honest access is of a caseworker at themself or their household: partiality keeps them apart."""
    year, days = a_year()
    registers = year.registers
    own = {worker.handle: registers.person(worker.handle) for worker in year.staff.people}
    close = {actor: {person, *registers.kin(person)["household"]} for actor, person in own.items()}

    for played in days:
        for access, why in zip(played.accesses, played.key.why, strict=True):
            if access.entry not in played.key.snoopers and why != "wrong_number":
                assert access.citizen not in close[access.actor]


def test_surnames_are_about_as_common_as_in_denmark() -> None:
    """The commonest name is borne by about 4 in 100, and a household lives at one address."""
    town = build_town(SEED, 20_000, 365)
    names = Counter(town.surnames)

    assert 0.03 < names["Nielsen"] / len(town.surnames) < 0.055
    assert 1.8 < len(town.ages) / len(town.members) < 2.5
    assert all(town.address(one) == town.address(other) for one in range(200) for other in town.household(one))


def test_half_of_the_kinds_have_a_live_tie() -> None:
    """Kinds with and without one are as many, at least twelve in all, and each has its own name."""
    assert len(WITH) == len(WITHOUT) >= 6
    assert len({kind.name for kind in KINDS}) == len(KINDS)


def test_live_ties_are_the_registers() -> None:
    """The case register ties live kinds to whom they look at, as they look, and the others seldom."""
    agreed = Counter[bool]()
    for played in (year := Year(SEED, SMALL)).days():
        for access in played.accesses:
            number = played.key.snoopers.get(access.entry)
            if number is not None:
                tied = has_live_tie(year.registers, access)
                agreed[tied == year.snoopers[number].kind.live] += 1

    assert agreed[True] / agreed.total() > 0.9


def has_live_tie(registers: Registers, access: Access) -> bool:
    """Ask the registers whether caseworker or team was on an open case of the citizen's."""
    team = registers.team(access.actor, access.at)
    return any(
        part.since <= access.at < part.until and (part.actor == access.actor or part.team == team)
        for part in registers.parts(access.citizen)
    )


def test_no_access_carries_the_key() -> None:
    """A snooper's access has no value of its own: purpose, outcome, reasons, kinds and sources are honest ones' too."""

    def shape(access: Access) -> tuple[object, ...]:
        kind = access.unit.split("-")[0]
        return kind, access.purpose, access.outcome, access.reasons[:1], access.categories, access.sources

    wrong = {access.entry for access, _ in wrong_accesses()}
    honest = {shape(access) for day in a_year()[1] for access in day.accesses if access.entry not in wrong}
    strange = [access for access, _ in wrong_accesses() if shape(access) not in honest]

    assert {field.name for field in fields(Access)} == set(Access.__slots__)
    assert {access.outcome for access in strange} <= {"refused"}, "what no honest one is refused for is the finding"
    assert len(strange) < 0.1 * len(wrong)


def test_snoopers_do_honest_work_too() -> None:
    """Everybody who snoops does honest work as others do, so that a name alone tells nothing."""
    wrong = Counter(access.actor for access, _ in wrong_accesses())
    every = Counter(access.actor for played in a_year()[1] for access in played.accesses)

    assert len(wrong) >= 20
    assert all(every[actor] - count > 100 for actor, count in wrong.items())


def test_registers_know_nothing_of_tomorrow() -> None:
    """A part in a case is told from the moment it is recorded on, and no answer is of a later day."""
    year = Year(SEED, SMALL)
    seen = 0
    for played in year.days():
        for access in played.accesses[:40]:
            parts = year.registers.parts(access.citizen)
            assert all(part.recorded <= midnight(played.day + 1) for part in parts)
            seen += len(parts)
    assert seen > 1000


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.py")), ids=lambda file: file.name)
def test_the_generator_never_reads_the_ranking(file: Path) -> None:
    """Of the broker the year imports the shape of an access and its days; what ranks is reached by the arms alone."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    ours = {name for name in names if name.split(".")[0] in ("broker", "policies")}

    allowed = {"broker.domain.accesses", "broker.domain.days"}
    if file.name == "page.py":
        allowed.add("broker.adapters.clock_system")
    assert file.name == "ranked.py" or ours <= allowed
