"""P6 as a law over pairs of worlds, over real PostgreSQL: what the asker may not learn changes nothing they could see.

A pair is one world and the same with more drawn into it that the asker may not learn. Equal are the answer with its
headers, every call to sources, case registers and policy, and every statement. What may differ is said here and held
to: where a child's data is asked for in a case of one's own, how many calls go to the CPR register and how many entries
are written; and how large the values are that go along.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.domain.facts import RegisterRepresentative
from demo.postgres import PrivatePostgres
from tests.builders import CASE, FAMILY, HEALTH, JOB, PURPOSE, SCHOOL, SOCIAL, STRANGER
from tests.evaluations import EVALUATIONS, RESOURCE_SEARCH
from tests.shadow_worlds import FAR, HOME, Line, No, Seen, Watched, World, watched

PLACES = [
    (SOCIAL, "S01"), (SOCIAL, "S02"), (SOCIAL, "S03"), (HEALTH, "H01"), (HEALTH, "H03"), (FAMILY, "F01"),
    (FAMILY, "F02"), (SCHOOL, "K01"), (SCHOOL, "K02"),
]  # fmt: skip
SOURCES = sorted({source for source, _ in PLACES})
CHILDS = ("F", "K")
OURS = ("jobcentre", PURPOSE, CASE)
PATHS = st.sampled_from(["/v1/exchange", "/v1/views", EVALUATIONS, RESOURCE_SEARCH])
GUARDIAN = (RegisterRepresentative(STRANGER, "guardian_6", ("economic", "personal")),)
# What a register may tell of a child of whom nobody spoke.
LOTS: list[dict[str, Any]] = [
    {}, {"born": 20020920}, {"born": 19990920}, {"born": None}, {"custody": ()}, {"dead_on": 20180101},
    {"representatives": GUARDIAN}, {"protected": True}, {"protected": None}, {"municipality": "0998"}, {"known": False},
]  # fmt: skip
# And of the citizen, where no line of theirs lets anything out.
OWN_LOTS: list[dict[str, Any]] = [
    {"representatives": GUARDIAN},
    {"born": None},
    {"protected": True},
    {"protected": None},
]
# To somebody else, for something else, from another case: no line of ours.
ELSEWHERE: list[dict[str, str]] = [
    {"unit": "family-centre"}, {"purpose": "stoette_til_familien"}, {"case": "JC-2018-0001"},
    {"unit": "far-social-centre", "municipality": FAR}, {"municipality": FAR},
]  # fmt: skip
ENTRIES = 2
YOUNG, GROWN_UP = 20060920, 20010304
SOME = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@dataclass(frozen=True)
class Pair:
    """Two worlds, what is asked in both, and how; `alike` where they differ in no person and no reason on the log."""

    one: World
    other: World
    wish: dict[str, Any]
    path: str
    alike: bool = False


@pytest.fixture(scope="module")
def seen_in(postgres: PrivatePostgres) -> Iterator[Callable[..., Seen]]:
    """Give a way to ask in a world."""
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        stack = AsyncExitStack()
        house: Watched = runner.run(stack.enter_async_context(watched(postgres, Path(folder))))
        try:
            yield lambda *asked: runner.run(house.seen(*asked))
        finally:
            runner.run(stack.aclose())


def facts(told: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Write facts as a value."""
    return tuple(told.items())


@st.composite
def lines(draw: st.DrawFn) -> tuple[Line, ...]:
    """Draw what the citizen said yes to here, for themself and for the first child; some of it is past."""
    places = draw(st.lists(st.sampled_from(PLACES), unique=True, max_size=6))
    states = st.sampled_from(["granted", "granted", "granted", "withdrawn", "past"])
    return tuple(
        Line(int(category[0] in CHILDS), source, category, draw(states), year=draw(st.booleans()))
        for source, category in places
    )


@st.composite
def wishes(draw: st.DrawFn) -> dict[str, Any]:
    """Draw how narrowly is asked."""
    wish: dict[str, Any] = {}
    if draw(st.booleans()):
        wish["sources"] = draw(st.lists(st.sampled_from([JOB, *SOURCES]), unique=True, min_size=1))
    if draw(st.booleans()):
        categories = sorted({category for _, category in PLACES} | {"B01"})
        wish["categories"] = draw(st.lists(st.sampled_from(categories), unique=True, min_size=1))
    if draw(st.booleans()):
        wish[draw(st.sampled_from(["data_from", "data_to"]))] = draw(st.sampled_from(["2018-12-31", "2019-01-01"]))
    return wish


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    """Draw a world, and the same with one to four things more that the asker may not learn."""
    said = draw(lines())
    spoken = any(line.whose for line in said)
    one = World(children=((),) if spoken or draw(st.booleans()) else (), lines=said)
    other, alike = one, True
    for hide in draw(st.lists(st.sampled_from(HIDDEN), min_size=1, max_size=4)):
        other, same = hide(draw, one, other)
        alike = alike and same
    path = draw(PATHS)
    # A search names no place.
    wish = {} if path == RESOURCE_SEARCH else draw(wishes())
    if not asked(wish) or path == RESOURCE_SEARCH:
        # What goes out of the unit's own data is masked where the address is protected, and so tells it.
        other = replace(other, citizen=())
    if draw(st.booleans()):
        one, other = other, one
    return Pair(one, other, wish, path, alike)


def asked(wish: dict[str, Any]) -> list[tuple[str, str]]:
    """Name the places that are asked of what is not the unit's own."""
    sources, categories = (wish.get(name) for name in ("sources", "categories"))
    return [
        (source, category)
        for source, category in PLACES
        if source in (sources or [source]) and category in (categories or [category])
    ]


def live(world: World) -> set[tuple[str, str]]:
    """Name the places of which a line holds."""
    return {(line.source, line.category) for line in world.lines if line.state == "granted"}


def other_records(draw: st.DrawFn, one: World, other: World) -> tuple[World, bool]:
    """Let sources hold nothing of what no line opens."""
    closed = [place for place in PLACES if place not in live(one)]
    gone = draw(st.frozensets(st.sampled_from(closed)))
    return replace(other, without_records=other.without_records | gone), True


def lines_elsewhere(draw: st.DrawFn, one: World, other: World) -> tuple[World, bool]:
    """Let the citizen say yes to somebody else, for something else or from another case."""
    source, category = draw(st.sampled_from(PLACES))
    whose = int(category[0] in CHILDS and bool(one.children and other.children))
    line = Line(whose, source, category, **draw(st.sampled_from(ELSEWHERE)))
    return replace(other, lines=(*other.lines, line)), True


def another_child(draw: st.DrawFn, one: World, other: World) -> tuple[World, bool]:
    """Let there be one more child of whom nobody spoke."""
    return replace(other, children=(*other.children, facts(draw(st.sampled_from(LOTS))))), False


def another_lot(draw: st.DrawFn, one: World, other: World) -> tuple[World, bool]:
    """Let the child of whom nobody spoke be another, or none."""
    if any(line.whose for line in one.lines):
        return other, True
    keep = draw(st.booleans()) or any(line.whose for line in other.lines) or any(no.whose for no in other.noes)
    return replace(other, children=(facts(draw(st.sampled_from(LOTS))),) * int(keep)), False


def standing_no(draw: st.DrawFn, one: World, other: World) -> tuple[World, bool]:
    """Let a no stand against what no line opens."""
    closed = [place for place in PLACES if place not in live(one)]
    source, category = draw(st.sampled_from(closed))
    noes = [No(0, source, None, category)]
    noes += [No(0, source)] * (source not in {s for s, _ in live(one)})
    noes += [No(0, unit="jobcentre"), No(0)] * (not live(one))
    no = draw(st.sampled_from(noes))
    whose = draw(st.integers(0, min(len(other.children), len(one.children))))
    return replace(other, noes=(*other.noes, replace(no, whose=whose))), False


def another_citizen(draw: st.DrawFn, one: World, other: World) -> tuple[World, bool]:
    """Let the citizen of whom nothing is let out be under guardianship, protected or of unknown age."""
    if live(one):
        return other, True
    return replace(other, citizen=facts(draw(st.sampled_from(OWN_LOTS)))), False


def old_records(draw: st.DrawFn, one: World, other: World) -> tuple[World, bool]:
    """Let sources hold older records where the line reaches over this year alone, or where no line opens anything."""
    whole = {(line.source, line.category) for line in one.lines if line.state == "granted" and not line.year}
    old = draw(st.frozensets(st.sampled_from([place for place in PLACES if place not in whole] or [(SOCIAL, "S05")])))
    return replace(other, old_records=other.old_records | old), True


Hide = Callable[[st.DrawFn, World, World], tuple[World, bool]]
HIDDEN: list[Hide] = [other_records, lines_elsewhere, another_child, another_lot, standing_no, another_citizen]
HIDDEN += [old_records]


def as_said(world: World, seen: Seen, wish: dict[str, Any]) -> bool:
    """Say exactly what follows the number of children: calls to the CPR register, and entries where they are asked of.

    What a child's entry tells stands under that child's own key, so there is one for each who is not of age.
    """
    children = [f"child {place}" for place in range(1, 1 + len(world.children))]
    spoken_of = {
        line.whose for line in world.lines if (line.municipality, line.unit, line.purpose, line.case) == (HOME, *OURS)
    }
    touched = [
        place
        for place, child in enumerate(world.children, start=1)
        if place in spoken_of or (dict(child).get("born", YOUNG) or YOUNG) > GROWN_UP
    ]
    if not world.on_case or not any(category[0] in CHILDS for _, category in asked(wish)):
        return seen.people == ("citizen",) and seen.entries == ENTRIES
    return seen.people == ("citizen", *children) and seen.entries == ENTRIES + len(touched)


@SOME
@given(pair=pairs())
def test_what_the_asker_may_not_learn_changes_nothing(seen_in: Callable[..., Seen], pair: Pair) -> None:
    """Answers, calls and statements are equal in both worlds, and what may differ does so as it is said."""
    one, other = (seen_in(world, pair.wish, pair.path) for world in (pair.one, pair.other))

    assert one.shown() == other.shown()
    if pair.alike:
        assert one.alike() == other.alike()
    assert as_said(pair.one, one, pair.wish)
    assert as_said(pair.other, other, pair.wish)


@SOME
@given(pair=pairs(), lines_wanted=st.lists(st.sampled_from(PLACES), unique=True, min_size=1, max_size=4))
def test_asking_for_consent_tells_nothing(
    seen_in: Callable[..., Seen], pair: Pair, lines_wanted: list[tuple[str, str]]
) -> None:
    """Whether a citizen has children, and who may say yes for them, cannot be told from asking for consent."""
    wanted = [{"source": source, "category": category} for source, category in lines_wanted]
    wish = {"to": "2019-12-31", "lines": wanted}

    one, other = (seen_in(world, wish, "/v1/consent-requests") for world in (pair.one, pair.other))

    assert (one.status, one.headers, one.body) == (other.status, other.headers, other.body)


@pytest.mark.parametrize("place", [(FAMILY, "F01"), (SCHOOL, "K02"), (SOCIAL, "S01")])
def test_asking_for_consent_tells_nothing_of_a_child(seen_in: Callable[..., Seen], place: tuple[str, str]) -> None:
    """Each lot of a child, two children and none: the request is made, and looks the same."""
    wish = {"to": "2019-12-31", "lines": [{"source": place[0], "category": place[1]}]}
    worlds = [World(), World(children=((), ())), *(World(children=(facts(lot),)) for lot in LOTS)]

    seen = [seen_in(world, wish, "/v1/consent-requests") for world in worlds]

    assert {one.status for one in seen} == {201}
    assert len({(one.headers, one.body) for one in seen}) == 1


@st.composite
def any_world(draw: st.DrawFn) -> World:
    """Draw a citizen who is no case of ours, known to the register or not: children, consents, noes and all."""
    known = draw(st.booleans())
    children = tuple(facts(lot) for lot in draw(st.lists(st.sampled_from(LOTS), max_size=3))) if known else ()
    said = tuple(line for line in draw(lines()) if line.whose <= len(children))
    noes = (No(0, draw(st.sampled_from(SOURCES))),) if draw(st.booleans()) else ()
    own: list[dict[str, Any]] = [*OWN_LOTS, {}, {"dead_on": 20180101}, {"municipality": "0998"}, {"municipality": None}]
    return World(known, False, facts(draw(st.sampled_from(own))), children, said, noes)


@SOME
@given(one=any_world(), other=any_world(), wish=wishes(), path=PATHS)
def test_without_a_relation_nothing_is_learnt(
    seen_in: Callable[..., Seen], one: World, other: World, wish: dict[str, Any], path: str
) -> None:
    """Of a citizen who is no case of ours nothing can be told: not what they are, nor that they are at all."""
    wish = {} if path == RESOURCE_SEARCH else wish
    first, second = (seen_in(world, wish, path) for world in (one, other))

    assert first.status == (403 if path.startswith("/v1/") else 200)
    # Sizes of values differ in nothing but the reason's own: the consent lines' sources are named in the entry's index.
    assert replace(first, sizes=()) == replace(second, sizes=())
    assert as_said(one, first, wish)


AGAINST_A_YES: list[World] = [
    World(noes=(No(0, SOCIAL),)),
    World(noes=(No(0, None, None, "S01"),)),
    World(noes=(No(0, None, "jobcentre"),)),
    World(noes=(No(0),)),
    World(noes=(No(0, SOCIAL), No(0, HEALTH))),
    World(citizen=facts({"representatives": GUARDIAN})),
    World(citizen=facts({"born": None})),
]


@pytest.mark.parametrize("hidden", AGAINST_A_YES[1:])
def test_which_hidden_fact_stands_against_a_yes_is_not_told(seen_in: Callable[..., Seen], hidden: World) -> None:
    """Where a yes was given and nothing goes out, it cannot be told which of the hidden facts holds it back."""
    yes = (Line(0, SOCIAL, "S01"),)

    one, other = (seen_in(replace(world, lines=yes), {}) for world in (AGAINST_A_YES[0], hidden))

    assert one.shown() == other.shown()


def test_the_law_sees_a_shadow(seen_in: Callable[..., Seen]) -> None:
    """What an asker may learn is told apart, so that the comparison is one: a yes, a record, a narrower wish."""
    said = World(lines=(Line(0, SOCIAL, "S01"),))
    base = seen_in(said, {})

    assert base.shown() == seen_in(said, {}).shown()
    for world, wish in (
        (replace(said, lines=()), {}),
        (replace(said, without_records=frozenset({(SOCIAL, "S01")})), {}),
        (replace(said, on_case=False), {}),
        (said, {"sources": [SOCIAL]}),
        (said, {"data_to": "2018-12-31"}),
        (replace(said, old_records=frozenset({(SOCIAL, "S01")})), {}),
        (replace(said, lines=(Line(0, SOCIAL, "S01", year=True),)), {}),
    ):
        assert seen_in(world, wish).shown() != base.shown()


def told_of(seen: Seen) -> dict[str, Any]:
    """Give what an ask for one place told of it: whether, why or why not, under which masks, what would turn it."""
    body = orjson.loads(seen.body)
    rows = [body] if seen.status == 403 else body["verdicts"]
    return {
        "decision": seen.status == 200,
        "basis": sorted({orjson.dumps(basis) for row in rows for basis in row.get("basis", ())}),
        "masks": sorted({mask for row in rows for mask in row.get("masks", ())}),
        "reasons": [reason for row in rows for reason in row.get("reasons", ())],
        "missing": [line for row in rows for line in row.get("missing", ())],
    }


def evaluated(row: dict[str, Any]) -> dict[str, Any]:
    """Give what an evaluation told, in the same form."""
    context = row["context"]
    return {
        "decision": row["decision"],
        "basis": sorted(orjson.dumps(basis) for basis in context.get("basis", ())),
        "masks": [obligation["what"] for obligation in context.get("obligations", ())],
        "reasons": context.get("reasons", []),
        "missing": context.get("missing", []),
    }


@SOME
@given(pair=pairs(), some=st.lists(st.sampled_from(PLACES), unique=True, min_size=1, max_size=3))
def test_an_evaluation_tells_what_an_ask_tells_and_no_more(
    seen_in: Callable[..., Seen], pair: Pair, some: list[tuple[str, str]]
) -> None:
    """Of each of several places an evaluation says just what an ask for that place alone is answered."""
    sources, categories = {source for source, _ in some}, {category for _, category in some}
    wish = {"sources": sorted(sources), "categories": sorted(categories)}
    places = [(s, c) for s in wish["sources"] for c in wish["categories"] if (s, c) in PLACES]

    rows = orjson.loads(seen_in(pair.other, wish, EVALUATIONS).body)["evaluations"]
    asks = [seen_in(pair.other, {"sources": [source], "categories": [category]}) for source, category in places]

    assert [evaluated(row) for row in rows] == [told_of(ask) for ask in asks]
