"""AuthZEN requests about the small house's citizen, and a client that sends them with a proof of its key."""

from __future__ import annotations

from typing import Any

import httpx2

from tests.builders import CASE, CITIZEN, PURPOSE
from tests.served_house import Served

EVALUATION, EVALUATIONS = "/access/v1/evaluation", "/access/v1/evaluations"
SUBJECT_SEARCH, RESOURCE_SEARCH = "/access/v1/search/subject", "/access/v1/search/resource"
ACTION_SEARCH = "/access/v1/search/action"
POSTS = (EVALUATION, EVALUATIONS, SUBJECT_SEARCH, RESOURCE_SEARCH, ACTION_SEARCH)
LENE: dict[str, Any] = {"type": "caseworker", "id": "lene"}
READ: dict[str, Any] = {"name": "read"}
CONTEXT: dict[str, Any] = {"purpose": PURPOSE, "case": CASE}
OWN, GIVEN, NOT_GIVEN = "job/B01", "social/S01", "school/K01"


def a_resource(place: str = GIVEN, citizen: str = CITIZEN.disclose()) -> dict[str, Any]:
    """Name a source's category of the citizen."""
    return {"type": "category", "id": place, "properties": {"citizen": citizen}}


def all_of_the_citizen() -> dict[str, Any]:
    """Name all of the citizen, as a search does."""
    return {"type": "category", "properties": {"citizen": CITIZEN.disclose()}}


def an_evaluation(place: str = GIVEN, **changes: Any) -> dict[str, Any]:
    """Ask whether Lene may read this; a change of None leaves the field out."""
    whole = {"subject": LENE, "action": READ, "resource": a_resource(place), "context": CONTEXT} | changes
    return {name: value for name, value in whole.items() if value is not None}


def a_search(path: str, **changes: Any) -> dict[str, Any]:
    """Search as the path wants it: what is sought has its type alone."""
    sought: dict[str, dict[str, Any]] = {
        SUBJECT_SEARCH: {"subject": {"type": "caseworker"}},
        RESOURCE_SEARCH: {"resource": all_of_the_citizen()},
        ACTION_SEARCH: {"action": None},
    }
    return an_evaluation(**(sought[path] | changes))


def asking(path: str) -> dict[str, Any]:
    """Give a good body for any of the addresses."""
    return an_evaluation() if path in {EVALUATION, EVALUATIONS} else a_search(path)


def send(served: Served, path: str, body: Any, **headers: str) -> httpx2.Response:
    """Send a body as Lene's system."""
    known = served.credentials("system", "POST", path)
    return httpx2.post(served.address + path, json=body, headers=known | headers, timeout=30)
