"""The citizens, overseers and desks of a scenario: each logs in at the provider as a browser does, reads and sends."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from types import TracebackType
from typing import Any, Self

import aiohttp

from demo.scenario.callers import Reply
from demo.world.children import WorldBroken
from demo.world.world import World

# Where each kind of visitor learns the token that changes must carry.
SESSIONS = {"citizen": "/v1/me/session", "officer": "/v1/accesses/session"}
TAGS = re.compile(r"<[^>]*>")
FORM_TOKEN = re.compile(r'name="csrf" value="([^"]+)"')
# A yes takes a log-in of the last ten minutes; people here log in again well before.
ANEW_SECONDS = 300.0
TICKET = re.compile(r'name="ticket" value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Shown:
    """A page as it came: its status, and its text without tags."""

    status: int
    text: str


class Visitors:
    """Everybody who has logged in, each in a browser of their own."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._open: dict[tuple[str, str], Visitor] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for visitor in self._open.values():
            await visitor.close()

    async def citizen(self, name: str) -> Visitor:
        """Give a citizen's browser, logged in."""
        self._world.cast.cpr(name)
        return await self._visitor("citizen", name)

    async def officer(self, municipality: str) -> Visitor:
        """Give the browser of a municipality's DPO, logged in."""
        return await self._visitor("officer", f"dpo-{municipality}")

    async def of_kind(self, kind: str, name: str) -> Visitor:
        """Give the browser of a `citizen`, of a `caseworker`, or of the `officer` of a municipality, logged in."""
        if kind == "officer":
            return await self.officer(name)
        return await (self.citizen(name) if kind == "citizen" else self._visitor(kind, name))

    async def _visitor(self, kind: str, person: str) -> Visitor:
        if (kind, person) not in self._open:
            self._open[kind, person] = Visitor(self._world, kind)
        visitor = self._open[kind, person]
        if visitor.logged_in_at is None or time.monotonic() - visitor.logged_in_at > ANEW_SECONDS:
            await visitor.log_in(person)
        return visitor


class Visitor:
    """One browser: cookies of its own, and once logged in the token that changes must carry."""

    def __init__(self, world: World, kind: str) -> None:
        self._world = world
        self._kind = kind
        # Cookies of an address that is a number are kept only when one says so.
        self._http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        self._csrf = ""
        self.logged_in_at: float | None = None

    async def close(self) -> None:
        """Close the browser."""
        await self._http.close()

    async def log_in(self, person: str) -> None:
        """Log in, and learn the token that changes must carry."""
        await self.enter(person)
        self.logged_in_at = time.monotonic()
        if self._kind in SESSIONS:
            self._csrf = str((await self.get(SESSIONS[self._kind])).said.get("csrf", ""))

    async def enter(self, person: str) -> None:
        """Walk through the code flow: our log-in, the provider's page, the choice, and back."""
        async with self._http.get(f"{self._world.address}/login/{self._kind}") as page:
            found = TICKET.search(await page.text())
        if found is None:
            raise WorldBroken(f"the log-in page of {self._kind} did not come ({page.status})")
        form = {"ticket": unescape(found[1]), "person": person}
        async with self._http.post(f"{self._world.provider}/authorize", data=form, allow_redirects=False) as chosen:
            back = chosen.headers.get("Location", "")
        async with self._http.get(back, allow_redirects=False) as landed:
            if landed.status != 303:
                raise WorldBroken(f"{person} could not log in ({landed.status})")

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Reply:
        """Read JSON."""
        async with self._http.get(f"{self._world.address}{path}", params=query) as answer:
            return Reply(answer.status, await answer.json(content_type=None))

    async def page(self, path: str, language: str = "da") -> Shown:
        """Read a page as its text, without tags. Raises `WorldBroken` where another page is shown instead."""
        async with self._http.get(f"{self._world.address}{path}", headers=_wanting(language)) as answer:
            return await _shown(answer, path)

    async def sent(self, path: str, form: Mapping[str, str], language: str = "da", *, to: str = "") -> Shown:
        """Open a page, send its form filled in, and read the page that comes back; `to` where its form leads.

        Raises `WorldBroken` where another page is shown instead.
        """
        async with await self._send(path, form, language, to) as answer:
            return await _shown(answer, to or path)

    async def send_form(self, path: str, form: Mapping[str, str]) -> str:
        """Open a page, send its form filled in, and give the page that comes back as it is written."""
        async with await self._send(path, form) as answer:
            return await answer.text()

    async def _send(
        self, path: str, form: Mapping[str, str], language: str = "da", to: str = ""
    ) -> aiohttp.ClientResponse:
        async with self._http.get(f"{self._world.address}{path}", headers=_wanting(language)) as page:
            found = FORM_TOKEN.search(await page.text())
        filled = {**form, "csrf": unescape(found[1]) if found else ""}
        return await self._http.post(f"{self._world.address}{to or path}", data=filled, headers=_wanting(language))

    async def post(self, path: str, body: Mapping[str, Any] | None = None) -> Reply:
        """Change something."""
        headers = {"X-CSRF-Token": self._csrf}
        async with self._http.post(f"{self._world.address}{path}", json=body or {}, headers=headers) as answer:
            return Reply(answer.status, await answer.json(content_type=None))


def _wanting(language: str) -> dict[str, str]:
    return {"Accept": "text/html", "Accept-Language": language}


async def _shown(answer: aiohttp.ClientResponse, path: str) -> Shown:
    """Read the page that was asked for; on another, such as a log-in page, no text that must not stand would."""
    if answer.url.path != path:
        raise WorldBroken(f"{path} was not shown: it led to {answer.url.path}")
    told = unescape(TAGS.sub(" ", await answer.text()))
    return Shown(answer.status, " ".join(told.split()))
