"""Sources at their worst, for every kind over HTTP: whatever goes wrong, they shout what they hold into it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.canaries import Flock
from tests.fakes.hostile import HostileServer, hostile

MOST_BYTES = 100_000
# Failures in a row would open the breaker: every other mood is an answer that is none of one.
MOODS = ("error", "strange", "garbage", "redirect", "too_large", "elsewhere", "challenge", "coded")


@dataclass
class Shouting:
    """The server, how it behaves, and whom it has shouted at: kind and mood of each answer."""

    flock: Flock
    mood: str = "strange"
    server: HostileServer = field(default_factory=HostileServer)
    shouted: set[tuple[str, str]] = field(default_factory=set)
    # What it was sent: addresses and headers, and the bodies each kind got.
    heard: list[bytes] = field(default_factory=list)
    bodies: defaultdict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))

    def changes(self) -> Mapping[str, Any]:
        """Give the changes of a registry that add one such source of each kind."""
        kinds = {
            "shouting-school": ("korsbaek-school", "rest_json", "school"),
            "shouting-family": ("korsbaek-family", "odata", "family_centre"),
            "shouting-health": ("korsbaek-health", "fhir", "health"),
        }
        return {
            name: {
                "unit": unit,
                "kind": kind,
                "name": {"da": name, "en": name},
                "reads_file": f"../mappings/{mapping}.yaml",
                "settings": {"base_url": f"{self.server.address}/{kind}", "auth": {"bearer": True}},
                "limits": {"most_bytes": MOST_BYTES},
            }
            for name, (unit, kind, mapping) in kinds.items()
        }

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer in the present mood, each time with canaries of its own."""
        kind = request.path.split("/")[1]
        self.shouted.add((kind, self.mood))
        self.heard.append(f"{request.method} {request.path_qs} {dict(request.headers)}".encode())
        self.bodies[kind].append(await request.read())
        word = self.flock.word(f"shouted.{kind}.{self.mood}")
        body, status, headers = self._said(kind, word)
        return web.Response(
            body=body, status=status, headers=headers, content_type="application/json", reason=f"No {word}"
        )

    def _said(self, kind: str, word: str) -> tuple[bytes, int, dict[str, str]]:
        link = f"http://{word}.example/{word}"
        more = {"@odata.nextLink": link, "link": [{"relation": "next", "url": link}], "fravaer": word}
        said: dict[str, tuple[Any, int, dict[str, str]]] = {
            "error": ({"fejl": word, word: [word]}, 500, {"X-Fejl": word, "Set-Cookie": word}),
            "strange": (_strange(word), 200, {}),
            "garbage": (f'{{"{word}": "{word}', 200, {}),
            "redirect": (word, 302, {"Location": f"/{kind}/{word}?x={word}"}),
            "too_large": ([word] * (MOST_BYTES // len(word)), 200, {}),
            "elsewhere": ({"value": [], "resourceType": "Bundle", "entry": []} | more, 200, {}),
            "challenge": (word, 401, {"WWW-Authenticate": f'Bearer realm="{word}"'}),
            "coded": (word, 200, {"Content-Encoding": word}),
        }
        body, status, headers = said[self.mood]
        return (body if isinstance(body, str) else json.dumps(body)).encode(), status, headers


def _strange(word: str) -> dict[str, Any]:
    """Write records that are none: a canary as every key, and where a number, a day or an id should be."""
    record = {word: word, "Id": {word: word}, "Cpr": word, "Kategori": word, "loebenr": [word], "periodeStart": word}
    patient = {"resourceType": "Patient", "id": word, "identifier": [{"system": word, "value": word}]}
    return {
        "value": [record, word],
        "fravaer": [record, {**record, "loebenr": word}, word],
        "resourceType": "Bundle",
        "entry": [{"resource": patient}, {"resource": {"resourceType": "Observation", "id": word}}],
        word: word,
    }


@asynccontextmanager
async def shouting(flock: Flock) -> AsyncIterator[Shouting]:
    """Serve such sources on a free loopback port until the block ends."""
    shout = Shouting(flock)
    async with hostile(shout.answer) as server:
        shout.server = server
        yield shout
