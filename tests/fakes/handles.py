"""Handles in memory: the same names for the same numbers, for as long as the test lasts."""

import secrets
from collections.abc import Mapping, Sequence

from broker.domain.errors import StoreUnavailable
from broker.domain.identity import Caseworker, OfficerLogin
from broker.domain.personal import Personal
from broker.ports import NOTHING_TOLD


class FakeHandles:
    """The door `Handles`; `broken` makes it silent."""

    def __init__(self) -> None:
        self.broken = False
        self.known: dict[str, bool] = {}
        self._given: dict[tuple[str, ...], str] = {}

    async def citizens(
        self, cprs: Sequence[Personal[str]], known: Mapping[Personal[str], bool] = NOTHING_TOLD
    ) -> tuple[str, ...]:
        """Give one handle per number, in order, and note whom a register knows; once known stays known."""
        named = tuple(self._handle("citizen", cpr.disclose().replace("-", "")) for cpr in cprs)
        for cpr, handle in zip(cprs, named, strict=True):
            if cpr in known:
                self.known[handle] = self.known.get(handle, False) or known[cpr]
        return named

    async def actor(self, caseworker: Caseworker) -> str:
        """Give the handle of an employee."""
        return self._handle("actor", caseworker.issuer, caseworker.id.disclose())

    async def officer(self, officer: OfficerLogin) -> str:
        """Give the handle of an overseer."""
        return self._handle("actor", officer.issuer, officer.id.disclose())

    async def node(self, name: str) -> str:
        """Give the handle of a node."""
        return self._handle("actor", "urn:borgerbro:nodes", name)

    async def system(self, client_id: str) -> str:
        """Give the handle of a system."""
        return self._handle("actor", "urn:borgerbro:systems", client_id)

    async def employee(self, issuer: str, person: Personal[str]) -> str | None:
        """Give the handle of who the employer calls by an id, where one was given out."""
        if self.broken:
            raise StoreUnavailable
        return self._given.get(("actor", issuer, person.disclose()))

    async def is_employee(self, handle: str) -> bool:
        """Tell whether a handle is an actor's."""
        if self.broken:
            raise StoreUnavailable
        return any(what[0] == "actor" and given == handle for what, given in self._given.items())

    async def case(self, unit: str, case: Personal[str]) -> str:
        """Give the handle of a unit's case number."""
        return self._handle("case", unit, case.disclose())

    async def of_ask(
        self, citizen: Personal[str], caseworker: Caseworker, unit: str, case: Personal[str]
    ) -> tuple[str, str, str]:
        """Give all three."""
        (handle,) = await self.citizens([citizen])
        return handle, await self.actor(caseworker), await self.case(unit, case)

    def _handle(self, *what: str) -> str:
        if self.broken:
            raise StoreUnavailable
        return self._given.setdefault(what, secrets.token_hex(16))
