"""`/v1/breaches/{id}/letters` and `/v1/me/breaches`: telling the citizens whom a breach touches, and what they read."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from broker.domain.breach_letters import MOST_NUMBERS
from broker.domain.identity import CitizenLogin, OfficerLogin
from broker.exchange.numbers import own_handles
from broker.oversight.breach_letters import Wanted, letters_of, prepare, release, withdraw
from broker.oversight.breaches import Desk
from broker.ports import Breaches, Ports
from broker.web.api.answers import CHANGE_ANSWERS, READ_ANSWERS, told
from broker.web.api.strict import StrictRoute
from broker.web.breach_wire import batch_body, letter_body
from broker.web.break_glass_wire import STRICT, Number
from broker.web.wire import cpr_of, receipt_body

OfficerGate = Callable[[Request], Awaitable[OfficerLogin]]
CitizenGate = Callable[[Request], Awaitable[CitizenLogin]]


class LettersBody(BaseModel):
    """Letters to be: of which count, what they say, and the numbers that the municipality has."""

    model_config = STRICT

    count: Annotated[int, Field(ge=1, le=100_000)]
    nature: Literal["seen", "sent", "lost", "changed"]
    advice: Literal["nothing", "watch", "ask"]
    numbers: Annotated[list[Number], Field(min_length=1, max_length=MOST_NUMBERS, repr=False)]


def build_for_officers(desk: Desk, officer: OfficerGate, *, test_numbers: bool) -> APIRouter:
    """Build preparing letters, letting them go, and taking them back."""
    routes = APIRouter(tags=["oversight"], route_class=StrictRoute)
    proven = Annotated[OfficerLogin, Depends(officer)]

    @routes.post("/v1/breaches/{breach_id}/letters", responses=told("BreachLetters", CHANGE_ANSWERS),
                 summary="Prepare letters to those whom a count found")  # fmt: skip
    async def post_letters(breach_id: str, body: LettersBody, login: proven) -> Response:
        numbers = [cpr_of(one, pointer="/numbers", test_numbers=test_numbers) for one in body.numbers]
        wanted = Wanted(body.count, body.nature, body.advice, numbers)
        return _json(batch_body(await prepare(breach_id, wanted, login, desk)))

    @routes.post("/v1/breaches/{breach_id}/letters/{batch_id}/release", responses=told("BreachRelease", CHANGE_ANSWERS),
                 summary="Let prepared letters go, as the second person")  # fmt: skip
    async def post_release(breach_id: str, batch_id: str, login: proven) -> Response:
        receipt = await release(breach_id, batch_id, login, desk)
        return _json({"batch": batch_id, "receipt": receipt_body(receipt)})

    @routes.post("/v1/breaches/{breach_id}/letters/{batch_id}/withdrawal",
                 responses=told("BreachWithdrawal", CHANGE_ANSWERS), summary="Take prepared letters back")  # fmt: skip
    async def post_withdrawal(breach_id: str, batch_id: str, login: proven) -> Response:
        receipt = await withdraw(breach_id, batch_id, login, desk)
        return _json({"batch": batch_id, "receipt": receipt_body(receipt)})

    return routes


def build_for_citizens(ports: Ports, breaches: Breaches, citizen: CitizenGate) -> APIRouter:
    """Build what a citizen was told of breaches."""
    routes = APIRouter(tags=["me"], route_class=StrictRoute)
    proven = Annotated[CitizenLogin, Depends(citizen)]

    @routes.get("/v1/me/breaches", responses=told("MyBreaches", READ_ANSWERS), summary="Breaches that touch me")
    async def get_mine(login: proven) -> Response:
        handles = await own_handles(login.cpr, ports.handles, ports.people)
        return _json({"breaches": [letter_body(one) for one in await letters_of(handles, breaches)]})

    return routes


def _json(body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body), media_type="application/json")
