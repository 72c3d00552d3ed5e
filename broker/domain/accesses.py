"""One access, as the index row of its outcome tells it: what supervision counts, draws and ranks.

What is not in the index is not in it: no body is opened to make one, and nobody is named but by handles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from broker.domain.receipts import Receipt


@dataclass(frozen=True, slots=True)
class Access:
    """An outcome on a log: where it stands, when (seconds), who (handle) looked at whom (handle), and what came of it.

    `municipality` is the one whose log it stands on; the unit may be another's.
    """

    log: str
    entry: int
    at: int
    actor: str
    unit: str
    municipality: str
    citizen: str
    case: str
    purpose: str
    outcome: str
    basis: tuple[str, ...]
    reasons: tuple[str, ...]
    categories: tuple[str, ...]
    sources: tuple[str, ...]
    emergency: bool


def access_of(receipt: Receipt, row: Mapping[str, Any]) -> Access:
    """Read an access from an outcome's index row."""

    def text(name: str) -> str:
        return str(row.get(name, ""))

    def texts(name: str) -> tuple[str, ...]:
        return tuple(row.get(name, ()))

    return Access(
        log=receipt.log,
        entry=receipt.index,
        at=int(row["at"]),
        actor=text("actor"),
        unit=text("unit"),
        municipality=text("municipality"),
        citizen=text("citizen"),
        case=text("case"),
        purpose=text("purpose"),
        outcome=text("outcome"),
        basis=texts("basis"),
        reasons=texts("reasons"),
        categories=texts("categories"),
        sources=texts("sources"),
        emergency=bool(row.get("emergency", False)),
    )
