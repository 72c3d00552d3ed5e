"""A lobby for tests: the log-in routes and three protected pages over fakes, and a browser that walks through them."""

import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from broker.adapters.clock_system import FixedClock
from broker.domain.errors import LedHere, NotAllowed, NotAuthenticated, NotFound, TooManyAsks
from broker.domain.personal import Personal
from broker.web.login import Faces, Logins
from broker.web.oauth.registrations import Registrations
from broker.web.openid import Provider
from broker.web.sessions import SessionBook
from tests.actors import AnEmployer, ASystem
from tests.doorway import NOON
from tests.fakes.provider import CLIENT_ID, SECRET, FakeProvider
from tests.fakes.web import FakeCeilings, FakeSessions
from tests.serving import serving

PUBLIC = "https://broker.example"
CITIZEN_CLAIMS: dict[str, Any] = {"dk.cpr": "0102030405"}
OFFICER_CLAIMS: dict[str, Any] = {
    "nemlogin.privileges": [{"cvr": "11111111", "privilege": "dpo"}],
    "nemlogin.name": "Dorte",
}
ROLES = [{"name": "sagsbehandler", "kle": ["15.*"], "sensitivity": 3}]
CASEWORKER_CLAIMS: dict[str, Any] = {"nemlogin.cvr": "11111111", "unit": "korsbaek-job", "roles": ROLES}
CLAIMS = {"citizen": CITIZEN_CLAIMS, "officer": OFFICER_CLAIMS, "caseworker": CASEWORKER_CLAIMS}


@dataclass
class Lobby:
    """The log-in routes, where each kind of person has the same fake provider."""

    provider: FakeProvider
    http: aiohttp.ClientSession
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOON))
    public: str = PUBLIC
    sessions: FakeSessions = field(default_factory=FakeSessions)
    ceilings: FakeCeilings = field(default_factory=FakeCeilings)
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    extra: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        provider = Provider(self.provider.address, CLIENT_ID, SECRET, ("openid", "mitid", "ssn"), self.extra)
        system, employer = ASystem("the-page"), AnEmployer()
        self.logins = Logins(
            Faces(
                dict.fromkeys(("citizen", "officer", "caseworker"), provider),
                {"11111111": "korsbaek", "22222222": "skovlund"},
                "the-page",
                employer.issuer,
            ),
            book=SessionBook(self.sessions, self.key, self.clock, self.public),
            registrations=Registrations.of([system.registration], [employer.registration]),
            ceilings=self.ceilings,
            http=self.http,
            clock=self.clock,
            public_address=self.public,
        )
        self.app = self._app()

    def browser(self) -> httpx2.AsyncClient:
        """Open a browser with no cookies."""
        return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=self.app), base_url=self.public)

    async def begin(self, browser: httpx2.AsyncClient, kind: str = "citizen", to: str = "/home") -> dict[str, str]:
        """Go to the log-in; give what the provider is asked."""
        answer = await browser.get(f"/login/{kind}", params={"next": to})
        assert answer.status_code == 303, answer.text
        return dict(parse_qsl(urlsplit(answer.headers["location"]).query))

    async def finish(self, browser: httpx2.AsyncClient, told: dict[str, str], kind: str = "citizen") -> Any:
        """Come back from the provider."""
        return await browser.get(f"/login/{kind}/callback", params=told)

    async def log_in(self, browser: httpx2.AsyncClient, kind: str = "citizen", **claims: Any) -> Any:
        """Log in with these claims."""
        self.provider.userinfo = CLAIMS[kind] | claims
        return await self.finish(browser, self.provider.grant(await self.begin(browser, kind)), kind)

    def _app(self) -> Starlette:
        async def citizen(request: Request) -> Response:
            login = await self.logins.require_citizen(request)
            session = await self.logins.session(request, "citizen")
            return JSONResponse({"cpr": login.cpr.disclose(), "nsis": login.nsis, "csrf": session.csrf})

        async def signer(request: Request) -> Response:
            await self.logins.require_signer(request)
            return JSONResponse({})

        async def officer(request: Request) -> Response:
            login = await self.logins.require_officer(request)
            led = sorted(login.units)
            return JSONResponse({"role": login.role, "over": sorted(login.municipalities), "leads": led})

        async def caseworker(request: Request) -> Response:
            caller = await self.logins.require_caseworker(request)
            session = await self.logins.session(request, "caseworker")
            told = {"who": caller.caseworker.id.disclose(), "system": caller.system.client_id, "csrf": session.csrf}
            own = caller.caseworker.cpr == Personal("0102030405")
            return JSONResponse(told | {"unit": caller.unit, "municipality": caller.municipality, "own": own})

        async def refuse(_: Request, error: Exception) -> Response:
            told = {NotAuthenticated: 401, NotAllowed: 403, LedHere: 403, NotFound: 404, TooManyAsks: 429}
            return JSONResponse({"what": getattr(error, "what", "")}, told[type(error)])

        named = {"citizen": citizen, "signer": signer, "officer": officer, "caseworker": caseworker}
        pages = [(f"/{name}", page) for name, page in named.items()]
        errors = (NotAuthenticated, NotAllowed, LedHere, NotFound, TooManyAsks)
        return Starlette(
            routes=[*self.logins.routes(), *(Route(path, page, methods=["GET", "POST"]) for path, page in pages)],
            exception_handlers=dict.fromkeys(errors, refuse),
        )


@contextlib.asynccontextmanager
async def open_lobby(now: datetime = NOON, **settings: Any) -> AsyncIterator[Lobby]:
    """Serve a fake provider and open a lobby before it."""
    made: list[FakeProvider] = []

    def make(address: str) -> Starlette:
        made.append(FakeProvider(address, now))
        return made[0].app

    async with serving(make), aiohttp.ClientSession() as http:
        yield Lobby(made[0], http, **settings)
