"""The broker as authorization server for department systems: OAuth 2.0 as FAPI 2.0 has it (`docs/decisions/0011`).

A system proves itself with its key (`assertions`), proves that it holds the key a token is bound to (`dpop`), may bring
its employer's word about a caseworker (as a JWT: `assertions`, as OIOSAML 3: `saml`), and gets a token of five minutes
(`access`, `token_endpoint`).
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from broker.ports import Clock
from broker.web.doors import Replay, Tokens
from broker.web.oauth.metadata import metadata
from broker.web.oauth.registrations import Employer, PublicKeys, Registration, Registrations
from broker.web.oauth.token_endpoint import TokenEndpoint


def routes(
    *,
    issuer: str,
    registrations: Registrations,
    tokens: Tokens,
    replay: Replay,
    clock: Clock,
    employers_clock: Clock | None = None,
) -> list[Route]:
    """Build the token endpoint, its metadata and the key set. `issuer` is the broker's public address.

    `clock` is the machine's own, because systems sign with theirs. Only a demo whose employers' clock stands still
    names that one as `employers_clock`.
    """
    endpoint = TokenEndpoint(issuer, registrations, tokens, replay, clock, employers_clock or clock)
    described = metadata(issuer)

    async def describe(_: Request) -> Response:
        return JSONResponse(described)

    async def keys(_: Request) -> Response:
        return JSONResponse(tokens.public_jwks(), media_type="application/jwk-set+json")

    return [
        Route("/oauth2/token", endpoint.__call__, methods=["POST"]),
        Route("/oauth2/jwks", keys, methods=["GET"]),
        Route("/.well-known/oauth-authorization-server", describe, methods=["GET"]),
    ]


__all__ = ["Employer", "PublicKeys", "Registration", "Registrations", "routes"]
