"""One gate for every route of the systems: request → `Caller` (P11).

Rules kept here:
- The token comes with `Authorization: DPoP`, never as a bearer token, and only with a proof of the key it is bound to.
- The proof is for this method, this public address and this token, and is used once, over all nodes.
- The replay memory is asked before anything else happens; a ceiling stops a taken-over unit (`design.md` 6.17).
"""

from __future__ import annotations

from dataclasses import dataclass
from hmac import compare_digest

from starlette.requests import Request

from broker.domain.errors import NotAllowed, NotAuthenticated
from broker.domain.identity import Caller, System
from broker.ports import Clock
from broker.web.doors import Ceilings, Replay, Tokens
from broker.web.oauth.access import Access, read_access
from broker.web.oauth.dpop import PROOF_ALGORITHMS, check_proof
from broker.web.oauth.registrations import Registrations


@dataclass(frozen=True, slots=True)
class Gate:
    """The gate over its doors. `public_address` is what clients call us by, without a slash at the end."""

    public_address: str
    registrations: Registrations
    tokens: Tokens
    replay: Replay
    ceilings: Ceilings
    clock: Clock

    async def caller(self, request: Request) -> Caller:
        """Name the system and the caseworker who ask.

        Raises `NotAuthenticated`, `NotAllowed` for a token that names no caseworker, `TooManyAsks`.
        """
        access = await self._access(request)
        if access.caseworker is None:
            raise NotAllowed
        await self.ceilings.count(access.system, access.caseworker)
        return Caller(access.system, access.caseworker)

    async def count(self, caller: Caller) -> None:
        """Count one more ask of a caller who was let in, for a request that makes several; raise `TooManyAsks`."""
        await self.ceilings.count(caller.system, caller.caseworker)

    async def system(self, request: Request) -> System:
        """Name the system that asks, for the few routes that need no caseworker. Raises as `caller` does."""
        access = await self._access(request)
        await self.ceilings.count(access.system, access.caseworker)
        return access.system

    async def _access(self, request: Request) -> Access:
        token = _dpop_token(request)
        now = self.clock.now()
        access = read_access(self.tokens.read(token, now), self.registrations)
        proofs = request.headers.getlist("dpop")
        if len(proofs) != 1:
            raise NotAuthenticated("invalid_dpop_proof")
        # The raw path, as the client signed it; the host is ours by configuration, not by the Host header.
        address = self.public_address + request.scope.get("raw_path", b"").decode("latin-1").partition("?")[0]
        proof = check_proof(proofs[0], method=request.method, address=address, now=now, token=token)
        if not compare_digest(proof.jkt, access.jkt):
            raise NotAuthenticated("invalid_token")
        if not await self.replay.first_use(proof.replay_key, issued_at=proof.issued_at, keep_until=proof.keep_until):
            raise NotAuthenticated("invalid_dpop_proof")
        return access


def _dpop_token(request: Request) -> str:
    """Take the token from the one Authorization header; no other place and no other scheme counts."""
    headers = request.headers.getlist("authorization")
    if not headers:
        raise NotAuthenticated("missing_token")
    scheme, _, token = headers[0].partition(" ")
    if len(headers) != 1 or scheme.lower() != "dpop" or not token:
        raise NotAuthenticated("invalid_token")
    return token


def www_authenticate(refusal: NotAuthenticated) -> str:
    """Give the WWW-Authenticate header that belongs to a 401 (RFC 9449 section 7.1)."""
    algorithms = " ".join(PROOF_ALGORITHMS)
    if refusal.what in {"invalid_token", "invalid_dpop_proof", "use_dpop_nonce"}:
        return f'DPoP error="{refusal.what}", algs="{algorithms}"'
    return f'DPoP algs="{algorithms}"'
