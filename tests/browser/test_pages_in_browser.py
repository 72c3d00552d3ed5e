"""The pages in a real browser without script, over a real broker: whole on phone and desk, nothing for axe to say."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Route

from tests.browser.conftest import Stage
from tests.browser.surfing import PHONE, Surfer, browsing, surfer

pytestmark = pytest.mark.asyncio(loop_scope="module")
LINES = ("korsbaek-social/S01", "korsbaek-social/S02", "korsbaek-family/F01", "korsbaek-health/H01")
# What a first visit may cost over the wire, fonts apart, which come once a day (`design.md` 7).
MOST_BYTES = 150_000
# The browser's own words for an answer that is not 200; anything else on the console is a fault.
STATUS = "Failed to load resource: the server responded with a status of"


async def looked_at(person: Surfer, name: str, *, there: bool = True) -> None:
    """Hold the page one is on to what every page keeps; one that is not `there` is to say so."""
    measured: dict[str, Any] = await person.look(name)
    faults = {what: found for what, found in measured.items() if found and what.startswith(("axe", "overflow"))}
    assert faults == {}, name
    # A refused form is shown again as 400, a deed that may not be done as 403 or 409; "not here" is never meant.
    assert measured["status"] in ({200, 400, 403, 409} if there else {404}), name
    assert (measured["h1"], measured["lang"]) in {(1, "da"), (1, "en")}, name
    assert [line for line in person.errors if not line.startswith(STATUS)] == [], name


async def look_up(lene: Surfer, **days: str) -> None:
    """Fill in the look-up and send it."""
    await lene.page.goto(f"{lene.address}/case")
    await lene.page.fill("#citizen", "710274-0022")
    await lene.page.select_option("#purpose", "helhedsorienteret_plan")
    await lene.page.fill("#case", "JC-2019-0417")
    for field, day in days.items():
        await lene.page.fill(f"#{field}", day)
    await lene.page.locator("main button[type=submit]").click()


async def choose(lene: Surfer, line: str) -> None:
    """Tick one line by its label, as people do."""
    box = await lene.page.locator(f'input[name=line][value="{line}"]').get_attribute("id")
    await lene.page.locator(f'label[for="{box}"]').click()


async def test_pages_open_to_all(stage: Stage) -> None:
    """Front page, reference and a page that is not there, in both languages."""
    for locale, language in (("da-DK", "da"), ("en-GB", "en")):
        reader = await stage.surfer(locale)
        for path, name in (("/", "start"), ("/reference", "reference"), ("/nowhere", "nowhere")):
            await reader.page.goto(f"{reader.address}{path}")
            await looked_at(reader, f"{name}-{language}", there=name != "nowhere")
            assert await reader.page.locator("html").get_attribute("lang") == language


async def test_the_whole_way(stage: Stage) -> None:
    """Refused, asked for, given, looked up, seen, stopped, overseen: on pages that all keep their rules."""
    lene, annette, dpo = [await stage.surfer() for _ in range(3)]
    await lene.log_in("caseworker", "lene", "/case")
    await looked_at(lene, "case-form")
    await lene.page.locator("main button[type=submit]").click()
    await looked_at(lene, "case-faults")
    await look_up(lene)
    for line in LINES:
        await choose(lene, line)
    await lene.page.fill("#why", "Vi vil gerne lave en samlet plan sammen med dig.")
    await lene.page.select_option("#lasts", "year")
    await lene.page.locator('form[action="/case/requests"] button').click()

    await annette.log_in("citizen", "annette", "/mine")
    await looked_at(annette, "mine-asked")
    await annette.page.get_by_role("link", name="Læs og svar").click()
    await equal_buttons(annette)
    await annette.page.locator("form#some label").first.click()
    await annette.page.get_by_role("button", name="Ja til det valgte").click()
    await looked_at(annette, "some")
    await annette.page.get_by_role("link", name="Tilbage").click()
    assert await annette.page.locator("input:checked").evaluate_all("(all) => all.map((one) => one.id)") == ["line-0"]
    await annette.page.get_by_role("button", name="Ja til alt").click()
    await looked_at(annette, "receipt-yes")

    await look_up(lene)
    await looked_at(lene, "case-view")
    text = await lene.page.locator("main").inner_text()
    for seen in (
        "Tre personer kommer på samme tid mandag og onsdag kl. 7.30–8.00.",
        "stående arbejde",
        "barn i hjemmet",
    ):
        assert seen in text
    for hidden in ("slidgigt", "ADHD", "Viktor", "Angst"):
        assert hidden not in text
    await lene.page.reload()
    assert "Siden blev sendt igen." in await lene.page.locator("main").inner_text()

    for path, name in (
        *(("/mine?by=topic&lang=en", "mine-topic-en"), ("/mine?by=topic&lang=da", "mine-topic")),
        *(("/mine", "mine-shared"), ("/mine/accesses", "accesses"), ("/mine/blocks", "blocks")),
        *(("/mine/accesses?outcome=refused", "accesses-chosen"), ("/mine/accesses?until=x", "accesses-fault")),
        *(("/mine/rights", "rights"), ("/mine/rights/recipients", "recipients"), ("/accessibility", "accessibility")),
    ):
        await annette.page.goto(f"{annette.address}{path}")
        await looked_at(annette, name)
    await annette.page.goto(f"{annette.address}/mine")
    await annette.page.get_by_role("link", name="Stop", exact=False).first.click()
    await annette.page.get_by_role("button", name="Ja, stop det").click()

    await dpo.log_in("officer", "dpo-korsbaek", "/dpo")
    await looked_at(dpo, "dpo")
    await dpo.page.fill("#citizen", "7102740022")
    await dpo.page.get_by_role("button", name="Find", exact=True).click()
    await dpo.page.locator('main a[href^="/dpo/lines/"]').first.click()
    await a_question_is_answered(annette, dpo)

    own = {stage.world.address.removeprefix("http://"), stage.world.provider.removeprefix("http://")}
    for person in (lene, annette, dpo):
        assert person.hosts() <= own
        assert not any("710274" in address for address in person.addresses)
    await dpo.page.get_by_role("button", name="Log af").click()
    await dpo.page.goto(f"{dpo.address}/dpo")
    assert "/authorize" in dpo.page.url


async def a_question_is_answered(annette: Surfer, dpo: Surfer) -> None:
    """Ask about the newest line, answer it, and look at each page on the way."""
    await annette.page.goto(f"{annette.address}/mine/accesses")
    await annette.page.get_by_role("link", name="Spørg om dette opslag", exact=False).first.click()
    await looked_at(annette, "ask-about-a-line")
    await annette.page.get_by_role("button", name="Send det").click()
    await looked_at(annette, "ask-fault")
    await annette.page.fill("#text", "Hvorfor så de det?")
    await annette.page.get_by_role("button", name="Send det").click()
    await looked_at(annette, "questions")
    await dpo.page.goto(f"{dpo.address}/dpo/inquiries")
    await looked_at(dpo, "dpo-questions")
    await dpo.page.get_by_role("link", name="Spørgsmål fra", exact=False).first.click()
    await looked_at(dpo, "dpo-question")
    await dpo.page.fill("#text", "De havde brug for det til planen.")
    await dpo.page.get_by_role("button", name="Send svaret").click()
    await annette.page.goto(f"{annette.address}/mine/inquiries")
    await looked_at(annette, "question-answered")
    assert "Besvaret" in await annette.page.locator("main").inner_text()


async def test_a_look_up_of_some_days(stage: Stage) -> None:
    """Days in the wrong order are told by their field, right ones stand on the page that comes."""
    for locale, language, said in (("da-DK", "da", "Du har bedt om: kun det, der ligger fra 1. januar 2019"),
                                   ("en-GB", "en", "You asked for: only what lies from 1 January 2019")):  # fmt: skip
        lene = await stage.surfer(locale)
        await lene.log_in("caseworker", "lene", "/case")
        await look_up(lene, data_from="2019-03-31", data_to="2019-01-01")
        await looked_at(lene, f"case-days-fault-{language}")
        assert await lene.page.locator("#data_from").input_value() == "2019-03-31"
        assert await lene.page.locator("#data_to").get_attribute("aria-invalid") == "true"
        await look_up(lene, data_from="2019-01-01", data_to="2019-03-31")
        await looked_at(lene, f"case-some-days-{language}")
        assert said in await lene.page.locator("main").inner_text()


async def equal_buttons(annette: Surfer) -> None:
    """Yes to some, yes to all and no are of one size, on a phone and on a desk; nothing is ticked."""
    for size in ({"width": 1280, "height": 900}, PHONE):
        await annette.page.set_viewport_size(size)  # type: ignore[arg-type]  # a plain dict of two numbers
        boxes = [await button.bounding_box() for button in await annette.page.locator(".bb-answers button").all()]
        assert len(boxes) == 3
        for side in ("width", "height"):
            sizes = [box[side] for box in boxes if box is not None]
            assert max(sizes) - min(sizes) <= 2
    assert await annette.page.locator("input:checked").count() == 0


async def test_with_the_keyboard_alone(stage: Stage) -> None:
    """The first stop of the keyboard leads past the menu, and a fault's link leads to its field."""
    lene = await stage.surfer()
    await lene.log_in("caseworker", "lene", "/case")
    await lene.page.keyboard.press("Tab")
    await lene.page.keyboard.press("Enter")
    assert lene.page.url.endswith("#main-content")
    await lene.page.locator("main button[type=submit]").click()
    await lene.page.get_by_role("link", name="Vælg, hvad opslaget skal bruges til.").press("Enter")
    assert lene.page.url.endswith("#purpose")


async def test_a_first_visit_is_light(stage: Stage) -> None:
    """Page, style sheets and pictures of a first visit stay under the bound."""
    reader = await stage.surfer()
    sizes: dict[str, int] = {}

    finished: list[Any] = []

    def note(request: Any) -> None:
        finished.append(request)

    reader.page.on("requestfinished", note)
    await reader.page.goto(f"{reader.address}/reference")
    for request in finished:
        told = await request.sizes()
        sizes[request.url] = told["responseBodySize"] + told["responseHeadersSize"]
    assert sum(size for address, size in sizes.items() if not address.endswith(".woff2")) <= MOST_BYTES
    assert any(address.endswith("dkfds.min.css") for address in sizes)


async def test_a_log_in_that_ends_is_told_of_in_time(stage: Stage) -> None:
    """Five minutes before the end the page says so and that nothing is lost; staying puts it off, nothing ends it."""
    annette = await stage.surfer(script=True)
    await annette.page.clock.install()
    await annette.log_in("citizen", "annette", "/mine")
    box = annette.page.locator("#bb-session")
    assert await box.is_hidden()
    await annette.page.clock.fast_forward("10:30")
    await box.get_by_text("Intet går tabt").wait_for()
    await annette.page.screenshot(path=annette.folder / "session-ends.png")

    async def as_late_as_the_page(route: Route) -> None:
        answer = await route.fetch()
        told = await answer.json()
        late = datetime.fromisoformat(told["idle_at"]) + timedelta(minutes=10, seconds=30)
        await route.fulfill(response=answer, json=told | {"idle_at": late.isoformat()})

    await annette.page.route("**/v1/me/session", as_late_as_the_page)
    await box.get_by_role("button", name="Bliv på siden").click()
    await box.wait_for(state="hidden")
    await annette.page.clock.fast_forward("16:00")
    await box.get_by_text("Du er logget af").wait_for()


@pytest.mark.parametrize(
    ("kind", "person", "place"), [("caseworker", "lene", "/case"), ("officer", "dpo-korsbaek", "/dpo")]
)
async def test_who_works_is_warned_in_time_too(stage: Stage, kind: str, person: str, place: str) -> None:
    """Five minutes before the end the page says what would be lost; staying asks the server, and takes it away."""
    reader = await stage.surfer(script=True)
    await reader.page.clock.install()
    await reader.log_in(kind, person, place)
    box = reader.page.locator("#bb-session")
    assert await box.is_hidden()
    await reader.page.clock.fast_forward("10:30")
    await box.get_by_text("går tabt").wait_for()
    async with reader.page.expect_response("**/session") as stayed:
        await box.get_by_role("button", name="Bliv på siden").click()
    answer = await stayed.value
    assert answer.status == 200
    assert datetime.fromisoformat((await answer.json())["idle_at"])


async def test_who_must_be_gone_at_once(stage: Stage) -> None:
    """The way out works without script, logs out, and leads to the neutral page; the way back shows nothing."""
    annette = await stage.surfer()
    await annette.log_in("citizen", "annette", "/mine")
    await annette.page.route("https://www.dmi.dk/**", lambda route: route.fulfill(body="Vejret"))
    await annette.page.get_by_role("button", name="Forlad siden").click()
    await annette.page.wait_for_url("https://www.dmi.dk/")
    await annette.page.goto(f"{annette.address}/mine")
    assert "/authorize" in annette.page.url


@pytest.mark.parametrize("script", [False, True])
@pytest.mark.parametrize("way", ["/leave/citizen", "/logout/citizen"])
async def test_the_way_back_shows_nothing(stage: Stage, way: str, script: bool) -> None:
    """Whoever presses Back after one has left reads nothing of the pages, in a browser that keeps pages for that."""
    async with browsing(keeps_pages=True) as browser:
        annette = await surfer(browser, stage.world.address, stage.pictures, script=script)
        page = annette.page
        await annette.log_in("citizen", "annette", "/mine")
        for path in ("/mine/accesses", "/mine/rights"):
            await page.goto(f"{annette.address}{path}")
        await page.locator(f'form[action="{way}"] button').click()
        await page.wait_for_url(lambda address: "/mine" not in address)
        for _ in range(3):
            await page.go_back(wait_until="commit")
            await page.wait_for_url("**/authorize**")
            read = await page.content()
            assert [word for word in ("Start", "Hvem har kigget", "Mine rettigheder") if word in read] == []


async def test_the_layout_runs_from_right_to_left(stage: Stage) -> None:
    """In a language that is written from the right, no page scrolls sideways and the words stand at the right."""
    annette = await stage.surfer()
    await annette.log_in("citizen", "annette", "/mine")
    for path, name in (("/mine", "mine"), ("/mine/accesses", "accesses"), ("/mine/blocks", "blocks")):
        await annette.page.goto(f"{annette.address}{path}")
        await annette.page.evaluate("document.documentElement.dir = 'rtl'")
        await looked_at(annette, f"rtl-{name}")
        heading = await annette.page.locator("h1").evaluate("(h) => getComputedStyle(h).textAlign")
        assert heading in {"start", "right"}


async def test_a_citizen_looks_at_their_own_help(stage: Stage) -> None:
    """Who helps with what, and the week, in both languages: whole on phone and desk, without script, on record."""
    for locale, button, week, seen in (
        ("da-DK", "Vis min hjælp", "Vis min uge", "Tre personer kommer på samme tid mandag og onsdag kl. 7.30–8.00."),
        ("en-GB", "Show my help", "Show my week", "Three people come at the same time on Monday and Wednesday"),
    ):
        annette = await stage.surfer(locale)
        await annette.log_in("citizen", "annette", "/mine/help")
        await looked_at(annette, f"help-before-{locale}")
        await annette.page.get_by_role("button", name=button).click()
        await looked_at(annette, f"help-{locale}")
        assert "Hanne Vejleder Test" in await annette.page.locator("main").inner_text()
        await annette.page.get_by_role("button", name=week).click()
        await looked_at(annette, f"week-{locale}")
        assert seen in await annette.page.locator("main").inner_text()
        await annette.page.evaluate("document.documentElement.dir = 'rtl'")
        await looked_at(annette, f"rtl-week-{locale}")


async def test_a_citizen_chooses_how_they_are_written_to(stage: Stage) -> None:
    """List, form, faults, the code from a real e-mail and the receipt, in both languages, without script."""
    for locale in ("da-DK", "en-GB"):
        annette = await stage.surfer(locale)
        await annette.log_in("citizen", "annette", "/mine/notices")
        await looked_at(annette, f"notices-{locale}")
        await annette.page.goto(f"{annette.address}/mine/notices/korsbaek")
        await looked_at(annette, f"notices-choose-{locale}")
        await annette.page.locator('label[for="way-email"]').click()
        await annette.page.fill("#address", "annette")
        await annette.page.locator("main form button[type=submit]").click()
        await looked_at(annette, f"notices-fault-{locale}")
        await annette.page.fill("#address", f"annette.{'e' * 40}.{locale}@example.dk")
        await annette.page.locator('label[for="often-weekly"]').click()
        await annette.page.locator("main form button[type=submit]").click()
        await looked_at(annette, f"notices-code-{locale}")
        await annette.page.fill("#code", "1")
        await annette.page.locator("main form button[type=submit]").click()
        await looked_at(annette, f"notices-wrong-{locale}")
        newest = max(stage.world.files.mail.glob("*.eml")).read_text("utf-8")
        await annette.page.fill("#code", newest.split("Koden er ")[1][:6])
        await annette.page.locator("main form button[type=submit]").click()
        assert "/mine/receipts/" in annette.page.url
        assert await annette.page.locator("main .bb-summary dd").count() == 2
        await looked_at(annette, f"notices-receipt-{locale}")
        await annette.page.goto(f"{annette.address}/mine/notices")
        await looked_at(annette, f"notices-chosen-{locale}")
        assert f"{locale.lower()}@example.dk" in (await annette.page.locator("main").inner_text()).lower()
