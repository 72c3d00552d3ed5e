"""The OpenAPI document beyond what the routes say of themselves: who may call, problems, and the token endpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from broker.web.api.after_check_shapes import AFTER_CHECK_SHAPES
from broker.web.api.answers import PROBLEM, told
from broker.web.api.authzen_shapes import AUTHZEN_SHAPES
from broker.web.api.breach_shapes import BREACH_SHAPES
from broker.web.api.deferral_shapes import DEFERRAL_SHAPES
from broker.web.api.erasures import ERASURE_SHAPES
from broker.web.api.fact_sheets import FACT_SHEET_SHAPES
from broker.web.api.fhir import FHIR_SHAPES
from broker.web.api.figure_shapes import FIGURE_SHAPES
from broker.web.api.inquiry_shapes import INQUIRY_SHAPES
from broker.web.api.integrity_shapes import INTEGRITY_SHAPES
from broker.web.api.record import RECORD_SHAPES
from broker.web.api.sample_shapes import SAMPLE_SHAPES
from broker.web.api.shapes import COUNT, MISSING, REASONS, SHAPES, TEXT, form, named, one_of
from broker.web.api.tasks import TASK_SHAPES
from broker.web.api.what_if_shapes import WHAT_IF_SHAPES
from broker.web.api.withdrawal_shapes import WITHDRAWAL_SHAPES
from broker.web.problems import PLAIN, PROBLEM_TYPE, TABLE

Document = dict[str, Any]

# Any of these may also meet a path or a method that is not there; no other problem is ever sent.
PROBLEMS = sorted({row[1] for row in TABLE.values()} | {row[0] for row in PLAIN.values()} | {"internal", "error"})
PROBLEM_FORM = form(
    {"type": one_of(*(PROBLEM_TYPE + name for name in PROBLEMS)), "title": TEXT, "status": {"type": "integer"}},
    {
        "pointer": TEXT,
        "what": TEXT,
        "statute": TEXT,
        "until": TEXT,
        "reasons": REASONS,
        "missing": MISSING,
        "entry": form({"log": TEXT, "index": COUNT}),
        "notice": form({"da": TEXT, "en": TEXT}),
    },
)
SCHEMES: Mapping[str, Mapping[str, str]] = {
    "systemAndCaseworker": {
        "type": "http",
        "scheme": "dpop",
        "description": "A token from /oauth2/token that names a caseworker, with a proof in the header DPoP (RFC 9449)",
    },
    "system": {
        "type": "http",
        "scheme": "dpop",
        "description": "A token from /oauth2/token, with or without a caseworker, and a proof in the header DPoP",
    },
    "citizenSession": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-citizen",
        "description": "Log-in at /login/citizen; a change also carries the header X-CSRF-Token (GET /v1/me/session)",
    },
    "officerSession": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-officer",
        "description": "Log-in at /login/officer; a POST also carries the header X-CSRF-Token (/v1/accesses/session)",
    },
}
# Who may call the operations of a tag; nobody need prove anything for those that are not here.
CALLERS = {
    "asks": "systemAndCaseworker",
    "authzen": "systemAndCaseworker",
    "break-glass": "systemAndCaseworker",
    "consents": "systemAndCaseworker",
    "me": "citizenSession",
    "withdrawals": "system",
    "oversight": "officerSession",
}
# What the framework declares for a fault of form, which we answer as a problem with 400.
FOREIGN = ("HTTPValidationError", "ValidationError")
JWT = {"type": "string", "maxLength": 8192}
TOKEN_FORM = form(
    {
        "grant_type": one_of("client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange"),
        "client_assertion_type": one_of("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        "client_assertion": JWT,
    },
    {
        "client_id": TEXT,
        "subject_token": {
            "type": "string",
            "description": "The employer's assertion: a JWT, or OIOSAML 3 of 32 kB at most as base64url (docs/saml.md)",
        },
        "subject_token_type": one_of("urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:saml2"),
        "requested_token_type": one_of("urn:ietf:params:oauth:token-type:access_token"),
        "audience": TEXT,
        "resource": TEXT,
    },
)
TOKEN_REFUSED = {"description": "Refused (RFC 6749 section 5.2)", "content": told("TokenError")[200]["content"]}


def described(document: Document) -> Document:
    """Complete a document that the framework made of the routes."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in FOREIGN:
        schemas.pop(name, None)
    schemas.update(
        {
            **SHAPES,
            **AUTHZEN_SHAPES,
            **DEFERRAL_SHAPES,
            **ERASURE_SHAPES,
            **FIGURE_SHAPES,
            **AFTER_CHECK_SHAPES,
            **INQUIRY_SHAPES,
            **INTEGRITY_SHAPES,
            **WHAT_IF_SHAPES,
            **SAMPLE_SHAPES,
            **TASK_SHAPES,
            **BREACH_SHAPES,
            **RECORD_SHAPES,
            **FACT_SHEET_SHAPES,
            **FHIR_SHAPES,
            **WITHDRAWAL_SHAPES,
            "Problem": PROBLEM_FORM,
        }
    )
    document["components"]["securitySchemes"] = {name: dict(row) for name, row in SCHEMES.items()}
    for operation in operations(document):
        _without_foreign(operation["responses"])
        caller = CALLERS.get(next(iter(operation.get("tags", ())), ""))
        operation["security"] = [{caller: []}] if caller else []
    document["paths"].update(_token_paths())
    return document


def operations(document: Document) -> Iterator[Document]:
    """Give every operation of a document."""
    for methods in document["paths"].values():
        yield from methods.values()


def _without_foreign(responses: Document) -> None:
    foreign = named(FOREIGN[0])
    for status, answer in list(responses.items()):
        if answer.get("content", {}).get("application/json", {}).get("schema") == foreign:
            del responses[status]


def _token_paths() -> dict[str, Document]:
    """Describe what stands outside our own form: the token endpoint, its keys, its metadata."""
    body = {"application/x-www-form-urlencoded": {"schema": TOKEN_FORM}}
    proof = {"name": "DPoP", "in": "header", "required": True, "schema": JWT}
    anything: Document = {"description": "Done", "content": {"application/json": {"schema": {"type": "object"}}}}
    keys: Document = {"description": "Done", "content": {"application/jwk-set+json": {"schema": {"type": "object"}}}}
    token = {
        "tags": ["oauth"],
        "summary": "A token for a system, or for it and the caseworker whom their employer names",
        "parameters": [proof],
        "requestBody": {"required": True, "content": body},
        "responses": {
            **{str(status): row for status, row in told("Token").items()},
            "400": TOKEN_REFUSED,
            "401": TOKEN_REFUSED,
            **{str(status): {"description": why, **PROBLEM} for status, why in _BODY_PROBLEMS.items()},
        },
        "security": [],
    }
    return {
        "/oauth2/token": {"post": token},
        "/oauth2/jwks": {"get": _open("The keys that sign our tokens", keys)},
        "/.well-known/oauth-authorization-server": {"get": _open("What clients must know of us (RFC 8414)", anything)},
    }


_BODY_PROBLEMS = {
    408: "The body did not come in time",
    413: "Too large",
    431: "The address or the headers are too long",
    503: "Fail closed",
}


def _open(summary: str, answer: Document) -> Document:
    return {"tags": ["oauth"], "summary": summary, "responses": {"200": answer}, "security": []}
