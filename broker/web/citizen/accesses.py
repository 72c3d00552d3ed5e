"""`/mine/accesses`: who has looked, newest first, day by day. Every line of the log is there; none names an employee.

An ask and its answer stand together. What an answer on an earlier page belongs to is told by that page's link, so that
an ask is said to be without an answer only when it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from broker.domain.days import DANISH_TIME
from broker.transparency.history import MyEntry, my_entries
from broker.web.citizen.room import Room

A_PAGE = 50
Cursor = Annotated[str | None, Query(max_length=80)]
Answered = Annotated[list[str] | None, Query(max_length=A_PAGE)]


@dataclass(frozen=True, slots=True)
class Look:
    """One row of the list: a line of the log, or an ask with its answer. `answered` tells where the answer stands."""

    entry: MyEntry
    ask: MyEntry | None = None
    answered: str = "here"  # "here", "earlier" (on a page before this one), "never"


def build(room: Room) -> APIRouter:
    """Build the list."""
    routes = APIRouter()

    @routes.get("/mine/accesses")
    async def get_accesses(request: Request, cursor: Cursor = None, answered: Answered = None) -> Response:
        me = await room.enter(request)
        page = await my_entries(me.login, room.ports, room.reader, cursor=cursor, limit=A_PAGE)
        looks = looks_of(page.entries, frozenset(answered or ()))
        days = [
            (day, list(group))
            for day, group in groupby(looks, key=lambda look: look.entry.at.astimezone(DANISH_TIME).date())
        ]
        older = None
        if page.next is not None:
            open_ends = [("answered", ask) for ask in _answers_without_ask(page.entries)]
            older = "/mine/accesses?" + urlencode([("cursor", page.next), *open_ends])
        return room.show(request, "accesses.html", me, days=days, older=older, first=cursor is None)

    return routes


def looks_of(entries: tuple[MyEntry, ...], answered_before: frozenset[str]) -> list[Look]:
    """Join each answer with its ask, and keep everything else as it stands, newest first."""
    asks = {entry.ask: entry for entry in entries if entry.kind == "ask"}
    answered = {entry.ask for entry in entries if entry.kind == "outcome"}
    rows = [entry for entry in entries if entry.kind != "ask" or entry.ask not in answered]
    return [_look(entry, asks, answered_before) for entry in rows]


def _look(entry: MyEntry, asks: Mapping[str | None, MyEntry], answered_before: frozenset[str]) -> Look:
    if entry.kind == "ask":
        return Look(entry, entry, "earlier" if entry.ask in answered_before else "never")
    return Look(entry, asks.get(entry.ask) if entry.kind == "outcome" else None)


def _answers_without_ask(entries: tuple[MyEntry, ...]) -> list[str]:
    asks = {entry.ask for entry in entries if entry.kind == "ask"}
    return [entry.ask for entry in entries if entry.kind == "outcome" and entry.ask and entry.ask not in asks]
