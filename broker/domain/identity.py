"""Who asks: a caller is a department's system and a named caseworker, never one alone (P11)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from broker.domain.personal import Personal


@dataclass(frozen=True, slots=True)
class System:
    """A registered department system (an OAuth client): its municipality and the units it works for."""

    client_id: str
    municipality: str
    units: frozenset[str]


@dataclass(frozen=True, slots=True)
class Role:
    """One role as the employer states it: name, KLE limits such as `15.*`, highest sensitivity level 1 to 4.

    `attested_on` is the Danish day (YYYYMMDD) the role was last attested; `delegated_from` names the
    municipality that delegated it, if any.
    """

    name: str
    kle: tuple[str, ...]
    sensitivity: int
    attested_on: int | None = None
    delegated_from: str | None = None


@dataclass(frozen=True, slots=True)
class Caseworker:
    """The named person, as the employer's signed assertion says: id, name, unit, roles, NSIS level, log-in time.

    `cpr` is there when the employer states it (`domain.md` 4.2); it serves only to see that nobody asks about
    themself or their family.
    """

    id: Personal[str]
    issuer: str
    municipality: str
    unit: str
    roles: tuple[Role, ...]
    nsis: str
    authenticated_at: datetime
    name: Personal[str] | None = None
    cpr: Personal[str] | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """System and caseworker together: who asks, for which unit, how surely known."""

    system: System
    caseworker: Caseworker

    @property
    def municipality(self) -> str:
        """The municipality on whose behalf is asked."""
        return self.system.municipality

    @property
    def unit(self) -> str:
        """The unit on whose behalf is asked."""
        return self.caseworker.unit


@dataclass(frozen=True, slots=True)
class CitizenLogin:
    """A citizen who proved who they are at the OpenID provider: CPR from its claim alone, NSIS level."""

    cpr: Personal[str]
    nsis: str
    authenticated_at: datetime


@dataclass(frozen=True, slots=True)
class OfficerLogin:
    """A DPO (or other overseer) who logged in: id, name, role, and the municipalities they oversee.

    `units` are those that a leader's privileges name, each with its municipality; they lead no other.
    """

    id: Personal[str]
    issuer: str
    role: str
    municipalities: frozenset[str]
    nsis: str
    authenticated_at: datetime
    name: Personal[str] | None = None
    units: frozenset[tuple[str, str]] = frozenset()
