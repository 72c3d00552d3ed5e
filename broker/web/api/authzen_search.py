"""The three searches of AuthZEN 1.0 (section 8), each within one named citizen, whom no search ever finds.

A search is one evaluation of all that it may find, logged as such. Subjects: of all people the caller alone. Resources:
what the purpose and the registry give of this citizen, and may be seen. Actions: `read`, where it is permitted.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Request, Response

from broker.domain.decisions import WITHHOLD
from broker.domain.identity import Caller
from broker.evaluation.evaluate import Evaluated
from broker.web.api.answers import EVALUATION_ANSWERS, told
from broker.web.api.authzen_answers import error_body, record_body, results_body
from broker.web.api.authzen_bodies import (
    ACTION,
    RESOURCE,
    SUBJECT,
    ActionSearchBody,
    ResourceBody,
    ResourceSearchBody,
    SubjectSearchBody,
    Undecided,
    about,
    check_action,
    check_resource_type,
    check_subject,
    check_subject_type,
    place_of,
)
from broker.web.api.authzen_desk import NAMED, Asking, Desk, json_body
from broker.web.api.authzen_pages import Windows
from broker.web.api.strict import StrictRoute

Found = list[dict[str, Any]]
Body = TypeVar("Body", SubjectSearchBody, ResourceSearchBody, ActionSearchBody)
Search = Callable[[Body, Asking, Desk], Awaitable[tuple[Found, Evaluated]]]


def build(desk: Desk, windows: Windows) -> APIRouter:
    """Build the three search routes."""
    routes = APIRouter(tags=["authzen"], route_class=StrictRoute)
    proven = Annotated[Caller, Depends(desk.gate)]

    async def answer(request: Request, body: Body, caller: Caller, search: Search[Body]) -> Response:
        # Before the search: what is malformed must not be found when the search is already on the log.
        window = windows.window(request.url.path, body, body.page, caller)
        asking = desk.asking(request, caller)
        try:
            found, evaluated = await search(body, asking, desk)
        except Undecided as why:
            return json_body(results_body(*window.part([]), {"error": error_body(why)}))
        return json_body(results_body(*window.part(found), record_body(evaluated)))

    @routes.post(
        "/access/v1/search/subject",
        responses=told("SubjectsFound", EVALUATION_ANSWERS),
        summary="Who may? Of all people, the caller alone",
        openapi_extra=NAMED,
    )
    async def post_subject(body: SubjectSearchBody, request: Request, caller: proven) -> Response:
        return await answer(request, body, caller, _subjects)

    @routes.post(
        "/access/v1/search/resource",
        responses=told("ResourcesFound", EVALUATION_ANSWERS),
        summary="What may I see of this citizen?",
        openapi_extra=NAMED,
    )
    async def post_resource(body: ResourceSearchBody, request: Request, caller: proven) -> Response:
        return await answer(request, body, caller, _resources)

    @routes.post(
        "/access/v1/search/action",
        responses=told("ActionsFound", EVALUATION_ANSWERS),
        summary="What may I do?",
        openapi_extra=NAMED,
    )
    async def post_action(body: ActionSearchBody, request: Request, caller: proven) -> Response:
        return await answer(request, body, caller, _actions)

    return routes


async def _subjects(body: SubjectSearchBody, asking: Asking, desk: Desk) -> tuple[Found, Evaluated]:
    """Find the caller, where they may (section 8.4)."""
    check_subject_type(body.subject.type)
    check_action(body.action.name)
    found = {"type": SUBJECT, "id": asking.caller.caseworker.id.disclose()}
    return await _if_permitted(found, body.resource, body.context, asking, desk)


async def _resources(body: ResourceSearchBody, asking: Asking, desk: Desk) -> tuple[Found, Evaluated]:
    """Find what may be seen, out of all that the purpose and the registry give (section 8.5)."""
    check_subject(body.subject, asking.caller)
    check_action(body.action.name)
    check_resource_type(body.resource.type)
    wanted = about(body.resource.properties, body.context, test_numbers=desk.test_numbers)
    evaluated = await asking.evaluate(wanted, None)
    permitted = [place for place, row in evaluated.rows.items() if row.outcome != WITHHOLD]
    return [{"type": RESOURCE, "id": f"{source}/{category}"} for source, category in permitted], evaluated


async def _actions(body: ActionSearchBody, asking: Asking, desk: Desk) -> tuple[Found, Evaluated]:
    """Find `read`, where it is permitted (section 8.6)."""
    check_subject(body.subject, asking.caller)
    return await _if_permitted({"name": ACTION}, body.resource, body.context, asking, desk)


async def _if_permitted(
    found: dict[str, Any], resource: ResourceBody, context: dict[str, Any] | None, asking: Asking, desk: Desk
) -> tuple[Found, Evaluated]:
    place = place_of(resource, desk.ports.directory)
    wanted = about(resource.properties, context, test_numbers=desk.test_numbers)
    evaluated = await asking.evaluate(wanted, [place])
    return [found] if evaluated.rows[place].outcome != WITHHOLD else [], evaluated
