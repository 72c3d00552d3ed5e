"""A decision laid out for a lawyer: per key what ended it, on which paragraph, in Danish and English (P1).

Pure; rests on the tables the decision rested on, so that a sentence is the one of that day. People are named by their
part in the ask (`citizen`, `person-1`), never by handle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from broker.domain.decisions import Basis, Verdict

STAGES = {1: "caller", 2: "case and relation", 3: "purpose", 4: "person", 5: "consent or statute"}
LAWS = ("statutes", "consent_bases")


def explained(
    question: Mapping[str, Any], verdicts: Iterable[Verdict], tables: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Lay out every verdict of a decision, in key order."""
    names = _names(question)
    return [_row(verdict, names, tables) for verdict in verdicts]


def _names(question: Mapping[str, Any]) -> dict[str, str]:
    """Name each person by their part, in the order the question tells of them."""
    citizen = question["ask"]["citizen"]
    handles = [citizen, *(one["handle"] for one in question["subjects"]), *(key["subject"] for key in question["keys"])]
    others = [handle for handle in dict.fromkeys(handles) if handle != citizen]
    return {citizen: "citizen"} | {handle: f"person-{number}" for number, handle in enumerate(others, 1)}


def _row(verdict: Verdict, names: Mapping[str, str], tables: Mapping[str, Any]) -> dict[str, Any]:
    stages = sorted({tables["reasons"][code]["stage"] for code in verdict.reasons})
    return {
        "source": verdict.key.source,
        "category": verdict.key.category,
        "subject": names[verdict.key.subject],
        "verdict": verdict.outcome,
        "own": verdict.own,
        "stage": STAGES[stages[0]] if stages else None,
        "basis": [_basis(basis, tables) for basis in verdict.basis],
        "masks": list(verdict.masks),
        "reasons": [_reason(code, tables) for code in verdict.reasons],
        "shown": [_reason(code, tables) for code in verdict.shown],
        "missing": [{"source": one.source, "category": one.category, "giver": one.giver} for one in verdict.missing],
    }


def _basis(basis: Basis, tables: Mapping[str, Any]) -> dict[str, str]:
    rows = [tables[name][basis.law] for name in LAWS if basis.law in tables.get(name, {})]
    paragraph = rows[0]["paragraph"] if rows else ""
    return {"kind": basis.kind, "id": basis.id, "version": basis.version, "law": basis.law, "paragraph": paragraph}


def _reason(code: str, tables: Mapping[str, Any]) -> dict[str, str]:
    row = tables["reasons"][code]
    return {"code": code, "paragraph": row["paragraph"], "da": row["da"], "en": row["en"]}
