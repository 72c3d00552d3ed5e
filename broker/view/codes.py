"""The small tables that the findings rest on: areas, what is left out, and which demand meets which limitation."""

from __future__ import annotations

import re

from broker.domain.items import Item, LawRef

# The first letter of a category is its area (`domain.md` 3.1). Benefits (Y) are no area of effort: nearly everyone
# at a jobcentre has one, so counting them would make every case a complex one (C12). P and E are no areas either.
AREAS = {"B": "employment", "S": "social", "F": "family", "H": "health", "K": "school"}
EMPLOYMENT = "employment"
FAMILY = "family"
SCHOOL = "school"

# Absence, availability and sanctions: never part of a shared view, so never part of a finding.
NEVER_COUNTED = frozenset({"B04"})
# BPA, personal assistance by law (SEL §§ 95-96): lasts for years and stands outside the trial (L2, C40).
BPA_KLE = "27.39.20"
_BPA_PARAGRAPH = re.compile(r"§{1,2}\s*9[56](?![0-9])(?!\s*[a-z]\b)")

# What an activity demands of the body or mind, and the ICF limitations it conflicts with (rule O3). A row says no
# more than its words: "may not stand" (d415) conflicts with standing work, not with sitting work.
DEMANDS: dict[str, frozenset[str]] = {
    "staaende": frozenset({"d415", "d4154"}),
    "siddende": frozenset({"d4153"}),
    "gaaende": frozenset({"d450", "d4500", "d4501", "d4502", "d4503"}),
    "trapper": frozenset({"d451", "d4551"}),
    "loefte": frozenset({"d430", "d4300", "d4301", "d4302", "d4303", "d4305"}),
    "bukkende": frozenset({"d410", "d4101", "d4102", "d4105"}),
    "raekke": frozenset({"d445", "d4452"}),
    "finmotorik": frozenset({"d440", "d4400", "d4401", "d4402"}),
    "koere_bil": frozenset({"d475", "d4751"}),
    "tidspres": frozenset({"d240", "d2401"}),
    "kundekontakt": frozenset({"d730"}),
}


def area_of(item: Item) -> str | None:
    """Name the area an item belongs to, or None for what belongs to no area of effort."""
    return AREAS.get(item.category[:1])


def is_outside_trial(item: Item) -> bool:
    """Tell whether an item is BPA, which is shown but never weighed (C40)."""
    kle = item.kle or ""
    return kle == BPA_KLE or kle.startswith((BPA_KLE + "-", BPA_KLE + ".")) or any(_is_bpa(law) for law in item.law)


def is_counted(item: Item) -> bool:
    """Tell whether an item may take part in findings and figures at all."""
    return item.category not in NEVER_COUNTED and not is_outside_trial(item)


def conflicting(demands: tuple[str, ...], limits: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """List each (demand, limitation) that cannot go together, sorted; unknown codes conflict with nothing."""
    pairs = {(demand, limit) for demand in demands for limit in limits if limit in DEMANDS.get(demand, frozenset())}
    return tuple(sorted(pairs))


def _is_bpa(law: LawRef) -> bool:
    return law.act == "SEL" and _BPA_PARAGRAPH.match(law.paragraph) is not None
