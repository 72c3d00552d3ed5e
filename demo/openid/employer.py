"""The employers' word: each municipality signs, with a key of its own, who its caseworker is and what they may do.

Department systems ask for an assertion with a key they share with the employer, as a JWT or as OIOSAML 3 (`saml`). It
names the one system it is for, is used once, and lives five minutes at most. Its keys are never those of the log-in.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.openid.clock import Clock
from demo.openid.keys import SigningKey
from demo.openid.persons import roles_on
from demo.openid.saml import SamlKey, assertion_of
from demo.systems.access import bearer_of, same
from demo.systems.process import json_post
from demo.systems.records import Records, Row

SECONDS = 300
TYPE = "caseworker-assertion+jwt"


class Employers:
    """The employers of the persons file, each with its own signing key in the folder."""

    def __init__(self, records: Records, folder: Path, clock: Clock) -> None:
        self._records = records
        self._clock = clock
        self._keys = {row["cvr"]: SigningKey(folder, f"employer-{row['cvr']}") for row in records.rows("employers")}
        self._saml_keys = {
            row["cvr"]: SamlKey(folder, f"employer-{row['cvr']}") for row in records.rows("employers") if "saml" in row
        }

    def routes(self) -> list[Route]:
        """Give the routes of the employers."""
        return [
            Route("/employer/assertion", json_post(self._assertion), methods=["POST"]),
            Route("/employer/{cvr}/jwks", self._jwks),
        ]

    async def _jwks(self, request: Request) -> Response:
        key = self._keys.get(request.path_params["cvr"])
        return JSONResponse(key.public) if key else JSONResponse({"error": "unknown_employer"}, 404)

    async def _assertion(self, request: Request, body: dict[str, Any]) -> Response:
        employer = self._calling(request)
        if employer is None:
            return JSONResponse({"error": "invalid_key"}, 401, {"WWW-Authenticate": "Bearer"})
        client_id, audience = body.get("client_id"), body.get("audience", employer.get("audience"))
        person = self._caseworker(body.get("caseworker"), employer)
        if person is None or not isinstance(client_id, str) or not isinstance(audience, str):
            return JSONResponse({"error": "invalid_request"}, 400)
        if body.get("form", "jwt") not in {"jwt", "saml"} or (body.get("form") == "saml" and "saml" not in employer):
            return JSONResponse({"error": "invalid_request"}, 400)
        if body.get("form") == "saml":
            named = person | {"roles": roles_on(person, self._clock.today())}
            word = assertion_of(
                named, employer, audience=audience, client_id=client_id, now=self._clock.now(), seconds=SECONDS
            )
            assertion = self._saml_keys[employer["cvr"]].sign(word)
        else:
            told = self._claims(person, employer) | {"aud": audience, "client_id": client_id}
            assertion = self._keys[employer["cvr"]].sign(told, TYPE)
        return JSONResponse({"assertion": assertion, "expires_in": SECONDS}, headers={"Cache-Control": "no-store"})

    def _calling(self, request: Request) -> Row | None:
        given = bearer_of(request)
        found = [row for row in self._records.rows("employers") if row["cvr"] in self._keys and same(given, row["key"])]
        return found[0] if found else None

    def _caseworker(self, name: Any, employer: Row) -> Row | None:
        """Find an employee by the persons file's id or by professional id."""
        for person in self._records.matching("persons", kind="caseworker", cvr=employer["cvr"]):
            if name in {person["id"], person["professional_id"]}:
                return person
        return None

    def _claims(self, person: Row, employer: Row) -> dict[str, Any]:
        now = self._clock.now()
        return {
            "iss": employer["issuer"],
            "sub": person["professional_id"],
            "name": person["name"],
            "cvr": employer["cvr"],
            "unit": person["unit"],
            "roles": roles_on(person, self._clock.today()),
            "nsis": person.get("loa", "Substantial"),
            "auth_time": now,
            "iat": now,
            "exp": now + SECONDS,
            "jti": secrets.token_urlsafe(18),
        } | ({"cpr": person["cpr"]} if "cpr" in person else {})
