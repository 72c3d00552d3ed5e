"""From being asked to having stopped it: by the keyboard alone, and with a thumb on a small phone, counted.

`--basetemp FOLDER` keeps the counts (`one-minute.json`) and the pictures.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page

from tests.browser.conftest import Stage
from tests.browser.surfing import PHONE
from tests.browser.test_lifecycle_in_browser import ask

pytestmark = pytest.mark.asyncio(loop_scope="module")
CITIZENS = Path(__file__).parents[2] / "docs" / "citizens.md"
# What the page says to whoever holds the keyboard: its role, its name, and whether one can see where one is.
FOCUS = """() => { const at = document.activeElement, look = getComputedStyle(at);
    return [at.matches("a[href], button, input, select, textarea, summary") ? at.innerText || at.value || "" : "",
            at.matches(":focus-visible") && (look.outlineStyle !== "none" || look.boxShadow !== "none")]; }"""
MOST_STOPS = 80
# The way, as (what to press, where one then is): by its own words, from the first page to the last.
WAY = (
    ("Læs og svar", "spørger dig"),
    ("Ja til alt", "Du har sagt ja"),
    ("Til det, jeg deler", "Start"),
    ("Stop det hele", "stoppe deling"),
    ("Ja, stop det", "Du har stoppet det"),
)


@dataclass
class Thumb:
    """Somebody who taps, and a count of it."""

    page: Page
    taps: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    async def tap(self, target: Locator) -> None:
        """Tap once."""
        self.taps += 1
        await target.tap()


async def heading(page: Page) -> str:
    """Give the heading of the page one is on."""
    return await page.locator("h1").inner_text()


async def press(page: Page, words: str) -> int:
    """Go on from where the focus is with Tab until it stands on these words, press Enter; count the stops."""
    for stops in range(1, MOST_STOPS):
        await page.keyboard.press("Tab")
        text, visible = await page.evaluate(FOCUS)
        if not text:
            continue
        assert visible, f"nobody sees that the focus is on {text}"
        if text.strip().startswith(words):
            async with page.expect_navigation():
                await page.keyboard.press("Enter")
            return stops
    raise AssertionError(f"the keyboard does not reach {words}")


async def test_the_whole_way_with_the_keyboard_alone(stage: Stage) -> None:
    """Logged in, read, said yes, seen what is shared, stopped, logged out: by Tab and Enter, each stop visible."""
    lene, annette = await stage.surfer(), await stage.surfer()
    await lene.log_in("caseworker", "lene", "/case")
    await ask(lene)
    page = annette.page
    await page.goto(f"{annette.address}/mine")
    await press(page, await page.locator('button[name="person"][value="annette"]').inner_text())
    for words, then in WAY:
        await press(page, words)
        assert then in await heading(page)
    await press(page, "Log af")
    await page.goto(f"{annette.address}/mine")
    assert "/authorize" in page.url


async def test_taps_and_seconds_from_start_to_stopped(stage: Stage) -> None:
    """On a phone 320 px wide, without script: as many taps as the guide says, and no page wants any other."""
    lene = await stage.surfer()
    await lene.log_in("caseworker", "lene", "/case")
    await ask(lene)
    context = await stage.browser.new_context(
        viewport={"width": PHONE["width"], "height": PHONE["height"]},
        has_touch=True,
        is_mobile=True,
        java_script_enabled=False,
        locale="da-DK",
    )
    page = await context.new_page()
    thumb, begin = Thumb(page), time.monotonic()
    await page.goto(f"{stage.world.address}/mine")
    await thumb.tap(page.locator('button[name="person"][value="annette"]'))
    for words, then in WAY:
        await thumb.tap(page.get_by_role("main").get_by_text(words, exact=False).first)
        await page.locator("h1", has_text=then).wait_for()
        thumb.seconds[words] = round(time.monotonic() - begin, 1)
        await page.screenshot(path=stage.pictures / f"one-minute-{thumb.taps}.png", full_page=True)
    counted = {"taps": thumb.taps, "seconds": thumb.seconds}
    (stage.pictures / "one-minute.json").write_text(json.dumps(counted, ensure_ascii=False, indent=2))
    await context.close()
    told = re.search(r"(\d+) taps from the log-in to stopped", CITIZENS.read_text("utf-8"))
    assert told is not None
    assert thumb.taps == int(told[1])


async def test_a_choice_with_the_keyboard_alone(stage: Stage) -> None:
    """A part is chosen with the space bar, checked and said no to: nothing needs a mouse.

    The last of these: after a no the unit may not ask again.
    """
    lene, annette = await stage.surfer(), await stage.surfer()
    await lene.log_in("caseworker", "lene", "/case")
    await ask(lene)
    await annette.log_in("citizen", "annette", "/mine")
    page = annette.page
    await press(page, "Læs og svar")
    for _ in range(MOST_STOPS):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.type") == "checkbox":
            break
    await page.keyboard.press("Space")
    assert await page.locator("input:checked").count() == 1
    await press(page, "Ja til det valgte")
    assert "noget af det" in await heading(page)
    await press(page, "Nej til alt")
    assert "Du har sagt nej" in await heading(page)
