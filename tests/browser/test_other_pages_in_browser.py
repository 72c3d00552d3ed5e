"""The pages that no story in a browser passes, or passes in one language alone: whole on phone and desk in both."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Stage
from tests.browser.test_pages_in_browser import looked_at

pytestmark = pytest.mark.asyncio(loop_scope="module")
# Who opens what.
PAGES = (
    ("citizen", "annette", ("/mine", "/mine/blocks", "/mine/breaches", "/mine/whole")),
    ("citizen", "annette", ("/mine/accesses", "/mine/notices")),
    ("citizen", "annette", ("/mine/notices/korsbaek", "/mine/notices/korsbaek/code")),
    ("caseworker", "lene", ("/case",)),
    (
        "officer",
        "dpo-korsbaek",
        (
            "/dpo",
            "/dpo/employee",
            "/dpo/erasures",
            "/dpo/inquiries",
            "/dpo/samples",
            "/dpo/tasks",
            "/dpo/break-glass",
            "/dpo/figures",
            "/dpo/breaches",
            "/dpo/package",
            "/dpo/package/recipients",
            "/dpo/record",
            "/dpo/fact-sheet",
        ),
    ),
)


@pytest.mark.parametrize("locale", ["da-DK", "en-GB"])
async def test_pages_of_every_room(stage: Stage, locale: str) -> None:
    """Each page of each room as it is when one comes to it, and the public page of the logs."""
    for kind, person, paths in PAGES:
        reader = await stage.surfer(locale)
        await reader.log_in(kind, person, paths[0])
        for path in paths:
            await reader.page.goto(f"{reader.address}{path}")
            await looked_at(reader, f"room{path.replace('/', '-')}-{locale}")
            assert await reader.page.locator("html").get_attribute("lang") == locale[:2]
    anybody = await stage.surfer(locale)
    await anybody.page.goto(f"{anybody.address}/log/")
    await looked_at(anybody, f"logs-{locale}")
