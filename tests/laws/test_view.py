"""What holds for the view of any items: sums, order, and that findings speak of nothing that was not given."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from broker.domain.items import KINDS, NEEDS, STATUSES, Item, ItemPerson, LawRef, Visit
from broker.domain.personal import Personal
from broker.view.codes import DEMANDS
from broker.view.finding import Finding
from broker.view.texts import finding_text, suggestion
from broker.view.week import IsoWeek
from broker.view.weeks import week_view
from broker.view.whole_person import View, whole_person
from tests.unit.view.annette import ANNETTE, TODAY, VIKTOR, a_directory, an_item, weekly

DAYS = st.sampled_from([None, 20181231, 20190101, 20190301, TODAY, 20190311, 20190331, 20200101])
VISITS = st.builds(
    Visit, st.integers(0, 1439), st.integers(0, 1440), st.integers(1, 7), st.sampled_from([None, TODAY, 20190310])
)
PEOPLE = st.builds(
    ItemPerson, st.sampled_from(["helper", "child", "contact"]), st.sampled_from([None, Personal("A"), Personal("B")])
)
ITEMS = st.builds(
    an_item,
    st.sampled_from(sorted(KINDS)),
    source=st.sampled_from(["jobcentre", "social_centre", "elsewhere"]),
    category=st.sampled_from(["B03", "B04", "S01", "F01", "H01", "K03", "P03", "Y01"]),
    subject=st.sampled_from([ANNETTE, VIKTOR]),
    from_day=DAYS,
    to_day=DAYS,
    people=st.lists(PEOPLE, max_size=2).map(tuple),
    law=st.lists(st.builds(LawRef, st.sampled_from(["LAB", "SEL"]), st.just("§ 85")), max_size=1).map(tuple),
    need=st.sampled_from([None, *sorted(NEEDS)[:3]]),
    limits=st.sampled_from([(), ("d415",), ("d430", "d450")]),
    demands=st.sampled_from([(), ("staaende",), tuple(sorted(DEMANDS))]),
    visits=st.lists(VISITS, max_size=3).map(tuple),
    topic=st.sampled_from([None, "angst", "angst,ryg", "ryg"]),
    status=st.sampled_from([None, *sorted(STATUSES)]),
    plan_type=st.sampled_from([None, "min_plan", "rehab_forberedende_del"]),
    decision=st.sampled_from([None, Personal("D-1")]),
)
SOME_ITEMS = st.lists(ITEMS, max_size=6).map(tuple)
WEEKS = st.sampled_from([IsoWeek(2018, 52), IsoWeek(2019, 1), IsoWeek(2019, 10), IsoWeek(2019, 13)])


def view_of(items: tuple[Item, ...]) -> View:
    """Make the view of some items, with nobody to coordinate."""
    return whole_person(items, (), a_directory(), TODAY)


def pointed_at(finding: Finding, items: tuple[Item, ...]) -> tuple[object, ...]:
    """Say what a finding says, with each index replaced by the item itself, so that order drops out."""
    names = frozenset(id(items[index]) for index in finding.items)
    stretches = tuple(
        (one.weekday, one.start_minute, one.end_minute, one.helpers, frozenset(id(items[index]) for index in one.items))
        for one in finding.stretches
    )
    facts = tuple(sorted(finding.figures.items()))
    return finding.rules, names, facts, frozenset(finding.codes), finding.weeks, stretches, finding.from_day


@given(items=SOME_ITEMS, week=WEEKS)
def test_the_union_is_never_more_than_the_sum(items: tuple[Item, ...], week: IsoWeek) -> None:
    """Minutes with somebody there are at most all helpers' minutes, and the figures agree with one another."""
    found = week_view(items, week, TODAY).overlap

    assert found.union_minutes <= found.total_minutes
    assert found.excess_minutes == found.total_minutes - found.union_minutes >= 0
    assert 0 <= found.three_or_more_minutes <= found.two_or_more_minutes <= found.union_minutes <= 7 * 1440
    assert found.excess_minutes >= found.two_or_more_minutes + found.three_or_more_minutes
    assert sum(one.end_minute - one.start_minute for one in found.stretches) == found.two_or_more_minutes


@given(items=SOME_ITEMS, more=ITEMS, week=WEEKS)
def test_one_more_item_never_lowers_a_figure(items: tuple[Item, ...], more: Item, week: IsoWeek) -> None:
    """What is added adds minutes or leaves them; nothing an item tells takes another's time away."""
    before, after = (week_view(given, week, TODAY).overlap.figures for given in (items, (*items, more)))

    assert all(before[name] <= after[name] for name in before)


@settings(max_examples=40)
@given(items=st.lists(ITEMS, max_size=4).map(tuple))
def test_the_order_of_items_does_not_matter(items: tuple[Item, ...]) -> None:
    """Sources may answer in any order: the same findings are made of the same items."""
    expected = sorted(map(str, (pointed_at(finding, items) for finding in view_of(items).findings)))

    for other in permutations(items):
        assert sorted(map(str, (pointed_at(finding, other) for finding in view_of(other).findings))) == expected


@given(items=SOME_ITEMS)
def test_findings_speak_of_given_items_only(items: tuple[Item, ...]) -> None:
    """Each finding points into the given items, names their sources and no other, and is new."""
    for finding in view_of(items).findings:
        assert finding.items
        assert set(finding.items) <= set(range(len(items)))
        assert set(finding.sources) == {items[index].source for index in finding.items}
        assert {index for one in finding.stretches for index in one.items} <= set(finding.items)
        assert {id(one) for one in finding.decisions} <= {id(items[index].decision) for index in finding.items}
        assert finding.state == "new"


@given(items=SOME_ITEMS, bpa=ITEMS)
def test_personal_assistance_changes_no_figure(items: tuple[Item, ...], bpa: Item) -> None:
    """BPA and sanctions stand outside: with or without them, the same figures and findings (C40, B04)."""
    visits = weekly("00:00", "24:00", 1, 2, 3, 4, 5, 6, 7)
    outside = (replace(bpa, kle="27.39.20", visits=visits), replace(bpa, category="B04", visits=visits))
    alone, together = view_of(items), view_of((*items, *outside))

    assert [week.overlap for week in together.weeks] == [week.overlap for week in alone.weeks]
    assert together.findings == alone.findings
    assert (together.areas, together.employment) == (alone.areas, alone.employment)


@given(items=SOME_ITEMS)
def test_every_finding_can_be_said(items: tuple[Item, ...]) -> None:
    """Whatever is found has a sentence and a suggestion in both languages, and never speaks of excess."""
    for finding in view_of(items).findings:
        for language in ("da", "en"):
            said = f"{finding_text(finding, language)} {suggestion(finding, language)}"
            assert said[0].isupper() or said[0].isdigit()
            assert said.endswith(".")
            assert not {"{", "excess", "overskydende", "dobbeltydelse"} & set(said.lower().split())


@given(items=SOME_ITEMS)
def test_one_area_gets_no_look_across(items: tuple[Item, ...]) -> None:
    """With fewer than two areas at work there are no weeks and no findings; plans and people stay (C12)."""
    view = view_of(items)

    assert view.reduced == (len(view.areas) < 2)
    assert view.reduced == (view.weeks == ())
    assert not (view.reduced and view.findings)
