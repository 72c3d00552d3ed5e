"""The plans in force or to come, and whether a trial lets one plan take their place (C21, C22, C23)."""

from __future__ import annotations

from dataclasses import dataclass

from broker.domain.directory import Directory
from broker.domain.items import Item, LawRef
from broker.domain.target_groups import Stated
from broker.view.activity import days_between, is_coming, period
from broker.view.codes import NEVER_COUNTED
from broker.view.finding import start_fields

# The preparing part of the rehabilitation plan: dispensation was refused for the citizen's legal certainty (letter
# 2016-8973 of 1 February 2017, table 1). It stays a document of its own whatever a registry says.
NEVER_REPLACED = "rehab_forberedende_del"
EDUCATION_ORDER, FLEXIBLE_PROCESS = "uddannelsespaalaeg", "processuel_fleksibilitet"
DAYS_OF_A_YEAR = 365


@dataclass(frozen=True, slots=True, repr=False)
class Plan:
    """One written plan: item `item` of the answer. `trial` names the trial that makes it `replaceable`, if any.

    `exempt` is True for an uddannelsespålæg whose education, as its source says, starts more than a year from now, in
    a municipality with the trial that exempts from it (L3, C27).
    """

    item: int
    plan_type: str | None
    unit: str
    source: str
    subject: str
    law: tuple[LawRef, ...]
    from_day: int | None
    to_day: int | None
    next_follow_up: int | None
    future: bool
    replaceable: bool
    trial: str | None
    exempt: bool


def plans(items: tuple[Item, ...], directory: Directory, today: int, stated: Stated | None = None) -> tuple[Plan, ...]:
    """List the written plans that hold today or will hold later. `stated` is what the asker's case says (C13)."""
    return tuple(
        _plan(index, item, directory, today, stated)
        for index, item in enumerate(items)
        if item.kind == "plan" and item.category not in NEVER_COUNTED and is_coming(item, today)
    )


def replacing_trial(item: Item, directory: Directory, today: int, stated: Stated | None = None) -> str | None:
    """Name the trial under which one plan may replace this one today, or None.

    The trial must be that of the municipality whose source holds the plan: an exemption is never inherited (X7). And
    it must be for this citizen, as far as the asker's own case states (C13).
    """
    source = directory.sources.get(item.source)
    if source is None or item.plan_type is None or item.plan_type == NEVER_REPLACED:
        return None
    holding = [
        trial.id
        for trial in directory.trials.values()
        if trial.municipality == source.municipality
        and trial.is_for(stated, today)
        and item.plan_type in trial.replaces
    ]
    return min(holding, default=None)


def is_exempt(item: Item, directory: Directory, today: int, stated: Stated | None = None) -> bool:
    """Tell whether a trial frees the citizen from an uddannelsespålæg: its start is more than a year away (C27)."""
    source = directory.sources.get(item.source)
    if source is None or item.plan_type != EDUCATION_ORDER or item.from_day is None or item.from_day <= today:
        return False
    return days_between(today, item.from_day) > DAYS_OF_A_YEAR and any(
        trial.municipality == source.municipality and trial.kind == FLEXIBLE_PROCESS and trial.is_for(stated, today)
        for trial in directory.trials.values()
    )


def _plan(index: int, item: Item, directory: Directory, today: int, stated: Stated | None) -> Plan:
    trial = replacing_trial(item, directory, today, stated)
    from_day, future = start_fields(period(item, today)[0], today)
    return Plan(
        item=index,
        plan_type=item.plan_type,
        unit=item.unit,
        source=item.source,
        subject=item.subject,
        law=item.law,
        from_day=from_day or None,
        to_day=item.to_day,
        next_follow_up=item.next_follow_up,
        future=future,
        replaceable=trial is not None,
        trial=trial,
        exempt=is_exempt(item, directory, today, stated),
    )
