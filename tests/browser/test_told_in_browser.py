"""A stop is told to the unit that got something, and the citizen sees that it heard: in a world of its own."""

from __future__ import annotations

import pytest

from demo.scenario.callers import Callers
from demo.world.casting import employee_id
from tests.browser.conftest import Stage
from tests.browser.surfing import Surfer
from tests.browser.test_pages_in_browser import choose, look_up, looked_at

pytestmark = pytest.mark.asyncio(loop_scope="module")
WORDS = {
    "da": {"not yet": "har ikke taget imod den endnu", "received": "De tog imod beskeden"},
    "en": {"not yet": "have not received it yet", "received": "They received it on"},
}


async def ask(lene: Surfer) -> None:
    """Let the caseworker ask for two kinds of information."""
    await look_up(lene)
    for line in ("korsbaek-social/S01", "korsbaek-health/H01"):
        await choose(lene, line)
    await lene.page.select_option("#lasts", "90")
    await lene.page.locator('form[action="/case/requests"] button').click()


async def test_a_stop_is_told_and_received(stage: Stage) -> None:
    """Beside what rests and what was stopped stands that the unit, which has looked, is told; then when it heard."""
    lene, annette = await stage.surfer(), await stage.surfer("da-DK")
    await lene.log_in("caseworker", "lene", "/case")
    await ask(lene)
    await annette.log_in("citizen", "annette", "/mine")
    await annette.page.get_by_role("link", name="Læs og svar").click()
    await annette.page.get_by_role("button", name="Ja til alt").click()
    await look_up(lene)
    for way in ("pause", "stop"):
        await annette.page.goto(f"{annette.address}/mine")
        await annette.page.locator(f'a[href*="/{way}?line="]').first.click()
        await annette.page.locator("main button[type=submit]").click()

    async with Callers(stage.world) as callers:
        await may_i(stage, callers)
        before = await both_read(stage, "not-yet")
        await callers.receive("korsbaek-jobcentre")
    after = await both_read(stage, "received")

    for language, words in WORDS.items():
        assert [text[language].count(words["not yet"]) for text in (before, after)] == [2, 0]
        assert [text[language].count(words["received"]) for text in (before, after)] == [0, 2]


async def may_i(stage: Stage, callers: Callers) -> None:
    """Let the caseworker ask whether they might, without fetching: that too stands on the citizen's list."""
    properties = {"citizen": stage.world.cast.cpr("annette")}
    body = {
        "subject": {"type": "caseworker", "id": employee_id("lene")},
        "action": {"name": "read"},
        "context": {"purpose": "helhedsorienteret_plan", "case": "JC-2019-0417"},
        "resource": {"type": "category", "id": "korsbaek-social/S01", "properties": properties},
    }
    assert (await callers.post("lene", "/access/v1/evaluation", body)).status == 200


async def both_read(stage: Stage, moment: str) -> dict[str, str]:
    """Look at the citizen's pages as she reads them in either language; give the words of her list of lines."""
    read = {}
    for language, locale in (("da", "da-DK"), ("en", "en-GB")):
        annette = await stage.surfer(locale)
        await annette.log_in("citizen", "annette", "/mine/accesses")
        await looked_at(annette, f"accesses-told-{moment}-{language}")
        await annette.page.goto(f"{annette.address}/mine")
        await annette.page.locator("details.details").last.locator("summary").click()
        await looked_at(annette, f"mine-told-{moment}-{language}")
        read[language] = await annette.page.locator("main").inner_text()
    return read
