"""Breach files by themselves: which grounds for silence hold after which risk, and where the clock stops."""

from datetime import UTC, datetime, timedelta

import pytest

from broker.domain.breaches import ASSESSED, RISKS, Breach, Note

KNOWN = datetime(2019, 3, 4, 12, tzinfo=UTC)


def a_file(*notes: str) -> Breach:
    """Make a file with what is always written, and these notes, one an hour; a risk is an assessment."""
    kinds = ("facts", "effects", "measures", *notes)
    rows = (
        Note(at, ASSESSED, KNOWN + timedelta(hours=at), "h", more={"risk": kind}) if kind in RISKS
        else Note(at, kind, KNOWN + timedelta(hours=at), "h") for at, kind in enumerate(kinds, 1)
    )  # fmt: skip
    return Breach("b", "korsbaek", KNOWN, KNOWN, "h", tuple(rows))


@pytest.mark.parametrize(("notes", "missing", "stopped"), [
    ("none not_notified not_told", (), 5),
    # A ground of before the risk was seen is none.
    ("none not_told high", ("notified", "told"), None),
    ("not_told high notified", ("told",), 6),
    ("none not_notified not_told risk none", ("notified", "told"), None),
    ("none not_notified risk none not_notified not_told", (), 8),
    ("risk notified not_told high", ("told",), 5),
    # To say the same risk again changes nothing, and neither does a second ground.
    ("none not_notified not_told none", (), 5),
    ("none not_notified not_notified not_told", (), 5),
    # What was told was told, whatever is seen later.
    ("risk notified told none", (), 5),
    ("risk notified told high notified", (), 5),
])  # fmt: skip
def test_a_ground_holds_for_the_risk_it_was_written_of(
    notes: str, missing: tuple[str, ...], stopped: int | None
) -> None:
    """What is missing, and the hour at which the clock stopped, by what was written in which order."""
    found = a_file(*notes.split())
    assert found.missing == missing
    assert found.stopped_at == (None if stopped is None else KNOWN + timedelta(hours=stopped))
    assert (found.refuses("closed") == "") == (not missing)
