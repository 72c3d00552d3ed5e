"""`POST /v1/consents/import`: a unit brings in a yes that its citizen gave elsewhere, as the signed record of it."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from broker.consents.imports import import_withdrawal, import_yes
from broker.domain.identity import Caller
from broker.ports import Ports
from broker.web.api.answers import CHANGE_ANSWERS, told
from broker.web.api.strict import StrictRoute
from broker.web.consent_wire import grant_body
from broker.web.doors import RecordIssuers
from broker.web.record_wire import foreign_of
from broker.web.wire import receipt_body

Gate = Callable[[Request], Awaitable[Caller]]
BROUGHT_IN = told("ConsentGiven", CHANGE_ANSWERS, status=201) | told("ConsentChanged")


class ImportBody(BaseModel):
    """A signed record, as text: its bytes are what was signed."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    document: Annotated[str, Field(min_length=2, description="docs/consent-record.schema.json")]


def build(ports: Ports, gate: Gate, issuers: RecordIssuers, *, test_numbers: bool) -> APIRouter:
    """Build the route. `gate` proves the caller; `issuers` says whose records count."""
    routes = APIRouter(tags=["consents"], route_class=StrictRoute)
    proven = Annotated[Caller, Depends(gate)]

    @routes.post(
        "/v1/consents/import",
        status_code=201,
        responses=BROUGHT_IN,
        summary="Bring in a yes that was given elsewhere, or its withdrawal",
    )
    async def post_import(body: ImportBody, caller: proven) -> Response:
        record = issuers.opened(body.document, caller.municipality)
        digest = hashlib.sha256(body.document.encode()).hexdigest()
        foreign = foreign_of(record, digest, test_numbers=test_numbers)
        if foreign.takes_back:
            consent, receipt = await import_withdrawal(foreign, caller, ports)
            return _json({"consent": consent, "receipt": receipt_body(receipt)}, 200)
        given, receipt = await import_yes(foreign, caller, ports)
        return _json(grant_body(given, receipt, to_unit=True), 201)

    return routes


def _json(body: object, status: int) -> Response:
    return Response(orjson.dumps(body), status_code=status, media_type="application/json")
