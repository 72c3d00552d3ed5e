"""A doorway for tests: token endpoint and gate over fakes, with one protected route that tells who came in."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from broker.adapters.clock_system import FixedClock
from broker.adapters.tokens_jwt import JwtTokens
from broker.domain.errors import NotAllowed, NotAuthenticated, TooManyAsks
from broker.ports import Clock
from broker.web import oauth
from broker.web.caller import Gate, www_authenticate
from broker.web.oauth.registrations import Registrations
from tests.actors import ISSUER, AnEmployer, ASystem, a_key
from tests.fakes.web import FakeCeilings, FakeReplay
from tests.identity_provider import IdentityProvider

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ASK = f"{ISSUER}/v1/exchange"


@dataclass
class Doorway:
    """The broker's door, with one system and one employer registered."""

    system: ASystem = field(default_factory=ASystem)
    employer: AnEmployer = field(default_factory=AnEmployer)
    others: tuple[ASystem, ...] = ()
    employers: tuple[AnEmployer | IdentityProvider, ...] = ()
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOON))
    issuer: str = ISSUER
    real_clock: Clock | None = None
    replay: FakeReplay = field(default_factory=FakeReplay)
    ceilings: FakeCeilings = field(default_factory=FakeCeilings)

    def __post_init__(self) -> None:
        self.tokens = JwtTokens([a_key().as_dict(private=True)], self.issuer)
        self.registrations = Registrations.of(
            [system.registration for system in (self.system, *self.others)],
            [employer.registration for employer in (self.employer, *self.employers)],
        )
        self.app = self._app()
        self.client = TestClient(self.app, base_url="http://inside.internal")

    @property
    def now(self) -> datetime:
        """The time on the door's clock."""
        return self.clock.now()

    def ask_token(self, form: dict[str, str], proof: str | None, system: ASystem | None = None) -> Any:
        """Post a token request; without a proof given, a good one is made. The empty text sends none."""
        sent = (system or self.system).proof(self.now) if proof is None else proof
        return self.client.post("/oauth2/token", data=form, headers={"DPoP": sent} if sent else {})

    def token(self, *, for_caseworker: bool = True, **claims: Any) -> str:
        """Get a good token."""
        vouched = self.employer.assertion(self.now, **claims) if for_caseworker else None
        answer = self.ask_token(self.system.form(self.now, vouched), None)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def knock(self, token: str, proof: str | None = None, **headers: str) -> Any:
        """Ask the protected route; without a proof given, a good one is made."""
        sent = self.system.proof(self.now, ASK, token=token) if proof is None else proof
        return self.client.post("/v1/exchange", headers={"Authorization": f"DPoP {token}", "DPoP": sent} | headers)

    def _app(self) -> Starlette:
        clock = self.real_clock or self.clock
        gate = Gate(self.issuer, self.registrations, self.tokens, self.replay, self.ceilings, clock)

        async def enter(request: Request) -> Response:
            caller = await gate.caller(request)
            worker = caller.caseworker
            return JSONResponse({"system": caller.system.client_id, "who": worker.id.disclose(), "unit": worker.unit})

        async def enter_alone(request: Request) -> Response:
            return JSONResponse({"system": (await gate.system(request)).client_id})

        async def refuse(_: Request, error: Exception) -> Response:
            assert isinstance(error, NotAuthenticated)
            return JSONResponse({"what": error.what}, 401, {"WWW-Authenticate": www_authenticate(error)})

        async def forbid(_: Request, error: Exception) -> Response:
            return JSONResponse({}, 403 if isinstance(error, NotAllowed) else 429)

        return Starlette(
            routes=[
                Route("/v1/exchange", enter, methods=["POST"]),
                Route("/v1/evaluation", enter_alone, methods=["POST"]),
                *oauth.routes(
                    issuer=self.issuer, registrations=self.registrations, tokens=self.tokens, replay=self.replay,
                    clock=clock,
                ),
            ],
            exception_handlers={NotAuthenticated: refuse, NotAllowed: forbid, TooManyAsks: forbid},
        )  # fmt: skip
