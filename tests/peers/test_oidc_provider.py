"""A certified OpenID provider (oidc-provider) logs a citizen in at our pages, and out again."""

import asyncio
import contextlib
import json
import secrets
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp
from yarl import URL

from broker.adapters.clock_system import SystemClock
from broker.domain.errors import NotAuthenticated
from broker.web.login import Faces, Logins
from broker.web.oauth.registrations import Registrations
from broker.web.openid import Provider
from broker.web.sessions import SessionBook
from tests.fakes.web import FakeCeilings, FakeSessions
from tests.serving import NODE, node_or_skip, serving

CLIENT, SECRET = "borgerbro-citizen", "a secret of the test"
CPR = "0102030405"


LEVEL = "https://data.gov.dk/concept/core/nsis/"
CLAIMS = {"dk.cpr": CPR, "loa": f"{LEVEL}Substantial"}


@dataclass(frozen=True)
class Peer:
    """The provider, and its address."""

    process: Process
    issuer: str = ""

    async def change(self, **told: Any) -> None:
        """Let it say other claims, or that whoever comes proved who they are `ago` seconds before."""
        await self.says(b"changed", told)

    async def says(self, begin: bytes, told: dict[str, Any]) -> str:
        """Tell it something; give the line that begins so, after what it warns of (an http issuer, keys of a test)."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(told).encode() + b"\n")
        line = b""
        while not line.startswith(begin):
            line = await asyncio.wait_for(self.process.stdout.readline(), 30)
            assert line, "the provider ended"
        return line.decode().strip()


@contextlib.asynccontextmanager
async def provider_for(broker: str, alg: str) -> AsyncIterator[Peer]:
    """Run the provider for a broker at this address."""
    process = await asyncio.create_subprocess_exec(
        node_or_skip(), "--no-warnings", "openid_provider.mjs", cwd=NODE,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdin is not None
    told = {
        "clientId": CLIENT, "secret": SECRET, "alg": alg, "sub": "6f1de0f2", "claims": CLAIMS,
        "redirectUris": [f"{broker}/login/citizen/callback"], "postLogout": [f"{broker}/"],
    }  # fmt: skip
    try:
        yield Peer(process, await Peer(process).says(b"http://127.0.0.1", told))
    finally:
        process.stdin.close()
        await process.wait()


class Pages:
    """The broker's log-in pages at an address; the provider is named once it is there."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.logins: Logins | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer with the routes of the log-in, one page, and one that takes a fresh log-in."""

        async def home(request: Request) -> Response:
            assert self.logins is not None
            login = await self.logins.require_citizen(request)
            session = await self.logins.session(request, "citizen")
            signs = await self.logins.may_sign(request)
            return JSONResponse({"cpr": login.cpr.disclose(), "nsis": login.nsis, "csrf": session.csrf, "signs": signs})

        async def start(_: Request) -> Response:
            return JSONResponse({"start": True})

        async def refuse(_: Request, error: Exception) -> Response:
            return JSONResponse({"what": getattr(error, "what", "")}, 401)

        assert self.logins is not None
        routes = [*self.logins.routes(), Route("/home", home), Route("/", start)]
        app = Starlette(routes=routes, exception_handlers={NotAuthenticated: refuse})
        await app(scope, receive, send)


@dataclass(frozen=True)
class Meeting:
    """The broker's log-in and the provider, which know each other."""

    broker: str
    peer: Peer

    @contextlib.asynccontextmanager
    async def browser(self) -> AsyncIterator[aiohttp.ClientSession]:
        """Open a browser with no cookies; it keeps those of an address without a name."""
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
            yield browser

    async def comes_back(self, browser: aiohttp.ClientSession, **query: str) -> URL:
        """Begin a log-in and walk through the provider's pages; give where it sends the browser back to, unopened."""
        at = URL(f"{self.broker}/login/citizen").with_query({"next": "/home"} | query)
        while at.path != "/login/citizen/callback":
            async with browser.get(at, allow_redirects=False) as answer:
                at = at.join(URL(answer.headers["location"], encoded=True))
        return at

    async def told(self, browser: aiohttp.ClientSession, at: URL | str) -> Any:
        """Open an address, follow it to where it leads, and give what is said there."""
        async with browser.get(at) as answer:
            return await answer.json()

    async def logged_in(self, browser: aiohttp.ClientSession, **query: str) -> Any:
        """Log in, and give what is said then."""
        return await self.told(browser, await self.comes_back(browser, **query))


@contextlib.asynccontextmanager
async def meeting(alg: str) -> AsyncIterator[Meeting]:
    """Serve the broker's log-in beside the provider."""
    node_or_skip()
    made: list[Pages] = []

    def make(address: str) -> ASGIApp:
        made.append(Pages(address))
        return made[0]

    async with serving(make) as broker, provider_for(broker, alg) as peer, aiohttp.ClientSession() as http:
        clock = SystemClock()
        made[0].logins = Logins(
            Faces({"citizen": Provider(peer.issuer, CLIENT, SECRET, ("openid", "mitid", "ssn"))}),
            book=SessionBook(FakeSessions(), secrets.token_bytes(32), clock, broker),
            registrations=Registrations.of([], []),
            ceilings=FakeCeilings(),
            http=http,
            clock=clock,
            public_address=broker,
        )
        yield Meeting(broker, peer)


@pytest.mark.parametrize("alg", ["ES256", "PS256", "RS256"])
async def test_a_citizen_logs_in_and_out_at_a_certified_provider(alg: str) -> None:
    """Discovery, PKCE, ID token, userinfo and both log-outs agree with an implementation that is not ours."""
    async with meeting(alg) as both, both.browser() as browser:
        async with browser.get(f"{both.broker}/login/citizen?next=/home") as answer:
            told = await answer.json()
            assert (str(answer.url), told["cpr"], told["nsis"]) == (f"{both.broker}/home", CPR, "Substantial")
        async with browser.post(f"{both.broker}/logout/citizen", data={"csrf": told["csrf"]}) as answer:
            assert str(answer.url).startswith(f"{both.peer.issuer}/session/end")
            assert answer.status == 200
        async with browser.get(f"{both.broker}/home") as answer:
            assert (answer.status, await answer.json()) == (401, {"what": "login_required"})


async def test_a_certified_provider_is_asked_to_prove_it_anew() -> None:
    """A plain log-in signs nothing there; one made anew does, where the provider says that it was now.

    The provider remembers the browser: without `prompt=login` it asks nobody again.
    """
    async with meeting("ES256") as both, both.browser() as browser:
        await both.peer.change(ago=601)
        plain = await both.logged_in(browser)
        remembered = await both.logged_in(browser, anew="1")
        await both.peer.change(ago=0)
        again = await both.logged_in(browser)
        anew = await both.logged_in(browser, anew="1")

        assert [told["signs"] for told in (plain, remembered, again, anew)] == [False, False, False, True]
        assert (await both.told(browser, f"{both.broker}/home"))["csrf"] == anew["csrf"] != plain["csrf"]


async def test_a_log_in_below_substantial_at_a_certified_provider_is_no_way_in() -> None:
    """What the provider says of the level is read: too low a one neither lets in, nor makes a log-in fresh."""
    async with meeting("ES256") as both, both.browser() as browser:
        await both.peer.change(claims=CLAIMS | {"loa": f"{LEVEL}Low"})
        low = await both.logged_in(browser)
        await both.peer.change(claims=CLAIMS)
        enough = await both.logged_in(browser)
        await both.peer.change(claims=CLAIMS | {"loa": f"{LEVEL}Low"})
        low_anew = await both.logged_in(browser, anew="1")

        assert (low, low_anew) == ({"what": "nsis_too_low"}, {"what": "nsis_too_low"})
        assert (await both.told(browser, f"{both.broker}/home")) == enough
        assert enough["signs"] is False


async def test_what_a_certified_provider_sends_back_is_for_this_log_in_alone() -> None:
    """Another state, another browser's code (PKCE, nonce) and a second use are refused."""
    async with meeting("ES256") as both, both.browser() as annette, both.browser() as thief:
        changed = await both.comes_back(annette)
        bent = await both.told(annette, changed.update_query(state="x" * 43))
        stolen = (await both.comes_back(annette)).query["code"]
        begun = await both.comes_back(thief)
        taken = await both.told(thief, begun.update_query(code=stolen))
        back = await both.comes_back(annette)
        first, twice = await both.told(annette, back), await both.told(annette, back)

        assert (bent, taken) == ({"what": "login_failed"}, {"what": "login_failed"})
        assert (first["cpr"], twice) == (CPR, {"what": "login_expired"})
        assert await both.told(thief, f"{both.broker}/home") == {"what": "login_required"}
