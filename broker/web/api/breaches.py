"""`/v1/breaches`: files of breaches of security, their clock, whom they touch, and the file for the authority."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from broker.domain.breaches import LONGEST_TEXT
from broker.domain.identity import OfficerLogin
from broker.oversight.breaches import Desk, Wanted, affected, count, exported, listed, note, open_file, opened
from broker.web.access_wire import Moment
from broker.web.api.answers import CHANGE_ANSWERS, READ_ANSWERS, problems, told
from broker.web.api.once import key_of
from broker.web.api.strict import StrictRoute
from broker.web.breach_wire import breach_body, exported_body, listed_body, note_body, opened_body, words_from
from broker.web.break_glass_wire import STRICT
from broker.web.wire import Code, receipt_body

OfficerGate = Callable[[Request], Awaitable[OfficerLogin]]
Words = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT, repr=False)]
Limit = Annotated[int, Query(ge=1, le=200)]
After = Annotated[str | None, Query(max_length=40, description="The last one of the page before")]
Page = Annotated[int, Query(ge=1, le=100_000)]
Kind = Literal[
    "facts", "effects", "measures", "assessed", "notified", "not_notified", "told", "not_told", "closed", "reopened"
]  # fmt: skip


class OpenBody(BaseModel):
    """Whose breach, since when it is known, and what is known of it."""

    model_config = STRICT

    municipality: Code
    known_at: Moment
    text: Words


class NoteBody(BaseModel):
    """What is written into the file; `risk` goes with `assessed`, `reference` with `notified`."""

    model_config = STRICT

    kind: Kind
    text: Words
    risk: Literal["none", "risk", "high"] | None = None
    reference: Annotated[str, Field(max_length=64)] | None = None


class CountBody(BaseModel):
    """Whom to look for. `employee` is a handle, or a line of the log (`2026/17`) whose employee is meant."""

    model_config = STRICT

    since: Moment
    until: Moment
    employee: Annotated[str, Field(max_length=64)] = ""
    unit: Code | None = None
    source: Code | None = None


def build(desk: Desk, officer: OfficerGate) -> APIRouter:
    """Build the list, one file, what is written into it, the counts, and the file for the authority."""
    routes = APIRouter(tags=["oversight"], route_class=StrictRoute)
    proven = Annotated[OfficerLogin, Depends(officer)]

    @routes.get("/v1/breaches", responses=told("Breaches", READ_ANSWERS), summary="Files of breaches of security")
    async def get_breaches(login: proven, after: After = None, limit: Limit = 50) -> Response:
        found, now = await listed(login, desk, after=after, limit=limit + 1), desk.clock.now()
        rows = [breach_body(one, now) for one in found[:limit]]
        return _json({"breaches": rows, "next": rows[-1]["id"] if len(found) > limit else None})

    @routes.post("/v1/breaches", status_code=201, responses=told("Breach", CHANGE_ANSWERS, status=201),
                 summary="Open a file: from here on the 72 hours can be seen")  # fmt: skip
    async def post_breach(request: Request, body: OpenBody, login: proven) -> Response:
        text, once = words_from(body.text), key_of(request)
        made = await open_file(body.municipality, body.known_at, text, login, desk, once=once)
        return _json(opened_body(made, desk.clock.now()), 201)

    @routes.get("/v1/breaches/{breach_id}", responses=told("Breach", READ_ANSWERS),
                summary="Read a file; the log says so")  # fmt: skip
    async def get_breach(breach_id: str, login: proven) -> Response:
        found = await opened(breach_id, login, desk)
        return _json(opened_body(found, desk.clock.now(), await desk.breaches.batches(found)))

    @routes.post("/v1/breaches/{breach_id}/notes", responses=told("BreachNote", CHANGE_ANSWERS),
                 summary="Write into a file; nothing of it is ever changed")  # fmt: skip
    async def post_note(breach_id: str, body: NoteBody, login: proven) -> Response:
        text, reference = words_from(body.text), body.reference or ""
        receipt = await note(breach_id, body.kind, text, login, desk, risk=body.risk or "", reference=reference)
        return _json({"breach": breach_id, "kind": body.kind, "receipt": receipt_body(receipt)})

    _add_touched(routes, desk, officer)
    return routes


def _add_touched(routes: APIRouter, desk: Desk, officer: OfficerGate) -> None:
    """Add who is touched, and what goes to the authority."""
    proven = Annotated[OfficerLogin, Depends(officer)]

    @routes.post("/v1/breaches/{breach_id}/counts", responses=told("BreachCount", CHANGE_ANSWERS),
                 summary="Count on the log whom it touches")  # fmt: skip
    async def post_count(breach_id: str, body: CountBody, login: proven) -> Response:
        wanted = Wanted(body.since, body.until, body.employee, body.unit or "", body.source or "")
        return _json(note_body(await count(breach_id, wanted, login, desk)))

    @routes.get("/v1/breaches/{breach_id}/counts/{number}",
                responses=told("BreachCitizens", READ_ANSWERS | problems(409)),
                summary="The citizens of a count, by handle; the log says so")  # fmt: skip
    async def get_count(breach_id: str, number: int, login: proven, page: Page = 1) -> Response:
        return _json(listed_body(await affected(breach_id, number, page, login, desk), page))

    @routes.get("/v1/breaches/{breach_id}/export", responses=told("BreachExport", READ_ANSWERS),
                summary="The file for the authority: no citizen and no employee")  # fmt: skip
    async def get_export(breach_id: str, login: proven) -> Response:
        found = await exported(breach_id, login, desk)
        letters = await desk.breaches.batches(found)
        answer = _json(exported_body(found, desk.clock.now(), desk.directory, letters))
        answer.headers["Content-Disposition"] = 'attachment; filename="breach.json"'
        return answer


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(body), status_code=status, media_type="application/json")
