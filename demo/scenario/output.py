"""Played scenarios as JSON (`scenarios/output.schema.json`): every step's full answer, and what did not hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from demo.scenario.play import Performance, Played, entries_of

VERSION = 1


def output_of(performances: Iterable[Performance], broken: Mapping[str, str]) -> dict[str, Any]:
    """Lay out all that was played; `broken` names each file that could not be played, and why."""
    played = list(performances)
    return {
        "version": VERSION,
        "held": sum(one.held for one in played),
        "failed": sum(one.failed for one in played) + len(broken),
        "scenarios": [_performance(one) for one in played],
        "not_played": [{"file": file, "why": why} for file, why in broken.items()],
    }


def _performance(one: Performance) -> dict[str, Any]:
    return {
        "file": str(one.scenario.file),
        "title": one.scenario.title,
        "held": one.held,
        "failed": one.failed,
        "seconds": round(one.seconds, 3),
        "steps": [_step(played) for played in one.steps],
    }


def _step(played: Played) -> dict[str, Any]:
    step, seen = played.step, played.seen
    told: dict[str, Any] = {
        "number": step.number,
        "verb": step.verb,
        "say": step.say,
        "as": step.name,
        "status": seen.reply.status or None,
        "answer": seen.reply.body,
        "page": seen.texts or None,
        "entries": entries_of(seen.entries),
        "calls": {source: list(categories) for source, categories in seen.calls.items() if categories},
        "held": sum(check.held for check in played.checks),
        "differences": played.differences,
    }
    return told
