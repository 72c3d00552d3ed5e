"""How logs stand, and their checks, as JSON: sizes, moments, codes and places on the log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from broker.domain.integrity import Cosigned, OpenAsk, Run, Standing
from broker.web.consent_wire import moment


def standing_body(one: Standing, now: datetime) -> dict[str, Any]:
    """Lay out one log as it stands, with what is an alarm now."""
    return {
        "log": one.log,
        "municipality": one.municipality,
        "year": one.year,
        "size": one.size,
        "grown_at": _maybe(one.grown_at),
        "signed_size": one.signed_size,
        "signed_at": _maybe(one.signed_at),
        "published_size": one.published_size,
        "published_at": _maybe(one.published_at),
        "published_root": one.published_root,
        "waited_seconds": None if one.waited_seconds is None else max(0, int(one.waited_seconds)),
        "limit_seconds": int(one.limit_seconds),
        "witnesses": [_witness(witness) for witness in one.witnesses],
        "quorum": one.quorum and {"least": one.quorum.least, "of": one.quorum.members, "met": one.quorum.met},
        "open_asks": one.open_count,
        "open_ask_lines": [_open_ask(ask) for ask in one.open_asks],
        "kept_back": one.kept_back,
        "still_kept_back": one.overdue,
        "last_check": None if one.last is None else run_body(one.last),
        "alarms": list(one.alarms(now)),
    }


def run_body(run: Run) -> dict[str, Any]:
    """Lay out one check: who began it in which role, how far it is, what it found."""
    return {
        "id": run.id,
        "municipality": run.municipality,
        "log": run.log,
        "role": run.role,
        "begun_at": moment(run.begun_at),
        "state": run.state,
        "done": run.done,
        "total": run.total,
        "ended_at": _maybe(run.ended_at),
        "size": run.size,
        "signed_size": run.signed_size,
        "intact": None if run.size is None else run.found == 0,
        "found": run.found,
        "faults": list(run.faults),
        "lawfully_deleted": run.deleted,
        "why": run.why or None,
    }


def _witness(one: Cosigned) -> dict[str, Any]:
    return {"name": one.name, "at": _maybe(one.at), "checked": one.judged}


def _open_ask(one: OpenAsk) -> dict[str, Any]:
    return {"log": one.receipt.log, "index": one.receipt.index, "at": moment(one.at), "unit": one.unit}


def _maybe(at: datetime | None) -> str | None:
    return None if at is None else moment(at)
