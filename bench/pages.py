"""The pages: time to the first byte, bytes over the wire on a first visit, and requests to any other host (none).

Two weights are told, because a browser chooses: the page with its styles and what its HTML names, and that with every
font and picture that its styles name, of which a browser fetches what it needs.
"""

from __future__ import annotations

import gzip
import re
import time
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp

from bench.figures import Figures
from demo.scenario.visitors import TICKET
from demo.world.children import WorldBroken
from demo.world.world import World

# What a browser fetches by itself: scripts, pictures, styles; links that wait for a click are none.
FETCHED = re.compile(r"<(?:script|img|iframe|source)\b[^>]*?\bsrc=\"([^\"]+)\"|<link\b([^>]*)>", re.IGNORECASE)
HREF, REL = re.compile(r"\bhref=\"([^\"]+)\""), re.compile(r"\brel=\"([^\"]+)\"")
FETCHED_LINKS = {"stylesheet", "icon", "preload", "manifest", "modulepreload"}
IN_STYLE = re.compile(r"url\(\s*['\"]?([^'\")]+)")
PAGES = (
    ("start", None, None, "/"),
    ("citizen: my consents", "citizen", "annette", "/mine"),
    ("citizen: who looked", "citizen", "annette", "/mine/accesses"),
    ("caseworker: look up", "caseworker", "lene", "/case"),
    ("DPO: the log", "officer", "dpo-korsbaek", "/dpo"),
)
HEADERS = {"Accept": "text/html,*/*", "Accept-Language": "da", "Accept-Encoding": "gzip"}
# The status line and the empty line at the end.
FRAME_BYTES = 19


@dataclass(slots=True)
class Visit:
    """One visit to one page by a browser with an empty cache."""

    http: aiohttp.ClientSession
    own: str
    needed: int = 0
    named: int = 0
    elsewhere: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)

    async def fetch(self, address: str, *, by_style: bool = False) -> tuple[float, str]:
        """Fetch one address; give the milliseconds to its first byte, and its text."""
        self.seen.add(address)
        begun = time.perf_counter()
        async with self.http.get(address, headers=HEADERS) as answer:
            first = (time.perf_counter() - begun) * 1000
            body = await answer.content.read()
            if answer.status != 200:
                raise WorldBroken(f"the page {urlsplit(address).path} answered {answer.status}")
            head = sum(len(name) + len(value) + 4 for name, value in answer.raw_headers)
            weight = FRAME_BYTES + head + len(body)
            self.named += weight
            self.needed += 0 if by_style else weight
            told = _plain(answer, body)
        return first, told

    async def fetch_with_all(self, address: str) -> float:
        """Fetch a page and whatever it makes a browser fetch; give the milliseconds to its first byte."""
        first, told = await self.fetch(address)
        waiting = [(urljoin(address, name), False) for name in fetched_by(told)]
        while waiting:
            name, by_style = waiting.pop()
            if name in self.seen or name.startswith("data:"):
                continue
            if not name.startswith(self.own):
                self.elsewhere.add(urlsplit(name).netloc)
                continue
            _, inner = await self.fetch(name, by_style=by_style)
            if urlsplit(name).path.endswith(".css"):
                waiting += [(urljoin(name, one), True) for one in IN_STYLE.findall(inner)]
        return first


def fetched_by(page: str) -> list[str]:
    """List what a page makes a browser fetch by itself, as its HTML names it."""
    found = []
    for source, link in FETCHED.findall(page):
        rel, href = REL.search(link), HREF.search(link)
        if source:
            found.append(unescape(source))
        elif rel and href and FETCHED_LINKS & set(rel[1].lower().split()):
            found.append(unescape(href[1]))
    return found


async def visit_pages(world: World, into: Figures) -> None:
    """Visit every page once, each as who it is for."""
    for name, kind, person, path in PAGES:
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar, auto_decompress=False) as http:
            if kind and person:
                await _log_in(world, http, kind, person)
            visit = Visit(http, world.address)
            # As a browser that is here already: the connection stands.
            await visit.fetch(f"{world.address}{path}")
            visit.needed, visit.named, visit.seen = 0, 0, set()
            into.add("page", name, "first byte ms", value=await visit.fetch_with_all(f"{world.address}{path}"))
            into.add("page", name, "kB", value=visit.needed / 1000)
            into.add("page", name, "kB at most", value=visit.named / 1000)
            into.add("page", name, "other hosts", value=float(len(visit.elsewhere)))


async def _log_in(world: World, http: aiohttp.ClientSession, kind: str, person: str) -> None:
    async with http.get(f"{world.address}/login/{kind}", headers={"Accept-Encoding": "identity"}) as page:
        found = TICKET.search(await page.text())
    if found is None:
        raise WorldBroken(f"the log-in page of {kind} did not come")
    form: dict[str, Any] = {"ticket": unescape(found[1]), "person": person}
    async with http.post(f"{world.provider}/authorize", data=form, allow_redirects=False) as chosen:
        back = chosen.headers.get("Location", "")
    async with http.get(back, allow_redirects=False) as landed:
        if landed.status != 303:
            raise WorldBroken(f"{person} could not log in ({landed.status})")


def _plain(answer: aiohttp.ClientResponse, body: bytes) -> str:
    plain = gzip.decompress(body) if answer.headers.get("Content-Encoding") == "gzip" else body
    return plain.decode("utf-8", errors="replace")
