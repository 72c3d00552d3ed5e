"""The pages as people meet them: asked, answered, shared, looked at, stopped and overseen, over the real log."""

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from demo.postgres import PrivatePostgres
from tests.builders import CASE, CITIZEN, REGISTRY
from tests.pages_house import ASK, LINES, PagesHouse, ask_for, hidden, link, marked, open_pages, say_yes


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Give a small house with its pages."""
    async with open_pages(postgres, tmp_path) as made:
        yield made


@pytest.mark.parametrize("path", ["/", "/reference"])
@pytest.mark.parametrize("language", ["da", "en"])
async def test_open_pages(house: PagesHouse, path: str, language: str) -> None:
    """The pages open to all say their language, have one heading, a way past the menu, and are not kept."""
    page = await house.stranger().get(f"{path}?lang={language}")
    assert page.status_code == 200
    assert f'<html lang="{language}">' in page.text
    assert page.text.count("<h1>") == 1
    assert 'href="#main-content"' in page.text
    assert page.headers["cache-control"] == "no-store"


async def test_a_chosen_language_is_remembered(house: PagesHouse) -> None:
    """English chosen once stays for this browser."""
    browser = house.stranger()
    await browser.get("/?lang=en")
    assert '<html lang="en">' in (await browser.get("/")).text


async def test_the_reference_names_every_operation(house: PagesHouse) -> None:
    """Whatever /openapi.json offers stands on the page, and the pages themselves are not in it."""
    browser = house.stranger()
    page, document = await browser.get("/reference"), (await browser.http.get("/openapi.json")).json()
    assert document["paths"]
    assert [path for path in document["paths"] if f"<code>{path}</code>" not in page.text] == []
    assert not [path for path in document["paths"] if path.startswith(("/mine", "/case", "/desk", "/dpo"))]
    assert "710274-0022" in page.text  # the examples are shown


@pytest.mark.parametrize(
    ("path", "kind"), [("/mine", "citizen"), ("/case", "caseworker"), ("/desk", "caseworker"), ("/dpo", "officer")]
)
async def test_who_is_not_logged_in_is_sent_to_log_in(house: PagesHouse, path: str, kind: str) -> None:
    """A person is sent to their log-in and comes back to the page; after a form, to the room's first page."""
    browser = house.stranger()
    opened = await browser.get(f"{path}?lang=en")
    assert (opened.status_code, opened.headers["location"]) == (303, f"/login/{kind}?next=%2F{path[1:]}%3Flang%3Den")
    sent = await browser.post(
        f"{path}/integrity/checks" if kind == "officer" else path if kind == "caseworker" else f"{path}/blocks"
    )
    assert (sent.status_code, sent.headers["location"]) == (303, f"/login/{kind}?next=%2F{path[1:]}")


async def test_a_program_gets_a_problem(house: PagesHouse) -> None:
    """Who does not ask for a page gets the same problem documents as everywhere."""
    answer = await house.stranger().http.get("/mine")
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")


async def test_an_address_that_is_not_here(house: PagesHouse) -> None:
    """A page that does not exist says so in plain words, and repeats nothing."""
    page = await house.stranger().get("/no-such-7102740022")
    assert page.status_code == 404
    assert "Siden er her ikke" in page.text
    assert "<h1>" in page.text
    assert "no-such" not in page.text.replace('href="/no-such', "")


async def test_a_refused_look_up_says_why_and_what_a_yes_would_open(house: PagesHouse) -> None:
    """Without consent the page is a refusal with its reason, the general line, the log's line, and a form."""
    page = await (await house.caseworker()).get("/case")
    lene = await house.caseworker()
    await lene.get("/case")
    page = await lene.post("/case", **ASK)
    assert page.status_code == 403
    assert "Der er ikke samtykke" in page.text
    assert "Der kan findes oplysninger, som du ikke har adgang til." in page.text
    assert 'value="social/S01"' in page.text
    assert "checked" not in page.text
    assert "CANARY" not in page.text


async def test_the_whole_way(house: PagesHouse) -> None:
    """Refused, asked for, given, seen, stopped: each page says its part, and no CPR number stands in an address."""
    lene, annette = await house.caseworker(), await house.citizen()
    await lene.get("/case")
    asked = await ask_for(lene, LINES, why="Vi vil lave en plan.")
    status = await lene.get(asked.headers["location"])
    assert "Venter på svar" in status.text

    first = await annette.get("/mine")
    assert "jobcentre spørger dig" in first.text
    receipt = await say_yes(annette)
    assert receipt.status_code == 200
    assert "Du har sagt ja" in receipt.text
    assert receipt.text.count("<li>Hjælp") + receipt.text.count("<li>Mål") + receipt.text.count("<li>Hvad") >= 4

    await lene.get("/case")
    view = await lene.post("/case", **ASK)
    assert view.status_code == 200
    assert "CANARY title" in view.text
    assert "Der kan findes oplysninger, som du ikke har adgang til." in view.text
    assert "ikke tilladt" in view.text
    assert "borgerens ja, version 1" in view.text

    looked = await annette.get("/mine/accesses")
    assert "Fik noget af det" in looked.text
    assert "Fik intet" in looked.text
    assert "lene" not in looked.text.lower()

    mine = await annette.get("/mine")
    stop = await annette.get(link(mine.text, '/mine/consents/[^"]+/stop\\?line=[^"]+'))
    assert "Din sag går videre" in stop.text
    stopped = await annette.send(link(stop.text, '/mine/consents/[^"]+/stop'), line=hidden(stop.text, "line"))
    assert "Du har stoppet det" in stopped.text
    assert len(re.findall(r">Stop<", (await annette.get("/mine")).text)) == 3

    addresses = "\n".join([*lene.seen, *annette.seen])
    assert "7102740022" not in addresses.replace("-", "")
    assert CASE not in addresses


async def test_what_fits_in_the_field_is_asked(house: PagesHouse) -> None:
    """A browser counts the end of a line as one sign and sends it as two: a full field is a request like any other."""
    lene = await house.caseworker()
    await lene.get("/case")
    assert (await ask_for(lene, LINES, why="x\r\n" * 1000)).status_code == 303
    assert (await ask_for(lene, LINES, why="x\r\n" * 1000 + "xx")).status_code == 400


# What a request says before any button: its headings, and what stands under each.
TOLD = {
    "da": (
        ("Hvem får oplysningerne", "jobcentre: dem, der arbejder med din sag"),
        ("Hvem giver dem", "social. Et fagsystem er der, hvor de skriver om din hjælp."),
        ("Hvilke oplysninger", "Hjælp fra socialcenteret: hvad og hvornår, fra social"),
        ("Hvad det skal bruges til", "Helhedsorienteret plan. En plan for al den hjælp, du får, så den passer sammen."),
        ("Hvor længe", "Du kan stoppe det før, når du vil."),
        ("Sådan stopper du det", "Her, på siden Start. Eller ring eller gå til Borgerservice i din kommune."),
        ("Hvor tit", "Hver gang de skal bruge det til din sag."),
        ("Hvis du siger nej", "Din sag går videre. Den bliver afgjort ud fra det, kommunen ved."),
        ("Hvis du ikke svarer", "Så får de det ikke. Det tæller som et nej."),
        ("Hvem du kan spørge", "jobcentre, telefon 99 99 99 01. Eller Borgerservice i din kommune."),
    ),
    "en": (
        ("Who gets the information", "jobcentre: those who work with your case"),
        ("Who tells it", "social. Such a system is where they write about your help."),
        ("Which information", "Help from the social centre: what and when, from social"),
        ("What for", "One plan for the whole person. "),
        ("For how long", "You can stop it before, at any time."),
        ("How you stop it", "Here, on the page Start. Or phone or visit the citizens' desk of your municipality."),
        ("How often", "Each time they need it for your case."),
        ("If you say no", "Your case goes on. It is decided on what the municipality knows."),
        ("If you do not answer", "Then they do not get it. It counts as a no."),
        ("Whom you can ask", "jobcentre, telephone 99 99 99 01. Or the citizens' desk of your municipality."),
    ),
}


@pytest.mark.parametrize("language", ["da", "en"])
async def test_a_request_says_all_there_is_to_know(postgres: PrivatePostgres, tmp_path: Path, language: str) -> None:
    """Ten answers before any button, nothing chosen beforehand, three equal buttons, the text, the reason."""
    units = {**REGISTRY["units"], "jobcentre": {**REGISTRY["units"]["jobcentre"], "phone": "99 99 99 01"}}
    async with open_pages(postgres, tmp_path, units=units) as house:
        lene, annette = await house.caseworker(), await house.citizen()
        await lene.get("/case")
        await ask_for(lene, LINES, why="Vi vil lave en plan.")
        where = link((await annette.get("/mine")).text, '/mine/requests/[^"/]+')
        page = (await annette.get(f"{where}?lang={language}")).text
    read = re.findall(r"<dt>(.*?)</dt>\s*<dd>(.*?)</dd>", page, re.DOTALL)
    told = [(label, " ".join(unescape(re.sub("<[^>]+>", " ", text)).split())) for label, text in read]

    assert [label for label, _ in told] == [label for label, _ in TOLD[language]]
    assert [(want, text) for (_, want), (_, text) in zip(TOLD[language], told, strict=True) if want not in text] == []
    assert page.rindex("</dl>") < page.index("<button", page.index("<main"))
    assert "checked" not in page
    assert page.count('class="button button-secondary" type="submit"') == 3
    assert "Vi vil lave en plan." in page
    assert {"da": "Du kan klage", "en": "You may complain"}[language] in page


async def test_yes_to_some(house: PagesHouse) -> None:
    """Lines are chosen, read once more as exactly that text, and only they are shared."""
    lene, annette = await house.caseworker(), await house.citizen()
    await lene.get("/case")
    await ask_for(lene, ["social/S01", "social/S02"])
    where = link((await annette.get("/mine")).text, '/mine/requests/[^"/]+')
    await annette.get(where)
    some = await annette.get(f"{where}/some?line=1&{await marked(annette, where)}")
    assert some.text.count("\n- ") == 1
    receipt = await annette.send(f"{where}/yes", digest=hidden(some.text, "digest"), line="1")
    assert receipt.text.count("fra social") == 1
    again = await annette.get(where)
    assert "Her er intet, du skal svare på." in again.text


async def test_choosing_nothing_points_at_the_first_line(house: PagesHouse) -> None:
    """With nothing chosen the page comes again, with the fault on top and a link to where it is mended."""
    lene, annette = await house.caseworker(), await house.citizen()
    await lene.get("/case")
    await ask_for(lene, LINES)
    where = link((await annette.get("/mine")).text, '/mine/requests/[^"/]+')
    page = await annette.get(f"{where}/some?{await marked(annette, where)}")
    assert page.status_code == 400
    assert page.text.index('href="#line-0"') < page.text.index("<h1>")
    assert 'id="line-0"' in page.text


async def test_another_text_than_was_read_is_not_taken(house: PagesHouse) -> None:
    """A yes to a text that was not shown is refused, and nothing is shared."""
    lene, annette = await house.caseworker(), await house.citizen()
    await lene.get("/case")
    await ask_for(lene, LINES)
    where = link((await annette.get("/mine")).text, '/mine/requests/[^"/]+')
    page = await annette.get(where)
    answer = await annette.post(f"{where}/yes", digest=hidden(page.text, "digest"), line="0")
    assert answer.status_code == 409
    assert "Du har ikke et ja, der gælder lige nu." in (await annette.get("/mine")).text


async def test_no_is_kept_and_shown(house: PagesHouse) -> None:
    """A no gives a receipt, leaves nothing waiting, and stands among what is no longer shared."""
    lene, annette = await house.caseworker(), await house.citizen()
    await lene.get("/case")
    asked = await ask_for(lene, LINES)
    where = link((await annette.get("/mine")).text, '/mine/requests/[^"/]+')
    await annette.get(where)
    receipt = await annette.send(f"{where}/no")
    assert "Du har sagt nej" in receipt.text
    assert receipt.text.count("fra ") >= 4
    assert "du sagde nej" in (await annette.get("/mine")).text
    assert "Svaret er nej" in (await lene.get(asked.headers["location"])).text


async def test_stop_all(house: PagesHouse) -> None:
    """One stop ends every line of a consent, and the next look-up is refused."""
    lene, annette = await house.caseworker(), await house.citizen()
    await lene.get("/case")
    await ask_for(lene, LINES)
    await say_yes(annette)
    stop = await annette.get(link((await annette.get("/mine")).text, '/mine/consents/[^"?]+/stop'))
    receipt = await annette.send(link(stop.text, '/mine/consents/[^"]+/stop'))
    assert receipt.text.count("fra ") >= 4
    assert "Du har ikke et ja, der gælder lige nu." in (await annette.get("/mine")).text
    await lene.get("/case")
    assert (await lene.post("/case", **ASK)).status_code == 403


async def test_a_standing_no_and_lifting_it(house: PagesHouse) -> None:
    """A standing no is set and lifted with a receipt each; naming nothing is a fault on top of the page."""
    annette = await house.citizen()
    await annette.get("/mine/blocks")
    nothing = await annette.post("/mine/blocks", source="", unit="", category="")
    assert nothing.status_code == 400
    assert 'href="#source"' in nothing.text
    receipt = await annette.send("/mine/blocks", source="school", unit="", category="")
    assert "Du har sat et fast nej" in receipt.text
    listed = await annette.get("/mine/blocks")
    lifted = await annette.send(link(listed.text, '/mine/blocks/[^"]+/lift'))
    assert "Du har fjernet et fast nej" in lifted.text
    assert "Du har ingen faste nej." in (await annette.get("/mine/blocks")).text


async def test_a_receipt_can_be_opened_again_and_by_nobody_else(house: PagesHouse) -> None:
    """A receipt changes nothing when it is reloaded; to another citizen it is not there."""
    annette = await house.citizen()
    await annette.get("/mine/blocks")
    sent = await annette.post("/mine/blocks", source="school", unit="", category="")
    where = sent.headers["location"]
    assert (await annette.get(where)).text == (await annette.get(where)).text
    assert (await (await house.citizen(type(CITIZEN)("6301010007"))).get(where)).status_code == 404


async def test_what_one_did_not_do_is_no_receipt(house: PagesHouse) -> None:
    """An entry about oneself that somebody else made is in the list, not a receipt."""
    lene, annette = await house.caseworker(), await house.citizen()
    await lene.get("/case")
    await lene.post("/case", **ASK)
    assert (await annette.get("/mine/receipts/korsbaek/2019/0")).status_code == 404


@pytest.mark.parametrize(
    ("fields", "points_at"),
    [
        ({}, ["citizen", "purpose", "case"]),
        (ASK | {"citizen": "123"}, ["citizen"]),
        (ASK | {"citizen": "990000-0000"}, ["citizen"]),
        (ASK | {"case": "a b"}, ["case"]),
        (ASK | {"purpose": "<b>"}, ["purpose"]),
    ],
)
async def test_a_form_with_faults_points_at_them(
    house: PagesHouse, fields: dict[str, str], points_at: list[str]
) -> None:
    """Each fault is a link on top to its field, which names it too; the citizen's number is not shown again."""
    lene = await house.caseworker()
    await lene.get("/case")
    page = await lene.post("/case", **fields)
    assert page.status_code == 400
    assert re.findall(r'<a href="#(\w+)">', page.text.split("<h1>")[0]) == points_at
    for name in points_at:
        assert f'id="{name}-fault"' in page.text
    assert "710274" not in page.text
    assert house.sources["social"].asked == []


async def test_a_reload_is_said_to_be_a_look_up_of_its_own(house: PagesHouse) -> None:
    """The same form sent twice makes two look-ups, and the second page says so."""
    lene = await house.caseworker()
    mark = hidden((await lene.get("/case")).text, "request_id")
    first = await lene.post("/case", **ASK, request_id=mark)
    second = await lene.post("/case", **ASK, request_id=mark)
    assert "Siden blev sendt igen." not in first.text
    assert "Siden blev sendt igen." in second.text
    assert (await (await house.citizen()).get("/mine/accesses")).text.count("Fik intet") == 2


async def test_asking_twice_makes_one_request(house: PagesHouse) -> None:
    """A request form sent twice leads to the one request it made."""
    lene = await house.caseworker()
    await lene.get("/case")
    refused = await lene.post("/case", **ASK)
    fields: dict[str, Any] = ASK | {"made": hidden(refused.text, "made"), "line": ["social/S01"], "lasts": "90"}
    first = await lene.post("/case/requests", **fields)
    second = await lene.post("/case/requests", **fields)
    assert first.headers["location"] == second.headers["location"]
    assert (await (await house.citizen()).get("/mine")).text.count("Læs og svar") == 1


async def test_asking_for_nothing_brings_the_form_back(house: PagesHouse) -> None:
    """With no line chosen the same lines are offered again, with the fault on top."""
    lene = await house.caseworker()
    await lene.get("/case")
    refused = await lene.post("/case", **ASK)
    page = await lene.post("/case/requests", **ASK, made=hidden(refused.text, "made"), offered=LINES, lasts="year")
    assert page.status_code == 400
    assert 'href="#line-0"' in page.text
    assert 'value="health/H01"' in page.text


@pytest.mark.parametrize(
    "changes",
    [
        {"made": "x"},
        {"lasts": "1000"},
        {"line": ["nowhere/S01"]},
        {"line": ["social/S05"]},
        {"why": "x" * 2001},
        {"case": "a b"},
        {"citizen": "1"},
    ],
)
async def test_a_request_that_cannot_be_is_refused(house: PagesHouse, changes: dict[str, Any]) -> None:
    """A form that was tampered with is refused in plain words, and asks the citizen nothing."""
    lene = await house.caseworker()
    refused = await lene.get("/case") and await lene.post("/case", **ASK)
    fields = ASK | {"made": hidden(refused.text, "made"), "line": ["social/S01"], "lasts": "90"} | changes
    page = await lene.post("/case/requests", **fields)
    assert page.status_code == 400
    assert "Ingen venter på svar fra dig." in (await (await house.citizen()).get("/mine")).text


async def test_offered_lines_are_checked_too(house: PagesHouse) -> None:
    """Lines that were made up are not offered again."""
    lene = await house.caseworker()
    refused = await lene.get("/case") and await lene.post("/case", **ASK)
    made = hidden(refused.text, "made")
    for offered in ([], ["<b>/S01"], ["social/<b>"]):
        page = await lene.post("/case/requests", **ASK, made=made, offered=offered, lasts="90")
        assert page.status_code == 400
        assert "<b>" not in page.text


async def test_the_overseer_finds_and_checks(house: PagesHouse) -> None:
    """The overseer sees how the logs stand, filters by codes; each look is on the log."""
    lene, dorte = await house.caseworker(), await house.officer()
    await lene.get("/case")
    await lene.post("/case", **ASK)
    page = await dorte.get("/dpo")
    assert "Dorte" in page.text
    assert page.text.count("spurgte om en borger</") + page.text.count("· spurgte om en borger") >= 1
    refused = await dorte.get("/dpo?kind=outcome&outcome=refused&unit=&since=2019-03-04&until=2019-03-04")
    assert refused.text.count("bb-panel") == 2  # the citizen's and the child's
    assert "Der er ikke samtykke" in refused.text
    assert "Ingen linjer passer." in (await dorte.get("/dpo?since=2019-03-05")).text
    assert "der blev søgt i loggen" in (await dorte.get("/dpo")).text


async def test_the_overseer_finds_a_citizen_by_a_form(house: PagesHouse) -> None:
    """A citizen's lines are found by number in a form's body, and the citizen sees that somebody searched."""
    lene, dorte = await house.caseworker(), await house.officer()
    await lene.get("/case")
    await lene.post("/case", **ASK)
    await dorte.get("/dpo")
    page = await dorte.post("/dpo/find", citizen="710274-0022")
    assert page.text.count("bb-panel") == 2
    assert "710274" not in "".join(dorte.seen)
    wrong = await dorte.post("/dpo/find", citizen="12")
    assert (wrong.status_code, 'href="#citizen"' in wrong.text) == (400, True)
    assert "Kommunens kontrol har set i loggen om dig" in (await (await house.citizen()).get("/mine/accesses")).text


async def test_a_day_that_is_none_is_pointed_at(house: PagesHouse) -> None:
    """A wrong day is a fault at its field, and nothing is searched."""
    page = await (await house.officer()).get("/dpo?since=4.3.2019")
    assert page.status_code == 400
    assert 'href="#since"' in page.text
    assert "Ingen linjer passer." not in page.text


async def test_another_role_does_not_read_the_log(house: PagesHouse) -> None:
    """Who oversees something else is told that the page is not theirs."""
    page = await (await house.officer(role="styregruppe")).get("/dpo")
    assert page.status_code == 403
    assert "Siden er ikke for dig" in page.text


async def test_long_lists_go_by_pages(house: PagesHouse) -> None:
    """A citizen with more entries than a page holds finds each once, and no ask loses its answer at the edge."""
    lene, annette = await house.caseworker(), await house.citizen()
    await lene.get("/case")
    for _ in range(27):
        await lene.post("/case", **ASK)
    pages, where = [], "/mine/accesses"
    while where:
        page = (await annette.get(where)).text
        pages.append(page)
        found = re.search(r'button-secondary" href="(/mine/accesses\?cursor=[^"]+)"', page)
        where = unescape(found[1]) if found else ""
    assert len(pages) == 2
    assert sum(page.count("Fik intet") for page in pages) == 27
    assert not any("Spurgt om; intet blev givet ud" in page for page in pages)
    indices = [int(i) for page in pages for i in re.findall(r"Linje (\d+) i loggen", page)]
    assert len(indices) == len(set(indices)) == 54


async def test_log_down_shows_nothing(house: PagesHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a register is silent or the log cannot be written the page says so, and shows nothing."""
    lene = await house.caseworker()
    await lene.get("/case")
    await house.databases.pool.close()
    page = await lene.post("/case", **ASK)
    assert page.status_code == 503
    assert "CANARY" not in page.text
    assert "<h1>" in page.text


async def test_what_is_shared_may_be_read_by_topic(house: PagesHouse) -> None:
    """The same lines with the same buttons, each once, under what they are about; a link changes between both."""
    lene, annette = await house.caseworker(), await house.citizen()
    await lene.get("/case")
    await ask_for(lene, ["social/S01", "social/S02"])
    none = (await annette.get("/mine?by=topic")).text
    await say_yes(annette)
    acts = r'href="(/mine/consents/[^"]+/(?:pause|stop)\?line=[^"]+)"'
    by_helper, by_topic = [(await annette.get(path)).text for path in ("/mine", "/mine?by=topic")]
    directory = house.ports.directory
    topics = [directory.categories[code].name_da for code in ("S01", "S02")]

    assert "by=topic#shared" not in none
    assert sorted(re.findall(acts, by_helper)) == sorted(re.findall(acts, by_topic))
    assert len(set(re.findall(acts, by_topic))) == 4
    assert all(re.search(rf'<h3 id="t-\d+">{re.escape(name)}</h3>', by_topic) for name in topics)
    assert by_topic.count(f"{directory.units['jobcentre'].name_da} må se det") == 2
    assert [page.count('aria-current="true"') for page in (by_helper, by_topic)] == [1, 1]
    assert 'href="/mine?by=topic#shared"' in by_helper
