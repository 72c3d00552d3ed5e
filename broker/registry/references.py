"""Every name in the registry that stands for another entry leads to one, and to one that fits."""

from __future__ import annotations

from collections.abc import Iterator

from broker.registry.faults import Fault, Path, listed, nearest, shown
from broker.registry.sheet import Row, Sheet

Section = tuple[str, ...]
MUNICIPALITIES, UNITS, NETWORKS = ("municipalities",), ("units",), ("networks",)
SYSTEMS, EMPLOYERS, CASES = ("systems",), ("employers",), ("registers", "cases")
# A section's field, or each entry of it, and the section that it must lead to.
_LEADS: tuple[tuple[Section, str, Section], ...] = (
    (UNITS, "municipality", MUNICIPALITIES),
    (UNITS, "cases", CASES),
    (("sources",), "unit", UNITS),
    (SYSTEMS, "municipality", MUNICIPALITIES),
    (SYSTEMS, "units", UNITS),
    (SYSTEMS, "employers", EMPLOYERS),
    (EMPLOYERS, "municipality", MUNICIPALITIES),
    (("consent_issuers",), "municipalities", MUNICIPALITIES),
    (("delegations",), "from", MUNICIPALITIES),
    (("delegations",), "to", MUNICIPALITIES),
    (NETWORKS, "members", MUNICIPALITIES),
    (("trials",), "municipality", MUNICIPALITIES),
    (("trials",), "network", NETWORKS),
    (("standing_approvals",), "unit", UNITS),
    (("standing_approvals",), "to_units", UNITS),
    (("providers",), "system", SYSTEMS),
    (("providers",), "employer", EMPLOYERS),
)


def loose_ends(sheet: Sheet) -> Iterator[Fault]:
    """Yield a fault for every name that leads nowhere, or to what belongs to somebody else."""
    for section, field, target in _LEADS:
        known = sheet.names(*target)
        for row in sheet.rows(*section):
            named = row.text(field)
            told: list[tuple[Path, str]] = [((*row.path, field), named)] if named is not None else row.texts(field)
            for path, name in told:
                if name not in known:
                    yield sheet.fault(
                        path, f"there is no {shown(name)} under {'.'.join(target)}:", _remedy(name, known, target)
                    )
    yield from _strangers(sheet)


def _remedy(name: str, known: list[str], target: Section) -> str:
    meant = nearest(name, known)
    have = f"did you mean {shown(meant)}?" if meant else f"there are {listed(known)}" if known else "there is none yet"
    return f"add {shown(name)}: under {'.'.join(target)}:, or mend the name ({have})"


def _strangers(sheet: Sheet) -> Iterator[Fault]:
    """A system works for units of its own municipality, and the page's employer is one whose word counts there."""
    for row in sheet.rows(*SYSTEMS):
        home = row.text("municipality")
        for path, unit in row.texts("units"):
            theirs = _municipality(sheet, *UNITS, unit)
            if home in sheet.names(*MUNICIPALITIES) and theirs not in (None, home):
                what = f"{shown(unit)} is a unit of {shown(theirs or '')}, the system of {shown(home or '')}"
                yield sheet.fault(path, what, "register a system for each municipality")
    yield from _page(sheet)


def _page(sheet: Sheet) -> Iterator[Fault]:
    page = sheet.row("providers", "caseworker")
    system = sheet.row(*SYSTEMS, page.text("system") or "") if page else None
    employer = page.text("employer") if page else None
    if page and system and employer and not _heard(sheet, system, employer):
        what = f"{shown(employer)} does not vouch for users of {system.name}"
        yield page.fault("employer", what, f"add {shown(employer)} under systems.{system.name}.employers:")


def _heard(sheet: Sheet, system: Row, employer: str) -> bool:
    theirs = _municipality(sheet, *EMPLOYERS, employer)
    return theirs in (None, system.text("municipality")) or employer in [name for _, name in system.texts("employers")]


def _municipality(sheet: Sheet, *path: str) -> str | None:
    row = sheet.row(*path)
    return row.text("municipality") if row else None
