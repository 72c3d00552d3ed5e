"""What a citizen may ask for, in a real browser without script: seen for others, questions, put right or stopped."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.browser.conftest import Stage
from tests.browser.surfing import Surfer
from tests.browser.test_pages_in_browser import choose, look_up, looked_at

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Wish(NamedTuple):
    """What is wanted of one line, and the words that lead there and back."""

    aim: str
    got: str
    ask: str
    wanted: str
    holds: str
    unit: str
    passed_on: str


WISHES = {
    "da-DK": Wish(
        "correction",
        "De måtte se:",
        "Spørg om dette opslag",
        "Noget er forkert",
        "har det",
        "Jobcenter Korsbæk",
        "Sendt videre",
    ),
    "en-GB": Wish(
        "objection",
        "They may see:",
        "Ask about this line",
        "I do not want them",
        "holds it",
        "Korsbæk Jobcentre",
        "Passed on",
    ),
}


async def test_a_parent_sees_for_a_child(stage: Stage) -> None:
    """The page for others, what it shows of a child, its fault: in both languages, from the right too."""
    for locale, button in (("da-DK", "Vis mine børn"), ("en-GB", "Show my children")):
        annette = await stage.surfer(locale)
        await annette.log_in("citizen", "annette", "/mine/others")
        await looked_at(annette, f"others-{locale}")
        await annette.page.fill("#citizen", "710274-0022")
        await annette.page.locator('form[action$="/represented"] button').click()
        await looked_at(annette, f"others-fault-{locale}")
        await annette.page.get_by_role("button", name=button).click()
        await looked_at(annette, f"children-{locale}")
        await annette.page.evaluate("document.documentElement.dir = 'rtl'")
        await looked_at(annette, f"rtl-children-{locale}")
        assert not any("710274" in address for address in annette.addresses)


async def test_rights_and_questions_in_english_and_from_the_right(stage: Stage) -> None:
    """What one may ask for, who got what and the statement, in English and from right to left."""
    lene, annette = await stage.surfer(), await stage.surfer("en-GB")
    await lene.log_in("caseworker", "lene", "/case")
    await look_up(lene)
    await annette.log_in("citizen", "annette", "/mine/rights")
    for path in ("/mine/rights", "/mine/rights/recipients", "/mine/inquiries", "/mine/accesses", "/accessibility"):
        await annette.page.goto(f"{annette.address}{path}")
        await looked_at(annette, f"english{path.replace('/', '-')}")
        await annette.page.evaluate("document.documentElement.dir = 'rtl'")
        await looked_at(annette, f"rtl-english{path.replace('/', '-')}")
    await annette.page.goto(f"{annette.address}/mine/accesses")
    await annette.page.get_by_role("link", name="Ask about this line", exact=False).first.click()
    await looked_at(annette, "english-ask")
    await annette.page.locator("main form button").last.click()
    await looked_at(annette, "english-ask-fault")


async def something_is_handed_out(stage: Stage) -> None:
    """Let the caseworker ask, the citizen say yes, and the caseworker look."""
    lene, annette = await stage.surfer(), await stage.surfer()
    await lene.log_in("caseworker", "lene", "/case")
    await look_up(lene)
    await choose(lene, "korsbaek-social/S01")
    await lene.page.select_option("#lasts", "90")
    await lene.page.locator('form[action="/case/requests"] button').click()
    await annette.log_in("citizen", "annette", "/mine")
    await annette.page.get_by_role("link", name="Læs og svar").first.click()
    await annette.page.get_by_role("button", name="Ja til alt").click()
    await look_up(lene)


async def test_something_is_put_right_or_stopped(stage: Stage) -> None:
    """Asked at the line, read by the DPO, told to who holds and got it, seen by the citizen: in both languages."""
    await something_is_handed_out(stage)
    for locale, wish in WISHES.items():
        annette, dpo = await stage.surfer(locale), await stage.surfer(locale)
        await annette.log_in("citizen", "annette", "/mine/accesses")
        await ask_for(annette, wish, locale)
        await tell_them(dpo, wish, locale)
        await annette.page.goto(f"{annette.address}/mine/inquiries")
        await looked_at(annette, f"wish-passed-on-{locale}")
        told = await annette.page.locator("main").inner_text()
        assert wish.wanted in told
        assert wish.unit in told.partition(wish.passed_on)[2]
        await annette.page.evaluate("document.documentElement.dir = 'rtl'")
        await looked_at(annette, f"rtl-wish-passed-on-{locale}")
        await annette.page.goto(f"{annette.address}/mine/accesses")
        await looked_at(annette, f"wish-in-the-list-{locale}")


async def ask_for(annette: Surfer, wish: Wish, locale: str) -> None:
    """Say at the line what is wanted, with the fault on the way: what was chosen stays chosen."""
    page = annette.page
    line = page.locator("article", has_text=wish.got).first
    await line.get_by_role("link", name=wish.ask, exact=False).click()
    await page.locator(f'label[for="aim-{wish.aim}"]').click()
    await page.locator("main button[type=submit]").click()
    await looked_at(annette, f"wish-fault-{locale}")
    assert await page.locator(f"#aim-{wish.aim}").is_checked()
    await page.fill("#text", "Der står, at jeg kan arbejde hele dagen.")
    await looked_at(annette, f"wish-{locale}")
    await page.locator("main button[type=submit]").click()
    await looked_at(annette, f"wish-sent-{locale}")


async def find_them(dpo: Surfer, locale: str) -> None:
    """Find a citizen's lines, and open one."""
    page = dpo.page
    await page.goto(f"{dpo.address}/dpo")
    await page.fill("#citizen", "710274-0022")
    await page.locator('main form[action="/dpo/find"] button[type=submit]').first.click()
    await looked_at(dpo, f"dpo-citizen-{locale}")
    await page.locator('main a[href^="/dpo/lines/"]').first.click()
    await looked_at(dpo, f"dpo-line-{locale}")


async def tell_them(dpo: Surfer, wish: Wish, locale: str) -> None:
    """Open what is wanted, send it with nobody ticked, and tick all: nobody is ticked beforehand."""
    page = dpo.page
    await dpo.log_in("officer", "dpo-korsbaek", "/dpo/inquiries")
    await looked_at(dpo, f"dpo-wishes-{locale}")
    await page.locator('main a[href^="/dpo/inquiries/"]').first.click()
    await looked_at(dpo, f"dpo-wish-{locale}")
    assert wish.holds in await page.locator("main").inner_text()
    assert await page.locator("input:checked").count() == 0
    await page.locator('form[action$="/passed-on"] button').click()
    await looked_at(dpo, f"dpo-wish-fault-{locale}")
    for box in await page.locator("input[name=told]").all():
        await page.locator(f'label[for="{await box.get_attribute("id")}"]').click()
    await page.locator('form[action$="/passed-on"] button').click()
    await page.goto(f"{dpo.address}/dpo/inquiries")
    await page.locator('main a[href^="/dpo/inquiries/"]').first.click()
    await looked_at(dpo, f"dpo-wish-told-{locale}")
    await find_them(dpo, locale)
    await page.goto(f"{dpo.address}/dpo/inquiries")
    await page.locator('main a[href^="/dpo/inquiries/"]').first.click()
    await page.fill("#text", "Vi har sendt det videre til dem, der har det.")
    await page.locator("main form button").last.click()
