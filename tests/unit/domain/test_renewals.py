"""What ends soon."""

import pytest

from broker.domain.renewals import days_left


@pytest.mark.parametrize(
    ("to_day", "left"),
    [(20190404, None), (20190403, 30), (20190305, 1), (20190304, 0), (20190303, None), (99991231, None)],
)
def test_a_yes_ends_soon_in_its_last_thirty_days(to_day: int, left: int | None) -> None:
    """Thirty days before its last day, and on that day; neither earlier nor when it is over."""
    assert days_left(to_day, 20190304) == left
