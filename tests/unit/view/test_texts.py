"""What is said of findings and gaps: the sentences themselves, and that they are plain."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from broker.domain.items import NEEDS, Item
from broker.view import phrases
from broker.view.codes import DEMANDS
from broker.view.finding import Finding
from broker.view.findings import findings
from broker.view.gaps import Gap
from broker.view.phrases import Language
from broker.view.texts import (
    computed_without_text,
    day_text,
    finding_text,
    gap_text,
    need_text,
    reduced_text,
    suggestion,
    time_text,
)
from broker.view.week import upcoming
from broker.view.weeks import week_view
from tests.unit.view.annette import LIMITS, PRACTICE, SCENARIO_1, TODAY, an_item, on_day


def said(*items: Item, language: Language = "da") -> list[str]:
    """Say all findings over these items."""
    weeks = tuple(week_view(items, week, TODAY) for week in upcoming(TODAY))
    return [finding_text(finding, language) for finding in findings(items, weeks, TODAY, coordinator_present=True)]


def lix(text: str) -> float:
    """Measure LIX: words a sentence, plus the per cent of words longer than six letters (Björnsson 1968)."""
    words = re.findall(r"[^\W\d_]+", text)
    sentences = max(1, len(re.findall(r"[.!?:](?=\s|$)", text.replace("kl. ", "kl ").replace("stk. ", "stk "))))
    return len(words) / sentences + 100 * sum(len(word) > 6 for word in words) / len(words)


DANISH = [
    "To personer kommer på samme tid mandag og onsdag kl. 7.30–8.00.",
    (
        "Tre personer kommer på samme tid mandag og onsdag kl. 7.30–8.00. "
        "To personer kommer på samme tid mandag og onsdag kl. 7.15–7.30. "
        "To personer kommer på samme tid tirsdag, torsdag og fredag kl. 7.15–8.00. "
        "Det begynder 11. marts 2019."
    ),
    (
        "To indsatser har samme mål: struktur i hverdagen. De er givet efter hver sin lov. "
        "Der er to afgørelser, og man kan klage over dem hver for sig. Det begynder 11. marts 2019."
    ),
    (
        "En aktivitet kræver stående arbejde. Det passer ikke med det, personen kan. Det blev oplyst 27. februar 2019. "
        "Det begynder 1. april 2019."
    ),
    "Der er to planer på samme tid: handleplan og Min plan.",
]
ENGLISH = [
    "Two people come at the same time on Monday and Wednesday 7:30–8:00.",
    (
        "Three people come at the same time on Monday and Wednesday 7:30–8:00. "
        "Two people come at the same time on Monday and Wednesday 7:15–7:30. "
        "Two people come at the same time on Tuesday, Thursday and Friday 7:15–8:00. "
        "It begins on 11 March 2019."
    ),
    (
        "Two kinds of help have the same aim: structure in daily life. They are given under different laws. "
        "There are two decisions, and one can appeal each of them. It begins on 11 March 2019."
    ),
    (
        "An activity demands standing work. That does not fit what the person can do, as told on 27 February 2019. "
        "It begins on 1 April 2019."
    ),
    "There are two plans at the same time: action plan and My plan (jobs).",
]


def test_annettes_findings_are_said_in_danish() -> None:
    """Scenario 1 in plain Danish, word for word."""
    assert said(*SCENARIO_1) == DANISH


def test_annettes_findings_are_said_in_english() -> None:
    """The same in English."""
    assert said(*SCENARIO_1, language="en") == ENGLISH


OTHERS = [
    (
        Finding(("O4",), (0, 1), (), {"assessments": 2, "open": 1, "days_between": 20}, ("angst",)),
        "Der er to udredninger om det samme emne. Den ene er ikke færdig.",
    ),
    (
        Finding(("O4",), (0, 1), (), {"assessments": 2, "open": 2, "days_between": 20}, ("angst",)),
        "Der er to udredninger om det samme emne. Ingen af dem er færdige.",
    ),
    (
        Finding(("O5",), (0, 1), (), {"statements": 3, "requested": 1}),
        (
            "Der er tre erklæringer fra læger om det samme emne med kort tid imellem. "
            "En eller flere er ikke skrevet endnu."
        ),
    ),
    (
        Finding(("O5",), (0, 1), (), {"statements": 2, "requested": 0}),
        "Der er to erklæringer fra læger om det samme emne med kort tid imellem.",
    ),
    (Finding(("O6",), (0, 1), (), {}, ("oekonomi",)), None),
    (Finding(("O7",), (0,), (), {"meetings": 12, "most": 3}), "Der er 12 møder på en uge."),
    (Finding(("O8",), (0, 1), (), {"plans": 2}, ("", "min_plan")), "Der er to planer på samme tid."),
    (Finding(("O9",), (0, 1, 2), (), {"people": 3}), "Tre personer hjælper, men der er ingen, som samler det hele."),
    (
        Finding(("O2",), (0, 1), (), {}, ("noget_nyt",), future=True),
        "To indsatser har samme mål: det samme behov. Der er ikke sat en dag for starten.",
    ),
]


@pytest.mark.parametrize(("finding", "expected"), OTHERS)
def test_each_other_finding_has_its_sentence(finding: Finding, expected: str | None) -> None:
    """Every rule speaks from its codes and figures; unknown codes are never shown raw."""
    told = finding_text(finding, "da")

    assert expected is None or told == expected
    assert "_" not in told
    assert lix(told) <= 40
    assert lix(suggestion(finding, "da")) <= 40


def test_colliding_meetings_are_said_with_their_time() -> None:
    """Two meetings at once are told by day and time, whatever their number in the week."""
    one, other = (an_item("meeting", visits=on_day("10:00", end, 20190312)) for end in ("11:00", "10:45"))

    assert said(one, other) == ["Flere møder ligger på samme tid tirsdag kl. 10.00–10.45. Det begynder 12. marts 2019."]


def test_a_limitation_without_a_day_is_said_without_one() -> None:
    """No day is invented where the source told none."""
    assert said(replace(PRACTICE, from_day=20190101, status="active"), replace(LIMITS, from_day=None)) == [
        "En aktivitet kræver stående arbejde. Det passer ikke med det, personen kan."
    ]


def test_one_stretch_with_changing_helpers_is_said_once() -> None:
    """As many helpers in a row are one stretch to the reader, though one leaves as another comes."""
    long = an_item("visit", visits=on_day("08:00", "10:00", TODAY))
    first, second = (
        an_item("visit", visits=on_day(*times, TODAY)) for times in (("08:00", "09:00"), ("09:00", "10:00"))
    )

    assert said(long, first, second) == ["To personer kommer på samme tid mandag kl. 8.00–10.00."]


@pytest.mark.parametrize("text", [*DANISH, reduced_text("da"), computed_without_text("da")])
def test_danish_is_plain(text: str) -> None:
    """LIX is at most 40, and the word for what is too much is never used."""
    assert lix(text) <= 40
    assert "overskyd" not in text


@pytest.mark.parametrize("code", ["source_silent", "no_employment"])
def test_gaps_are_said(code: str) -> None:
    """Each gap has a plain sentence in both languages."""
    danish, english = (gap_text(Gap(code), language) for language in ("da", "en"))

    assert lix(danish) <= 40
    assert danish != english


def test_every_code_has_its_words() -> None:
    """No need or demand that the house knows is left without words, and each rule has a suggestion."""
    assert phrases.NEEDS.keys() == NEEDS
    assert phrases.DEMANDS.keys() == DEMANDS.keys()
    assert phrases.SUGGESTIONS.keys() == {f"O{number}" for number in range(1, 10)}


def test_days_times_and_needs_read_as_people_write_them() -> None:
    """Danish has points and lower-case months, English colons; a need we do not know is not shown raw."""
    assert (day_text(20190311, "da"), day_text(20190311, "en")) == ("11. marts 2019", "11 March 2019")
    assert (time_text(435, "da"), time_text(435, "en")) == ("7.15", "7:15")
    assert (need_text("angst", "da"), need_text(None, "en")) == ("hjælp til angst", "the same need")
