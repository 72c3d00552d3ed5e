"""The bench's own sums: what it says of the figures it gathers must be right, whatever the machine is like."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest
from jsonschema import ValidationError

from bench.chart import chart
from bench.figures import Figures, percentile_99
from bench.goals import BUSY, goals
from bench.machine import Machine
from bench.memory import lines, slope
from bench.page import figures_of, joined, page
from bench.plan import FULL, QUICK, TLS_BROKER, cases_of
from bench.report import told

BROKERS = ("broker", "broker, embedded engine")


def made_up(rate: float = 500.0) -> Figures:
    """Figures of two rounds, as if measured: every target of every case answers `rate` times a second."""
    figures = Figures(QUICK, cases_of(QUICK, BROKERS, tls=True), rounds=2)
    for case in figures.cases:
        for target in case.targets:
            for name, value in (("rate", rate), ("p50", 5.0), ("p99", 9.0), ("cpu own", 2.0), ("cpu load", 0.5)):
                for _ in range(2):
                    figures.add(case.name, target, name, value=value)
    figures.facts["noise"] = None
    return figures


def test_ratios_are_made_round_by_round() -> None:
    """A slow round is slow for both, and its ratio the same: medians of rounds divided would hide that."""
    figures = made_up()
    for one, other in ((10.0, 20.0), (1.0, 2.0)):
        figures.add("x", "one", value=one)
        figures.add("x", "other", value=other)

    assert figures.ratio(("x", "one"), ("x", "other")) == [0.5, 0.5]


def test_an_outcome_becomes_rate_and_percentiles_in_milliseconds() -> None:
    """The load tells seconds; a reader wants asks a second and milliseconds."""
    figures = Figures(QUICK, ())
    outcome: dict[str, Any] = {"seconds": 2.0, "took": [0.001, 0.002, 0.003], "faults": {"503": 1}}

    figures.answers("case", "target", outcome=outcome)

    assert figures.of("case", "target", "rate") == [1.5]
    assert figures.of("case", "target", "p50") == [pytest.approx(2.0)]
    assert dict(figures.faults) == {"target, case: 503": 1}


def test_one_answer_is_its_own_percentile() -> None:
    """A crowd on a slow machine may be answered once in a round; that round still counts."""
    assert percentile_99([7.0]) == 7.0


def test_every_wait_and_crowd_is_compared_with_the_floor() -> None:
    """Source at once and of 20 ms, registers of 0 and 10 ms, at 1, 16 and 64 callers: each beside a floor."""
    cases = cases_of(FULL, BROKERS, tls=True)

    assert {(case.source_ms, case.registers_ms, case.callers) for case in cases} == {
        (source, registers, callers) for source in (0, 20) for registers in (0, 10) for callers in (1, 16, 64)
    }
    assert all("floor" in case.targets and "broker" in case.targets for case in cases)


def test_the_direct_call_of_a_case_is_one_that_was_made() -> None:
    """Where registers wait, the source alone is not asked again: the case named beside it must be one where it was."""
    cases = cases_of(FULL, BROKERS, tls=False)
    asked = {case.name for case in cases if "direct" in case.targets}

    assert {case.direct for case in cases} <= asked


@pytest.mark.parametrize(("rate", "reached"), [(399.9, (False, False)), (400.0, (True, False)), (1000.0, (True, True))])
def test_a_goal_is_reached_at_its_figure_and_not_below(rate: float, reached: tuple[bool, bool]) -> None:
    """The goals are the design's, to the figure."""
    found = [goal.reached for goal in goals(made_up(rate)) if goal.what == "asks a second, 16 at once"]

    assert tuple(found) == reached


def test_the_goals_are_about_the_production_shape() -> None:
    """With a proxy here the goals are judged behind TLS, not by the quicker node without it."""
    figures = made_up()
    figures.series[BUSY, TLS_BROKER, "rate"] = [300.0, 300.0]

    assert not next(goal for goal in goals(figures) if goal.what == "asks a second, 16 at once").reached


def test_what_was_not_measured_is_no_goal() -> None:
    """A goal without a figure is left out, never filled in."""
    assert not any("decision" in goal.what or "pages" in goal.what for goal in goals(made_up()))


def test_the_figures_fit_their_schema_and_what_does_not_is_refused() -> None:
    """Machines read it: a figure that is no number, or an unknown fact, is said at once."""
    assert told(made_up())["version"] == 2
    odd = made_up()
    odd.facts["hearsay"] = 1
    with pytest.raises(ValidationError):
        told(odd)


def test_the_picture_is_whole_and_escapes_what_it_names() -> None:
    """The chart is well-formed XML with a figure beside each bar, for light and dark."""
    figures = made_up()
    figures.facts["profile"] = {"1": {"steps": {"a <b> & c": {"wall": 2.5, "sql": 1.0, "http": 0.0}}}}
    drawn = chart(figures)

    texts = [node.text or "" for node in ET.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")]
    assert "a <b> & c" in texts
    assert any(text.startswith("2.50 ms, 1 statements") for text in texts)
    assert "prefers-color-scheme: dark" in drawn


def test_growth_is_told_from_noise() -> None:
    """A level that wavers has no slope; one that creeps has, whatever single samples do."""
    asks = [1000 * number for number in range(1, 21)]
    wavering = [50_000 + (number % 2) * 300 for number in range(20)]
    creeping = [one + 40 * number for number, one in enumerate(wavering)]
    level, growth = slope(asks, wavering), slope(asks, creeping)

    assert level is not None
    assert abs(level["median"]) < 5
    assert growth is not None
    assert growth["median"] == pytest.approx(40, abs=5)
    assert slope(asks[:3], wavering[:3]) is None


def test_what_memory_did_is_said_with_its_spread() -> None:
    """The lines name asks, what stood first and last, and the slope with its quartiles."""
    row = {"median": 1.5, "low": -0.5, "high": 3.0, "first_kb": 100_000, "last_kb": 101_000}
    found = {"asks": [9000, 10_000], "seconds": 120.0, "warm_up_asks": 2000, "own": row, "children": None}

    assert "10,000 asks in 2 minutes" in lines(found)[0]
    assert "+1.5 kB a thousand asks" in lines(found)[1]


def test_a_machine_that_others_use_is_called_noisy() -> None:
    """Absolute figures beside others' work mean little, so the bench says it; a quiet machine gets no word."""
    noisy = Machine({}, {}, None, None, 0, frozenset(), others=[0.4, 0.5], spins=[10.0, 10.1])
    quiet = Machine({}, {}, None, None, 0, frozenset(), others=[0.01], spins=[10.0, 11.0])

    assert noisy.noise() == "noisy machine: others took 45% of the cores"
    assert quiet.noise() is None


def test_the_page_is_written_from_the_record_alone() -> None:
    """What is on the page is what was told: goals with the floor beside them, and every target asked."""
    record = told(made_up(123.0)) | {"measured_on": "2026-01-02"}
    written = page(figures_of(record), record)

    assert "| asks a second, 16 at once | ≥ 400 /s | 123.00 /s | no | 123.00 /s |" in written
    assert "Measured on 2026-01-02" in written
    assert "16 at once, broker behind TLS" in written


def test_a_look_at_memory_is_kept_beside_newer_rounds() -> None:
    """Memory is measured by itself, for longer: neither run may wipe out the other's figures."""
    rounds = told(made_up())
    memory = told(Figures(QUICK, ())) | {"facts": {"memory": {"asks": [1]}}}

    first = joined(joined(None, rounds), memory)
    second = joined(first, told(made_up(7.0)))

    assert first["facts"]["memory"] == second["facts"]["memory"] == {"asks": [1]}
    assert first["figures"] == rounds["figures"] != second["figures"]
