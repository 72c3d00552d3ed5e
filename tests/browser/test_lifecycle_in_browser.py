"""A consent's life on the citizen's pages, in a real browser without script, in both languages."""

from __future__ import annotations

import pytest

from broker.web.login import FRESH
from demo.world.world import OPENID
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
    lene, annette, words = await stage.surfer(locale), await stage.surfer(locale), WORDS[language]
    await lene.log_in("caseworker", "lene", "/case")
    await look_up(lene)
    await looked_at(lene, f"case-refused-{language}")
    await ask(lene)
    await looked_at(lene, f"case-request-{language}")
    await annette.log_in("citizen", "annette", "/mine")
    await annette.page.get_by_role("link", name=words["read"]).click()
    await looked_at(annette, f"request-{language}")
    await annette.page.get_by_role("button", name=words["all"]).click()
    await look_up(lene)
    await looked_at(lene, f"case-view-{language}")

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
    await looked_at(annette, f"stop-{language}")
    await annette.page.locator("main button[type=submit]").click()
    await looked_at(annette, f"receipt-stopped-{language}")
    for place, name in (("/mine/nowhere", "nowhere-mine"), ("/mine/accesses?until=x", "accesses-fault")):
        await annette.page.goto(f"{annette.address}{place}")
        await looked_at(annette, f"{name}-{language}", there=name != "nowhere-mine")


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


SIGN = {
    "da": {"unchanged": "Intet er ændret.", "anew": "Du er logget ind igen.", "given": "Du har sagt ja"},
    "en": {"unchanged": "Nothing has changed.", "anew": "You have logged in again.", "given": "You have said yes"},
}  # fmt: skip


@pytest.mark.parametrize(("locale", "language"), [("da-DK", "da"), ("en-GB", "en")])
async def test_an_old_log_in_is_made_anew_to_sign(stage: Stage, locale: str, language: str) -> None:
    """Whom the provider knows from earlier proves it once more to say yes, to share again and to lift a no.

    Cancelled there, nothing has changed; gone through, what was chosen is still chosen, and waits for its own yes.
    """
    lene, annette, words = await stage.surfer(), await stage.surfer(locale), SIGN[language]
    page = annette.page
    await lene.log_in("caseworker", "lene", "/case")
    await ask(lene)
    await stage.world.control(OPENID, "/known", {"seconds": int(FRESH.total_seconds()) + 1})
    try:
        await annette.log_in("citizen", "annette", "/mine")
        await page.locator('main a[href^="/mine/requests/"]').first.click()
        await page.locator('main a[href$="/often"]').click()
        # All of it, but once: a yes to some of it would be a no to the rest, and nobody could ask again.
        for choice in ("limit-0", "line-0", "line-1"):
            await page.locator(f'label[for="{choice}"]').click()
        await page.locator("main button[type=submit]").click()
        chosen = await page.locator(".bb-text").inner_text()
        await signed_anew(annette, "/yes", words, f"some-old-{language}")
        await looked_at(annette, f"some-anew-{language}")
        assert await page.locator(".bb-text").inner_text() == chosen
        await page.locator('form[action$="/yes"] button').click()
        assert await page.locator("h1").inner_text() == words["given"]
        await looked_at(annette, f"receipt-signed-{language}")
        await what_opens_again(annette, language, words)
    finally:
        await stage.world.control(OPENID, "/known", {"seconds": 0})
    await page.goto(f"{annette.address}/mine")
    await page.locator('a[href$="/stop"]').first.click()
    await page.locator("main button[type=submit]").click()


async def what_opens_again(annette: Surfer, language: str, words: dict[str, str]) -> None:
    """Pause, and set a standing no; then, each with a log-in that is old again, share again and lift it."""
    page = annette.page
    await page.goto(f"{annette.address}/mine")
    await page.locator('a[href$="/pause"]').first.click()
    await page.locator("main button[type=submit]").click()
    resume = await page.locator('a[href$="/resume"]').get_attribute("href")
    await page.goto(f"{annette.address}/mine/blocks")
    await page.locator('form[action="/mine/blocks"] button').click()
    await looked_at(annette, f"blocks-fault-{language}")
    await page.select_option("#source", "korsbaek-family")
    await page.locator('form[action="/mine/blocks"] button').click()
    await looked_at(annette, f"receipt-blocked-{language}")
    for way, place in (("/resume", str(resume)), ("/lift", "/mine/blocks")):
        await page.context.clear_cookies()
        await annette.log_in("citizen", "annette", place)
        await signed_anew(annette, way, words, f"old{way.replace('/', '-')}-{language}")
        await page.locator(f'form[action$="{way}"] button').click()
        await looked_at(annette, f"receipt-opened{way.replace('/', '-')}-{language}")


async def signed_anew(annette: Surfer, way: str, words: dict[str, str], name: str) -> None:
    """From a page that signs nothing, cancel a new log-in, and then go through with it."""
    page = annette.page
    for pressed, says in (('button[name="cancel"]', "unchanged"), ('button[value="annette"]', "anew")):
        assert await page.locator(f'form[action$="{way}"]').count() == 0
        await page.locator('main a[href^="/login/citizen?anew=1"]').click()
        await page.locator(pressed).click()
        read = await page.locator("body").inner_text()
        assert words[says] in read, f"{page.url}: {read}"
        if says == "unchanged":
            await looked_at(annette, name)
    assert await page.locator(f'form[action$="{way}"]').count() == 1


async def in_both(person: Surfer, name: str) -> None:
    """Look at a page that is opened by its address in English and then in Danish, which stays."""
    at = person.page.url
    for language in ("en", "da"):
        await person.page.goto(f"{at}{'&' if '?' in at else '?'}lang={language}")
        await looked_at(person, f"{name}-{language}")


async def test_after_a_no_one_is_asked_again_with_a_reason(stage: Stage) -> None:
    """The form says that there was a no and wants a reason; the citizen reads it, and how often they were asked."""
    lene, annette = await stage.surfer(), await stage.surfer()
    await lene.log_in("caseworker", "lene", "/case")
    await ask(lene)
    await annette.log_in("citizen", "annette", "/mine")
    await annette.page.get_by_role("link", name="Læs og svar").click()
    await annette.page.get_by_role("button", name="Nej", exact=True).click()
    await in_both(annette, "receipt-no")
    await ask(lene)
    await looked_at(lene, "case-said-no")
    assert "Skriv med nye ord, hvorfor du spørger igen." in await lene.page.locator("main").inner_text()
    await choose(lene, "korsbaek-social/S01")
    await lene.page.fill("#again", "Bostøtten er ny, og vi vil undgå to besøg på samme tid.")
    await lene.page.locator('form[action="/case/requests"] button').click()
    await looked_at(lene, "case-asked-again")
    await annette.page.goto(f"{annette.address}/mine")
    await annette.page.get_by_role("link", name="Læs og svar").click()
    await in_both(annette, "request-again")
    read = await annette.page.locator("main").inner_text()
    assert "du sagde nej" in read
    assert "to besøg på samme tid" in read
