"""The facts for a municipality's own assessment and agreements as JSON (GDPR art. 26, 28 and 35)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from broker.domain.days import day_of
from broker.domain.directory import Delegation, Directory
from broker.oversight.fact_sheets import NOT_REGISTERED, TASKS, TO_JUDGE, FactSheet, Flow, Running
from broker.web.dpo.fact_words import ADVICE, JUDGE_WORDS, MATTER, MISSING_WORDS, NATURE, SAFEGUARDS, TASK_WORDS
from broker.web.pages.words import Words
from broker.web.record_of_processing import record_body

FORMAT = "borgerbro-fact-sheet@v1"


def sheet_body(facts: FactSheet, running: Running, directory: Directory, danish: Words, at: datetime) -> dict[str, Any]:
    """Lay out one municipality's facts; what nobody has registered is null, and named in `not_registered`."""
    measures = [_both(text, danish) for text, _ in SAFEGUARDS]
    return {
        "format": FORMAT,
        "at": at.isoformat(),
        "version": running.version,
        "record": record_body(facts.record, directory, measures),
        "assessment": _assessment(facts, running, danish),
        "between_controllers": _between(facts, danish),
        "processor": _processor(facts, running, danish),
        "not_registered": [{"what": one, "says": _both(MISSING_WORDS[one], danish)} for one in NOT_REGISTERED],
    }


def _assessment(facts: FactSheet, running: Running, danish: Words) -> dict[str, Any]:
    activities = facts.record.activities
    return {
        "special_categories": [one.purpose.id for one in activities if one.special],
        "children": [one.purpose.id for one in activities if one.children],
        "unverified_laws": [row.id for row in facts.unverified],
        "automated_decisions": _both(ADVICE, danish),
        "log_in_minutes": {"idle": _minutes(running.idle), "longest": _minutes(running.longest)},
        "safeguards": [
            {
                "says": _both(text, danish),
                "promise": proof.promise,
                "limits": proof.place,
                "defence": proof.defence,
                "test": proof.test,
            }
            for text, proof in SAFEGUARDS
        ],
        "left_to_the_municipality": [{"what": one, "says": _both(JUDGE_WORDS[one], danish)} for one in TO_JUDGE],
    }


def _between(facts: FactSheet, danish: Words) -> dict[str, Any]:
    return {
        "tasks": [{"who": who, "task": task, "says": _both(TASK_WORDS[task], danish)} for who, task in TASKS],
        "flows": [_flow(one) for one in facts.flows],
        "delegations": [_delegation(one) for one in facts.delegations],
        "contacts": [
            {"unit": unit.id, "name": _names(unit.name_da, unit.name_en), "phone": unit.phone or None}
            for unit in facts.units
        ],
        "arrangement": None,
    }


def _processor(facts: FactSheet, running: Running, danish: Words) -> dict[str, Any]:
    activities = facts.record.activities
    return {
        "operator": None,
        "sub_processors": None,
        "duration": None,
        "subject_matter": _both(MATTER, danish),
        "nature": _both(NATURE, danish),
        "purposes": [one.purpose.id for one in activities],
        "categories": [one.id for one in facts.categories],
        "data_subjects": ["citizens", *(["children"] if any(a.children for a in activities) else []), "employees"],
        "services": [{"for": kind, "address": address} for kind, address in running.services],
    }


def _flow(one: Flow) -> dict[str, Any]:
    return {
        "source": one.source.id,
        "name": _names(one.source.name_da, one.source.name_en),
        "from": one.source.municipality,
        "to": one.to.id,
        "purpose": one.purpose.id,
        "units": [unit.id for unit in one.units],
        "categories": [category.id for category in one.categories],
        "laws": [row.id for row in one.laws],
    }


def _delegation(one: Delegation) -> dict[str, Any]:
    return {
        "delegation": one.id,
        "from": one.from_municipality,
        "to": one.to_municipality,
        "kle": list(one.kle),
        "first_day": day_of(one.from_day).isoformat(),
        "last_day": day_of(one.to_day).isoformat(),
    }


def _both(text: str, danish: Words) -> dict[str, str]:
    return _names(danish.gettext(text), text)


def _names(da: str, en: str) -> dict[str, str]:
    return {"da": da, "en": en}


def _minutes(time: timedelta) -> int:
    return int(time / timedelta(minutes=1))
