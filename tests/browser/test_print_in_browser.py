"""What a citizen prints, in a real browser without script: on paper stands what a screen folds away, and no button.

`--basetemp FOLDER` keeps the papers (`paper-….pdf`) and pictures of them.
"""

from __future__ import annotations

import io
import unicodedata
from typing import Any

import pytest
from playwright.async_api import Locator
from pypdf import PdfReader

from tests.browser.conftest import Stage
from tests.browser.surfing import Surfer
from tests.browser.test_lifecycle_in_browser import ask
from tests.browser.test_pages_in_browser import LINES, choose, look_up

pytestmark = pytest.mark.asyncio(loop_scope="module")
# What a sheet of A4 has between its margins of 15 mm, in the units of a style sheet.
SHEET = {"width": 680, "height": 1010}
# What is on the screen alone, what stays folded, what is cut off or too wide, and what is set smaller than 10 points,
# or than 16 where big type is promised.
ON_PAPER = """() => {
    const seen = (one) => one.checkVisibility({contentVisibilityAuto: true, visibilityProperty: true})
        && one.getBoundingClientRect().height > 1;
    const all = (what) => [...document.querySelectorAll(what)];
    const told = (one) => one.outerHTML.slice(0, 120);
    const folded = all("details").filter((one) => !one.closest(".d-print-none"));
    return {
        screen: all("header, footer, nav, aside, #bb-session, button, .button, input, select, textarea, legend")
            .filter(seen).map(told),
        folded: folded.flatMap((one) => [...one.children])
            .filter((one) => !one.matches(".d-print-none") && !seen(one)).map(told),
        cut: all("main, main *").filter((one) => getComputedStyle(one).overflowX !== "visible"
            && !one.closest(".sr-only, svg") && one.scrollWidth > one.clientWidth + 1).map(told),
        wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        small: all("main p, main li, main dd, main td").filter((one) => seen(one)
            && parseFloat(getComputedStyle(one).fontSize) < (one.closest(".bb-big") ? 21.3 : 13.3)).map(told),
    };
}"""
KEPT: dict[str, Any] = {"screen": [], "folded": [], "cut": [], "wide": 0, "small": []}
WORDS = {
    "da-DK": {"answer": "Svar senest", "given": "Du har sagt ja", "stopped": "Du har stoppet det", "log": "Linje",
              "seen": "Det har de allerede set", "over": "du stoppede det", "no": "Det fik de ikke, og hvorfor",
              "help": "Vis min hjælp", "week": "Vis min uge", "table": "På samme tid"},
    "en-GB": {"answer": "Answer by", "given": "You have said yes", "stopped": "You have stopped it", "log": "Line",
              "seen": "What they have seen already", "over": "you stopped it", "no": "What they did not get, and why",
              "help": "Show my help", "week": "Show my week", "table": "At the same time"},
}  # fmt: skip


async def on_paper(person: Surfer, name: str, *said: str, folded: int = 0) -> None:
    """Print the page one is on and hold it to what every paper keeps; `folded` is how much a screen folds at least."""
    page = person.page
    assert await page.locator("main details:not(.d-print-none)").count() >= folded, name
    await page.set_viewport_size(SHEET)  # type: ignore[arg-type]  # a plain dict of two numbers
    await page.emulate_media(media="print")
    assert await page.evaluate(ON_PAPER) == KEPT, name
    await page.screenshot(path=person.folder / f"paper-{name}.png", full_page=True)
    printed = await page.pdf(path=person.folder / f"paper-{name}.pdf", format="A4")
    await page.emulate_media(media="screen")
    text = squeezed("".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(printed)).pages))
    assert [line for one in said for line in one.splitlines() if squeezed(line) not in text] == [], name


async def follow(target: Locator) -> None:
    """Press what leads on, and wait until the next page is there."""
    async with target.page.expect_navigation():
        await target.click()


def squeezed(text: str) -> str:
    """Take out what a paper sets as it likes: spaces, line breaks and joined letters."""
    return "".join(unicodedata.normalize("NFKC", text).split())


@pytest.mark.parametrize("locale", ["da-DK", "en-GB"])
async def test_what_a_citizen_prints(stage: Stage, locale: str) -> None:
    """Start, a request, its receipts, the list of looks, the help and the week: whole on paper, in both languages."""
    words, lene, annette = WORDS[locale], await stage.surfer(), await stage.surfer(locale)
    page = annette.page
    await lene.log_in("caseworker", "lene", "/case")
    await ask(lene)
    await annette.log_in("citizen", "annette", "/mine")
    await on_paper(annette, f"mine-{locale}", words["answer"])
    await follow(page.locator('main a[href^="/mine/requests/"]').first)
    await on_paper(annette, f"request-{locale}", words["answer"], await page.locator(".bb-text").inner_text())
    await follow(page.locator('main form[action$="/yes"] button'))
    await on_paper(annette, f"receipt-{locale}", words["given"], words["log"])
    await look_up(lene)
    await page.goto(f"{annette.address}/mine")
    await follow(page.locator('main a[href*="/stop?line="]').first)
    await follow(page.locator("main button[type=submit]"))
    await on_paper(annette, f"receipt-stopped-{locale}", words["stopped"], words["log"])
    await page.goto(f"{annette.address}/mine")
    await follow(page.locator('main a[href$="/stop"]').first)
    await follow(page.locator("main button[type=submit]"))
    await page.goto(f"{annette.address}/mine")
    await on_paper(annette, f"mine-over-{locale}", words["seen"], words["over"], folded=2)
    await page.goto(f"{annette.address}/mine/accesses")
    await on_paper(annette, f"accesses-{locale}", words["no"], words["log"], folded=3)
    await page.goto(f"{annette.address}/mine/help")
    await follow(page.get_by_role("button", name=words["help"]))
    await on_paper(annette, f"help-{locale}", "Hanne Vejleder Test")
    await follow(page.get_by_role("button", name=words["week"]))
    await on_paper(annette, f"week-{locale}", words["table"], folded=1)


async def test_what_the_desk_prints(stage: Stage) -> None:
    """What is shared, the text to sign, the receipt, the text again and the big type, without the desk's forms."""
    lene = await stage.surfer()
    await lene.log_in("caseworker", "lene", "/case")
    for line in LINES[2:]:
        await look_up(lene)
        await choose(lene, line)
        await lene.page.get_by_role("button", name="Spørg borgeren").click()
    for locale in WORDS:
        await serve(stage, locale)


async def serve(stage: Stage, locale: str) -> None:
    """Answer one request at the desk, and print each page on the way."""
    dorte = await stage.surfer(locale)
    page = dorte.page
    await dorte.log_in("caseworker", "dorte", "/desk")
    await page.fill("#citizen", "710274-0022")
    await page.locator('label[for="identity_checked"]').click()
    await follow(page.locator("main button[type=submit]"))
    await on_paper(dorte, f"desk-citizen-{locale}", "Jobcent")
    await follow(page.locator('button[name="what"][value="all"]').first)
    text = await page.locator(".bb-text").inner_text()
    await on_paper(dorte, f"desk-read-{locale}", text, "underskrift" if locale == "da-DK" else "signature")
    for box in ("read_back", "identity-oral"):
        await page.locator(f'label[for="{box}"]').click()
    await follow(page.locator("section[aria-labelledby=said-oral] button"))
    await on_paper(dorte, f"desk-done-{locale}", text)
    await follow(page.locator('form[action="/desk"] button'))
    await follow(page.locator('form[action$="/print"] button').first)
    await on_paper(
        dorte,
        f"desk-print-{locale}",
        await page.locator(".bb-text").inner_text(),
        "SHA-256",
        "Datatilsynet",
        "Kvitteringens nummer" if locale == "da-DK" else "The receipt's number",
    )
    async with page.expect_download() as loading:
        await page.locator('form[action$="/record"] button').click()
    assert (await loading.value).suggested_filename == "kvittering.json"
    await follow(page.locator('form[action="/desk"] button'))
    await follow(page.locator('form[action="/desk/shared"] button'))
    await on_paper(dorte, f"desk-shared-{locale}")
