"""A unit's own case system behind the `Cases` door: whose case it is, who works on it, who is employed today.

Only what it says outright is a yes; an answer that cannot be read is no answer (`RegisterUnavailable`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from broker.adapters.register_line import RegisterLine
from broker.domain.days import NO_END, danish_day, day_number
from broker.domain.errors import RegisterUnavailable
from broker.domain.facts import CaseRecord, Employment
from broker.domain.personal import Personal


class CasesRest(RegisterLine):
    """A case system. Settings as `RegisterLine`, and `case_path`, `employee_path`. Open it before use."""

    def __init__(
        self,
        name: str,
        settings: Mapping[str, Any],
        secrets: Mapping[str, str],
        *,
        now: Callable[[], datetime],
        **limits: Any,
    ) -> None:
        super().__init__(name, settings, secrets, **limits)
        self._case_path = str(settings.get("case_path", "/sager/opslag"))
        self._employee_path = str(settings.get("employee_path", "/medarbejdere/opslag"))
        self._now = now

    async def case(self, case: Personal[str], citizen: Personal[str], caseworker: Personal[str]) -> CaseRecord:
        """Tell whether the case is open, is this citizen's, and is this caseworker's or their team's, today.

        Raises `RegisterUnavailable`.
        """
        person = caseworker.disclose()
        told = await self.look_up(
            self._case_path, {"sagsnummer": case.disclose(), "cpr": citizen.disclose(), "medarbejder": person}
        )
        if told is None or self._flag(told, "findes") is False:
            return CaseRecord(exists=False)
        on_case = person in self._names(told, "sagsbehandlere")
        teams = self._names(told, "team")
        if not on_case and teams:
            on_case = bool(teams & await self._teams(person))
        return CaseRecord(
            exists=True,
            open=self._flag(told, "aaben"),
            concerns_citizen=self._flag(told, "vedroererBorger"),
            caseworker_on_case=on_case,
            unit=self._text(told, "enhed"),
            kle=self._text(told, "kle"),
        )

    async def employment(self, caseworker: Personal[str]) -> Employment:
        """Tell whether the caseworker works there today. Raises `RegisterUnavailable`."""
        told = await self._employee(caseworker.disclose())
        return Employment(employed=False) if told is None else Employment(True, self._text(told, "enhed"))

    async def _teams(self, person: str) -> frozenset[str]:
        told = await self._employee(person)
        return frozenset() if told is None else self._names(told, "teams")

    async def _employee(self, person: str) -> dict[str, Any] | None:
        """Give what is said of an employee, or None when there is none by that id today."""
        told = await self.look_up(self._employee_path, {"medarbejder": person})
        if told is None or self._flag(told, "findes") is False:
            return None
        begun, ended = self._day(told, "ansatFra"), self._day(told, "ansatTil")
        if begun is None:
            raise RegisterUnavailable(self.name)
        return told if begun <= danish_day(self._now()) <= (NO_END if ended is None else ended) else None

    def _flag(self, told: Mapping[str, Any], name: str) -> bool:
        value = told.get(name)
        if not isinstance(value, bool):
            raise RegisterUnavailable(self.name)
        return value

    def _text(self, told: Mapping[str, Any], name: str) -> str | None:
        value = told.get(name)
        if value is not None and not isinstance(value, str):
            raise RegisterUnavailable(self.name)
        return value

    def _names(self, told: Mapping[str, Any], name: str) -> frozenset[str]:
        value = told.get(name)
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise RegisterUnavailable(self.name)
        return frozenset(value)

    def _day(self, told: Mapping[str, Any], name: str) -> int | None:
        value = self._text(told, name)
        try:
            return None if value is None else day_number(date.fromisoformat(value))
        except ValueError:
            pass
        raise RegisterUnavailable(self.name)
