"""Ranking: each sign speaks where it should and is silent beside it, and what was shown makes room for others."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from broker.domain.accesses import Access, access_of
from broker.domain.days import DANISH_TIME
from broker.domain.directory import Delegation
from broker.domain.ranking import Past, Ranked, day_ranking, rank
from broker.domain.receipts import Receipt
from broker.domain.relations import NothingKnown, Relation
from broker.domain.sightings import EXPLAINS, TESTS
from broker.oversight.signs import TABLE, load_rules

LOG = "test.example/log/korsbaek/2019"
MONDAY = date(2019, 3, 4)
RULES = load_rules()
LONG_AGO = 1_000_000_000


def seconds(day: date, hour: int, minute: int = 0) -> int:
    """Give a Danish moment in seconds."""
    return int(datetime.combine(day, time(hour, minute), DANISH_TIME).timestamp())


def an_access(entry: int = 0, **changes: Any) -> Access:
    """Make an access of a Monday morning that nothing is to be said of."""
    plain = Access(LOG, entry, seconds(MONDAY, 9, entry % 60), "lene", "jobcentre", "korsbaek", f"citizen-{entry}",
                   f"case-{entry}", "job", "released", ("consent",), (), ("S01",), ("social",),
                   emergency=False)  # fmt: skip
    return replace(plain, **changes)


class Told:
    """Registers that say of each pair what a test wants, and of all others that the case is their own."""

    def __init__(self, **of_citizens: Relation) -> None:
        self.of_citizens = of_citizens
        self.asked: list[tuple[str, str]] = []

    def between(self, actor: str, citizen: str, at: int, asked: int) -> Relation:
        """Say what the test wants."""
        assert at <= asked
        self.asked.append((actor, citizen))
        return self.of_citizens.get(citizen.replace("-", "_"), Relation(named_from=LONG_AGO))


def the_day(*accesses: Access, past: Past | None = None, **told: Relation) -> dict[int, Ranked]:
    """Rank one day; give what was ranked by entry."""
    found = day_ranking(accesses, Past() if past is None else past, RULES, Told(**told))
    return {one.access.entry: one for one in found}


def spoke(access: Access, relation: Relation, *beside: Access) -> tuple[str, ...]:
    """Say which signs spoke of an access under a relation."""
    found = the_day(access, *beside, **{access.citizen.replace("-", "_"): relation})
    return found[access.entry].spoke if access.entry in found else ()


NO_CASE, OWN = Relation(named_from=0), Relation(named_from=LONG_AGO)
AT = an_access().at


@pytest.mark.parametrize(("sign", "relation", "beside"), [
    ("no_case", NO_CASE, OWN),
    ("no_case", NO_CASE, Relation(named_from=0, team=True)),
    ("no_case", NO_CASE, Relation()),
    ("case_ended", replace(OWN, named_to=AT), replace(OWN, named_to=AT + 1)),
    ("case_after", Relation(named_from=AT + 60), Relation(named_from=AT)),
    ("case_brief", Relation(named_from=AT - 60, named_to=AT + 60), replace(OWN, named_to=AT + 60)),
    ("colleague", replace(OWN, colleague=True), OWN),
    ("same_surname", replace(OWN, same_surname=True), replace(OWN, same_surname=False)),
    ("same_address", replace(OWN, same_address=True), OWN),
    ("family", replace(OWN, family=True), OWN),
    ("vip", replace(NO_CASE, vip=True), replace(OWN, vip=True)),
    ("recorder_gains", replace(OWN, recorder_gains=True), OWN),
])  # fmt: skip
def test_what_registers_say(sign: str, relation: Relation, beside: Relation) -> None:
    """A relation speaks, and its nearest neighbour does not."""
    assert sign in spoke(an_access(), relation)
    assert sign not in spoke(an_access(), beside)


@pytest.mark.parametrize(("sign", "changes", "beside"), [
    ("outside_hours", {"at": seconds(MONDAY, 2)}, {"at": seconds(MONDAY, 18, 59)}),
    ("outside_hours", {"at": seconds(date(2019, 4, 18), 10)}, {"at": seconds(date(2019, 4, 17), 10)}),
    ("outside_hours", {"at": seconds(date(2019, 3, 9), 10)}, {"at": seconds(date(2019, 3, 8), 10)}),
    ("emergency", {"emergency": True}, {}),
    ("kin_refused", {"reasons": ("SELF_OR_RELATED",)}, {"reasons": ("NO_CONSENT",)}),
    ("vip_refused", {"reasons": ("VIP_NO_GROUNDS",)}, {}),
    ("no_case_refused", {"reasons": ("NO_CASE_RELATION",)}, {}),
    ("delegation_refused", {"reasons": ("NO_DELEGATION",)}, {}),
    ("foreign", {"municipality": "skovlund"}, {"municipality": "korsbaek"}),
])  # fmt: skip
def test_what_the_row_says(sign: str, changes: dict[str, Any], beside: dict[str, Any]) -> None:
    """A field of the index row speaks, and its nearest neighbour does not."""
    assert sign in spoke(an_access(**changes), OWN)
    assert sign not in spoke(an_access(**beside), OWN)


def test_asked_only_and_used_later_that_day() -> None:
    """Who asked whether they may, of no case of theirs, and never used it is named; one used later that day is not."""
    asked = an_access(outcome="evaluated", citizen="one")
    used = an_access(5, citizen="one", at=asked.at + 600)
    assert "asked_only" in spoke(asked, NO_CASE)
    assert "asked_only" not in spoke(asked, NO_CASE, used)


def test_many_an_hour_many_tries_one_case() -> None:
    """25 citizens an hour, three refused ones and one case number for three speak; one fewer of each does not."""
    busy = [an_access(entry, case="") for entry in range(25)]
    assert "many_an_hour" in the_day(*busy)[24].spoke
    assert not the_day(*busy[:24])
    refused = [an_access(entry, outcome="refused", case="") for entry in range(3)]
    assert "denied_tries" in the_day(*refused)[2].spoke
    assert not the_day(*refused[:2])
    shared = [an_access(entry, case="same") for entry in range(3)]
    assert "one_case_for_many" in the_day(*shared)[2].spoke
    assert not the_day(*shared[:2])


def days_of(count: int, **changes: Any) -> Iterator[tuple[date, Access]]:
    """Give an access to the same citizen on each of some days."""
    for number in range(count):
        day = MONDAY + timedelta(number)
        yield day, an_access(number, citizen="ex", at=seconds(day, 10), **changes)


def test_again_and_again_alone() -> None:
    """On the third day of looking at somebody without a case it speaks; not where a colleague looks at them too."""
    alone, beside = Past(), Past()
    for day, access in days_of(3):
        found = the_day(access, past=alone, ex=NO_CASE)
        colleague = replace(access, entry=90, actor="bo", at=seconds(day, 9))
        shared = the_day(access, colleague, past=beside, ex=NO_CASE)
    assert "again_alone" in found[2].spoke
    assert "again_alone" not in shared[2].spoke


def test_a_case_that_came_after_the_look() -> None:
    """A case that begins after they first looked without one is named when they look again under it."""
    past, (first, again) = Past(), [access for _, access in days_of(2)]
    the_day(first, past=past, ex=NO_CASE)
    assert "case_after" in the_day(again, past=past, ex=Relation(named_from=first.at + 3600))[1].spoke


def test_a_case_that_was_taken_away_again_is_found_a_week_later() -> None:
    """An access under a young case is asked about again: where the case proved brief, it stands on that day's list."""
    past, at = Past(), seconds(MONDAY, 10)
    access = an_access(7, citizen="date", at=at)
    assert not the_day(access, past=past, date=Relation(named_from=at - 600))
    later = an_access(8, at=seconds(MONDAY + timedelta(7), 9))
    found = the_day(later, past=past, date=Relation(named_from=at - 600, named_to=at + 3 * 3600))
    assert found[7].spoke == ("case_brief",)
    assert past.again == {}


def test_far_more_than_the_unit_is_used_to() -> None:
    """Looks at one citizen far beyond what the unit is used to speak, also where the case is one's own."""
    past = Past()
    for number in range(20):
        day = MONDAY + timedelta(number)
        honest = [an_access(100 * number + n, at=seconds(day, 9, n), citizen=f"c{number}-{n}") for n in range(40)]
        mine = [an_access(100 * number + 50 + n, at=seconds(day, 11, n), actor="bo", citizen="ex") for n in range(3)]
        found = the_day(*honest, *mine, past=past)
    assert any("more_than_usual" in one.spoke for one in found.values())
    assert all(one.access.citizen == "ex" for one in found.values() if "more_than_usual" in one.spoke)


def test_several_without_a_case_look_at_one() -> None:
    """The third who looks at one citizen in a week without a case is named, and an own case explains it."""
    past = Past()
    for number, actor in enumerate(("a", "b", "c")):
        day = MONDAY + timedelta(number)
        access = an_access(number, actor=actor, citizen="vip", at=seconds(day, 10), unit=f"unit-{actor}")
        found = the_day(access, past=past, vip=NO_CASE)
    assert "crowd" in found[2].spoke
    own = an_access(9, actor="d", citizen="vip", at=seconds(MONDAY + timedelta(3), 10), unit="unit-d")
    assert "crowd" not in the_day(own, past=past, vip=replace(OWN, same_surname=True))[9].spoke


def test_a_strange_unit_and_a_strange_purpose() -> None:
    """Who has long worked in one unit for one purpose is named in another; a newcomer is not."""
    past = Past()
    for number in range(3):
        day = MONDAY + timedelta(number)
        the_day(*[an_access(n, at=seconds(day, 9, n)) for n in range(24)], past=past)
    strange = an_access(99, at=seconds(MONDAY + timedelta(3), 9), unit="school", purpose="school")
    assert {"strange_unit", "strange_purpose"} <= set(the_day(strange, past=past)[99].spoke)
    assert not the_day(replace(strange, actor="new"), past=past)


def test_a_known_explanation_is_named_and_counts_nothing() -> None:
    """What the team on duty does is left out, and the reader sees which sign was left out and why."""
    duty = Relation(named_from=0, team=True, covering=True, same_surname=True)
    found = the_day(an_access(), citizen_0=duty)[0]
    assert found.spoke == ("same_surname",)
    assert ("no_case", "covering") in found.explained


class Reopening(Told):
    """Registers that know of a case that was opened again a while after the first try."""

    def between(self, actor: str, citizen: str, at: int, asked: int) -> Relation:
        """Name the caseworker from three minutes past nine on."""
        return Relation(named_from=seconds(MONDAY, 9, 3))


def test_a_refused_try_is_explained_by_being_let_in_later_that_day() -> None:
    """Who is refused, put on the case and let in is judged by what was handed out; one who never was is not."""
    refused = an_access(1, outcome="refused", citizen="back", reasons=("NO_CASE_RELATION",))
    let_in = an_access(4, citizen="back")
    asked_again = an_access(4, citizen="back", outcome="refused", reasons=("NO_CONSENT",))
    next_day = replace(let_in, at=let_in.at + 86_400)

    def ranked(*day: Access) -> dict[int, Ranked]:
        return {one.access.entry: one for one in day_ranking(day, Past(), RULES, Reopening())}

    assert ranked(refused, let_in) == {}
    assert "no_case_refused" in ranked(refused, asked_again)[1].spoke
    past = Past()
    assert "no_case_refused" in day_ranking([refused], past, RULES, Reopening())[0].spoke
    assert "case_after" in day_ranking([next_day], past, RULES, Reopening())[0].spoke


def test_a_relation_is_of_the_access_itself() -> None:
    """A second access of the day is judged by what stood at its own moment, not at the first one's."""
    before, after = an_access(1, citizen="back"), an_access(5, citizen="back")
    found = {one.access.entry: one for one in day_ranking([before, after], Past(), RULES, Reopening())}
    assert "no_case" in found[1].spoke
    assert 5 not in found


def test_who_is_on_duty_explains_the_night() -> None:
    """A night on the rota is no sign; the citizen without a case is one all the same."""
    at_night = {"at": seconds(MONDAY, 2)}
    assert "outside_hours" not in spoke(an_access(**at_night), replace(OWN, covering=True, colleague=True))
    assert spoke(an_access(**at_night), replace(NO_CASE, covering=True, team=False))[:1] == ("no_case",)


def test_a_unit_that_works_at_night_explains_the_night() -> None:
    """Once a unit has been seen to work at night, its nights speak no more; another unit's do."""
    past = Past()
    for week in range(4):
        monday = MONDAY + timedelta(7 * week)
        the_day(*[an_access(n, at=seconds(monday, 2, n % 60), unit="homecare", actor=f"a{n}") for n in range(140)],
                past=past)  # fmt: skip
    monday = MONDAY + timedelta(28)
    home = an_access(1, at=seconds(monday, 2), unit="homecare", actor="x")
    office = an_access(2, at=seconds(monday, 2), actor="y")
    assert set(the_day(home, office, past=past)) == {2}


def test_a_day_shows_each_employee_once_and_what_was_shown_rests() -> None:
    """The day's reviews are of as many employees; the next day the same pair for the same sign stands behind others."""
    past, rules = Past(), replace(RULES, reviews_a_day=2)
    one = [an_access(n, actor="a", citizen="x", at=seconds(MONDAY, 9, n)) for n in range(3)]
    two = [an_access(9, actor="b", citizen="y", at=seconds(MONDAY, 10))]
    told = Told(x=Relation(named_from=0, family=True), y=Relation(named_from=0))
    found = day_ranking([*one, *two], past, rules, told)
    assert [ranked.access.actor for ranked in found[:2]] == ["a", "b"]
    next_day = [replace(access, entry=access.entry + 50, at=access.at + 86400) for access in (one[0], two[0])]
    third = an_access(80, actor="c", citizen="z", at=seconds(MONDAY + timedelta(1), 11))
    again = day_ranking(
        [*next_day, third], past, rules, Told(x=Relation(named_from=0, family=True), y=NO_CASE, z=NO_CASE)
    )
    assert again[0].access.actor == "c"


def test_the_order_of_the_day_changes_nothing() -> None:
    """The same day, handed in backwards, gives the same list; nothing of a citizen is in it but their handle."""
    day = [an_access(n, at=seconds(MONDAY, 3, n), actor=f"a{n % 4}", citizen=f"c{n % 7}") for n in range(30)]
    forward, backward = (day_ranking(list(d), Past(), RULES, NothingKnown()) for d in (day, reversed(day)))
    assert forward == backward
    assert forward


def test_memory_is_bounded_by_the_days_remembered() -> None:
    """Half a year of a steady unit is remembered in no more than the days that the table names."""
    past = Past()
    for number in range(190):
        day = MONDAY + timedelta(number)
        day_ranking([an_access(n, at=seconds(day, 9, n), citizen=f"{number}-{n}", case=f"{number}-{n}")
                     for n in range(10)], past, RULES, Told())  # fmt: skip
    most = (RULES.remember_days + 8) * 10
    assert max(len(past.pairs), len(past.together), len(past.cases)) <= most
    assert len(past.crowds) <= 80
    assert sum(map(len, past.again.values())) == 0


def test_rank_gives_each_days_first() -> None:
    """Over several days, what `rank` gives are each day's reviews, the weightiest first."""
    found = rank([access for _, access in days_of(5, outcome="refused")], RULES, Told(ex=NO_CASE))
    assert len(found) == 5
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_an_empty_day_is_empty() -> None:
    """A day without accesses ranks nothing and remembers nothing."""
    past = Past()
    assert day_ranking([], past, RULES, Told()) == []
    assert past == Past()


def test_every_row_has_its_look_and_every_look_its_row(tmp_path: Path) -> None:
    """The table names each thing that the code looks at, and a row that nothing looks at is refused."""
    assert RULES.signs.keys() == TESTS.keys()
    assert RULES.explanations.keys() == EXPLAINS.keys()
    for change in ({"id": "score_of_citizen"}, {"explained_by": ["nobody"]}, {"expected": 0}, {"source": ""}):
        told = json.loads(TABLE.read_text(encoding="utf-8"))
        told["signs"][0] |= change
        bent = tmp_path / "signs.json"
        bent.write_text(json.dumps(told), encoding="utf-8")
        with pytest.raises(ValueError, match="a sign"):
            load_rules(table=bent)


def test_an_index_row_becomes_an_access() -> None:
    """What the row does not have is empty, and its place is the receipt's."""
    row = {"at": 7, "kind": "outcome", "citizen": "c", "actor": "a", "municipality": "korsbaek", "unit": "u",
           "purpose": "p", "case": "k", "outcome": "refused", "reasons": ["NO_CONSENT"],
           "emergency": False}  # fmt: skip
    made = access_of(Receipt(LOG, 4), row)
    assert (made.log, made.entry, made.at, made.reasons, made.basis) == (LOG, 4, 7, ("NO_CONSENT",), ())


@pytest.mark.parametrize(("giver", "receiver", "first", "last", "explained"), [
    ("skovlund", "korsbaek", 20190304, 20190304, True),
    ("skovlund", "korsbaek", 20190305, 99991231, False),
    ("skovlund", "korsbaek", 0, 20190303, False),
    ("korsbaek", "skovlund", 0, 99991231, False),
])  # fmt: skip
def test_an_agreement_explains_on_its_days_alone(
    giver: str, receiver: str, first: int, last: int, explained: bool
) -> None:
    """Whoever acts for another municipality is no stranger to it: while the agreement runs, and that way round."""
    agreement = Delegation("d", giver, receiver, ("15.*",), first, last)
    rules = replace(RULES, agreements=(agreement,), homes={"jobcentre": "korsbaek"})
    foreign = an_access(log="test.example/log/skovlund/2019", outcome="released")
    found = day_ranking([foreign], Past(), rules, Told())

    assert any("foreign" in one.spoke for one in found) != explained
