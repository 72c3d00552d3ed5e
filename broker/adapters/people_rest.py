"""A CPR register behind the `People` door: one look-up by number, in the fields of SF1520 PersonBaseDataExtended.

Rules kept here (`design.md` 6.17: unknown custody denies, unknown protection protects):
- An answer that cannot be read in a field that a decision rests on is no answer: `RegisterUnavailable`.
- A holder of custody or a guardian without a number is such a field: leaving them out would ask too few people. So
  is a representative of a kind or for something we do not know.
- CPR itself tells of guardianship by § 6 alone, for everything; § 5 and powers of attorney stand in
  `repraesentanter`, which a register may leave out.
- Protection that is not said, or said two ways, is unknown (None).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from broker.adapters.register_line import RegisterLine
from broker.domain.days import NO_END, day_number
from broker.domain.errors import RegisterUnavailable
from broker.domain.facts import CustodyHolder, RegisterPerson, RegisterRepresentative
from broker.domain.personal import Personal
from broker.domain.representation import (
    ASSISTANT,
    DATA_SHARING,
    ECONOMIC,
    FUTURE_POWER,
    GUARDIAN_5,
    GUARDIAN_6,
    PERSONAL,
    POWER_OF_ATTORNEY,
)

_CPR = re.compile(r"(\d{6})-?(\d{4})", re.ASCII)
_MUNICIPALITY = re.compile(r"\d{1,4}", re.ASCII)
# CPR's person status: dead; not in use as a person (annulled, deleted); no longer resident here.
_DEAD = "90"
_NOBODY = frozenset({"30", "50"})
_GONE = frozenset({"70", "80"})
_CUSTODY_KINDS = frozenset({3, 4, 5, 6})
_MOST_RELATIONS = 100
_REPRESENTATIVES = {
    "vaerge_5": GUARDIAN_5,
    "fremtidsfuldmagt": FUTURE_POWER,
    "fuldmagt": POWER_OF_ATTORNEY,
    "bisidder": ASSISTANT,
}
_SCOPES = {"personlige_forhold": PERSONAL, "oekonomiske_forhold": ECONOMIC, "deling_af_oplysninger": DATA_SHARING}


class PeopleRest(RegisterLine):
    """The CPR register. Settings as `RegisterLine`, and `person_path` (default `/cpr/person`). Open it before use."""

    def __init__(self, name: str, settings: Mapping[str, Any], secrets: Mapping[str, str], **limits: Any) -> None:
        super().__init__(name, settings, secrets, **limits)
        self._path = str(settings.get("person_path", "/cpr/person"))

    async def person(self, cpr: Personal[str]) -> RegisterPerson:
        """Tell what the register knows of a person; `known=False` when it knows none. Raises `RegisterUnavailable`."""
        told = await self.look_up(self._path, {"personnummer": cpr.disclose()})
        if told is None:
            return RegisterPerson(cpr=cpr, known=False)
        try:
            return _person(cpr, told)
        except (ValueError, TypeError, KeyError):
            pass
        raise RegisterUnavailable(self.name)


def _person(cpr: Personal[str], told: Mapping[str, Any]) -> RegisterPerson:
    """Read one record. Raises ValueError, TypeError or KeyError for what cannot be read."""
    status = str(told["status"])
    if status in _NOBODY:
        return RegisterPerson(cpr=cpr, known=False)
    current = _number(told["gaeldendePersonnummer"])
    died = _day(told.get("statusdato"))
    if status == _DEAD and died is None:
        raise ValueError
    return RegisterPerson(
        cpr=cpr,
        known=True,
        born=_day(told.get("foedselsdato")),
        dead_on=died if status == _DEAD else None,
        municipality=None if status in _GONE else _municipality(told["kommunekode"]),
        protected=_protected(told.get("adressebeskyttelse")),
        custody=tuple(_holder(one, _CUSTODY_KINDS) for one in _relations(told["foraeldremyndighed"])),
        children=tuple(dict.fromkeys(_number(one["personnummer"]) for one in _relations(told["boern"]))),
        current_cpr=None if current == cpr else current,
        household=tuple(_number(one["personnummer"]) for one in _relations(told.get("husstand", []))),
        former=tuple(
            number for number in map(_number, _relations(told.get("tidligerePersonnumre", []))) if number != cpr
        ),
        representatives=(*_guardian(told["umyndiggoerelse"]), *map(_representative, _relations(_others(told)))),
    )


def _relations(told: Any) -> list[Any]:
    if not isinstance(told, list) or len(told) > _MOST_RELATIONS:
        raise TypeError
    return told


def _holder(told: Any, kinds: frozenset[int] | None) -> CustodyHolder:
    if not isinstance(told, dict):
        raise TypeError
    kind = int(told.get("type", 0))
    if kinds is not None and kind not in kinds:
        raise ValueError
    begun, ended = _day(told.get("startdato")), _day(told.get("slutdato"))
    return CustodyHolder(_number(told["relationPersonnummer"]), kind, begun or 0, NO_END if ended is None else ended)


def _guardian(told: Any) -> tuple[RegisterRepresentative, ...]:
    if told is None:
        return ()
    held = _holder(told, None)
    return (RegisterRepresentative(held.cpr, GUARDIAN_6, (PERSONAL, ECONOMIC), held.from_day, held.to_day),)


def _others(told: Mapping[str, Any]) -> Any:
    return told.get("repraesentanter", [])


def _representative(told: Any) -> RegisterRepresentative:
    held = _holder({**told, "type": 0}, None)
    scope = tuple(sorted({_SCOPES[name] for name in told["omfang"]}))
    return RegisterRepresentative(held.cpr, _REPRESENTATIVES[told["type"]], scope, held.from_day, held.to_day)


def _number(told: Any) -> Personal[str]:
    parts = _CPR.fullmatch(told)
    if parts is None:
        raise ValueError
    return Personal(parts[1] + parts[2])


def _municipality(told: Any) -> str | None:
    if told is None:
        return None
    if _MUNICIPALITY.fullmatch(told) is None:
        raise ValueError
    return str(told).zfill(4)


def _protected(told: Any) -> bool | None:
    """Tell whether the address is protected; None where the register does not say, or says it two ways."""
    said = told.get("beskyttet") if isinstance(told, dict) else None
    if not isinstance(said, bool):
        return None
    runs_on = told.get("startdato") is not None and told.get("slutdato") is None
    return None if runs_on and not said else said


def _day(told: Any) -> int | None:
    return None if told is None else day_number(date.fromisoformat(told))
