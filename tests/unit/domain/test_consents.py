"""The pure rules of a consent: bounds, days, names, answers."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.consents import (
    EXPIRED,
    GRANTED,
    PARTLY_GRANTED,
    REFUSED,
    REQUESTED,
    Answer,
    ConsentRequest,
    check_purpose,
    check_window,
    last_day_allowed,
    told_of_change,
)
from broker.domain.days import day_of
from broker.domain.directory import Purpose
from broker.domain.errors import BadAsk, ConsentNotNeeded
from broker.domain.facts import ConsentLine
from tests.consent_values import NOON, a_grant, a_line, a_request, withdrawn, yes_to

ANNA, BO, CHILD, CASE = "a" * 32, "b" * 32, "d" * 32, "c" * 32


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (20190301, 20200229),  # domain.md 2.2: a leap day on the way
        (20190101, 20191231),
        (20200229, 20210228),
        (20190228, 20200227),
        (20190302, 20200301),
    ],
)
def test_a_yes_lasts_a_calendar_year_at_most(first: int, last: int) -> None:
    """The last day is the day before the same date next year, however many days that makes."""
    assert last_day_allowed(first) == last
    check_window(first, last)
    with pytest.raises(BadAsk):
        check_window(first, last_day_allowed(first) + 1 if last % 100 < 28 else (last // 100 + 1) * 100 + 1)


@given(st.dates(min_value=day_of(19000101), max_value=day_of(21000101)))
def test_a_year_has_365_or_366_days(day: object) -> None:
    """Whatever the first day, the longest window is one calendar year."""
    number = int(str(day).replace("-", ""))

    assert (day_of(last_day_allowed(number)) - day_of(number)).days + 1 in {365, 366}


@pytest.mark.parametrize(("first", "last"), [(20190302, 20190301), (20190230, 20190301), (20190301, 0), (0, 20190301)])
def test_a_window_that_is_none_is_refused(first: int, last: int) -> None:
    """Days in the wrong order, and days that are none, are refused by name of the field alone."""
    with pytest.raises(BadAsk) as caught:
        check_window(first, last)
    assert caught.value.pointer == "/to"


@pytest.mark.parametrize("named", ["", "*", "alle relevante oplysninger", "S*", "S01,S02", "%", " S01", "S01\n"])
def test_nothing_is_asked_for_without_a_name(named: str) -> None:
    """A wildcard, a list or a sentence names neither a source nor a category."""
    with pytest.raises(BadAsk):
        a_line(ANNA, category=named)
    with pytest.raises(BadAsk):
        a_line(ANNA, source=named)
    with pytest.raises(BadAsk):
        a_request(ANNA, CASE, unit=named)
    with pytest.raises(BadAsk):
        a_grant(ANNA, CASE, purpose=named)


def test_a_consent_has_lines_each_once() -> None:
    """No lines, and the same line twice, are refused."""
    for lines in ((), (a_line(ANNA), a_line(ANNA))):
        with pytest.raises(BadAsk):
            a_request(ANNA, CASE, lines=lines)
        with pytest.raises(BadAsk):
            a_grant(ANNA, CASE, lines=lines, giver=ANNA)


def test_a_purpose_bounds_what_is_asked() -> None:
    """A category beyond the purpose is refused, and where a statute is the basis nothing is asked at all."""
    purpose = Purpose("jobplan", frozenset({"S01"}), True, None, "jobplan", "job plan")
    by_law = replace(purpose, consent=False, statute="RSL-11a-2")

    check_purpose(purpose, [a_line(ANNA)])
    with pytest.raises(BadAsk):
        check_purpose(purpose, [a_line(ANNA), a_line(ANNA, category="H01")])
    with pytest.raises(ConsentNotNeeded) as caught:
        check_purpose(by_law, [a_line(ANNA)])
    assert caught.value.statute == "RSL-11a-2"


def test_a_yes_that_was_not_clicked_needs_evidence() -> None:
    """A paper or oral yes says how it was taken; an unknown form is none."""
    for form in ("paper", "oral", "nod"):
        with pytest.raises(BadAsk):
            a_grant(ANNA, CASE, form=form)


def test_nobody_answers_for_another() -> None:
    """A yes holds only lines of its own giver, and nothing that was not asked."""
    request = a_request(ANNA, CASE, a_line(CHILD, giver=ANNA), a_line(CHILD, giver=BO))

    with pytest.raises(BadAsk):
        a_grant(ANNA, CASE, *request.lines)
    for change in ({"to_day": 20191231, "from_day": 20190201}, {"purpose": "jobplan"}, {"case": "other"}):
        with pytest.raises(BadAsk):
            replace(yes_to(request, ANNA), **change).answers(request)
    assert yes_to(request, ANNA).answers(request) == GRANTED


def _answered(*answers: tuple[str, str | None]) -> ConsentRequest:
    given = tuple(Answer(state, giver, NOON, "online") for state, giver in answers)
    return a_request(ANNA, CASE, a_line(CHILD, giver=ANNA), a_line(CHILD, giver=BO), answers=given)


@pytest.mark.parametrize(
    ("answers", "in_time", "afterwards"),
    [
        ([], REQUESTED, EXPIRED),
        ([(GRANTED, ANNA)], PARTLY_GRANTED, PARTLY_GRANTED),
        ([(REFUSED, ANNA)], REQUESTED, EXPIRED),
        ([(GRANTED, ANNA), (GRANTED, BO)], GRANTED, GRANTED),
        ([(GRANTED, ANNA), (REFUSED, BO)], PARTLY_GRANTED, PARTLY_GRANTED),
        ([(PARTLY_GRANTED, ANNA), (GRANTED, BO)], PARTLY_GRANTED, PARTLY_GRANTED),
        ([(REFUSED, ANNA), (REFUSED, BO)], REFUSED, REFUSED),
        ([(GRANTED, ANNA), (EXPIRED, None)], PARTLY_GRANTED, PARTLY_GRANTED),
        ([(EXPIRED, None)], EXPIRED, EXPIRED),
    ],
)
def test_where_a_request_stands(answers: list[tuple[str, str | None]], in_time: str, afterwards: str) -> None:
    """A request of two givers is what both made of it; unanswered it lapses the day after its last."""
    request = _answered(*answers)

    assert (request.state(request.answer_by), request.state(request.answer_by + 70)) == (in_time, afterwards)


def test_each_is_told_of_what_was_theirs() -> None:
    """The giver hears of every line taken back, the child of its own; whoever lost nothing hears nothing."""
    grant = a_grant(ANNA, CASE, a_line(ANNA), a_line(CHILD, "school", "K01", giver=ANNA))
    events = [withdrawn(grant), withdrawn(grant, subject=CHILD), withdrawn(grant, subject=BO)]
    lines = {line.source: _taken(grant.giver, line.subject, line.source, line.category) for line in grant.lines}

    told = told_of_change(events, [lines["social"], lines["school"]], 2)
    only_own = told_of_change(events, [lines["social"]], 3)

    assert [(event.subject, len(event.lines), event.version) for event in told] == [(ANNA, 2, 2), (CHILD, 1, 2)]
    assert [event.subject for event in only_own] == [ANNA]
    with pytest.raises(ValueError, match="no event"):
        told_of_change(events[2:], [lines["social"]], 2)


def _taken(giver: str, subject: str, source: str, category: str) -> ConsentLine:
    return ConsentLine(
        "l", "c", 1, subject, giver, "self", source, category, "u", "p", "k", 20190301, 20200229, "granted"
    )
