"""The directory: who and what is registered. Prepared once per registry revision; holds no citizen.

It is what `broker/registry/` makes of the registry file and the law tables, in the shape the road needs:
municipalities, units, sources with the categories they hold, purposes with their bounds, delegations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from broker.domain.identity import Role
from broker.domain.laws import LawRow, row_of
from broker.domain.representation import Kinds
from broker.domain.retention import Retention
from broker.domain.target_groups import EVERYBODY, Stated, TargetGroup


@dataclass(frozen=True, slots=True)
class Municipality:
    """A municipality: its id, CVR, name, CPR municipality code, and how far it uses what the law allows.

    `purposes` are those it has narrowed, each with the categories it keeps (none: switched off). `ceilings` are asks an
    hour by who asks (`caseworker`, `system`, `municipality`), where it wants fewer than the broker's settings.
    `retention` is None where it has not said how long it keeps its log: then nothing of it is deleted.
    """

    id: str
    cvr: str
    name: str
    code: str
    strict_kle: bool = False
    purposes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    ceilings: Mapping[str, int] = field(default_factory=dict)
    retention: Retention | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """A department of a municipality: `kind` such as jobcentre, social_centre; names in Danish and English.

    `phone` is where a citizen may ask about a request for consent; empty where the registry names none. `systems`
    counts the registered systems that act for it, but for the broker's own page.
    """

    id: str
    municipality: str
    kind: str
    name_da: str
    name_en: str
    phone: str = ""
    systems: int = 1


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """A source as registered: whose it is, and the categories it holds. How it is reached is a connector's matter."""

    id: str
    unit: str
    municipality: str
    kind: str
    categories: frozenset[str]
    name_da: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Category:
    """A data category of `domain.md` 3.1: level 1 to 4; `child` if it concerns a child of the citizen.

    `area` is the part of life it belongs to, as guardianship and powers of attorney are divided. `young_person` says
    how somebody of 15 to 17 consents to it: alone, together with the custody holders, or (None) they alone.
    """

    id: str
    level: int
    area: str
    child: bool
    health: bool
    never: bool
    name_da: str
    name_en: str
    young_person: str | None = None


@dataclass(frozen=True, slots=True)
class Purpose:
    """A purpose and the most it may ever ask for.

    `consent` tells whether a yes may be asked for at all; `statute` names the law row where it may not. `plain_da` and
    `plain_en` say in one plain sentence what it is, to somebody who has never heard the name.
    """

    id: str
    categories: frozenset[str]
    consent: bool
    statute: str | None
    name_da: str
    name_en: str
    plain_da: str = ""
    plain_en: str = ""


@dataclass(frozen=True, slots=True)
class Delegation:
    """One municipality lets another act for it: KLE scope (`15.*`), Danish days inclusive."""

    id: str
    from_municipality: str
    to_municipality: str
    kle: tuple[str, ...]
    from_day: int
    to_day: int


@dataclass(frozen=True, slots=True)
class ReasonText:
    """A reason code: its stage, whether the asker may see it, the paragraph, and one sentence in each language."""

    code: str
    stage: int
    caller: bool
    paragraph: str
    da: str
    en: str


@dataclass(frozen=True, slots=True)
class Trial:
    """A frikommune trial, bound to network, municipality and days (inclusive): the plan types one plan may replace.

    `contacts` in `contact_days` days is the follow-up that must be reached in total (L3, C26); 0 asks for none.
    `target` is whom it is for (C13).
    """

    id: str
    network: str
    municipality: str
    kind: str
    from_day: int
    to_day: int
    replaces: frozenset[str]
    contacts: int = 0
    contact_days: int = 0
    target: TargetGroup = EVERYBODY

    def is_for(self, stated: Stated | None, today: int) -> bool:
        """Tell whether the trial is on today, for the citizen of a case that states this."""
        return self.from_day <= today <= self.to_day and self.target.covers(stated, today)


@dataclass(frozen=True, slots=True)
class StandingApproval:
    """A health unit says yes beforehand to call-outs of some units (SUL § 43 stk. 3); Danish days inclusive."""

    id: str
    unit: str
    to_units: frozenset[str]
    from_day: int
    to_day: int


@dataclass(frozen=True, slots=True)
class EmergencyReason:
    """Why life is in danger, as a code: whether it takes knowing where the citizen is, and what it says."""

    code: str
    address: bool
    da: str
    en: str


@dataclass(frozen=True, slots=True)
class EmergencyRule:
    """What the law tables say of an emergency: its purpose, who asks and who decides, for how many hours, and why.

    `holder_kinds` are the kinds of unit that may decide; with none, nobody may.
    """

    purpose: str = ""
    role: str = ""
    holder_role: str = ""
    holder_kinds: frozenset[str] = frozenset()
    hours: int = 0
    nsis_accepted: frozenset[str] = frozenset()
    reasons: Mapping[str, EmergencyReason] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RoleRule:
    """What the law tables say of roles: within how many years each must be attested, and which must be at all."""

    attested_within_years: int = 0
    must_be_attested: frozenset[str] = frozenset()

    def attests(self, role: Role, today: int) -> bool:
        """Say whether a role is attested on a day, as the rules test it for an ask (`policies/caller.rego`)."""
        if role.attested_on is None:
            # An employer who states no day vouches for the role by signing it.
            return role.name not in self.must_be_attested
        return role.attested_on <= today <= role.attested_on + 10000 * self.attested_within_years


@dataclass(frozen=True, slots=True)
class Directory:
    """All of it, by id."""

    revision: str
    municipalities: Mapping[str, Municipality]
    units: Mapping[str, Unit]
    sources: Mapping[str, SourceEntry]
    categories: Mapping[str, Category]
    purposes: Mapping[str, Purpose]
    delegations: Mapping[str, Delegation]
    reasons: Mapping[str, ReasonText]
    trials: Mapping[str, Trial]
    laws: Mapping[str, LawRow] = field(default_factory=dict)
    consent_laws: tuple[LawRow, ...] = ()
    representation: Kinds = field(default_factory=dict)
    standing_approvals: Mapping[str, StandingApproval] = field(default_factory=dict)
    emergency: EmergencyRule = field(default_factory=EmergencyRule)
    roles: RoleRule = field(default_factory=RoleRule)

    def consent_law(self, purpose: str, category: str, source: str, recipient: str, day: int) -> LawRow | None:
        """Find the row of law that a yes rests on: from this source's unit to this unit, on a Danish day."""
        kinds = (self.units[self.sources[source].unit].kind, self.units[recipient].kind)
        return row_of(self.consent_laws, purpose, category, kinds, day)

    def bound(self, municipality: str, purpose: str) -> frozenset[str]:
        """Give the categories that an ask of a municipality for a purpose means when it names none.

        What the municipality has switched off altogether is meant whole, so that each is refused with its reason.
        """
        law = self.purposes[purpose].categories if purpose in self.purposes else frozenset()
        home = self.municipalities.get(municipality)
        kept = law if home is None else home.purposes.get(purpose, law)
        return law & kept or law

    def residence(self, code: str | None) -> str | None:
        """Name the municipality of a CPR municipality code; one that is not registered keeps its code."""
        return next((m.id for m in self.municipalities.values() if m.code == code), code)
