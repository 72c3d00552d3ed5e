"""AuthZEN 1.0 (Authorization API 1.0, final of 2026-01-11): may this caseworker see this of that citizen?

Each evaluation is an ask of its own: same caller, ceilings, facts, rules and filter of reasons; on the log before
anything is read; with no source read. Several evaluations about one citizen, purpose and case are one ask.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from broker.domain.errors import BadAsk
from broker.domain.identity import Caller
from broker.evaluation.evaluate import Evaluated
from broker.web.api.answers import EVALUATION_ANSWERS, told
from broker.web.api.authzen_answers import decision_body, undecided_body
from broker.web.api.authzen_bodies import (
    About,
    EvaluationBody,
    EvaluationsBody,
    Undecided,
    about,
    check_action,
    check_subject,
    evaluation_of,
    place_of,
)
from broker.web.api.authzen_desk import NAMED, Asking, Desk, Place, json_body
from broker.web.api.strict import StrictRoute

EXECUTE_ALL = "execute_all"
# The decision at which each semantic stops (section 7.1.2.1).
STOPS_AT = {EXECUTE_ALL: None, "deny_on_first_deny": False, "permit_on_first_permit": True}
MOST_ASKS = 10
# One of several evaluations as it was read, or what is wrong with it: that concerns it alone (section 7.2.1).
Row = tuple[About, Place] | Undecided | BadAsk


def build(desk: Desk) -> APIRouter:
    """Build the two evaluation routes."""
    routes = APIRouter(tags=["authzen"], route_class=StrictRoute)
    proven = Annotated[Caller, Depends(desk.gate)]

    async def single(body: EvaluationBody, request: Request, caller: Caller) -> Response:
        asking = desk.asking(request, caller)
        try:
            wanted, place = _wanted(desk, body, caller)
        except Undecided as why:
            return json_body(undecided_body(why))
        evaluated = await asking.evaluate(wanted, [place])
        return json_body(decision_body(evaluated, place, desk.ports.directory))

    @routes.post(
        "/access/v1/evaluation",
        responses=told("Decision", EVALUATION_ANSWERS),
        summary="May I? One resource of one citizen",
        openapi_extra=NAMED,
    )
    async def post_evaluation(body: EvaluationBody, request: Request, caller: proven) -> Response:
        return await single(body, request, caller)

    @routes.post(
        "/access/v1/evaluations",
        responses=told("Decisions", EVALUATION_ANSWERS),
        summary="May I? Several at once",
        openapi_extra=NAMED,
    )
    async def post_evaluations(body: EvaluationsBody, request: Request, caller: proven) -> Response:
        if not body.evaluations:
            return await single(evaluation_of(body, {}), request, caller)
        asking = desk.asking(request, caller)
        rows = [_read(desk, body, row, caller) for row in body.evaluations]
        places = _places_by_ask(rows)
        # The gate counted one; all are counted before any is asked.
        for _ in range(len(places) - 1):
            await desk.count(caller)
        stop = STOPS_AT[body.options.evaluations_semantic if body.options else EXECUTE_ALL]
        return json_body({"evaluations": await _decisions(asking, rows, places, stop=stop)})

    return routes


def _wanted(desk: Desk, body: EvaluationBody, caller: Caller) -> tuple[About, Place]:
    """Read one evaluation. Raises `Undecided` for what is not decided here, `BadAsk` for what is not whole."""
    check_subject(body.subject, caller)
    check_action(body.action.name)
    place = place_of(body.resource, desk.ports.directory)
    return about(body.resource.properties, body.context, test_numbers=desk.test_numbers), place


def _read(desk: Desk, body: EvaluationsBody, row: Mapping[str, Any], caller: Caller) -> Row:
    try:
        return _wanted(desk, evaluation_of(body, row), caller)
    except (Undecided, BadAsk) as why:
        return why


def _places_by_ask(rows: Sequence[Row]) -> dict[About, set[Place]]:
    """Gather what is asked of each citizen, for each purpose, from each case; raise `BadAsk` for too many of them."""
    places: dict[About, set[Place]] = {}
    for row in rows:
        if isinstance(row, tuple):
            places.setdefault(row[0], set()).add(row[1])
    if len(places) > MOST_ASKS:
        raise BadAsk("/evaluations", "too_many_asks")
    return places


async def _decisions(
    asking: Asking, rows: Sequence[Row], places: Mapping[About, set[Place]], *, stop: bool | None
) -> list[dict[str, Any]]:
    """Decide in order, up to the decision that is stopped at; whoever is not reached by then is not asked about."""
    known: dict[About, Evaluated] = {}
    decisions: list[dict[str, Any]] = []
    for row in rows:
        if isinstance(row, tuple):
            wanted, place = row
            if wanted not in known:
                known[wanted] = await asking.evaluate(wanted, places[wanted])
            decisions.append(decision_body(known[wanted], place, asking.ports.directory))
        else:
            decisions.append(undecided_body(row))
        if decisions[-1]["decision"] is stop:
            break
    return decisions
