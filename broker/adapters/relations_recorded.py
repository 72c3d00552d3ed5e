"""The door `RelationsOnRecord`: what the registers answered at the moment of the access itself, as the log keeps it.

No number is kept that a register could be asked with again, so what it said then is what is known: whether the
caseworker was named on the citizen's open case, through a team, on a case that is specially protected, or of the
citizen's own family. Surnames, addresses, employment and later cases no register of the broker tells; they are unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from broker.adapters.past_decisions import PastDecisionsPostgres
from broker.domain.kept import NoQuestion, unpacked
from broker.domain.relations import UNKNOWN, Relation

# The register says that they are named on the case, not since when.
SINCE_LONG = 1


class RelationsRecorded:
    """Relations out of the questions that decisions answered."""

    def __init__(self, decisions: PastDecisionsPostgres) -> None:
        self._decisions = decisions

    async def of(self, municipality: str, since: int, until: int) -> OfThatMoment:
        """Read the decisions of a municipality's own asks in some seconds. Raises `StoreUnavailable`."""
        told: dict[tuple[str, str, int], Relation] = {}
        cursor = None
        while True:
            page = await self._decisions.page((municipality,), since=since, until=until, cursor=cursor)
            for past in page.decisions:
                question = None if past.question is None else _read(past.question)
                if question is not None:
                    told[question["caller"]["handle"], past.subject, int(past.at.timestamp())] = _relation(question)
            cursor = page.next
            if cursor is None:
                return OfThatMoment(told)

    async def of_two(
        self, municipality: str, actor: str, citizen: str, since: int, until: int
    ) -> tuple[tuple[datetime, Relation], ...]:
        """List what was told at each access of one caseworker to one citizen in some seconds, the first first."""
        past = await self._decisions.of_two(municipality, actor, citizen, since, until)
        read = [(one.at, None if one.question is None else _read(one.question)) for one in reversed(past)]
        return tuple((at, _relation(question)) for at, question in read if question is not None)


class OfThatMoment:
    """What stood between caseworker and citizen at the moments on record."""

    def __init__(self, told: Mapping[tuple[str, str, int], Relation]) -> None:
        self._told = told

    def between(self, actor: str, citizen: str, at: int, asked: int) -> Relation:  # noqa: ARG002 - the door's shape
        """Tell what was known at the moment; nothing of an access that is not on record."""
        return self._told.get((actor, citizen, at), UNKNOWN)


def _read(packed: str) -> dict[str, Any] | None:
    try:
        question = orjson.loads(unpacked(packed))
        return (
            question if isinstance(question["caller"]["handle"], str) and isinstance(question["case"], dict) else None
        )
    except (NoQuestion, orjson.JSONDecodeError, KeyError, TypeError):
        return None


def _relation(question: Mapping[str, Any]) -> Relation:
    case = question["case"]
    live = bool(case.get("open")) and bool(case.get("concerns_citizen"))
    on_case = live and bool(case.get("caseworker_on_case"))
    named = on_case and bool(case.get("caseworker_named"))
    # A register that was silent said nothing.
    silent = bool(question.get("failed_registers"))
    return Relation(
        named_from=SINCE_LONG if named else None if silent else 0,
        team=None if silent and not on_case else on_case and not named,
        family=bool(question.get("related")) or None,
        vip=bool(case.get("vip")) or None,
    )
