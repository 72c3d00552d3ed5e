"""Tables for a spreadsheet (RFC 4180, but for the semicolon).

A cell never starts a formula, which a spreadsheet would run, whatever a registry names a unit.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

# Danish spreadsheets split at a semicolon, and know UTF-8 by its mark.
MARK, BETWEEN = "\ufeff", ";"
STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def spreadsheet(headings: Sequence[str], rows: Iterable[Sequence[str | int]]) -> bytes:
    """Write a table; a cell that a spreadsheet would run is text in it."""
    told = io.StringIO(newline="")
    writer = csv.writer(told, delimiter=BETWEEN)
    writer.writerow([_plain(heading) for heading in headings])
    writer.writerows([_plain(cell) for cell in row] for row in rows)
    return (MARK + told.getvalue()).encode()


def _plain(cell: str | int) -> str:
    """Write a cell that a spreadsheet reads as text; a count is what it is."""
    text = str(cell)
    return f"'{text}" if isinstance(cell, str) and text.startswith(STARTS_A_FORMULA) else text
