"""`/v1/accesses/fhir`: what an officer may search in the log, as FHIR R4 AuditEvents; on the log before it is given."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from broker.domain.identity import OfficerLogin
from broker.oversight.fhir import audit_event, bundle
from broker.oversight.lines import open_line
from broker.oversight.search import Line, search
from broker.ports import LogReader, Ports
from broker.web.access_wire import CodesBody, SearchBody, wanted_codes, wanted_search
from broker.web.api.answers import CHANGE_ANSWERS, READ_ANSWERS, Answers
from broker.web.api.shapes import MOMENT, TEXT, Schema, form, many, named, one_of
from broker.web.api.strict import StrictRoute
from broker.web.doors import Ceilings
from broker.web.wire import CODE

OfficerGate = Callable[[Request], Awaitable[OfficerLogin]]
FHIR = "application/fhir+json"
PLACE = "/v1/accesses/fhir"
Name = Annotated[str, Path(pattern=CODE)]
CODING = form({"system": TEXT, "code": TEXT}, {"display": TEXT})
CONCEPTS = many(form({"coding": many(CODING)}))
WHO = form({"identifier": form({"system": TEXT, "value": TEXT})})
AUDIT_EVENT = form(
    {
        "resourceType": one_of("AuditEvent"),
        "id": TEXT,
        "type": CODING,
        "subtype": many(CODING),
        "action": one_of("C", "R", "U", "D", "E"),
        "recorded": MOMENT,
        "outcome": one_of("0", "4"),
        "agent": many(form({"who": WHO, "requestor": {"type": "boolean"}}, {"role": CONCEPTS})),
        "source": form({"site": TEXT, "observer": WHO, "type": many(CODING)}),
        "entity": many(
            form(
                {"what": WHO, "type": CODING, "role": CODING},
                {"detail": many(form({"type": TEXT, "valueString": TEXT}))},
            )
        ),
    },
    {"outcomeDesc": TEXT, "purposeOfEvent": CONCEPTS},
)
FHIR_SHAPES: Mapping[str, Schema] = {
    "AuditEvent": AUDIT_EVENT,
    "AuditEventBundle": form(
        {"resourceType": one_of("Bundle"), "type": one_of("collection"), "timestamp": MOMENT},
        {
            "identifier": form({"system": TEXT, "value": TEXT}),
            "entry": many(form({"fullUrl": TEXT, "resource": named("AuditEvent")})),
            "link": many(form({"relation": TEXT, "url": TEXT})),
        },
    ),
}


def build(
    ports: Ports, reader: LogReader, officer: OfficerGate, ceilings: Ceilings, *, test_numbers: bool
) -> APIRouter:
    """Build the search and the one entry."""
    routes = APIRouter(tags=["oversight"], route_class=StrictRoute)
    proven = Annotated[OfficerLogin, Depends(officer)]

    @routes.get(PLACE, responses=_told("AuditEventBundle", READ_ANSWERS), summary="Search by codes, as AuditEvents")
    async def get_events(login: proven, codes: Annotated[CodesBody, Query()]) -> Response:
        sent = codes.model_dump(exclude_none=True, exclude_defaults=True, exclude={"cursor"})
        page = await search(wanted_codes(codes), login, ports, reader, ceilings.count_search)
        following = f"{PLACE}?{urlencode(sent | {'cursor': page.next})}" if page.next else None
        return _json(bundle(page.entries, ports.clock.now(), following))

    @routes.post(PLACE, responses=_told("AuditEventBundle", CHANGE_ANSWERS),
                 summary="Search, also by citizen, as FHIR AuditEvents; the body is that of the search")  # fmt: skip
    async def post_events(body: SearchBody, login: proven) -> Response:
        wanted = wanted_search(body, test_numbers=test_numbers)
        page = await search(wanted, login, ports, reader, ceilings.count_search)
        return _json(bundle(page.entries, ports.clock.now(), again=page.next))

    @routes.get(PLACE + "/{municipality}/{year}/{index}", responses=_told("AuditEvent", READ_ANSWERS),
                summary="One line of the log as an AuditEvent")  # fmt: skip
    async def get_event(
        municipality: Name, year: Annotated[int, Path(ge=1900, le=9999)], index: Annotated[int, Path(ge=0, le=2**62)],
        login: proven,
    ) -> Response:  # fmt: skip
        entry = await open_line(Line(municipality, year, index), login, ports, reader, ceilings.count_line)
        return _json(audit_event(entry))

    return routes


def _told(shape: str, also: Answers) -> Answers:
    return {200: {"description": "Done", "content": {FHIR: {"schema": named(shape)}}}, **also}


def _json(body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body), media_type=FHIR)
