"""A consent's life on the citizen's pages, in a real browser without script, in both languages."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Stage
from tests.browser.surfing import Surfer
from tests.browser.test_pages_in_browser import choose, look_up, looked_at

pytestmark = pytest.mark.asyncio(loop_scope="module")
WORDS = {
    "da": {"read": "Læs og svar", "all": "Ja til alt", "pause": "Sæt på pause", "again": "Del igen",
           "not yet": "har ikke taget imod den endnu", "received": "De tog imod beskeden"},
    "en": {"read": "Read and answer", "all": "Yes to all", "pause": "Pause", "again": "Share again",
           "not yet": "have not received it yet", "received": "They received it on"},
}  # fmt: skip


async def ask(lene: Surfer) -> None:
    """Let the caseworker ask for two kinds of information."""
    await look_up(lene)
    for line in ("korsbaek-social/S01", "korsbaek-health/H01"):
        await choose(lene, line)
    await lene.page.select_option("#lasts", "90")
    await lene.page.locator('form[action="/case/requests"] button').click()


@pytest.mark.parametrize(("locale", "language"), [("da-DK", "da"), ("en-GB", "en")])
async def test_a_yes_rests_and_holds_again(stage: Stage, locale: str, language: str) -> None:
    """Asked, given, paused, held again and stopped: two clicks each, on pages that keep their rules."""
    lene, annette, words = await stage.surfer(), await stage.surfer(locale), WORDS[language]
    await lene.log_in("caseworker", "lene", "/case")
    await ask(lene)
    await annette.log_in("citizen", "annette", "/mine")
    await annette.page.get_by_role("link", name=words["read"]).click()
    await annette.page.get_by_role("button", name=words["all"]).click()

    await annette.page.goto(f"{annette.address}/mine")
    await looked_at(annette, f"mine-two-{language}")
    await annette.page.get_by_role("link", name=words["pause"], exact=False).first.click()
    await looked_at(annette, f"pause-{language}")
    await annette.page.locator("main button[type=submit]").click()
    await looked_at(annette, f"receipt-paused-{language}")
    await annette.page.goto(f"{annette.address}/mine")
    await looked_at(annette, f"mine-paused-{language}")
    await annette.page.get_by_role("link", name=words["again"], exact=False).first.click()
    await looked_at(annette, f"resume-{language}")
    await annette.page.locator("main button[type=submit]").click()
    await looked_at(annette, f"receipt-resumed-{language}")
    await annette.page.goto(f"{annette.address}/mine/accesses")
    await looked_at(annette, f"accesses-paused-{language}")

    await annette.page.goto(f"{annette.address}/mine")
    await annette.page.locator('a[href$="/stop"]').first.click()
    await annette.page.locator("main button[type=submit]").click()


@pytest.mark.parametrize(("locale", "language"), [("da-DK", "da"), ("en-GB", "en")])
async def test_a_yes_for_once(stage: Stage, locale: str, language: str) -> None:
    """How often is chosen, read once more and given; a form sent half says what is missing; start says what is left."""
    lene, annette, words = await stage.surfer(), await stage.surfer(locale), WORDS[language]
    await lene.log_in("caseworker", "lene", "/case")
    await ask(lene)
    await annette.log_in("citizen", "annette", "/mine")
    await annette.page.get_by_role("link", name=words["read"]).click()
    await annette.page.locator('main a[href$="/often"]').click()
    await looked_at(annette, f"often-{language}")
    assert await annette.page.locator("input:checked").count() == 0
    await annette.page.locator("main button[type=submit]").click()
    await looked_at(annette, f"often-faults-{language}")
    await annette.page.locator('label[for="limit-0"]').click()
    await annette.page.locator("main button[type=submit]").click()
    assert await annette.page.locator("input:checked").count() == 1
    for number in range(2):
        await annette.page.locator(f'label[for="line-{number}"]').click()
    await annette.page.locator("main button[type=submit]").click()
    await looked_at(annette, f"some-once-{language}")
    await annette.page.locator(".bb-answers button").first.click()
    await looked_at(annette, f"receipt-once-{language}")
    await annette.page.goto(f"{annette.address}/mine")
    await looked_at(annette, f"mine-once-{language}")
    await annette.page.locator('a[href$="/stop"]').first.click()
    await annette.page.locator("main button[type=submit]").click()


async def test_after_a_no_one_is_asked_again_with_a_reason(stage: Stage) -> None:
    """The form says that there was a no and wants a reason; the citizen reads it, and how often they were asked."""
    lene, annette = await stage.surfer(), await stage.surfer()
    await lene.log_in("caseworker", "lene", "/case")
    await ask(lene)
    await annette.log_in("citizen", "annette", "/mine")
    await annette.page.get_by_role("link", name="Læs og svar").click()
    await annette.page.get_by_role("button", name="Nej", exact=True).click()
    await ask(lene)
    await looked_at(lene, "case-said-no")
    assert "Skriv med nye ord, hvorfor du spørger igen." in await lene.page.locator("main").inner_text()
    await choose(lene, "korsbaek-social/S01")
    await lene.page.fill("#again", "Bostøtten er ny, og vi vil undgå to besøg på samme tid.")
    await lene.page.locator('form[action="/case/requests"] button').click()
    await looked_at(lene, "case-asked-again")
    await annette.page.goto(f"{annette.address}/mine")
    await annette.page.get_by_role("link", name="Læs og svar").click()
    await looked_at(annette, "request-again")
    read = await annette.page.locator("main").inner_text()
    assert "du sagde nej" in read
    assert "to besøg på samme tid" in read
