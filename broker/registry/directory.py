"""The registry and the law tables as the road and the rules need them: the directory, and the policy's tables."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

from broker.domain.days import day_number
from broker.domain.directory import (
    Category,
    Delegation,
    Directory,
    EmergencyReason,
    EmergencyRule,
    Municipality,
    Purpose,
    ReasonText,
    RoleRule,
    SourceEntry,
    StandingApproval,
    Trial,
    Unit,
)
from broker.domain.laws import FREE, LawRow
from broker.domain.representation import RepresentativeKind
from broker.domain.retention import Retention
from broker.domain.target_groups import TargetGroup


def directory_of(raw: Any, laws: Mapping[str, Any], held: Any) -> Directory:
    """Make the directory; its revision is a hash over registry, law tables and keys held in files alike (P10)."""
    canonical = json.dumps([raw, laws, held], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    # The broker's own page for caseworkers keeps nothing, so it has nothing to use no further.
    page = raw.get("providers", {}).get("caseworker", {}).get("system")
    systems = Counter(unit for name, row in raw["systems"].items() if name != page for unit in row["units"])
    units = {i: _unit(i, row, systems[i]) for i, row in raw["units"].items()}
    return Directory(
        revision=hashlib.sha256(canonical.encode()).hexdigest(),
        municipalities={i: _municipality(i, row) for i, row in raw["municipalities"].items()},
        units=units,
        sources={i: _source(i, row, units) for i, row in raw["sources"].items()},
        categories={i: _category(i, row) for i, row in laws["categories"].items()},
        purposes={i: _purpose(i, row) for i, row in laws["purposes"].items()},
        delegations={i: _delegation(i, row) for i, row in raw.get("delegations", {}).items()},
        reasons={i: _reason(i, row) for i, row in laws["reasons"].items()},
        trials={i: _trial(i, row) for i, row in raw.get("trials", {}).items()},
        laws={i: _law(i, row) for table in ("statutes", "consent_bases") for i, row in laws[table].items()},
        consent_laws=tuple(_law(i, row) for i, row in laws["consent_bases"].items()),
        representation={i: _kind(row) for i, row in laws["settings"]["representation"]["kinds"].items()},
        standing_approvals={i: _approval(i, row) for i, row in raw.get("standing_approvals", {}).items()},
        emergency=_emergency(laws),
        roles=_roles(laws["settings"]["roles"]),
    )


def _unit(i: str, row: Any, systems: int) -> Unit:
    name = row["name"]
    return Unit(
        i, row["municipality"], row["kind"], name["da"], name["en"], row.get("phone", ""), systems=max(1, systems)
    )


def _municipality(i: str, row: Any) -> Municipality:
    narrowed = {purpose: frozenset(kept.get("only", ())) for purpose, kept in row.get("purposes", {}).items()}
    strict, ceilings = row.get("strict_kle", False), row.get("ceilings", {})
    kept = _retention(row["retention"]) if "retention" in row else None
    return Municipality(i, row["cvr"], row["name"], row["code"], strict, narrowed, ceilings, kept)


def _retention(row: Any) -> Retention:
    return Retention(row.get("months", {}), frozenset(row["archive"]))


def _source(i: str, row: Any, units: Mapping[str, Unit]) -> SourceEntry:
    return SourceEntry(
        id=i,
        unit=row["unit"],
        municipality=units[row["unit"]].municipality,
        kind=row["kind"],
        categories=frozenset(row["reads"]),
        name_da=row["name"]["da"],
        name_en=row["name"]["en"],
    )


def _category(i: str, row: Any) -> Category:
    return Category(
        id=i,
        level=row["level"],
        area=row["area"],
        child=bool(row.get("child")),
        health=bool(row.get("health")),
        never=bool(row.get("never")),
        name_da=row["name_da"],
        name_en=row["name_en"],
        young_person=row["young_person"],
    )


def _purpose(i: str, row: Any) -> Purpose:
    statutes = row.get("statutes") or [None]
    consent = bool(row["consent_bases"])
    return Purpose(
        i,
        frozenset(row["categories"]),
        consent,
        None if consent else statutes[0],
        row["name_da"],
        row["name_en"],
        row.get("plain_da", ""),
        row.get("plain_en", ""),
    )


def _law(i: str, row: Any) -> LawRow:
    form = row.get("form", {"written": FREE, "years": None})
    return LawRow(
        id=i,
        paragraph=row["paragraph"],
        gdpr_basis=row["gdpr_basis"],
        from_day=row["from"],
        to_day=row["to"],
        from_units=frozenset(row["from_units"]),
        to_units=frozenset(row["to_units"]),
        purposes={
            purpose: frozenset(reach["categories"] if isinstance(reach, Mapping) else reach)
            for purpose, reach in row["purposes"].items()
        },
        written=form["written"],
        years=form["years"],
        counts_meetings="meeting_within_limit" in row.get("conditions", ()),
        verified=row.get("verified_by") is not None,
    )


def _delegation(i: str, row: Any) -> Delegation:
    return Delegation(i, row["from"], row["to"], tuple(row["kle"]), day(row["from_day"]), day(row["to_day"]))


def _reason(i: str, row: Any) -> ReasonText:
    return ReasonText(i, row["stage"], row["caller"], row["paragraph"], row["da"], row["en"])


def _trial(i: str, row: Any) -> Trial:
    days = (day(row["from_day"]), day(row["to_day"]))
    follow_up = row.get("follow_up", {"contacts": 0, "days": 0})
    return Trial(
        i, row["network"], row["municipality"], row["kind"], *days, frozenset(row.get("replaces", ())),
        follow_up["contacts"], follow_up["days"], _target(row.get("target_group", {})),
    )  # fmt: skip


def _target(row: Any) -> TargetGroup:
    ages = {name: (row[name]["from"], row[name]["to"]) if name in row else None for name in ("ages", "child_ages")}
    return TargetGroup(ages["ages"], frozenset(row.get("benefits", ())), ages["child_ages"])


def _kind(row: Any) -> RepresentativeKind:
    return RepresentativeKind(row["speaks"], row["silences"], frozenset(row["must_name"]))


def _approval(i: str, row: Any) -> StandingApproval:
    return StandingApproval(i, row["unit"], frozenset(row["to_units"]), day(row["from_day"]), day(row["to_day"]))


def _roles(row: Any) -> RoleRule:
    return RoleRule(row["attested_within_years"], frozenset(row["must_be_attested"]))


def _emergency(laws: Mapping[str, Any]) -> EmergencyRule:
    """Read what the law tables say of an emergency; who decides stands in the statutes that have that condition."""
    settings, row = laws["settings"], laws["settings"]["emergency"]
    bases = [laws["statutes"][statute] for statute in laws["purposes"][row["purpose"]]["statutes"]]
    return EmergencyRule(
        purpose=row["purpose"],
        role=row["role"],
        holder_role=row["holder_role"],
        holder_kinds=frozenset(k for basis in bases if "emergency" in basis["conditions"] for k in basis["from_units"]),
        hours=row["hours"],
        nsis_accepted=frozenset(settings["nsis_levels"]["accepted"]),
        reasons={
            code: EmergencyReason(code, reason["address"], reason["da"], reason["en"])
            for code, reason in row["reasons"].items()
        },
    )


def registry_tables(directory: Directory) -> dict[str, Any]:
    """Lay out the registry's part of the policy's data: objects keyed by id (`policy.md` 4, rule 9)."""
    return {
        "municipalities": {
            i: {"strict_kle": m.strict_kle, "purposes": {name: sorted(kept) for name, kept in m.purposes.items()}}
            for i, m in directory.municipalities.items()
        },
        "units": {i: {"municipality": u.municipality, "kind": u.kind} for i, u in directory.units.items()},
        "sources": {
            i: {"unit": s.unit, "municipality": s.municipality, "categories": sorted(s.categories)}
            for i, s in directory.sources.items()
        },
        "delegations": {
            i: {
                "from_municipality": d.from_municipality,
                "to_municipality": d.to_municipality,
                "kle": sorted(d.kle),
                "from": d.from_day,
                "to": d.to_day,
            }
            for i, d in directory.delegations.items()
        },
        "standing_approvals": {
            i: {"unit": s.unit, "to_units": sorted(s.to_units), "from": s.from_day, "to": s.to_day}
            for i, s in directory.standing_approvals.items()
        },
    }


def day(text: str) -> int:
    """Give the number of a day written as `2019-11-04`; raise `ValueError` for what is no calendar day."""
    return day_number(date.fromisoformat(text))
