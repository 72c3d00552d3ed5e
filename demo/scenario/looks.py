"""Somebody looks: reads their list over the API, and opens the page in a browser of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from demo.scenario.callers import Reply
from demo.scenario.consents import Consents
from demo.scenario.pages import OF_WORDS, OFFICER, PAGES, Page
from demo.scenario.visitors import Shown, Visitor

MOST_ROWS = "200"
DANISH = "da"
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look gave: the answer, its rows, and the words of the page."""

    reply: Reply
    rows: tuple[Row, ...] = ()
    texts: str = ""


async def look(wish: Row, expect: Row | None, consents: Consents) -> Looked:
    """Look at a page by its name; a list is opened as a page only where its words are asked for.

    Raises `WorldBroken` for a request, consent or person that nobody here has, and for a page that is not shown.
    """
    page = PAGES[wish["page"]]
    visitor = await consents.visitors.of_kind(page.kind, wish["as_who"])
    listed = await _listed(page, wish, visitor, consents) if page.rows else None
    if listed and not any(name in (expect or {}) for name in OF_WORDS):
        return listed
    shown = await _opened(page, wish, visitor, consents)
    if listed and shown.status < 400:
        return Looked(listed.reply, listed.rows, shown.text)
    return Looked(Reply(shown.status), texts=shown.text)


async def _listed(page: Page, wish: Row, visitor: Visitor, consents: Consents) -> Looked:
    path, name = page.rows or ("", "")
    wanted = dict(wish.get("filter", {}))
    if page.kind == OFFICER and "citizen" in wanted:
        # A number stands in a body, never in an address.
        wanted["citizen"] = consents.world.cast.cpr(wanted["citizen"])
        reply = await visitor.post("/v1/accesses/search", wanted)
    elif name in {"consents", "requests"}:
        reply = await visitor.get(path)
    else:
        reply = await visitor.get(path, {"limit": MOST_ROWS} | wanted)
    rows = reply.said.get(name, ())
    return Looked(reply, tuple(_lines(rows) if name == "consents" else rows))


async def _opened(page: Page, wish: Row, visitor: Visitor, consents: Consents) -> Shown:
    language = wish.get("language", DANISH)
    path = page.path.format(_place(wish, consents))
    if not page.form:
        return await visitor.page(path, language)
    form = {}
    if page.needs == "citizen":
        form = {"citizen": consents.world.cast.cpr(wish["citizen"]), "identity_checked": "yes"}
    return await visitor.sent(page.form, form, language, to=path)


def _place(wish: Row, consents: Consents) -> str:
    """Give the part of an address that names a request, or where the log holds what was done last."""
    if "request" in wish:
        return consents.request_id(wish["request"])
    return consents.receipt_place(wish["of"]) if "of" in wish else ""


def _lines(consents: Any) -> list[Row]:
    """Lay consents out line by line, each with what its consent says."""
    return [
        {name: value for name, value in consent.items() if name != "lines"} | {"consent": consent["id"]} | line
        for consent in consents
        for line in consent["lines"]
    ]
