"""The citizens' desk in tests: find a citizen, read a request, record the answer."""

from __future__ import annotations

from typing import Any

import httpx2

from tests.builders import CITIZEN
from tests.pages_house import LINES, PagesHouse, Reader, ask_for, hidden, link, say_yes

WHO = {"citizen": CITIZEN.disclose()}
CHECKED = WHO | {"identity_checked": "yes"}
ORAL = {"form": "oral", "read_back": "yes", "interpreter": "Tolk Amina Test, arabisk", "witness": "Vera Vidne Test"}
PAPER = {"form": "paper", "reference": "ESDH-2019-77", "paper_date": "2019-03-01"}


async def asked(house: PagesHouse, lines: list[str] = LINES) -> str:
    """Let Lene ask the citizen; give the request's id."""
    lene = await house.caseworker()
    await lene.get("/case")
    return str((await ask_for(lene, lines)).headers["location"].rsplit("/", 1)[1])


async def given(house: PagesHouse, lines: list[str] = LINES) -> str:
    """Let the citizen say yes on their own page; give the consent's id."""
    await asked(house, lines)
    annette = await house.citizen()
    await say_yes(annette)
    return link((await annette.get("/mine")).text, '/mine/consents/[^"?]+/stop').split("/")[3]


async def find(dan: Reader, who: dict[str, str] = CHECKED) -> httpx2.Response:
    """See what a citizen shares."""
    return await dan.post("/desk", **who)


async def read(dan: Reader, request: str, language: str = "da", **fields: Any) -> httpx2.Response:
    """Open the text to read aloud: all of it, or the chosen lines."""
    fields = {"what": "chosen" if "line" in fields else "all"} | fields
    return await dan.post(f"/desk/requests/{request}", **WHO, language=language, **fields)


async def answered(dan: Reader, request: str, reading: httpx2.Response, **fields: Any) -> httpx2.Response:
    """Record a yes to what was read."""
    about = {"language": hidden(reading.text, "language"), "digest": hidden(reading.text, "digest")}
    return await dan.post(f"/desk/requests/{request}/yes", **CHECKED, **about, **fields)


async def states(house: PagesHouse) -> list[str]:
    """Give the state of each line the citizen has given, sorted."""
    (handle,) = await house.databases.vault.citizens([CITIZEN])
    consents = await house.databases.consents.of_citizen(handle)
    return sorted(line.state for consent in consents for line in consent.lines)


async def events(house: PagesHouse, kind: str) -> list[Any]:
    """Give the bodies of the citizen's own entries of a kind, oldest first."""
    (handle,) = await house.databases.vault.citizens([CITIZEN])
    page = await house.databases.reader.of_subject(handle, limit=200)
    return [entry for entry in reversed(page.entries) if entry.kind == kind]
