"""The provider's interface: discovery, keys, log-in page, tokens, userinfo, log-out."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from demo.openid import pages, persons
from demo.openid.clients import Clients
from demo.openid.clock import Clock
from demo.openid.flow import (
    CHOICE_SECONDS,
    CODE_SECONDS,
    TOKEN_SECONDS,
    Asked,
    AuthorizationRefusedError,
    Granted,
    Tickets,
    asked_from,
    back_to,
    id_token,
    proves,
)
from demo.openid.keys import SigningKey, TokenRefusedError
from demo.systems.access import bearer_of
from demo.systems.records import Records, Row

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class Provider:
    """One issuer over one persons file."""

    def __init__(self, issuer: str, records: Records, key: SigningKey, clock: Clock) -> None:
        self._issuer = issuer
        self._records = records
        self._key = key
        self._clock = clock
        self._clients = Clients(records, clock, frozenset({issuer, f"{issuer}/token"}))
        self._choices: Tickets[Asked] = Tickets(CHOICE_SECONDS)
        self._codes: Tickets[Granted] = Tickets(CODE_SECONDS)
        self._tokens: Tickets[Granted] = Tickets(TOKEN_SECONDS)

    def routes(self) -> list[Route]:
        """Give the routes of the provider."""
        return [
            Route("/.well-known/openid-configuration", self._discovery),
            Route("/jwks", self._jwks),
            Route("/authorize", self._begin),
            Route("/authorize", self._choose, methods=["POST"]),
            Route("/token", self._token, methods=["POST"]),
            Route("/userinfo", self._userinfo, methods=["GET", "POST"]),
            Route("/end_session", self._end_session, methods=["GET", "POST"]),
        ]

    async def _discovery(self, _request: Request) -> Response:
        at = self._issuer
        return JSONResponse(
            {
                "issuer": at,
                "authorization_endpoint": f"{at}/authorize",
                "token_endpoint": f"{at}/token",
                "userinfo_endpoint": f"{at}/userinfo",
                "end_session_endpoint": f"{at}/end_session",
                "jwks_uri": f"{at}/jwks",
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": ["authorization_code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "private_key_jwt"],
                "token_endpoint_auth_signing_alg_values_supported": ["ES256", "Ed25519"],
                "code_challenge_methods_supported": ["S256"],
                "scopes_supported": ["openid", "mitid", "ssn", "nemlogin"],
                "acr_values_supported": [persons.NSIS + level for level in ("Low", "Substantial", "High")],
                "ui_locales_supported": ["da", "en"],
                "claims_parameter_supported": False,
                "request_parameter_supported": False,
                "request_uri_parameter_supported": False,
                "authorization_response_iss_parameter_supported": True,
            }
        )

    async def _jwks(self, _request: Request) -> Response:
        return JSONResponse(self._key.public)

    async def _begin(self, request: Request) -> Response:
        params = dict(request.query_params)
        if len(params) != len(request.query_params.multi_items()):
            return pages.error_page("En parameter er givet to gange.")
        client = self._clients.named(params.get("client_id", ""))
        # An unknown client or address gets a page of ours: nobody is sent to where we do not know them.
        if client is None or params.get("redirect_uri") not in client["redirect_uris"]:
            return pages.error_page("Ukendt klient eller adresse.")
        try:
            asked = asked_from(params, client)
        except AuthorizationRefusedError as error:
            return _redirect(back_to(params["redirect_uri"], self._issuer, params.get("state"), error=str(error)))
        fitting = [one for one in self._records.rows("persons") if persons.may_choose(one, set(asked.scopes))]
        ticket = self._choices.put(asked)
        return pages.choose_page(ticket, fitting, asked.redirect_uri, params.get("ui_locales", ""))

    async def _choose(self, request: Request) -> Response:
        form = await _form(request)
        asked = self._choices.take(form.get("ticket", ""))
        if asked is None:
            return pages.error_page("Log-in er udløbet. Begynd forfra.")
        chosen = self._records.matching("persons", id=form.get("person"))
        if not chosen or "cancel" in form or not persons.may_choose(chosen[0], set(asked.scopes)):
            return _redirect(back_to(asked.redirect_uri, self._issuer, asked.state, error="access_denied"))
        code = self._codes.put(Granted(asked, chosen[0], self._clock.proved_at(anew=asked.anew)))
        return _redirect(back_to(asked.redirect_uri, self._issuer, asked.state, code=code))

    async def _token(self, request: Request) -> Response:
        form = await _form(request)
        client = self._clients.authenticated(request, form)
        if client is None:
            return JSONResponse({"error": "invalid_client"}, 401, {**NO_STORE, "WWW-Authenticate": "Basic"})
        if form.get("grant_type") != "authorization_code":
            return JSONResponse({"error": "unsupported_grant_type"}, 400, NO_STORE)
        granted = self._codes.take(form.get("code", ""))
        if granted is None or not _fits(granted.asked, client, form):
            return JSONResponse({"error": "invalid_grant"}, 400, NO_STORE)
        return JSONResponse(self._tokens_for(granted), headers=NO_STORE)

    def _tokens_for(self, granted: Granted) -> dict[str, Any]:
        access_token = self._tokens.put(granted)
        return {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": TOKEN_SECONDS,
            "scope": " ".join(sorted(granted.asked.scopes)),
            "id_token": id_token(granted, self._issuer, self._clock, self._key, access_token),
        }

    async def _userinfo(self, request: Request) -> Response:
        granted = self._tokens.see(bearer_of(request) or "")
        if granted is None:
            return JSONResponse({"error": "invalid_token"}, 401, {**NO_STORE, "WWW-Authenticate": "Bearer"})
        told = persons.claims(granted.person, set(granted.asked.scopes), self._clock.today())
        return JSONResponse(told, headers=NO_STORE)

    async def _end_session(self, request: Request) -> Response:
        params = {**request.query_params, **(await _form(request) if request.method == "POST" else {})}
        wanted, client = params.get("post_logout_redirect_uri"), self._leaving(params)
        if wanted is None or client is None or wanted not in client.get("post_logout_redirect_uris", []):
            return pages.logged_out_page(params.get("ui_locales", ""))
        state = f"?{urlencode({'state': params['state']})}" if "state" in params else ""
        return _redirect(wanted + state)

    def _leaving(self, params: dict[str, str]) -> Row | None:
        """Give the client that somebody logs out of: the hint's, and no other if one is named."""
        try:
            told = self._key.read(params.get("id_token_hint", ""))
        except TokenRefusedError:
            return None
        client_id = str(told.get("aud"))
        return self._clients.named(client_id) if params.get("client_id", client_id) == client_id else None


def _fits(asked: Asked, client: Row, form: dict[str, str]) -> bool:
    """Tell whether a code is redeemed by its own client, at its own address, with its own verifier."""
    same_client = asked.client_id == client["client_id"] and asked.redirect_uri == form.get("redirect_uri")
    return same_client and proves(form.get("code_verifier", ""), asked.challenge)


def _redirect(address: str) -> Response:
    return RedirectResponse(address, 303, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})


async def _form(request: Request) -> dict[str, str]:
    return {name: str(value) for name, value in (await request.form()).items()}
