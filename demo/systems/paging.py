"""Continued answers: the next page stands behind an opaque token, so that no search value enters a URL."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from demo.systems.records import Row

KEPT = 1000


@dataclass(frozen=True, slots=True)
class Rest:
    """What has not been told yet: of which kind, of which category, how many there are in all, how many a page."""

    kind: str
    category: str | None
    rows: list[Row]
    total: int
    size: int


class Continuations:
    """The answers that have a next page. The oldest is forgotten when there are too many."""

    def __init__(self) -> None:
        self._rests: dict[str, Rest] = {}

    def of(self, token: str) -> Rest | None:
        """Give what is left behind a token, if the token is known."""
        return self._rests.get(token)

    def page(self, rest: Rest) -> tuple[list[Row], str | None]:
        """Give one page, and the token of the next one if anything is left."""
        now, later = rest.rows[: rest.size], rest.rows[rest.size :]
        if not later:
            return now, None
        token = secrets.token_urlsafe(16)
        self._rests[token] = Rest(rest.kind, rest.category, later, rest.total, rest.size)
        if len(self._rests) > KEPT:
            del self._rests[next(iter(self._rests))]
        return now, token
