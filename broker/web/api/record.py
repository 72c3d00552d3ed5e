"""`/v1/record`: the record of processing activities of the officer's municipalities (GDPR art. 30)."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Request, Response

from broker.domain.days import danish_day
from broker.domain.identity import OfficerLogin
from broker.oversight.record import records_for
from broker.ports import Ports
from broker.web.api.answers import READ_ANSWERS, told
from broker.web.api.shapes import BOTH, COUNT, DAY, TEXT, YES_NO, Schema, form, many, maybe, one_of
from broker.web.api.strict import StrictRoute
from broker.web.dpo.record_words import ITSELF_WORDS, KEPT_WORDS, MEASURES
from broker.web.pages.words import words_of
from broker.web.record_of_processing import FORMAT, record_body

OfficerGate = Callable[[Request], Awaitable[OfficerLogin]]
LAW = form({"law": TEXT, "paragraph": TEXT, "gdpr_basis": TEXT, "from": DAY, "consent": YES_NO})
ACTIVITY = form(
    {
        "purpose": TEXT,
        "name": BOTH,
        "plain": BOTH,
        "data_subjects": many(one_of("citizens", "children", "employees")),
        "special_categories": YES_NO,
        "categories": many(form({"category": TEXT, "name": BOTH, "level": COUNT})),
        "sources": many(form({"source": TEXT, "name": BOTH, "municipality": TEXT})),
        "recipients": many(form({"unit": TEXT, "name": BOTH})),
        "laws": many(LAW),
    }
)
RECORD = form(
    {
        "format": one_of(FORMAT),
        "controller": form({"id": TEXT, "name": TEXT, "cvr": TEXT}),
        "registry": TEXT,
        "activities": many(ACTIVITY),
        "kept": many(
            form({"what": one_of(*KEPT_WORDS), "months": maybe(COUNT), "itself": maybe(one_of(*ITSELF_WORDS))})
        ),
        "transfers_to_third_countries": many(TEXT),
        "security": many(BOTH),
    }
)
RECORD_SHAPES: Mapping[str, Schema] = {"ProcessingRecords": form({"records": many(RECORD)})}


def build(ports: Ports, officer: OfficerGate) -> APIRouter:
    """Build the record."""
    routes = APIRouter(tags=["oversight"], route_class=StrictRoute)
    proven = Annotated[OfficerLogin, Depends(officer)]
    measures = [{"da": words_of("da").gettext(text), "en": text} for text in MEASURES]

    @routes.get("/v1/record", responses=told("ProcessingRecords", READ_ANSWERS),
                summary="The record of processing activities (GDPR art. 30)")  # fmt: skip
    async def get_record(login: proven) -> Response:
        found = records_for(login, ports.directory, danish_day(ports.clock.now()))
        body = {"records": [record_body(one, ports.directory, measures) for one in found]}
        return Response(orjson.dumps(body), media_type="application/json")

    return routes
