"""Citizens, officers and caseworkers log in, stay as long as they may, and leave."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.lobby import PUBLIC, Lobby, open_lobby

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def lobby() -> AsyncIterator[Lobby]:
    """Give a lobby with its provider."""
    async with open_lobby() as lobby:
        yield lobby


async def test_a_citizen_logs_in(lobby: Lobby) -> None:
    """The CPR number of the provider's claim, and the NSIS level, are those of the session; the way leads on."""
    browser = lobby.browser()

    answer = await lobby.log_in(browser)

    assert (answer.status_code, answer.headers["location"]) == (303, "/home")
    assert answer.headers["cache-control"] == "no-store"
    told = (await browser.get("/citizen")).json()
    assert (told["cpr"], told["nsis"]) == ("0102030405", "Substantial")


async def test_the_request_to_the_provider_is_the_code_flow_with_pkce(lobby: Lobby) -> None:
    """Code flow, S256, fresh state and nonce each time, our own return address."""
    first, second = [await lobby.begin(lobby.browser()) for _ in range(2)]

    assert (first["response_type"], first["code_challenge_method"]) == ("code", "S256")
    assert first["redirect_uri"] == f"{PUBLIC}/login/citizen/callback"
    assert first["scope"] == "openid mitid ssn"
    assert all(first[name] != second[name] for name in ("state", "nonce", "code_challenge"))


async def test_the_cookie_is_closed_to_all_but_us(lobby: Lobby) -> None:
    """The session's cookie has the __Host- prefix, is HttpOnly, Secure and SameSite=Lax, and ends with the browser."""
    answer = await lobby.log_in(lobby.browser())

    (cookie,) = [c for c in answer.headers.get_list("set-cookie") if c.startswith("__Host-citizen=")]
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert attributes == {"httponly", "secure", "samesite=lax", "path=/"}


async def test_the_database_can_read_nothing(lobby: Lobby) -> None:
    """Neither the id in the cookie nor the CPR number stands in what is kept."""
    browser = lobby.browser()
    await lobby.log_in(browser)

    kept = repr(lobby.sessions.kept)

    assert browser.cookies["__Host-citizen"] not in kept
    assert "0102030405" not in kept


async def test_an_officer_oversees_what_their_privileges_name(lobby: Lobby) -> None:
    """Role and municipalities come from the privileges; other roles and unknown CVR numbers add nothing."""
    browser = lobby.browser()
    privileges = [
        {"cvr": "22222222", "privilege": "dpo"},
        {"cvr": "33333333", "privilege": "dpo"},
        {"cvr": "11111111", "privilege": "teamleder"},
        "dpo",
    ]

    await lobby.log_in(browser, "officer", **{"nemlogin.privileges": privileges})

    assert (await browser.get("/officer")).json() == {"role": "dpo", "over": ["skovlund"], "leads": []}


async def test_a_leader_leads_the_units_their_privileges_name(lobby: Lobby) -> None:
    """A unit counts with the municipality of its own row alone; not of another role, nor of an unknown CVR number."""
    browser = lobby.browser()
    privileges = [
        {"cvr": "11111111", "privilege": "teamleder", "unit": "jobcentre"},
        {"cvr": "22222222", "privilege": "teamleder"},
        {"cvr": "33333333", "privilege": "teamleder", "unit": "social-centre"},
        {"cvr": "11111111", "privilege": "styregruppe", "unit": "school-office"},
    ]

    await lobby.log_in(browser, "officer", **{"nemlogin.privileges": privileges})

    told = (await browser.get("/officer")).json()
    assert told == {"role": "teamleder", "over": ["korsbaek", "skovlund"], "leads": [["korsbaek", "jobcentre"]]}


async def test_a_log_controller_who_leads_a_unit_is_both(lobby: Lobby) -> None:
    """The unit of the leader's privilege comes along; a unit written to the other role does not, nor one with a DPO."""
    privileges = [
        {"cvr": "11111111", "privilege": "logkontrollant", "unit": "school-office"},
        {"cvr": "11111111", "privilege": "teamleder", "unit": "jobcentre"},
    ]
    for added, role, leads in (([], "logkontrollant", [["korsbaek", "jobcentre"]]),
                               ([{"cvr": "11111111", "privilege": "dpo"}], "dpo", [])):  # fmt: skip
        browser = lobby.browser()
        await lobby.log_in(browser, "officer", **{"nemlogin.privileges": privileges + added})
        told = (await browser.get("/officer")).json()
        assert told == {"role": role, "over": ["korsbaek"], "leads": leads}


async def test_a_caseworker_acts_through_our_page(lobby: Lobby) -> None:
    """The caller is the page's registered system with the caseworker of the provider's claims."""
    browser = lobby.browser()

    await lobby.log_in(browser, "caseworker")

    told = (await browser.get("/caseworker")).json()
    assert {**told, "csrf": ""} == {
        "own": False,
        "who": "person-1", "system": "the-page", "csrf": "", "unit": "korsbaek-job", "municipality": "korsbaek",
    }  # fmt: skip


async def test_a_caseworker_s_own_number_is_known(lobby: Lobby) -> None:
    """The CPR number that the provider states is part of the caller, so that nobody asks about themself."""
    browser = lobby.browser()
    await lobby.log_in(browser, "caseworker", **{"nemlogin.cpr": "0102030405"})

    assert (await browser.get("/caseworker")).json()["own"] is True


async def test_one_kind_of_log_in_is_not_another(lobby: Lobby) -> None:
    """A citizen's session opens no page of officers or caseworkers."""
    browser = lobby.browser()
    await lobby.log_in(browser)

    assert [(await browser.get(page)).status_code for page in ("/citizen", "/officer", "/caseworker")] == [
        200,
        401,
        401,
    ]


async def test_a_session_ends_when_idle_or_old(lobby: Lobby) -> None:
    """A quarter of an hour without a request, or an hour in all, ends the session."""
    browser = lobby.browser()
    await lobby.log_in(browser)
    for _ in range(4):
        lobby.clock.at += 14 * MINUTE
        assert (await browser.get("/citizen")).status_code == 200
    lobby.clock.at += 4 * MINUTE
    assert (await browser.get("/citizen")).json() == {"what": "login_required"}

    lobby.provider.now = lobby.clock.at
    await lobby.log_in(browser)
    lobby.clock.at += 15 * MINUTE
    assert (await browser.get("/citizen")).status_code == 401


async def test_leaving_ends_both_sessions(lobby: Lobby) -> None:
    """Logging out ends our session and sends the browser to end the provider's."""
    browser = lobby.browser()
    await lobby.log_in(browser)
    csrf = (await browser.get("/citizen")).json()["csrf"]
    id_ = browser.cookies["__Host-citizen"]

    answer = await browser.post("/logout/citizen", data={"csrf": csrf})

    assert answer.status_code == 303
    address = urlsplit(answer.headers["location"])
    assert f"{address.scheme}://{address.netloc}{address.path}" == f"{lobby.provider.address}/end"
    assert parse_qs(address.query)["post_logout_redirect_uri"] == [f"{PUBLIC}/"]
    assert "__Host-citizen" not in browser.cookies
    stale = await lobby.browser().get("/citizen", headers={"Cookie": f"__Host-citizen={id_}"})
    assert stale.status_code == 401


async def test_leaving_works_without_the_provider(lobby: Lobby) -> None:
    """When the provider has no log-out, or we were not logged in, leaving leads home."""
    lobby.provider.metadata = {"end_session_endpoint": None}
    browser = lobby.browser()
    await lobby.log_in(browser)
    csrf = (await browser.get("/citizen")).json()["csrf"]

    assert (await browser.post("/logout/citizen", data={"csrf": csrf})).headers["location"] == "/"
    assert (await lobby.browser().post("/logout/citizen")).headers["location"] == "/"


async def test_who_must_be_gone_at_once_is_gone(lobby: Lobby) -> None:
    """Leaving at once ends the session, forgets language and log-in, and leads to a page that tells nothing."""
    browser = lobby.browser()
    await lobby.log_in(browser)
    csrf = (await browser.get("/citizen")).json()["csrf"]
    id_ = browser.cookies["__Host-citizen"]

    answer = await browser.post("/leave/citizen", data={"csrf": csrf})

    assert (answer.status_code, answer.headers["location"]) == (303, "https://www.dmi.dk/")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert any(row.startswith("lang=") for row in answer.headers.get_list("set-cookie"))
    assert "__Host-citizen" not in browser.cookies
    assert (await lobby.browser().get("/citizen", headers={"Cookie": f"__Host-citizen={id_}"})).status_code == 401
    again = await browser.post("/leave/citizen")
    assert again.headers["location"] == "https://www.dmi.dk/"


async def test_leaving_at_once_waits_for_nothing(lobby: Lobby) -> None:
    """A form whose token is old leads away all the same; another site ends no session with it."""
    browser = lobby.browser()
    await lobby.log_in(browser)

    elsewhere = await browser.post("/leave/citizen", headers={"Sec-Fetch-Site": "cross-site"})
    assert elsewhere.headers["location"] == "https://www.dmi.dk/"
    assert (await browser.get("/citizen")).status_code == 200

    await browser.post("/leave/citizen", data={"csrf": "old"}, headers={"Sec-Fetch-Site": "same-origin"})
    assert (await browser.get("/citizen")).status_code == 401
    assert (await browser.post("/leave/nobody")).status_code == 404


async def test_a_person_can_be_logged_out_everywhere(lobby: Lobby) -> None:
    """All sessions of one citizen end at once, nobody else's."""
    browsers = [lobby.browser() for _ in range(3)]
    for browser, cpr in zip(browsers, ("0102030405", "010203-0405", "0504030201"), strict=True):
        await lobby.log_in(browser, **{"dk.cpr": cpr})

    assert await lobby.logins.end_all("citizen", "0102030405") == 2
    assert [(await browser.get("/citizen")).status_code for browser in browsers] == [401, 401, 200]


async def test_keys_are_read_again_only_when_unknown(lobby: Lobby) -> None:
    """The provider's keys are fetched once for many log-ins."""
    for _ in range(3):
        await lobby.log_in(lobby.browser())

    assert lobby.provider.asked_for_keys == 1


async def test_the_first_log_ins_may_come_together(lobby: Lobby) -> None:
    """Who comes back while the provider's keys are being read waits for them, and is not turned away."""
    answers = await asyncio.gather(*(lobby.log_in(lobby.browser()) for _ in range(5)))

    assert [answer.status_code for answer in answers] == [303] * 5
    assert lobby.provider.asked_for_keys == 1


async def test_an_unknown_kind_has_no_log_in(lobby: Lobby) -> None:
    """There is no log-in for kinds of people that are not configured."""
    assert (await lobby.browser().get("/login/king")).status_code == 404


async def test_plain_http_is_for_the_demo_alone() -> None:
    """Without https the cookie has no prefix and is not Secure, so that a demo on loopback works."""
    async with open_lobby(public="http://127.0.0.1:8080") as lobby:
        browser = lobby.browser()
        await lobby.log_in(browser)

        assert (await browser.get("/citizen")).status_code == 200
        assert "citizen" in browser.cookies
