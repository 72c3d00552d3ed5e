"""Pictures of counts: every length is in the proportion of its count, and nothing is drawn outside the picture."""

from hypothesis import given
from hypothesis import strategies as some

from broker.web.pages.charts import Chart, bars, boxes, columns, punch_card

COUNTS = some.lists(some.integers(0, 10_000), min_size=1, max_size=31)


def inside(chart: Chart) -> bool:
    """Tell whether every rectangle and the beginning of every word lies within the picture."""
    marks = all(
        0 <= mark.x <= mark.x + mark.width <= chart.width and 0 <= mark.y <= mark.y + mark.height <= chart.height
        for mark in chart.marks
    )
    return marks and all(0 <= word.x <= chart.width and 0 <= word.y <= chart.height for word in chart.words)


@given(COUNTS)
def test_columns_are_as_high_as_their_counts(counts: list[int]) -> None:
    """A column of twice the count is twice as high; the last day's label ends within the picture."""
    chart, most = columns([(str(place), count, False) for place, count in enumerate(counts)]), max(*counts, 1)
    assert inside(chart)
    for mark, count in zip(chart.marks, counts, strict=True):
        assert abs(mark.height - 110 * count / most) <= 0.06
    assert (chart.words[-1].text, chart.words[-1].anchor) == (str(len(counts) - 1), "end")


@given(COUNTS)
def test_bars_are_as_long_as_their_counts(counts: list[int]) -> None:
    """A bar of twice the count is twice as long; a label that is too long says that it is cut."""
    chart, most = bars([("x" * 60, count) for count in counts]), max(*counts[:15], 1)
    assert inside(chart)
    for mark, count in zip(chart.marks, counts, strict=False):
        assert abs(mark.width - 240 * count / most) <= 1
    assert all(word.text.endswith("…") for word in chart.words if word.text.startswith("x"))


@given(some.dictionaries(some.tuples(some.integers(1, 7), some.integers(0, 23)), some.integers(1, 10_000)))
def test_a_squares_area_is_its_count(counts: dict[tuple[int, int], int]) -> None:
    """Each hour that has look-ups has its square, by area; one hour never reaches into the next."""
    chart = punch_card(["d"] * 7, counts)
    assert inside(chart)
    assert len(chart.marks) == len(counts)
    for mark, (_, count) in zip(chart.marks, sorted(counts.items()), strict=True):
        assert mark.width == mark.height <= 10
        assert abs(mark.width - max(1.5, 10 * (count / max(counts.values())) ** 0.5)) <= 0.06


def test_a_box_is_filled_as_far_as_its_share() -> None:
    """A month without samples has no box; the others stand under their month."""
    chart = boxes(["2019-01", "2019-02"], [("a", {"2019-02": 0.5}), ("b", {"2019-01": 1.0, "2019-02": 0.0})])
    assert inside(chart)
    assert [(mark.x, mark.share) for mark in chart.marks] == [(22.5, 0.5), (0.5, 1.0), (22.5, 0.0)]


def test_nothing_is_drawn_of_nothing() -> None:
    """Without counts there are no rectangles, and no division by nought."""
    for chart in (columns([]), bars([]), punch_card([], {}), boxes([], [])):
        assert chart.marks == ()
        assert chart.height > 0
