"""A log-in that was left open opens nothing: a yes takes a fresh one, and so does its return; a no and a stop none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from broker.web.login import FRESH
from demo.postgres import PrivatePostgres
from tests.builders import CITIZEN
from tests.lobby import Lobby, open_lobby
from tests.pages_house import PagesHouse, Reader, ask_for, hidden, link, marked, open_pages, say_yes

LINES = ["social/S01", "social/S02"]
SECOND = timedelta(seconds=1)


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Give a small house with its pages."""
    async with open_pages(postgres, tmp_path) as made:
        yield made


@pytest.fixture
async def lobby() -> AsyncIterator[Lobby]:
    """Give a lobby with its provider."""
    async with open_lobby() as lobby:
        yield lobby


async def asked(house: PagesHouse, annette: Reader) -> str:
    """Let the citizen be asked; give the address of the question."""
    lene = await house.caseworker()
    await lene.get("/case")
    await ask_for(lene, LINES)
    return link((await annette.get("/mine")).text, '/mine/requests/[^"/]+')


async def given(annette: Reader) -> list[Any]:
    """List what stands as said yes to."""
    consents: list[Any] = (await annette.http.get("/v1/me/consents")).json()["consents"]
    return consents


async def test_an_old_log_in_says_no_yes(house: PagesHouse) -> None:
    """The form leads to a page that has no yes but a new log-in, and keeps what was chosen; nothing is given."""
    annette = await house.citizen()
    question = await asked(house, annette)
    sure = await annette.get(f"{question}/some?line=1&limit=once&{await marked(annette, question)}")
    house.clock.at += FRESH + SECOND
    sent = await annette.post(f"{question}/yes", digest=hidden(sure.text, "digest"), line=["1"], limit="once")
    path = f"/v1/me/consent-requests/{question.rpartition('/')[2]}/grant"
    told = await annette.http.post(path, json={}, headers={"X-CSRF-Token": annette.csrf})

    mark = await marked(annette, question)
    assert (sent.status_code, sent.headers["location"]) == (303, f"{question}/some?line=1&limit=once&{mark}")
    page = (await annette.get(sent.headers["location"])).text
    to = parse_qs(urlsplit(link(page, '/login/citizen[^"]+')).query)
    assert (to["anew"], to["next"]) == (["1"], [f"{question}/some?line=1&limit=once&{mark}&anew=1"])
    assert f'action="{question}/yes"' not in page
    assert (told.status_code, told.json()["what"]) == (401, "login_not_fresh")
    assert await given(annette) == []
    assert "logger du ind en gang til" in (await annette.get(question)).text


async def test_after_a_new_log_in_it_is_read_again_and_given(house: PagesHouse) -> None:
    """The page says that nothing is answered yet, and offers the yes; the last second of a log-in still counts."""
    annette = await house.citizen()
    question = await asked(house, annette)
    house.clock.at += FRESH
    page = await annette.get(f"{question}/some?line=0&line=1&anew=1&{await marked(annette, question)}")
    receipt = await annette.send(f"{question}/yes", digest=hidden(page.text, "digest"), line=["0", "1"])

    assert "Du har ikke svaret endnu." in page.text
    assert "logger du ind en gang til" not in page.text
    assert "Du har sagt ja" in receipt.text


@pytest.mark.parametrize(
    "query", ["line=1", "line=0&line=1&limit=once&often=1", "line=0&anew=1", "line=1&mark=", "often=1"]
)
async def test_a_link_that_somebody_else_made_chooses_nothing(house: PagesHouse, query: str) -> None:
    """Lines, limit and day in an address count from our own form alone: else the question is shown, nothing ticked."""
    annette = await house.citizen()
    question = await asked(house, annette)
    answer = await annette.get(f"{question}/some?{query}")
    page = (await annette.get(question)).text

    assert (answer.status_code, answer.headers.get("location")) == (303, question)
    assert "checked" not in page
    assert await given(annette) == []


@pytest.mark.parametrize("page", ["", "/often"])
async def test_a_link_back_that_somebody_else_made_ticks_nothing(house: PagesHouse, page: str) -> None:
    """What was chosen comes back ticked by our own link alone; with another mark, or none, nothing is."""
    annette = await house.citizen()
    question = await asked(house, annette)
    mark = await marked(annette, question)
    chose = "line=1&limit=once&until=2019-04-10"
    shown = [(await annette.get(f"{question}{page}?{chose}{by}")).text for by in ("", "&mark=", f"&{mark}0", "&mark=æ")]
    bent = [await annette.get(f"{question}{page}?{chose}&{bad}&{mark}") for bad in ("line=x", "line=7", "limit=99")]

    assert [answer.count(" checked") for answer in shown] == [0, 0, 0, 0]
    assert ['value="2019-04-10"' in answer for answer in shown] == [False] * 4
    assert [answer.status_code for answer in bent] == [200, 200, 200]
    assert await given(annette) == []


async def test_a_mark_of_another_question_or_citizen_chooses_nothing(house: PagesHouse) -> None:
    """What somebody reads on a page of their own, or of an earlier question, makes no link for this one."""
    annette = await house.citizen()
    first = await asked(house, annette)
    earlier = await marked(annette, first)
    await annette.send(f"{first}/no")
    lene = await house.caseworker()
    await lene.get("/case")
    await ask_for(lene, LINES, again="Der er kommet noget nyt.")
    second = link((await annette.get("/mine")).text, '/mine/requests/[^"/]+')
    answer = await annette.get(f"{second}/some?line=0&{earlier}")

    assert first != second
    assert (answer.status_code, answer.headers["location"]) == (303, second)
    assert earlier != await marked(annette, second)


async def test_a_provider_that_does_not_say_when_makes_nobody_sign(house: PagesHouse) -> None:
    """A log-in of a moment that nobody states, as one of a session from before an upgrade, is not fresh."""
    annette = await house._logged_in("citizen", {"cpr": CITIZEN.disclose(), "nsis": "Substantial", "tells_when": False})
    question = await asked(house, annette)
    sent = await annette.post(f"{question}/yes", digest=hidden((await annette.get(question)).text, "digest"))

    assert sent.headers["location"] == f"{question}/some?line=0&line=1&{await marked(annette, question)}"
    assert await given(annette) == []


async def test_a_no_and_a_stop_take_no_new_log_in(house: PagesHouse) -> None:
    """Taking back is never harder than giving (GDPR art. 7, stk. 3): an old log-in refuses, stops and pauses."""
    annette = await house.citizen()
    await asked(house, annette)
    await say_yes(annette)
    question = await asked(house, annette)
    house.clock.at += FRESH + SECOND
    refused = await annette.send(f"{question}/no")
    consent = link((await annette.get("/mine")).text, '/mine/consents/[^"/]+/stop')
    await annette.get(consent)
    stopped = await annette.send(consent)

    assert "Du har sagt nej" in refused.text
    assert "Du har stoppet det" in stopped.text


async def test_an_old_log_in_shares_nothing_again(house: PagesHouse) -> None:
    """What is paused stays so over page and API; after a new log-in the page has the button, and did nothing yet."""
    annette = await house.citizen()
    await asked(house, annette)
    await say_yes(annette)
    pause = link((await annette.get("/mine")).text, '/mine/consents/[^"/]+/pause')
    house.clock.at += FRESH + SECOND
    await annette.get(pause)
    paused = await annette.send(pause)
    place = pause.removesuffix("pause") + "resume"
    page = (await annette.get(place)).text
    sent = await annette.post(place)
    path = f"/v1/me/consents/{place.split('/')[3]}/resume"
    told = await annette.http.post(path, json={}, headers={"X-CSRF-Token": annette.csrf})

    assert paused.status_code == 200
    assert f'action="{place}"' not in page
    to = parse_qs(urlsplit(link(page, '/login/citizen[^"]+')).query)
    assert (to["anew"], to["next"]) == (["1"], [f"{place}?anew=1"])
    assert (sent.status_code, sent.headers["location"]) == (303, place)
    assert (told.status_code, told.json()["what"]) == (401, "login_not_fresh")
    assert {line["state"] for one in await given(annette) for line in one["lines"]} == {"paused"}
    house.clock.at -= SECOND
    fresh = (await annette.get(f"{place}?anew=1")).text
    assert "Du har ikke ændret noget endnu." in fresh
    assert f'action="{place}"' in fresh


async def test_an_old_log_in_lifts_no_standing_no(house: PagesHouse) -> None:
    """It is set with an old log-in, and lifted with a fresh one alone, over page and API."""
    annette = await house.citizen()
    house.clock.at += FRESH + SECOND
    await annette.get("/mine/blocks")
    await annette.send("/mine/blocks", source="school", unit="", category="")
    page = (await annette.get("/mine/blocks")).text
    (block,) = (await annette.http.get("/v1/me/blocks")).json()["blocks"]
    sent = await annette.post(f"/mine/blocks/{block['id']}/lift")
    told = await annette.http.post(f"/v1/me/blocks/{block['id']}/lift", headers={"X-CSRF-Token": annette.csrf})

    assert "/lift" not in page
    to = parse_qs(urlsplit(link(page, '/login/citizen[^"]+')).query)
    assert (to["anew"], to["next"]) == (["1"], ["/mine/blocks?anew=1"])
    assert (sent.status_code, sent.headers["location"]) == (303, "/mine/blocks")
    assert (told.status_code, told.json()["what"]) == (401, "login_not_fresh")
    assert (await annette.http.get("/v1/me/blocks")).json()["blocks"] == [block]


async def test_the_provider_is_asked_to_prove_anew(lobby: Lobby) -> None:
    """Only where a yes wants it is the person asked again; a plain log-in asks for no more than it needs."""
    browser = lobby.browser()
    plain = await lobby.begin(browser)
    answer = await browser.get("/login/citizen", params={"anew": "1", "next": "/home"})
    anew = parse_qs(urlsplit(answer.headers["location"]).query)

    assert not {"prompt", "max_age"} & set(plain)
    assert (anew["prompt"], anew["max_age"]) == (["login"], ["0"])


@pytest.mark.parametrize(("told", "fresh"), [(0, True), (-600, True), (-601, False), (None, False)])
async def test_the_moment_is_the_provider_s(lobby: Lobby, told: int | None, fresh: bool) -> None:
    """What it remembers from before is as old as it says, however new our own session is."""
    browser = lobby.browser()
    moment = None if told is None else int(lobby.clock.at.timestamp()) + told
    lobby.provider.id_claims = {"auth_time": moment}
    await lobby.log_in(browser)

    assert (await browser.get("/signer")).status_code == (200 if fresh else 401)


@pytest.mark.parametrize(
    ("before", "after", "to"),
    [("0102030405", "0102030405", "/chosen"), ("0102030405", "0504030201", "/mine"), (None, "0102030405", "/mine")],
)
async def test_what_was_chosen_is_kept_for_who_chose_it(lobby: Lobby, before: str | None, after: str, to: str) -> None:
    """Another who logs in anew, or who came by a link from elsewhere, begins on their own page."""
    browser = lobby.browser()
    if before:
        await lobby.log_in(browser, **{"dk.cpr": before})
    answer = await browser.get("/login/citizen", params={"anew": "1", "next": "/chosen"})
    lobby.provider.userinfo = {"dk.cpr": after}
    told = lobby.provider.grant(dict(parse_qsl(urlsplit(answer.headers["location"]).query)))
    finished = await lobby.finish(browser, told)

    assert (finished.status_code, finished.headers["location"]) == (303, to)
    assert (await browser.get("/citizen")).json()["cpr"] == after


async def test_a_new_log_in_that_is_broken_off_changes_nothing(lobby: Lobby) -> None:
    """Who presses cancel at the provider is back where they were, with the log-in they had, which signs nothing."""
    browser, cancelled = lobby.browser(), {"error": "access_denied", "iss": lobby.provider.address}
    lobby.provider.id_claims = {"auth_time": int(lobby.clock.at.timestamp()) - 601}
    await lobby.log_in(browser)

    async def begin(**query: str) -> dict[str, str]:
        answer = await browser.get("/login/citizen", params={"next": "/chosen"} | query)
        return cancelled | {"state": parse_qs(urlsplit(answer.headers["location"]).query)["state"][0]}

    back = await lobby.finish(browser, await begin(anew="1"))
    again = await lobby.finish(browser, {**cancelled, "state": "x"})
    strange = await lobby.finish(browser, await begin(anew="1") | {"state": "x"})
    plain = await lobby.finish(browser, await begin())
    elsewhere = await lobby.finish(browser, await begin(anew="1", next="https://other.example/"))

    assert (back.status_code, back.headers["location"]) == (303, "/chosen")
    assert elsewhere.headers["location"] == "/"
    told = [(answer.status_code, answer.json()["what"]) for answer in (again, strange, plain)]
    assert told == [(401, "login_expired"), (401, "login_failed"), (401, "login_broken_off")]
    assert (await browser.get("/citizen")).json()["cpr"] == "0102030405"
    assert (await browser.get("/signer")).status_code == 401


async def test_a_broken_log_in_of_nobody_leads_nowhere(lobby: Lobby) -> None:
    """A link to log in anew, sent to somebody who is not logged in, leads to no page when they cancel."""
    browser = lobby.browser()
    answer = await browser.get("/login/citizen", params={"anew": "1", "next": "/chosen"})
    state = parse_qs(urlsplit(answer.headers["location"]).query)["state"][0]
    told = await lobby.finish(browser, {"error": "access_denied", "iss": lobby.provider.address, "state": state})

    assert told.status_code == 401
    assert told.json()["what"] == "login_broken_off"


async def test_what_nobody_signed_makes_no_log_in_fresh(lobby: Lobby) -> None:
    """A moment that stands beside the signed token counts for nothing."""
    browser = lobby.browser()
    lobby.provider.id_claims = {"auth_time": None}
    await lobby.log_in(browser, auth_time=int(lobby.clock.at.timestamp()))

    assert (await browser.get("/citizen")).status_code == 200
    assert (await browser.get("/signer")).status_code == 401


async def test_staying_logged_in_is_for_who_is_and_gives_no_token(house: PagesHouse) -> None:
    """A caseworker's page hears until when, and no token; a citizen's or an officer's session opens it for nobody."""
    lene = await house.caseworker()
    answer = await lene.http.get("/case/session")
    others = [await reader.http.get("/case/session") for reader in (await house.citizen(), await house.officer())]

    assert (answer.status_code, set(answer.json())) == (200, {"idle_at", "ends_at"})
    assert 'data-at="/case/session"' in (await lene.get("/case")).text
    assert {other.status_code for other in others} <= {303, 401, 403}
    assert not any("idle_at" in other.text for other in others)
