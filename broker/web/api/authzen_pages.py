"""Pages of search results (AuthZEN 1.0 section 8.2): each is searched anew, and logged as a search of its own.

A token says where the next page begins and how long it is. It is bound by an HMAC to who asks and to all that was
asked, so that a page of one search cannot be asked for with another; it says nothing of the citizen.
"""

from __future__ import annotations

import hmac
import struct
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import BaseModel

from broker.domain.errors import BadAsk
from broker.domain.identity import Caller
from broker.web.api.authzen_bodies import PageBody

A_PAGE, MOST = 100, 1000
PLACE = struct.Struct(">HH")
MARK_BYTES = 16
ANOTHER = BadAsk("/page/token", "another_search")


@dataclass(frozen=True, slots=True)
class Window:
    """Which results are wanted: from where on, how many, and the binding of the search they belong to."""

    start: int
    limit: int
    binding: bytes

    def part(self, found: Sequence[dict[str, Any]]) -> tuple[Sequence[dict[str, Any]], dict[str, Any]]:
        """Give the results of this page and its `page` object; `next_token` is empty when that was all."""
        end = self.start + self.limit
        results = found[self.start : end]
        token = _token(end, self.limit, self.binding) if end < len(found) else ""
        return results, {"next_token": token, "count": len(results), "total": len(found)}


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows of searches, under one key that all nodes share."""

    key: bytes

    @classmethod
    def under(cls, house_key: bytes) -> Windows:
        """Make them under a key of their own, drawn from one of the house's."""
        return cls(hmac.digest(house_key, b"authzen search pages", "sha256"))

    def window(self, route: str, body: BaseModel, page: PageBody | None, caller: Caller) -> Window:
        """Give the wanted window; raise `BadAsk` for a token of another search, or another limit than it began with."""
        binding = self._binding(route, body, caller)
        limit = min(page.limit, MOST) if page and page.limit is not None else None
        if page is None or not page.token:
            return Window(0, A_PAGE if limit is None else limit, binding)
        start, begun = _place(page.token, binding)
        if limit not in (None, begun):
            raise ANOTHER
        return Window(start, begun, binding)

    def _binding(self, route: str, body: BaseModel, caller: Caller) -> bytes:
        who = [caller.system.client_id, caller.caseworker.issuer, caller.caseworker.id.disclose()]
        asked = [route, who, body.model_dump(exclude={"page"})]
        return hmac.digest(self.key, orjson.dumps(asked, option=orjson.OPT_SORT_KEYS), "sha256")


def _token(start: int, limit: int, binding: bytes) -> str:
    place = PLACE.pack(start, limit)
    return urlsafe_b64encode(place + _mark(place, binding)).decode()


def _place(token: str, binding: bytes) -> tuple[int, int]:
    try:
        told = b64decode(token.encode(), altchars=b"-_", validate=True)
    except ValueError:
        raise ANOTHER from None
    place, mark = told[: PLACE.size], told[PLACE.size :]
    if len(place) != PLACE.size or not hmac.compare_digest(mark, _mark(place, binding)):
        raise ANOTHER
    start, limit = PLACE.unpack(place)
    return start, limit


def _mark(place: bytes, binding: bytes) -> bytes:
    return hmac.digest(binding, place, "sha256")[:MARK_BYTES]
