"""The pages that a scenario may look at, by name: where each stands, who opens it, what a step names with it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

CITIZEN, OFFICER, CASEWORKER = "citizen", "officer", "caseworker"
# What is held against the words of a page, and what against the rows of a list.
OF_WORDS = ("text", "not_text")
OF_LISTS = ("rows", "no_trace_of")
NAMED = ("request", "of", "citizen")


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its address, and what a step names with it (`needs`).

    `form` is the page whose form opens it, where reading alone does not; `rows` the address and the name of the same
    list over the API.
    """

    path: str
    kind: str = CITIZEN
    needs: str = ""
    form: str = ""
    rows: tuple[str, str] | None = None


PAGES: Mapping[str, Page] = {
    "my_consents": Page("/mine", rows=("/v1/me/consents", "consents")),
    "my_requests": Page("/mine", rows=("/v1/me/consent-requests", "requests")),
    "my_accesses": Page("/mine/accesses", rows=("/v1/me/accesses", "entries")),
    "my_request": Page("/mine/requests/{}", needs="request"),
    "my_receipt": Page("/mine/receipts/{}", needs="of"),
    "my_help": Page("/mine/help", form="/mine/help"),
    "my_week": Page("/mine/week", form="/mine/week"),
    "my_children": Page("/mine/others/children", form="/mine/others"),
    "my_represented": Page("/mine/others/represented", form="/mine/others", needs="citizen"),
    "my_blocks": Page("/mine/blocks"),
    "my_rights": Page("/mine/rights"),
    "my_inquiries": Page("/mine/inquiries"),
    "desk": Page("/desk", CASEWORKER, form="/desk", needs="citizen"),
    "dpo_accesses": Page("/dpo", OFFICER, rows=("/v1/accesses", "entries")),
}


def look_faults(number: int, step: Mapping[str, Any]) -> Iterator[str]:
    """Find what a look leaves out or asks too much of its page, and words held against what is no page."""
    expected = step.get("expect", {})
    if "look" not in step:
        said = [name for name in OF_WORDS if name in expected]
        yield from (f"step {number}: `{name}` is of a page; only a `look` shows one" for name in said)
        return
    yield from (f"step {number}: the page {step['look']['page']} {fault}" for fault in _faults(step["look"], expected))


def _faults(wish: Mapping[str, Any], expected: Mapping[str, Any]) -> Iterator[str]:
    page = PAGES[wish["page"]]
    if page.needs and page.needs not in wish:
        yield f"needs `{page.needs}`"
    yield from (f"has no `{given}`" for given in NAMED if given in wish and given != page.needs)
    if page.rows is None:
        # Held against nothing, these would always hold.
        for given in ("filter", *OF_LISTS):
            if given in wish or given in expected:
                yield f"is no list, so no `{given}`; say `text` and `not_text` of it"


def look_names(wish: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give whom a look names, each with where they must be known: `people` or `caseworkers`."""
    kind = PAGES[wish["page"]].kind
    if kind != OFFICER:
        yield wish["as_who"], "people" if kind == CITIZEN else "caseworkers"
    if "citizen" in wish:
        yield wish["citizen"], "people"
