"""`/v1/me/consents/…/receipt`: signed records of what a person said yes or no to, and the keys that verify them."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Response

from broker.consents.receipts import Desk, consent_receipt, every_receipt, refusal_receipt
from broker.domain.identity import CitizenLogin
from broker.web.api.answers import READ_ANSWERS, Answers, told
from broker.web.api.me import CitizenGate
from broker.web.api.shapes import named
from broker.web.api.strict import StrictRoute
from broker.web.doors import Records
from broker.web.record_wire import record_body

KEYS = "/.well-known/consent-receipt-keys"
MEDIA_TYPE, KEYS_TYPE = "application/json", "application/jwk-set+json"
KEYS_TOLD: Answers = {200: {"description": "Done", "content": {KEYS_TYPE: {"schema": named("ReceiptKeys")}}}}


def build(desk: Desk, records: Records, citizen: CitizenGate) -> APIRouter:
    """Build the routes; what is another's is answered as what is not there."""
    routes = APIRouter(tags=["me"], route_class=StrictRoute)
    proven = Annotated[CitizenLogin, Depends(citizen)]

    @routes.get(
        "/v1/me/consents/export",
        responses=told("ConsentRecords", READ_ANSWERS),
        summary="Signed records of every yes and no of mine, in one file",
    )
    async def get_export(login: proven) -> Response:
        return document(
            records.exported([record_body(one) for one in await every_receipt(login, desk)]), "samtykker.json"
        )

    @routes.get(
        "/v1/me/consents/{consent_id}/receipt",
        responses=told("ConsentRecord", READ_ANSWERS),
        summary="The signed record of a yes of mine, as it stands",
    )
    async def get_receipt(consent_id: str, login: proven) -> Response:
        return document(records.signed(record_body(await consent_receipt(consent_id, login, desk))), "kvittering.json")

    @routes.get(
        "/v1/me/consent-requests/{request_id}/receipt",
        responses=told("ConsentRecord", READ_ANSWERS),
        summary="The signed record of a no of mine",
    )
    async def get_refusal(request_id: str, login: proven) -> Response:
        return document(records.signed(record_body(await refusal_receipt(request_id, login, desk))), "kvittering.json")

    return routes


def build_for_anyone(records: Records) -> APIRouter:
    """Build the address of the keys, old ones too: whoever has a receipt may verify it."""
    routes = APIRouter(tags=["keys"])

    @routes.get(KEYS, responses=KEYS_TOLD, summary="The keys that sign receipts (JWK set)")
    async def get_keys() -> Response:
        return Response(orjson.dumps(records.public_jwks()), media_type=KEYS_TYPE)

    return routes


def document(data: bytes, name: str) -> Response:
    """Give a file to keep; its bytes are what was signed."""
    return Response(data, media_type=MEDIA_TYPE, headers={"Content-Disposition": f'attachment; filename="{name}"'})
