"""How often the law said no: denials by reason and paragraph, municipality and month, without giving anyone away.

Rules kept here:
- A count below five is told as "fewer than five", whatever it is; a sum is of the counts told, never of those that are
  not, so that nothing can be had by subtraction.
- Only months that have ended are told, and only whole ones: two reports of different days could be subtracted too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

FEWEST = 5


@dataclass(frozen=True, slots=True, order=True)
class Denied:
    """How many asks of a municipality's units a reason held something back from, in one month (`2026-11`)."""

    municipality: str
    month: str
    reason: str
    asks: int


def report(rows: Iterable[Denied], reasons: Mapping[str, Any], this_month: str) -> list[dict[str, Any]]:
    """Lay out the counts, by municipality, month, paragraph and reason; `reasons` are the rows of the law table."""
    told = [_row(row, reasons) for row in rows if row.asks > 0 and row.month < this_month]
    return sorted(told, key=lambda row: (row["municipality"], row["month"], row["paragraph"], row["reason"]))


def _row(row: Denied, reasons: Mapping[str, Any]) -> dict[str, Any]:
    law = reasons.get(row.reason, {})
    return {
        "municipality": row.municipality,
        "month": row.month,
        "reason": row.reason,
        "paragraph": law.get("paragraph", ""),
        "da": law.get("da", ""),
        "en": law.get("en", ""),
        # None: fewer than five.
        "asks": row.asks if row.asks >= FEWEST else None,
    }
