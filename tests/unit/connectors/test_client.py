"""What a department system uses to ask: it proves itself, keeps a token while it lives, and never asks twice."""

import ast
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import OctKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

import connectors.client as of_client
from broker.adapters.clock_system import SystemClock
from connectors.client import TOKEN_TYPES, BrokerClient, BrokerRefused, BrokerUnreachable, read_key, signing_key
from tests.actors import ASystem, a_key
from tests.doorway import Doorway
from tests.fakes.web import FakeCeilings
from tests.identity_provider import PERSON, IdentityProvider
from tests.serving import serving

CLOCK = SystemClock()


class Desk:
    """A served door, and a department system before it."""

    def __init__(self, door: Doorway, address: str) -> None:
        self.door = door
        self.address = address
        self.assertions = 0

    def client(self, key: Any = None) -> BrokerClient:
        """Make the department system's client."""
        own = {**self.door.system.key.as_dict(private=True), "kid": "one"}
        return BrokerClient(self.address, self.door.system.client_id, signing_key(key or own))

    async def assertion(self) -> str:
        """Sign for Lene, as her employer does."""
        self.assertions += 1
        return self.door.employer.assertion(CLOCK.now(), aud=self.address)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """Give a served door that takes three asks of a caseworker."""
    made: list[Doorway] = []

    def make(address: str) -> ASGIApp:
        made.append(Doorway(issuer=address, real_clock=CLOCK, ceilings=FakeCeilings({"caseworker": 3})))
        return made[0].app

    async with serving(make) as address:
        yield Desk(made[0], address)


async def test_a_caseworker_asks_through_their_system(desk: Desk) -> None:
    """An ask arrives with system and caseworker; one token serves many asks."""
    async with desk.client() as broker:
        lene = broker.as_caseworker(desk.assertion)

        told = [await lene.ask({"purpose": "P04"}) for _ in range(3)]

    assert told[0] == {"system": "korsbaek-jobcentre", "who": "lene.krogh", "unit": "korsbaek-job"}
    assert (told[1], told[2], desk.assertions) == (told[0], told[0], 1)


async def test_a_caseworker_may_be_named_by_saml() -> None:
    """Where the employer speaks OIOSAML, the same ask arrives with the same system and caseworker."""
    idp, made = IdentityProvider(), []

    def make(address: str) -> ASGIApp:
        made.append(Doorway(issuer=address, real_clock=CLOCK, employers=(idp,)))
        return made[0].app

    async with serving(make) as address:
        desk = Desk(made[0], address)

        async def assertion() -> str:
            ours = {"audience": f"{address}/saml/korsbaek-jobcentre", "recipient": f"{address}/oauth2/token"}
            return idp.assertion(CLOCK.now(), **ours)

        async with desk.client() as broker:
            told = await broker.as_caseworker(assertion, TOKEN_TYPES["saml"]).ask({"purpose": "P04"})

    assert told == {"system": "korsbaek-jobcentre", "who": PERSON, "unit": "korsbaek-job"}


async def test_many_asks_at_once_share_one_token(desk: Desk) -> None:
    """Asks that start together wait for one exchange."""
    import asyncio

    async with desk.client() as broker:
        lene = broker.as_caseworker(desk.assertion)
        await asyncio.gather(*(lene.ask({}) for _ in range(3)))

    assert desk.assertions == 1


async def test_a_token_is_renewed_before_it_ends(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token with less than its margin left is not used again."""
    monkeypatch.setattr(of_client, "RENEW_BEFORE_SECONDS", 300)
    async with desk.client() as broker:
        lene = broker.as_caseworker(desk.assertion)
        await lene.ask({})
        await lene.ask({})

    assert desk.assertions == 2


async def test_a_system_acts_alone_where_it_may(desk: Desk) -> None:
    """Without a caseworker the evaluation is open, the ask is not."""
    async with desk.client() as broker:
        alone = broker.as_system()

        assert await alone.post("/v1/evaluation", {}) == {"system": "korsbaek-jobcentre"}
        with pytest.raises(BrokerRefused) as refused:
            await alone.ask({})

    assert refused.value.status == 403


async def test_a_refusal_tells_what_the_broker_said(desk: Desk) -> None:
    """Status and problem are there to read; the text of the error repeats nothing of the ask."""
    async with desk.client() as broker:
        lene = broker.as_caseworker(desk.assertion)
        for _ in range(3):
            await lene.ask({})

        with pytest.raises(BrokerRefused) as refused:
            await lene.ask({"citizen": "0102030405"})

    assert (refused.value.status, refused.value.problem) == (429, {})
    assert "0102030405" not in str(refused.value) + repr(refused.value)


async def test_a_wrong_key_is_refused(desk: Desk) -> None:
    """A system with another key gets no token."""
    async with desk.client(a_key().as_dict(private=True)) as broker:
        with pytest.raises(BrokerRefused) as refused:
            await broker.as_system().post("/v1/evaluation", {})

    assert (refused.value.status, refused.value.problem) == (401, {"error": "invalid_client"})


async def test_after_a_401_the_next_ask_has_a_new_token(desk: Desk) -> None:
    """When the broker no longer takes the token, the client does not keep it."""
    async with desk.client() as broker:
        lene = broker.as_caseworker(desk.assertion)
        await lene.ask({})
        assert lene._token is not None
        lene._token.text = "spoilt"
        with pytest.raises(BrokerRefused):
            await lene.ask({})

        await lene.ask({})

    assert desk.assertions == 2


class Odd:
    """A server that is no broker, or a broker in trouble: counts what reaches it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.reached: list[str] = []
        self.metadata: dict[str, Any] = {"issuer": address, "token_endpoint": f"{address}/token"}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer as broken as the path says."""

        async def described(_: Request) -> Response:
            return JSONResponse(self.metadata)

        async def token(_: Request) -> Response:
            return JSONResponse({"access_token": "t", "token_type": "DPoP", "expires_in": 300})

        async def broken(request: Request) -> Response:
            self.reached.append(request.method)
            name = request.path_params["name"]
            if name == "elsewhere":
                return RedirectResponse(f"{self.address}/v1/list")
            if name == "busy" and len(self.reached) < 3:
                return JSONResponse({}, 503)
            answers = {
                "list": "[1]",
                "broken": "{",
                "large": '"' + "x" * of_client.MOST_BYTES + '"',
                "busy": '{"a": 1}',
            }
            return Response(answers[name])

        app = Starlette(
            routes=[
                Route("/.well-known/oauth-authorization-server", described),
                Route("/token", token, methods=["POST"]),
                Route("/v1/{name}", broken, methods=["GET", "POST"]),
            ]
        )
        await app(scope, receive, send)


@pytest.fixture
async def odd() -> AsyncIterator[Odd]:
    """Give the odd server."""
    made: list[Odd] = []

    def make(address: str) -> ASGIApp:
        made.append(Odd(address))
        return made[0]

    async with serving(make):
        yield made[0]


def client_of(odd: Odd) -> BrokerClient:
    """Make a client of the odd server."""
    return BrokerClient(odd.address, "x", signing_key(a_key().as_dict(private=True)))


@pytest.mark.parametrize("name", ["list", "broken", "large", "elsewhere"])
async def test_what_is_no_answer_is_an_error(odd: Odd, name: str) -> None:
    """A list, broken JSON, too much, or a redirect is no answer, and no redirect is followed."""
    async with client_of(odd) as broker:
        with pytest.raises(BrokerUnreachable):
            await broker.as_system().post(f"/v1/{name}", {})

    assert odd.reached == ["POST"]


async def test_reading_is_tried_again_asking_is_not(odd: Odd) -> None:
    """A read waits for a busy broker; an ask is sent once, because each is an access of its own."""
    async with client_of(odd) as broker:
        assert await broker.as_system().get("/v1/busy") == {"a": 1}
        assert odd.reached == ["GET"] * 3

        odd.reached.clear()
        with pytest.raises(BrokerRefused):
            await broker.as_system().post("/v1/busy", {})

    assert odd.reached == ["POST"]


@pytest.mark.parametrize(
    "metadata",
    [{"issuer": "https://other.example"}, {"token_endpoint": None}],
)
async def test_another_s_metadata_is_not_used(odd: Odd, metadata: dict[str, Any]) -> None:
    """Metadata that names another issuer, or no endpoint, ends it."""
    odd.metadata |= metadata
    async with client_of(odd) as broker:
        with pytest.raises(BrokerUnreachable):
            await broker.token(None)


async def test_secrets_are_not_sent_in_the_clear(odd: Odd) -> None:
    """Plain HTTP is for this machine alone, also when the metadata says otherwise."""
    with pytest.raises(ValueError, match="https"):
        BrokerClient("http://broker.example", "x", signing_key(a_key().as_dict(private=True)))

    odd.metadata["token_endpoint"] = "http://thief.example/token"
    async with client_of(odd) as broker:
        with pytest.raises(ValueError, match="https"):
            await broker.token(None)


async def test_a_broker_that_is_not_there_is_named_so() -> None:
    """No connection is one plain error without an address in it."""
    async with BrokerClient("http://127.0.0.1:1", "x", signing_key(a_key().as_dict(private=True))) as broker:
        with pytest.raises(BrokerUnreachable, match="no answer"):
            await broker.as_system().ask({})


@pytest.mark.parametrize("alg", ["ES256", "Ed25519", "PS256"])
def test_keys_are_read_from_files(tmp_path: Path, alg: str) -> None:
    """A private JWK of each accepted kind is read; the algorithm follows from the key."""
    file = tmp_path / "key.json"
    file.write_text(json.dumps(ASystem(key=a_key(alg)).key.as_dict(private=True)), "utf-8")

    assert read_key(file).alg == alg


def test_a_public_or_shared_key_does_not_sign() -> None:
    """A public key or a shared secret is refused when it is read."""
    for member in (a_key().as_dict(private=False), OctKey.generate_key(256).as_dict()):
        with pytest.raises(ValueError, match="private key"):
            signing_key(member)


async def test_a_client_is_used_in_its_block() -> None:
    """Outside its `async with` block the client says so."""
    broker = BrokerClient("http://127.0.0.1:1", "x", signing_key(a_key().as_dict(private=True)))

    with pytest.raises(RuntimeError, match="async with"):
        await broker.as_system().ask({})


def test_the_client_stands_alone() -> None:
    """It imports nothing of the broker's, so that it can be given to department systems."""
    tree = ast.parse(Path(of_client.__file__).read_text("utf-8"))
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}

    assert not any(str(name).split(".")[0] in {"broker", "audit", "connectors"} for name in names)
