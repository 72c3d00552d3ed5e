"""How a connector proves itself: tokens kept and renewed, keys in headers, TLS that always verifies."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import trustme
from aiohttp import web

from broker.domain.errors import SourceFailed
from broker.domain.personal import Personal
from connectors import Connector, Limits, SettingsUnusable, build
from tests.fakes.hostile import HostileServer, hostile

NOW = datetime(2019, 3, 4, 9, 0, tzinfo=UTC)
READS = {
    "B01": [
        {
            "ask": {"method": "POST", "path": "/plans", "body": {"cpr": "{cpr}"}, "headers": {"X-Cpr": "{cpr_hyphen}"}},
            "records": "data",
            "person": False,
            "item": {"kind": {"value": "plan"}, "id": "id", "unit": {"value": "x"}},
        }
    ]
}
SECRETS = {"client_id": "klient:æ", "client_secret": "s p/+&=", "api_key": "key-c", "token": "token-d"}


class TokenServer:
    """A source with a token endpoint; what it issues and takes is the test's to say."""

    def __init__(self) -> None:
        self.issued = 0
        self.answer: Any = None
        self.taken: set[str] | None = None
        self.forms: list[dict[str, list[str]]] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        """Issue a token, or answer a question that carries one that is taken."""
        if request.path == "/token":
            self.forms.append(parse_qs(await request.text()))
            self.issued += 1
            body = self.answer or {"access_token": f"t{self.issued}", "token_type": "Bearer", "expires_in": 300}
            return web.json_response(body)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.taken is not None and token not in self.taken:
            return web.Response(status=401)
        return web.json_response({"data": [{"id": token}]})


def connector(server: HostileServer, auth: dict[str, Any], secrets: dict[str, str] = SECRETS) -> Connector:
    """Make a connector with this way of proving itself."""
    settings = {"base_url": server.address, "auth": auth}
    return build("rest_json", "x", settings, READS, secrets, Limits(most_failures=100), now=lambda: NOW)


@asynccontextmanager
async def asking(server: HostileServer, **oauth2: Any) -> AsyncIterator[Any]:
    """Give a function that reads once and tells which token was sent."""
    async with connector(server, {"oauth2": {"token_url": f"{server.address}/token", **oauth2}}) as source:

        async def once() -> str:
            (item,) = await source.read(Personal("7102740022"), "p", frozenset({"B01"}))
            return item.id.disclose()

        yield once


async def test_a_token_is_asked_for_once_and_kept() -> None:
    """Many reads, even at once, share one token."""
    tokens = TokenServer()
    async with hostile(tokens) as server, asking(server) as once:
        assert set(await asyncio.gather(*(once() for _ in range(10)))) == {"t1"}
        assert await once() == "t1"
    assert tokens.issued == 1


async def test_a_token_that_ends_soon_is_renewed() -> None:
    """A token that lives no longer than our margin serves one read."""
    tokens = TokenServer()
    tokens.answer = {"access_token": "short", "expires_in": 10}
    async with hostile(tokens) as server, asking(server) as once:
        await once()
        await once()
    assert tokens.issued == 2


async def test_a_token_that_the_source_forgot_is_renewed_at_once() -> None:
    """After a 401 the read is asked again with a fresh token, and only once."""
    tokens = TokenServer()
    async with hostile(tokens) as server, asking(server) as once:
        assert await once() == "t1"
        tokens.taken = {"t2"}
        assert await once() == "t2"
        tokens.taken = set()
        with pytest.raises(SourceFailed) as caught:
            await once()
    assert caught.value.why == "refused"
    assert tokens.issued == 3


async def test_the_client_names_itself_as_the_rfc_says() -> None:
    """In the header, form-encoded before joined (RFC 6749 2.3.1); or in the form; with the scope if there is one."""
    tokens = TokenServer()
    async with hostile(tokens) as server, asking(server, scope="read:plans") as once:
        await once()
        basic = server.headers[0]["authorization"].removeprefix("Basic ")
    assert base64.b64decode(basic) == b"klient%3A%C3%A6:s+p%2F%2B%26%3D"
    assert tokens.forms[0] == {"grant_type": ["client_credentials"], "scope": ["read:plans"]}

    async with hostile(tokens) as server, asking(server, client_authentication="body") as once:
        await once()
        assert "authorization" not in server.headers[0]
    assert tokens.forms[1]["client_secret"] == ["s p/+&="]


@pytest.mark.parametrize(
    "answer",
    [{}, [], {"access_token": None}, {"access_token": "a b"}, {"access_token": "a\r\nX: y"}, {"access_token": "ø"},
     {"access_token": "t", "expires_in": "soon"}],
)  # fmt: skip
async def test_a_token_answer_that_is_none_fails(answer: Any) -> None:
    """What is no token, or would write headers of its own, is not used."""
    tokens = TokenServer()
    tokens.answer = answer or [0]
    async with hostile(tokens) as server, asking(server) as once:
        with pytest.raises(SourceFailed) as caught:
            await once()
    assert caught.value.why == "unreadable"


async def test_keys_and_numbers_go_in_headers_and_bodies() -> None:
    """A static key, a bearer token and the number's header form are sent as configured."""
    async with hostile(TokenServer()) as server:
        auth = {"api_key_header": "apikey", "bearer": True}
        async with connector(server, auth) as source:
            await source.read(Personal("7102740022"), "p", frozenset({"B01"}))
    headers = server.headers[0]
    assert (headers["apikey"], headers["authorization"], headers["x-cpr"]) == ("key-c", "Bearer token-d", "710274-0022")


@pytest.mark.parametrize(
    ("auth", "named"),
    [
        ({"api_key_header": "apikey"}, "api_key"),
        ({"bearer": True}, "token"),
        ({"oauth2": {"token_url": "https://a.example/t"}}, "client_id"),
    ],
)
def test_a_missing_secret_is_named_at_the_start(auth: dict[str, Any], named: str) -> None:
    """The connector is not made, and what is missing is said; no secret is repeated."""
    with pytest.raises(SettingsUnusable, match=rf"secrets\.{named}"):
        connector(HostileServer("https://a.example"), auth, {})


async def over_tls(authority: trustme.CA, trusted: Path, files: dict[str, str] | None = None) -> str:
    """Read over TLS from a server that wants a client certificate; tell how it went."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    app = web.Application()
    app.router.add_post("/plans", _answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    try:
        address = f"https://localhost:{runner.addresses[0][1]}"
        tls = {"ca_file": str(trusted), **(files or {})}
        source = build("rest_json", "x", {"base_url": address, "tls": tls}, READS, {}, Limits(), now=lambda: NOW)
        async with source:
            await source.read(Personal("7102740022"), "p", frozenset({"B01"}))
    except SourceFailed as failed:
        return failed.why
    finally:
        await runner.cleanup()
    return "answered"


async def _answer(_: web.Request) -> web.Response:
    return web.json_response({"data": []})


async def test_tls_verifies_both_ends(tmp_path: Path) -> None:
    """The source's certificate must come from the named authority, and ours is shown to it."""
    ours, theirs = trustme.CA(), trustme.CA()
    own = ours.issue_cert("broker.example")
    ours.cert_pem.write_to_path(tmp_path / "ca.pem")
    theirs.cert_pem.write_to_path(tmp_path / "other.pem")
    own.private_key_and_cert_chain_pem.write_to_path(tmp_path / "own.pem")
    mine = {"client_certificate_file": str(tmp_path / "own.pem")}

    assert await over_tls(ours, tmp_path / "ca.pem", mine) == "answered"
    assert await over_tls(ours, tmp_path / "ca.pem") == "unreachable"
    assert await over_tls(ours, tmp_path / "other.pem", mine) == "unreachable"
