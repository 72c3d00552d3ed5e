"""A unit's own case system behind the `Cases` door: whose case it is, who works on it, who is employed today.

One look-up tells both, of one moment. Only what it says outright is a yes; an answer that cannot be read is no answer
(`RegisterUnavailable`).
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
from broker.domain.target_groups import Stated


class CasesRest(RegisterLine):
    """A case system. Settings as `RegisterLine`, and `case_path`. Open it before use."""

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
        self._now = now

    async def case(
        self, case: Personal[str], citizen: Personal[str], caseworker: Personal[str]
    ) -> tuple[CaseRecord, Employment]:
        """Tell whether the case is open, is this citizen's, and is this caseworker's or their team's, today.

        And whether the caseworker works there today. Raises `RegisterUnavailable`.
        """
        person = caseworker.disclose()
        told = await self.look_up(
            self._case_path, {"sagsnummer": case.disclose(), "cpr": citizen.disclose(), "medarbejder": person}
        )
        if told is None:
            return CaseRecord(exists=False), Employment(employed=False)
        employee = self._employee(told)
        employment = Employment(employed=False) if employee is None else Employment(True, self._text(employee, "enhed"))
        if self._flag(told, "findes") is False:
            return CaseRecord(exists=False), employment
        teams = frozenset[str]() if employee is None else self._names(employee, "teams")
        named = person in self._names(told, "sagsbehandlere")
        record = CaseRecord(
            exists=True,
            open=self._flag(told, "aaben"),
            concerns_citizen=self._flag(told, "vedroererBorger"),
            caseworker_on_case=named or bool(self._names(told, "team") & teams),
            unit=self._text(told, "enhed"),
            kle=self._text(told, "kle"),
            caseworker_named=named,
            # A system that marks no case has none to mark; a mark that cannot be read is no answer.
            vip="vip" in told and self._flag(told, "vip"),
            # A system that says nothing of it has not said yes.
            consent_tried=self._flag(told, "samtykkeForsoegt") if "samtykkeForsoegt" in told else False,
            stated=self._stated(told),
        )
        return record, employment

    def _employee(self, told: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Give what is said of the caseworker, or None when nobody by that id works there today."""
        employee = told.get("medarbejder", "")
        if employee is None:
            return None
        if not isinstance(employee, dict):
            raise RegisterUnavailable(self.name)
        begun, ended = self._day(employee, "ansatFra"), self._day(employee, "ansatTil")
        if begun is None:
            raise RegisterUnavailable(self.name)
        return employee if begun <= danish_day(self._now()) <= (NO_END if ended is None else ended) else None

    def _stated(self, told: Mapping[str, Any]) -> Stated | None:
        """Read what the case states of its citizen's target group; a system that states nothing has not said it."""
        row = told.get("maalgruppe")
        if row is None:
            return None
        if not isinstance(row, dict):
            raise RegisterUnavailable(self.name)
        on, age, ages = self._day(row, "opgjort"), row.get("alder"), row.get("boernsAlder", [])
        whole = [*([] if age is None else [age]), *(ages if isinstance(ages, list) else [None])]
        if on is None or not all(isinstance(one, int) and not isinstance(one, bool) for one in whole):
            raise RegisterUnavailable(self.name)
        return Stated(on, age, self._text(row, "ydelse"), tuple(ages))

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
