"""Log-ins that are forged, fixed, replayed or pushed on somebody, and requests from other sites: all end in nothing."""

import hashlib
import hmac
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from starlette.responses import Response

from broker.adapters.clock_system import FixedClock
from broker.domain.errors import NotAuthenticated
from broker.web.sessions import SessionBook
from tests.actors import a_key
from tests.attacks.test_tokens import bare
from tests.builders import NOON
from tests.fakes.provider import NSIS, SECRET
from tests.fakes.web import FakeCeilings, FakeSessions
from tests.lobby import CITIZEN_CLAIMS, CLAIMS, PUBLIC, Lobby, open_lobby


@pytest.fixture
async def lobby() -> AsyncIterator[Lobby]:
    """Give a lobby with its provider."""
    async with open_lobby() as lobby:
        yield lobby


async def outcome(lobby: Lobby, kind: str = "citizen", **claims: Any) -> str:
    """Try to log in; give what the refusal says, or "in"."""
    browser = lobby.browser()
    answer = await lobby.log_in(browser, kind, **claims)
    inside = (await browser.get(f"/{kind}")).status_code
    assert (answer.status_code, inside) in {(303, 200), (401, 401)}
    return "in" if inside == 200 else str(answer.json()["what"])


async def test_a_callback_works_once(lobby: Lobby) -> None:
    """The address that the provider sent the browser to opens nothing a second time, not even in the same browser."""
    browser = lobby.browser()
    lobby.provider.userinfo = CITIZEN_CLAIMS
    told = lobby.provider.grant(await lobby.begin(browser))
    assert (await lobby.finish(browser, told)).status_code == 303

    again = await lobby.finish(browser, told)

    assert (again.status_code, again.json()["what"]) == (401, "login_expired")


async def test_nobody_is_logged_in_as_somebody_else(lobby: Lobby) -> None:
    """An attacker's callback, opened in the victim's browser, logs nobody in, whether or not a log-in runs there."""
    attacker, victim = lobby.browser(), lobby.browser()
    lobby.provider.userinfo = CITIZEN_CLAIMS
    told = lobby.provider.grant(await lobby.begin(attacker))

    assert (await lobby.finish(victim, told)).json()["what"] == "login_expired"
    await lobby.begin(victim)
    assert (await lobby.finish(victim, told)).json()["what"] == "login_failed"
    assert (await victim.get("/citizen")).status_code == 401


async def test_a_log_in_of_one_kind_finishes_no_other(lobby: Lobby) -> None:
    """A citizen's running log-in cannot be finished as an officer's."""
    browser = lobby.browser()
    told = lobby.provider.grant(await lobby.begin(browser))

    assert (await lobby.finish(browser, told, "officer")).json()["what"] == "login_expired"


async def test_a_log_in_is_not_left_running(lobby: Lobby) -> None:
    """Ten minutes after it began, a log-in can no longer be finished."""
    browser = lobby.browser()
    told = lobby.provider.grant(await lobby.begin(browser))
    lobby.clock.at += timedelta(minutes=10)

    assert (await lobby.finish(browser, told)).json()["what"] == "login_expired"


@pytest.mark.parametrize(
    "change",
    [
        {"state": "other"},
        {"state": ""},
        {"state": None},
        {"code": None},
        {"code": ""},
        {"code": "guessed"},
        {"iss": "https://other.example"},
        {"iss": None},
        {"error": "access_denied"},
    ],
)
async def test_a_changed_callback_logs_nobody_in(lobby: Lobby, change: dict[str, str | None]) -> None:
    """Another state, code or issuer, or an error beside a good code: nobody is logged in."""
    browser = lobby.browser()
    lobby.provider.userinfo = CITIZEN_CLAIMS
    told = lobby.provider.grant(await lobby.begin(browser)) | change

    answer = await lobby.finish(browser, {name: value for name, value in told.items() if value is not None})

    assert (answer.status_code, answer.json()) == (401, {"what": "login_failed"})
    assert (await browser.get("/citizen")).status_code == 401


async def test_a_doubled_parameter_logs_nobody_in(lobby: Lobby) -> None:
    """Of two states or codes none is believed."""
    browser = lobby.browser()
    told = lobby.provider.grant(await lobby.begin(browser))

    answer = await browser.get("/login/citizen/callback", params=[*told.items(), ("code", "other")])

    assert answer.json()["what"] == "login_failed"


ID_TOKEN_LIES: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://other.example"},
    "for another client": {"aud": "another"},
    "for us and another": {"aud": ["borgerbro", "another"]},
    "meant for another party": {"aud": ["borgerbro", "another"], "azp": "another"},
    "for nobody": {"aud": None},
    "of another log-in": {"nonce": "other"},
    "of no log-in": {"nonce": None},
    "ended": {"exp": 1},
    "without end": {"exp": None},
    "old": {"iat": 1},
    "of the future": {"iat": 4_000_000_000},
    "of nobody": {"sub": None},
    "of an empty person": {"sub": ""},
}


@pytest.mark.parametrize("lie", ID_TOKEN_LIES)
async def test_a_lying_id_token_logs_nobody_in(lobby: Lobby, lie: str) -> None:
    """Each wrong or missing claim of the ID token refuses the log-in."""
    lobby.provider.id_claims = ID_TOKEN_LIES[lie]

    assert await outcome(lobby) == "login_failed"


async def test_an_id_token_of_another_key_logs_nobody_in(lobby: Lobby) -> None:
    """Another's signature, an unknown key id, or a key in the header: refused."""
    lobby.provider.signs_with = a_key()
    assert await outcome(lobby) == "login_failed"

    lobby.provider.id_header = {"kid": "other"}
    assert await outcome(lobby) == "login_failed"

    lobby.provider.id_header = {"jwk": lobby.provider.signs_with.as_dict(private=False)}
    assert await outcome(lobby) == "login_failed"


async def test_an_unsigned_or_confused_id_token_logs_nobody_in(lobby: Lobby) -> None:
    """`none`, and HMAC with our own client secret, are no signatures."""
    client = lobby.logins._clients["citizen"]
    now = lobby.clock.now()
    at = int(now.timestamp())
    claims = {"iss": lobby.provider.address, "aud": "borgerbro", "sub": "x", "nonce": "n", "iat": at, "exp": at + 60}
    await client.begin()
    signing_input = bare({"alg": "HS256", "kid": "k1"}, claims).rsplit(".", 1)[0]
    mac = hmac.digest(SECRET.encode(), signing_input.encode(), "sha256")
    confused = f"{signing_input}.{bare({}, {}, mac).rsplit('.', 1)[1]}"

    for token in (bare({"alg": "none"}, claims), bare({"alg": "none", "kid": "k1"}, claims), confused, "x", "a.b.c"):
        with pytest.raises(NotAuthenticated):
            await client._verified(token, "n", now)


async def test_another_s_userinfo_is_not_used(lobby: Lobby) -> None:
    """A CPR number told about another subject than the ID token's refuses the log-in (OpenID Connect Core 5.3.2)."""
    assert await outcome(lobby, sub="person-2") == "login_failed"


@pytest.mark.parametrize(
    "cpr", [None, "", "010203040", "01020304056", "010203 0405", "０１０２０３０４０５", 102030405, ["0102030405"]]
)
async def test_without_a_cpr_number_there_is_no_way_in(lobby: Lobby, cpr: Any) -> None:
    """A citizen whose provider tells no well-formed CPR number has no access; other claims do not stand in for it."""
    assert await outcome(lobby, **{"dk.cpr": cpr, "cpr": "0102030405"}) == "no_cpr"


@pytest.mark.parametrize("loa", [None, "Low", f"{NSIS}Low", "substantial", "https://other.example/Substantial", 3])
@pytest.mark.parametrize("kind", ["citizen", "officer", "caseworker"])
async def test_a_weak_log_in_is_no_way_in(lobby: Lobby, kind: str, loa: Any) -> None:
    """Below NSIS Substantial, or without a level, nobody comes in."""
    lobby.provider.id_claims = {"loa": loa}

    assert await outcome(lobby, kind) == "nsis_too_low"


@pytest.mark.parametrize(
    "privileges",
    [None, [], "dpo", ["dpo"], [{"privilege": "dpo"}], [{"cvr": "99999999", "privilege": "dpo"}],
     [{"cvr": "11111111", "privilege": "king"}]],
)  # fmt: skip
async def test_an_officer_needs_a_role_here(lobby: Lobby, privileges: Any) -> None:
    """Without an overseer's privilege for a municipality of ours there is no way in."""
    assert await outcome(lobby, "officer", **{"nemlogin.privileges": privileges}) == "no_role"


@pytest.mark.parametrize(
    "claims", [{"nemlogin.cvr": "22222222"}, {"nemlogin.cvr": None}, {"unit": None}, {"roles": None}, {"roles": ["x"]}]
)
async def test_a_caseworker_of_elsewhere_is_no_way_in(lobby: Lobby, claims: dict[str, Any]) -> None:
    """An employee of another municipality, or one without unit or roles, does not get in through our page."""
    assert await outcome(lobby, "caseworker", **claims) == "no_role"


async def test_a_fixed_session_id_is_not_kept(lobby: Lobby) -> None:
    """An id that an attacker put into the browser is never the id of the session."""
    victim = lobby.browser()
    victim.cookies.set("__Host-citizen", "fixed", domain="broker.example", path="/")

    answer = await lobby.log_in(victim)

    assert "__Host-citizen=fixed" not in str(answer.headers)
    assert (await lobby.browser().get("/citizen", headers={"Cookie": "__Host-citizen=fixed"})).status_code == 401


async def test_a_new_log_in_ends_the_old_session(lobby: Lobby) -> None:
    """Each log-in has a new id, and what was open in that browser before is closed."""
    browser = lobby.browser()
    await lobby.log_in(browser)
    first = browser.cookies["__Host-citizen"]
    await lobby.log_in(browser)

    assert browser.cookies["__Host-citizen"] != first
    assert (await lobby.browser().get("/citizen", headers={"Cookie": f"__Host-citizen={first}"})).status_code == 401


async def test_a_change_needs_the_session_s_own_token(lobby: Lobby) -> None:
    """Without a token, with a wrong one, or with another session's, nothing changes; with the right one it does."""
    browser, other = lobby.browser(), lobby.browser()
    await lobby.log_in(browser)
    await lobby.log_in(other)
    own, foreign = [(await each.get("/citizen")).json()["csrf"] for each in (browser, other)]

    refused = [
        await browser.post("/citizen"),
        await browser.post("/citizen", data={"csrf": ""}),
        await browser.post("/citizen", data={"csrf": foreign}),
        await browser.post("/citizen", json={"csrf": own}),
        await browser.post("/citizen", params={"csrf": own}),
        await browser.post("/citizen", headers={"X-CSRF-Token": foreign}),
        await browser.post("/citizen", headers=[(b"X-CSRF-Token", "é".encode("latin-1"))]),
    ]

    assert [answer.status_code for answer in refused] == [403] * len(refused)
    assert (await browser.post("/citizen", data={"csrf": own})).status_code == 200
    assert (await browser.post("/citizen", json={}, headers={"X-CSRF-Token": own})).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://thief.example"},
        {"Origin": "null"},
        {"Origin": "http://broker.example"},
        {"Origin": "https://broker.example.thief.example"},
        {"Origin": "https://thief.example", "Host": "thief.example"},
    ],
)
async def test_a_change_comes_from_our_own_pages(lobby: Lobby, headers: dict[str, str]) -> None:
    """Another site's request is refused, though it knew the token."""
    browser = lobby.browser()
    await lobby.log_in(browser)
    csrf = (await browser.get("/citizen")).json()["csrf"]

    assert (await browser.post("/citizen", data={"csrf": csrf}, headers=headers)).status_code == 403
    own = {"Origin": PUBLIC, "Sec-Fetch-Site": "same-origin"}
    assert (await browser.post("/citizen", data={"csrf": csrf}, headers=own)).status_code == 200


async def test_nobody_is_logged_out_by_another_site(lobby: Lobby) -> None:
    """Leaving is a change like any other."""
    browser = lobby.browser()
    await lobby.log_in(browser)

    assert (await browser.post("/logout/citizen")).status_code == 403
    assert (await browser.get("/logout/citizen")).status_code == 405
    assert (await browser.get("/citizen")).status_code == 200


@pytest.mark.parametrize(
    "to",
    ["https://thief.example", "//thief.example", "/\\thief.example", "\\\\thief.example", "javascript:alert(1)",
     "/%0d%0a\r\nSet-Cookie: x", "", "home", "/\t/thief.example", "/" + "x" * 3000],
)  # fmt: skip
async def test_no_log_in_leads_elsewhere(lobby: Lobby, to: str) -> None:
    """After the log-in the browser goes to a page of ours, whatever the link said."""
    browser = lobby.browser()
    lobby.provider.userinfo = CITIZEN_CLAIMS

    answer = await lobby.finish(browser, lobby.provider.grant(await lobby.begin(browser, to=to)))

    assert answer.headers["location"] == "/"


async def test_a_row_moved_or_sealed_elsewhere_opens_nothing(lobby: Lobby) -> None:
    """Content copied under another id, changed, or sealed with another key is no session."""
    browser = lobby.browser()
    await lobby.log_in(browser)
    ((key, (sealed, owner, idle_at, ends_at)),) = lobby.sessions.kept.items()
    moved = hashlib.sha256(b"citizen\0mine").digest()
    lobby.sessions.kept[moved] = (sealed, owner, idle_at, ends_at)
    lobby.sessions.kept[key] = (sealed[:-1] + bytes([sealed[-1] ^ 1]), owner, idle_at, ends_at)

    assert (await lobby.browser().get("/citizen", headers={"Cookie": "__Host-citizen=mine"})).status_code == 401
    assert (await browser.get("/citizen")).status_code == 401


async def test_a_copy_of_the_database_and_our_key_open_no_session() -> None:
    """An old backup and the key that seals sessions tell no number: the id that only the browser had is missing."""
    sessions, secret = FakeSessions(), b"k" * 32
    book = SessionBook(sessions, secret, FixedClock(NOON), "https://broker.example")
    answer = Response()
    await book.open(answer, "citizen", {"cpr": "0702740022"}, owner="o")
    ((place, (sealed, *_)),) = sessions.kept.items()
    root = hmac.digest(secret, b"seal", "sha256")
    id_ = answer.headers["set-cookie"].split("=", 1)[1].split(";")[0]

    with pytest.raises(InvalidTag):
        AESGCM(root).decrypt(sealed[:12], sealed[12:], place)
    with_the_id = AESGCM(hmac.digest(root, id_.encode(), "sha256")).decrypt(sealed[:12], sealed[12:], place)
    assert b"0702740022" in with_the_id


async def test_the_page_of_caseworkers_has_ceilings_too() -> None:
    """Asks through our page are counted as a system's are; looking is not."""
    async with open_lobby(ceilings=FakeCeilings({"caseworker": 2})) as lobby:
        browser = lobby.browser()
        await lobby.log_in(browser, "caseworker")
        csrf = (await browser.get("/caseworker")).json()["csrf"]

        answers = [await browser.post("/caseworker", data={"csrf": csrf}) for _ in range(3)]

        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert (await browser.get("/caseworker")).status_code == 200


@pytest.mark.parametrize(
    "metadata", [{"issuer": "https://other.example"}, {"token_endpoint": None}, {"jwks_uri": "file:///etc/passwd"}]
)
async def test_a_provider_with_wrong_metadata_is_not_used(lobby: Lobby, metadata: dict[str, Any]) -> None:
    """Metadata that names another issuer or odd addresses sends nobody anywhere."""
    lobby.provider.metadata = metadata

    answer = await lobby.browser().get("/login/citizen")

    assert (answer.status_code, answer.json()["what"]) == (401, "provider_unavailable")


def test_the_session_key_has_its_full_size() -> None:
    """A short key is refused at the start."""
    from broker.adapters.clock_system import SystemClock
    from tests.fakes.web import FakeSessions

    with pytest.raises(ValueError, match="32"):
        SessionBook(FakeSessions(), b"short", SystemClock(), PUBLIC)


async def test_an_officers_log_in_leads_where_they_wanted_and_nowhere_else(lobby: Lobby) -> None:
    """What comes back from the provider comes by way of another site: that one page opens, for a minute, no other."""
    away = {"sec-fetch-site": "cross-site"}
    browser = lobby.browser()
    lobby.provider.userinfo = CLAIMS["officer"]
    answer = await lobby.finish(
        browser, lobby.provider.grant(await lobby.begin(browser, "officer", "/officer")), "officer"
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/officer")
    assert (await browser.get("/officer", headers=away)).status_code == 200
    assert (await browser.get("/officer?x=1", headers=away)).status_code == 403
    lobby.clock.at += timedelta(seconds=61)
    assert (await browser.get("/officer", headers=away)).status_code == 403
    assert (await browser.get("/officer", headers={"sec-fetch-site": "same-origin"})).status_code == 200


async def test_a_log_in_at_the_log_leads_a_leader_to_what_waits_for_them(lobby: Lobby) -> None:
    """Who leads units reads no log: a log-in that began there ends at what waits for them; other pages stay theirs."""
    led = {"cvr": "11111111", "privilege": "teamleder", "unit": "korsbaek-job"}
    lobby.provider.userinfo = CLAIMS["officer"] | {"nemlogin.privileges": [led]}
    for to, place in (("/dpo", "/dpo/tasks"), ("/dpo/break-glass", "/dpo/break-glass")):
        browser = lobby.browser()
        told = await lobby.begin(browser, "officer", to)
        answer = await lobby.finish(browser, lobby.provider.grant(told), "officer")
        assert answer.headers["location"] == place
    begun = await browser.get("/login/officer", params={"next": "/dpo/break-glass"},
                              headers={"sec-fetch-site": "cross-site"})  # fmt: skip
    told = dict(parse_qsl(urlsplit(begun.headers["location"]).query))
    answer = await lobby.finish(browser, lobby.provider.grant(told), "officer")
    assert answer.headers["location"] == "/dpo/tasks"


async def test_a_site_that_leads_an_officer_to_log_in_does_not_choose_where_to(lobby: Lobby) -> None:
    """An address elsewhere that begins the log-in for one of our pages ends at the front page of officers."""
    browser = lobby.browser()
    lobby.provider.userinfo = CLAIMS["officer"]
    away = {"sec-fetch-site": "cross-site"}
    begun = await browser.get("/login/officer", params={"next": "/officer"}, headers=away)
    told = dict(parse_qsl(urlsplit(begun.headers["location"]).query))
    answer = await lobby.finish(browser, lobby.provider.grant(told), "officer")
    assert answer.headers["location"] == "/dpo"
    assert (await browser.get("/officer", headers=away)).status_code == 403
