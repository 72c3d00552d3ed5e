"""The token endpoint: a department system proves itself, and may bring its caseworker (RFC 6749, 7523, 8693, 9449).

Two grants, both with `private_key_jwt` and a DPoP proof:
- `client_credentials` gives a token for the system alone (for what needs no caseworker);
- token exchange gives one for the system and the caseworker whom the employer's assertion names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from broker.domain.errors import NotAuthenticated
from broker.domain.identity import Caseworker
from broker.ports import Clock
from broker.web.doors import Replay, Tokens
from broker.web.oauth.access import TOKEN_LIFE, access_claims
from broker.web.oauth.assertions import Once, check_caseworker, check_client
from broker.web.oauth.claims import private_claims
from broker.web.oauth.dpop import check_proof
from broker.web.oauth.registrations import Registration, Registrations
from broker.web.oauth.saml import SamlCheck

CLIENT_CREDENTIALS = "client_credentials"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 -- a name, no secret
JWT_TYPE = "urn:ietf:params:oauth:token-type:jwt"
SAML_TYPE = "urn:ietf:params:oauth:token-type:saml2"
ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 -- a name, no secret
CLIENT_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST_FORM = 61_440
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


@dataclass(frozen=True, slots=True)
class TokenEndpoint:
    """The endpoint over its doors. `issuer` is the broker's public address, without a slash at the end.

    `employers_clock` judges employers' assertions: the same clock, but for a demo whose employers' clock stands still.
    """

    issuer: str
    registrations: Registrations
    tokens: Tokens
    replay: Replay
    clock: Clock
    employers_clock: Clock

    @property
    def address(self) -> str:
        """The endpoint's public address."""
        return f"{self.issuer}/oauth2/token"

    async def __call__(self, request: Request) -> Response:
        """Answer one token request; errors as RFC 6749 section 5.2 says, echoing nothing."""
        try:
            return JSONResponse(await self._grant(request), headers=_NO_STORE)
        except NotAuthenticated as refusal:
            status = 401 if refusal.what == "invalid_client" else 400
            told = {} if refusal.told is None else {"error_description": refusal.told}
            return JSONResponse({"error": refusal.what} | told, status_code=status, headers=_NO_STORE)

    async def _grant(self, request: Request) -> dict[str, object]:
        form = await _form(request)
        now = self.clock.now()
        client, proven = self._client(form, now)
        proof = check_proof(_the_proof(request), method="POST", address=self.address, now=now)
        caseworker, vouched = self._caseworker(form, client)
        # Only now, when all has held, is anything remembered: a stranger can fill no memory.
        await self._use_once("invalid_client", proven)
        await self._use_once("invalid_dpop_proof", Once(proof.replay_key, proof.issued_at, proof.keep_until))
        if vouched is not None:
            await self._use_once("invalid_grant", vouched)
        private = None if caseworker is None else private_claims(caseworker)
        token = self.tokens.mint(access_claims(client, caseworker, jkt=proof.jkt, now=now), private)
        answer = {"access_token": token, "token_type": "DPoP", "expires_in": int(TOKEN_LIFE.total_seconds())}
        return answer if caseworker is None else answer | {"issued_token_type": ACCESS_TOKEN_TYPE}

    @property
    def _saml(self) -> SamlCheck:
        return SamlCheck(self.issuer, self.address)

    def _client(self, form: Mapping[str, str], now: datetime) -> tuple[Registration, Once]:
        if form.get("client_assertion_type") != CLIENT_ASSERTION_TYPE or "client_secret" in form:
            raise NotAuthenticated("invalid_client")
        audiences = frozenset({self.issuer, self.address})
        client, once = check_client(form.get("client_assertion", ""), self.registrations, audiences=audiences, now=now)
        if form.get("client_id", client.client_id) != client.client_id:
            raise NotAuthenticated("invalid_client")
        return client, once

    def _caseworker(self, form: Mapping[str, str], client: Registration) -> tuple[Caseworker | None, Once | None]:
        grant = form.get("grant_type")
        if grant == CLIENT_CREDENTIALS:
            return None, None
        if grant != TOKEN_EXCHANGE:
            raise NotAuthenticated("invalid_request" if grant is None else "unsupported_grant_type")
        asked = (
            form.get("subject_token_type") in {JWT_TYPE, SAML_TYPE}
            and form.get("requested_token_type", ACCESS_TOKEN_TYPE) == ACCESS_TOKEN_TYPE
            and "subject_token" in form
            and "actor_token" not in form
        )
        if not asked:
            raise NotAuthenticated("invalid_request")
        if {form.get("audience", self.issuer), form.get("resource", self.issuer)} != {self.issuer}:
            raise NotAuthenticated("invalid_target")
        now = self.employers_clock.now()
        word = form["subject_token"]
        if form["subject_token_type"] == SAML_TYPE:
            caseworker, once = self._saml.caseworker(word, client, self.registrations, now)
        else:
            caseworker, once = check_caseworker(word, client, self.registrations, issuer=self.issuer, now=now)
        # The replay memory lives by the machine's clock, whatever clock the employers go by.
        apart = self.clock.now() - now
        return caseworker, Once(once.key, once.issued_at + apart, once.keep_until + apart)

    async def _use_once(self, refusal: str, once: Once) -> None:
        if not await self.replay.first_use(once.key, issued_at=once.issued_at, keep_until=once.keep_until):
            raise NotAuthenticated(refusal)


async def _form(request: Request) -> dict[str, str]:
    """Read a small form, each name once (RFC 6749 section 3.2)."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise NotAuthenticated("invalid_request")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_FORM:
            raise NotAuthenticated("invalid_request")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=32)
    except ValueError:
        raise NotAuthenticated("invalid_request") from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise NotAuthenticated("invalid_request")
    return form


def _the_proof(request: Request) -> str:
    proofs = request.headers.getlist("dpop")
    if len(proofs) != 1:
        raise NotAuthenticated("invalid_dpop_proof")
    return proofs[0]
