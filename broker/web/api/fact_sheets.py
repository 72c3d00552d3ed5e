"""`/v1/fact-sheets`: facts for a municipality's own assessment and agreements (GDPR art. 26, 28 and 35)."""

from collections.abc import Mapping
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Response

from broker.domain.days import danish_day
from broker.domain.identity import OfficerLogin
from broker.oversight.fact_sheets import NOT_REGISTERED, TASKS, TO_JUDGE, Running, sheets_for
from broker.ports import Ports
from broker.web.api.answers import READ_ANSWERS, told
from broker.web.api.record import RECORD, OfficerGate
from broker.web.api.shapes import BOTH, COUNT, DAY, MOMENT, TEXT, Schema, form, many, maybe, one_of
from broker.web.api.strict import StrictRoute
from broker.web.fact_sheet_wire import FORMAT, sheet_body
from broker.web.pages.words import words_of

NOTHING: Schema = {"type": "null"}
ASSESSMENT = form(
    {
        "special_categories": many(TEXT),
        "children": many(TEXT),
        "unverified_laws": many(TEXT),
        "automated_decisions": BOTH,
        "log_in_minutes": form({"idle": COUNT, "longest": COUNT}),
        "safeguards": many(form({"says": BOTH, "promise": TEXT, "limits": TEXT, "defence": TEXT, "test": TEXT})),
        "left_to_the_municipality": many(form({"what": one_of(*TO_JUDGE), "says": BOTH})),
    }
)
FLOW = form(
    {
        "source": TEXT,
        "name": BOTH,
        "from": TEXT,
        "to": TEXT,
        "purpose": TEXT,
        "units": many(TEXT),
        "categories": many(TEXT),
        "laws": many(TEXT),
    }
)
DELEGATION = form({"delegation": TEXT, "from": TEXT, "to": TEXT, "kle": many(TEXT), "first_day": DAY, "last_day": DAY})
BETWEEN = form(
    {
        "tasks": many(
            form(
                {
                    "who": one_of(*dict.fromkeys(who for who, _ in TASKS)),
                    "task": one_of(*(task for _, task in TASKS)),
                    "says": BOTH,
                }
            )
        ),
        "flows": many(FLOW),
        "delegations": many(DELEGATION),
        "contacts": many(form({"unit": TEXT, "name": BOTH, "phone": maybe(TEXT)})),
        "arrangement": NOTHING,
    }
)
PROCESSOR = form(
    {
        "operator": NOTHING,
        "sub_processors": NOTHING,
        "duration": NOTHING,
        "subject_matter": BOTH,
        "nature": BOTH,
        "purposes": many(TEXT),
        "categories": many(TEXT),
        "data_subjects": many(one_of("citizens", "children", "employees")),
        "services": many(form({"for": TEXT, "address": TEXT})),
    }
)
SHEET = form(
    {
        "format": one_of(FORMAT),
        "at": MOMENT,
        "version": TEXT,
        "record": RECORD,
        "assessment": ASSESSMENT,
        "between_controllers": BETWEEN,
        "processor": PROCESSOR,
        "not_registered": many(form({"what": one_of(*NOT_REGISTERED), "says": BOTH})),
    }
)
FACT_SHEET_SHAPES: Mapping[str, Schema] = {"FactSheets": form({"fact_sheets": many(SHEET)})}


def build(ports: Ports, running: Running, officer: OfficerGate) -> APIRouter:
    """Build the facts."""
    routes = APIRouter(tags=["oversight"], route_class=StrictRoute)
    proven = Annotated[OfficerLogin, Depends(officer)]
    danish = words_of("da")

    @routes.get("/v1/fact-sheets", responses=told("FactSheets", READ_ANSWERS),
                summary="Facts for a municipality's own assessment and agreements (GDPR art. 26, 28, 35)")  # fmt: skip
    async def get_sheet(login: proven) -> Response:
        now = ports.clock.now()
        found = sheets_for(login, ports.directory, danish_day(now))
        body = {"fact_sheets": [sheet_body(one, running, ports.directory, danish, now) for one in found]}
        return Response(orjson.dumps(body), media_type="application/json")

    return routes
