"""The list of citizens to be written to on paper: CSV, in a file for its owner alone.

Of each the number, once however many notices wait, and the day of the oldest; no address, which no list of ours knows.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path

from broker.adapters.notices_memo import digits_of
from broker.domain.days import DANISH_TIME
from broker.domain.notices import Notice


def write_list(path: Path, listed: Sequence[Notice]) -> None:
    """Write the list, durable; raise OSError."""
    days: dict[str, str] = {}
    for notice in sorted(listed, key=lambda one: one.made_at):
        days.setdefault(digits_of(notice), f"{notice.made_at.astimezone(DANISH_TIME):%Y-%m-%d}")
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\r\n")
    rows.writerow(("cpr", "day"))
    rows.writerows(days.items())
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
        # An old file of that name may have been open to others.
        os.fchmod(file.fileno(), 0o600)
        file.write(text.getvalue().encode())
        file.flush()
        os.fsync(file.fileno())
