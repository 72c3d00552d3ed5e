"""The citizens' desk in a real browser without script: whole on phone and desk, nothing for axe to say."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Stage
from tests.browser.test_pages_in_browser import LINES, choose, look_up, looked_at

pytestmark = pytest.mark.asyncio(loop_scope="module")
WORDS = {
    "da-DK": ("Læs det hele, og svar", "Skriv det mundtlige ja ned", "Ja er skrevet ned", "Sæt linjerne på pause"),
    "en-GB": ("Read all of it, and answer", "Record the oral yes", "The yes is recorded", "Pause the lines"),
}


async def test_the_desk_helps_who_has_no_computer(stage: Stage) -> None:
    """Found, read aloud, said yes, paused and printed, in both languages: each page keeps every page's rules."""
    lene = await stage.surfer()
    await lene.log_in("caseworker", "lene", "/case")
    for line in LINES[:2]:
        await look_up(lene)
        await choose(lene, line)
        await lene.page.get_by_role("button", name="Spørg borgeren").click()
    for locale in WORDS:
        await serve(stage, locale)


async def serve(stage: Stage, locale: str) -> None:
    """Answer one request at the desk, with the faults on the way."""
    read, record, recorded, pause = WORDS[locale]
    dorte = await stage.surfer(locale)
    page = dorte.page
    await dorte.log_in("caseworker", "dorte", "/desk")
    await looked_at(dorte, f"desk-{locale}")
    await page.locator("main button[type=submit]").click()
    await looked_at(dorte, f"desk-faults-{locale}")
    await page.fill("#citizen", "710274-0022")
    await page.locator('label[for="identity_checked"]').click()
    await page.locator("main button[type=submit]").click()
    await looked_at(dorte, f"desk-citizen-{locale}")
    assert await page.locator("input:checked").count() == 0
    await page.get_by_role("button", name=read).first.click()
    await looked_at(dorte, f"desk-read-{locale}")
    await page.get_by_role("button", name=record).click()
    await looked_at(dorte, f"desk-read-faults-{locale}")
    for box in ("read_back", "identity-oral"):
        await page.locator(f'label[for="{box}"]').click()
    await page.get_by_role("button", name=record).click()
    assert recorded in await page.locator("h1").inner_text()
    await looked_at(dorte, f"desk-done-{locale}")
    await page.locator('form[action="/desk"] button').click()
    await page.get_by_role("button", name=pause).first.click()
    await looked_at(dorte, f"desk-change-faults-{locale}")
    panel = page.locator("article", has=page.locator("label .badge-success")).first
    await panel.locator('label[for^="line-"]').first.click()
    await panel.locator('label[for^="identity-"]').click()
    await panel.get_by_role("button", name=pause).click()
    assert await page.locator("h1").inner_text() in {"Det er sat på pause", "It is paused"}
    await looked_at(dorte, f"desk-paused-{locale}")
    await page.locator('form[action="/desk"] button').click()
    await page.locator('form[action$="/print"] button').first.click()
    await looked_at(dorte, f"desk-print-{locale}")
    await page.locator('form[action="/desk"] button').click()
    await page.locator('form[action="/desk/shared"] button').click()
    await looked_at(dorte, f"desk-shared-{locale}")
    assert not any("710274" in address for address in dorte.addresses)
