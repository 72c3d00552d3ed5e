"""An OpenID provider that says whatever a test wants; the browser's part is played by the test."""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from datetime import datetime
from typing import Any

from joserfc.jwk import Key
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.actors import a_key, public, signed

CLIENT_ID, SECRET = "borgerbro", "s3cret/+ %"
NSIS = "https://data.gov.dk/concept/core/nsis/"


class FakeProvider:
    """One provider with one key. `id_claims`, `userinfo` and `metadata` change what it says; None leaves one out."""

    def __init__(self, address: str, now: datetime) -> None:
        self.address = address
        self.now = now
        self.key: Key = a_key()
        self.signs_with: Key = self.key
        self.alg = "ES256"
        self.id_claims: dict[str, Any] = {}
        self.id_header: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.asked_for_keys = 0
        self.app = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._discovery),
                Route("/jwks", self._jwks),
                Route("/token", self._token, methods=["POST"]),
                Route("/userinfo", self._userinfo),
            ]
        )

    def grant(self, query: dict[str, str]) -> dict[str, str]:
        """Play the person who agrees: give what the provider sends back with the browser."""
        code = secrets.token_urlsafe(8)
        self.codes[code] = query
        return {"code": code, "state": query["state"], "iss": self.address}

    async def _discovery(self, _: Request) -> Response:
        at = self.address
        told = {
            "issuer": at,
            "authorization_endpoint": f"{at}/authorize",
            "token_endpoint": f"{at}/token",
            "userinfo_endpoint": f"{at}/userinfo",
            "jwks_uri": f"{at}/jwks",
            "end_session_endpoint": f"{at}/end",
            "authorization_response_iss_parameter_supported": True,
        }
        return JSONResponse(_without_none(told | self.metadata))

    async def _jwks(self, _: Request) -> Response:
        self.asked_for_keys += 1
        encryption = public(a_key(), kid="enc", use="enc")
        other_kind = {"kty": "oct", "k": "AAAA", "kid": "oct"}
        return JSONResponse({"keys": [encryption, other_kind, public(self.key, kid="k1", use="sig")]})

    async def _token(self, request: Request) -> Response:
        form = await request.form()
        query = self.codes.pop(str(form["code"]), None)
        basic = request.headers["authorization"]
        challenge = urlsafe_b64encode(hashlib.sha256(str(form["code_verifier"]).encode()).digest()).rstrip(b"=")
        known = basic == "Basic Ym9yZ2VyYnJvOnMzY3JldCUyRiUyQiUyMCUyNQ=="
        if query is None or not known or query["code_challenge"] != challenge.decode():
            return JSONResponse({"error": "invalid_grant"}, 400)
        at = int(self.now.timestamp())
        said = {
            "iss": self.address, "aud": CLIENT_ID, "sub": "person-1", "nonce": query["nonce"],
            "iat": at, "exp": at + 300, "auth_time": at - 5, "loa": f"{NSIS}Substantial",
        }  # fmt: skip
        token = signed(
            self.signs_with, _without_none(said | self.id_claims), self.alg, **({"kid": "k1"} | self.id_header)
        )
        return JSONResponse({"access_token": "at", "token_type": "Bearer", "id_token": token})

    async def _userinfo(self, request: Request) -> Response:
        assert request.headers["authorization"] == "Bearer at"
        return JSONResponse(_without_none({"sub": "person-1"} | self.userinfo))


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
