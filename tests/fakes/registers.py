"""The registers in memory: people by number, one case system, both of which can fall silent."""

from __future__ import annotations

from broker.domain.errors import RegisterUnavailable
from broker.domain.facts import CaseRecord, Employment, RegisterPerson
from broker.domain.personal import Personal


class FakePeople:
    """The door `People`."""

    name = "people"

    def __init__(self, *persons: RegisterPerson) -> None:
        self.persons = {person.cpr: person for person in persons}
        self.silent = False
        self.asked: list[Personal[str]] = []

    async def person(self, cpr: Personal[str]) -> RegisterPerson:
        """Tell of one person, or that nobody has the number."""
        self.asked.append(cpr)
        if self.silent:
            raise RegisterUnavailable(self.name)
        return self.persons.get(cpr, RegisterPerson(cpr=cpr, known=False))


class FakeCases:
    """The door `Cases`: one open case of one citizen and one caseworker."""

    name = "cases"

    def __init__(self, case: str, citizen: Personal[str], caseworker: Personal[str], unit: str, kle: str) -> None:
        self.known = (Personal(case), citizen, caseworker)
        self.unit, self.kle = unit, kle
        self.silent = False
        self.employed = True
        self.vip = False
        self.consent_tried = False

    async def case(
        self, case: Personal[str], citizen: Personal[str], caseworker: Personal[str]
    ) -> tuple[CaseRecord, Employment]:
        """Tell of the case, and whether the caseworker works there."""
        if self.silent:
            raise RegisterUnavailable(self.name)
        employment = Employment(True, self.unit) if self.employed and caseworker == self.known[2] else Employment(False)
        if case != self.known[0]:
            return CaseRecord(exists=False), employment
        record = CaseRecord(
            exists=True,
            open=True,
            concerns_citizen=citizen == self.known[1],
            caseworker_on_case=caseworker == self.known[2],
            unit=self.unit,
            kle=self.kle,
            caseworker_named=caseworker == self.known[2],
            vip=self.vip,
            consent_tried=self.consent_tried,
        )
        return record, employment
