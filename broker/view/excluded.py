"""What is shown but stands outside: BPA outside trials and findings, the preparing part outside one plan.

Each is named with its reason, so that nobody wonders why it was not weighed (L2, L3; `domain.md` 1.4 C23, C40).
"""

from __future__ import annotations

from dataclasses import dataclass

from broker.domain.items import Item
from broker.view.codes import is_outside_trial
from broker.view.plans import NEVER_REPLACED

EXCLUDED_INTERVENTION = "EXCLUDED_INTERVENTION"
EXCLUDED_PLAN_PART = "EXCLUDED_PLAN_PART"


@dataclass(frozen=True, slots=True)
class Excluded:
    """An item of the answer, by its place, and the reason code why it is left out."""

    item: int
    code: str


def excluded(items: tuple[Item, ...]) -> tuple[Excluded, ...]:
    """List the items that are shown and left out, in the answer's order."""
    return tuple(Excluded(index, code) for index, item in enumerate(items) if (code := _why(item)) is not None)


def _why(item: Item) -> str | None:
    if item.kind == "plan" and item.plan_type == NEVER_REPLACED:
        return EXCLUDED_PLAN_PART
    return EXCLUDED_INTERVENTION if is_outside_trial(item) else None
