"""Questions to the policy, of one key and of many, over the registry's own sources."""

from __future__ import annotations

from typing import Any

from broker.domain.directory import Directory

TODAY = 20190304
CITIZEN, CHILD, CASE = "h-citizen", "h-child", "h-case"
UNIT, HOME, PURPOSE = "korsbaek-jobcentre", "korsbaek", "helhedsorienteret_plan"


def question_of(directory: Directory, count: int) -> dict[str, Any]:
    """Ask about the first so many keys of all sources, with a consent line for each; fewer where there are no more."""
    pairs = [(source.id, category) for source in directory.sources.values() for category in sorted(source.categories)]
    keys = sorted((source, category, subject) for subject in (CITIZEN, CHILD) for source, category in pairs)[:count]
    return {
        "version": 1,
        "at": 1551690000,
        "today": TODAY,
        "ask": {
            "id": "a-1",
            "purpose": PURPOSE,
            "case": CASE,
            "citizen": CITIZEN,
            "emergency": None,
            "follow_up": False,
            "data_from": 0,
            "data_to": 99991231,
        },
        "caller": _caller(),
        "case": {
            "exists": True,
            "open": True,
            "concerns_citizen": True,
            "caseworker_on_case": True,
            "caseworker_named": True,
            "vip": False,
            "unit": UNIT,
            "kle": "15.00.00",
            "consent_tried": False,
        },
        "subjects": [_subject(CITIZEN, 19740211), _subject(CHILD, 20060920)],
        "consents": [_line(number, *key) for number, key in enumerate(keys)],
        "blocks": [],
        "emergency": [],
        "failed_registers": [],
        "related": False,
        "keys": [{"source": source, "category": category, "subject": subject} for source, category, subject in keys],
    }


def _caller() -> dict[str, Any]:
    role = {"name": "koordinerende_sagsbehandler", "kle": ["15.*"], "sensitivity": 3}
    return {
        "handle": "h-caseworker",
        "municipality": HOME,
        "unit": UNIT,
        "system_units": [UNIT],
        "employed": True,
        "nsis": "Substantial",
        "authenticated_on": TODAY,
        "roles": [role | {"attested_on": 20190301, "delegated_from": None}],
    }


def _subject(handle: str, born: int) -> dict[str, Any]:
    child = handle == CHILD
    return {
        "handle": handle,
        "known": True,
        "child_of_citizen": child,
        "born": born,
        "dead_on": None,
        "municipality": HOME,
        "protected": False,
        "moved_number": False,
        "representatives": [],
        "meetings": [],
        "custody": [{"holder": CITIZEN, "from": born, "to": 99991231}] if child else [],
    }


def _line(number: int, source: str, category: str, subject: str) -> dict[str, Any]:
    return {
        "id": f"l-{number:03}",
        "consent": "C1",
        "version": 1,
        "subject": subject,
        "giver": CITIZEN,
        "capacity": "custody" if subject == CHILD else "self",
        "source": source,
        "category": category,
        "recipient": UNIT,
        "purpose": PURPOSE,
        "case": CASE,
        "from": 20190301,
        "to": 20200229,
        "state": "granted",
        "data_from": 0,
        "data_to": 99991231,
    }
