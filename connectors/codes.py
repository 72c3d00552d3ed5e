"""The short code lists that every source's own codes are mapped to, and what form the other codes have.

Needs, kinds and states are the words of `broker/domain/items.py`. The vocabularies of the care areas share no codes,
so overlaps across them can only be seen over lists of our own (`domain.md` 3.4).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from broker.domain.items import KINDS, NEEDS, STATUSES

# What an activity demands of body or mind; the view knows which limitations (ICF) each conflicts with.
DEMANDS: Final = frozenset(
    {"staaende", "siddende", "gaaende", "trapper", "loefte", "bukkende", "raekke", "finmotorik"}
    | {"koere_bil", "tidspres", "kundekontakt"}
)
# Plans and parts of plans: Min plan (LAB), handleplan for adults (SEL § 141) and children (SEL § 140), barnets plan
# (barnets lov), the preparing part for the rehabilitation team, and so on.
PLAN_TYPES: Final = frozenset(
    {"min_plan", "handleplan_voksen", "handleplan_barn", "barnets_plan", "ungeplan", "rehabiliteringsplan"}
    | {"rehab_forberedende_del", "helhedsorienteret_plan", "genoptraeningsplan"}
)
ROLES: Final = frozenset(
    {"helper", "coordinator", "contact", "child", "citizen", "parent", "guardian", "author", "requester"}
)

_ICF = re.compile(r"[bdse][1-9]\d{0,4}", re.ASCII)
_SLUG = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)


def is_icf(code: str) -> bool:
    """Tell whether a code has the form of WHO's ICF, such as `d450`."""
    return _ICF.fullmatch(code) is not None


def is_slug(code: str) -> bool:
    """Tell whether a code is one short plain word, so that no free text can pass for a code."""
    return _SLUG.fullmatch(code) is not None


# Which codes each coded field of an item takes; anything else is left out and counted.
KNOWN: Final[Mapping[str, Callable[[str], bool]]] = {
    "kind": KINDS.__contains__,
    "need": NEEDS.__contains__,
    "demands": DEMANDS.__contains__,
    "limits": is_icf,
    "topic": is_slug,
    "status": STATUSES.__contains__,
    "plan_type": PLAN_TYPES.__contains__,
    "role": ROLES.__contains__,
}
