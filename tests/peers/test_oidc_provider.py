"""A certified OpenID provider (oidc-provider) logs a citizen in at our pages, and out again."""

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from broker.adapters.clock_system import SystemClock
from broker.web.login import Faces, Logins
from broker.web.oauth.registrations import Registrations
from broker.web.openid import Provider
from broker.web.sessions import SessionBook
from tests.fakes.web import FakeCeilings, FakeSessions
from tests.serving import NODE, node_or_skip, serving

CLIENT, SECRET = "borgerbro-citizen", "a secret of the test"
CPR = "0102030405"


@contextlib.asynccontextmanager
async def provider_for(broker: str, alg: str) -> AsyncIterator[str]:
    """Run the provider for a broker at this address, and give the provider's."""
    process = await asyncio.create_subprocess_exec(
        node_or_skip(), "--no-warnings", "openid_provider.mjs", cwd=NODE,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    told = {
        "clientId": CLIENT, "secret": SECRET, "alg": alg, "sub": "6f1de0f2",
        "redirectUris": [f"{broker}/login/citizen/callback"], "postLogout": [f"{broker}/"],
        "claims": {"dk.cpr": CPR, "loa": "https://data.gov.dk/concept/core/nsis/Substantial"},
    }  # fmt: skip
    try:
        process.stdin.write(json.dumps(told).encode() + b"\n")
        line = b""
        while not line.startswith(b"http://127.0.0.1"):
            # It warns of an http issuer and of the version of node first.
            line = await asyncio.wait_for(process.stdout.readline(), 30)
            assert line, "the provider ended"
        yield line.decode().strip()
    finally:
        process.stdin.close()
        await process.wait()


class Pages:
    """The broker's log-in pages at an address; the provider is named once it is there."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.logins: Logins | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer with the routes of the log-in and one page."""

        async def home(request: Request) -> Response:
            assert self.logins is not None
            login = await self.logins.require_citizen(request)
            session = await self.logins.session(request, "citizen")
            return JSONResponse({"cpr": login.cpr.disclose(), "nsis": login.nsis, "csrf": session.csrf})

        async def start(_: Request) -> Response:
            return JSONResponse({"start": True})

        assert self.logins is not None
        app = Starlette(routes=[*self.logins.routes(), Route("/home", home), Route("/", start)])
        await app(scope, receive, send)


@pytest.mark.parametrize("alg", ["ES256", "PS256", "RS256"])
async def test_a_citizen_logs_in_and_out_at_a_certified_provider(alg: str) -> None:
    """Discovery, PKCE, ID token, userinfo and both log-outs agree with an implementation that is not ours."""
    node_or_skip()
    made: list[Pages] = []

    def make(address: str) -> ASGIApp:
        made.append(Pages(address))
        return made[0]

    jar = aiohttp.CookieJar(unsafe=True)  # Cookies for an address without a name.
    async with (
        serving(make) as broker,
        provider_for(broker, alg) as issuer,
        aiohttp.ClientSession() as http,
        aiohttp.ClientSession(cookie_jar=jar) as browser,
    ):
        clock = SystemClock()
        made[0].logins = Logins(
            Faces({"citizen": Provider(issuer, CLIENT, SECRET, ("openid", "mitid", "ssn"))}),
            book=SessionBook(FakeSessions(), secrets.token_bytes(32), clock, broker),
            registrations=Registrations.of([], []),
            ceilings=FakeCeilings(),
            http=http,
            clock=clock,
            public_address=broker,
        )

        async with browser.get(f"{broker}/login/citizen?next=/home") as answer:
            told = await answer.json()
            assert (str(answer.url), told["cpr"], told["nsis"]) == (f"{broker}/home", CPR, "Substantial")
        async with browser.post(f"{broker}/logout/citizen", data={"csrf": told["csrf"]}) as answer:
            assert str(answer.url).startswith(f"{issuer}/session/end")
            assert answer.status == 200
        async with browser.get(f"{broker}/home") as answer:
            assert answer.status == 500  # No page for errors here: what counts is that nobody is let in.
