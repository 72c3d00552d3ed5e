"""`/v1/me/…`: a citizen's own consents and requests, as JSON; the same session and token as the pages."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response

from broker.consents.answer import Before, Yes, grant, refuse
from broker.consents.blocks import BlockWish, lift_block, set_block
from broker.consents.own import own_blocks, own_consents, own_requests
from broker.consents.pause import pause, resume
from broker.consents.withdraw import withdraw
from broker.domain.days import danish_day
from broker.domain.identity import CitizenLogin
from broker.exchange.numbers import own_handles, own_numbers
from broker.ports import Ports
from broker.web.api.answers import CHANGE_ANSWERS, READ_ANSWERS, told
from broker.web.api.strict import StrictRoute
from broker.web.consent_wire import (
    BlockBody,
    WithdrawBody,
    YesBody,
    consent_body,
    grant_body,
    limit_from,
    moment,
    my_request_body,
)
from broker.web.login import CITIZEN
from broker.web.sessions import Session
from broker.web.wire import day_from, receipt_body

CitizenGate = Callable[[Request], Awaitable[CitizenLogin]]
# A no takes no body, so that none can stand in its way.
ReadIn = Annotated[Literal["da", "en"], Query(description="The language in which one read what one says no to")]
SessionOf = Callable[[Request, str], Awaitable[Session]]


def build(ports: Ports, citizen: CitizenGate, signer: CitizenGate, session: SessionOf) -> APIRouter:
    """Build the routes over the citizen's log-in; what opens takes `signer`, the same of a fresh one.

    Answering twice is a conflict, so no idempotency key is needed.
    """
    routes = APIRouter(tags=["me"], route_class=StrictRoute)
    _session(routes, session)
    _consents(routes, ports, citizen, signer)
    _requests(routes, ports, citizen, signer)
    _blocks(routes, ports, citizen, signer)
    return routes


def _session(routes: APIRouter, session: SessionOf) -> None:
    @routes.get(
        "/v1/me/session",
        responses=told("Session", READ_ANSWERS),
        summary="The token my changes must carry, and when I am out",
    )
    async def get_session(request: Request) -> Response:
        mine = await session(request, CITIZEN)
        ends = {"idle_at": moment(mine.idle_at), "ends_at": moment(mine.ends_at)}
        # Only our own pages can read this answer; it is sent back in the header X-CSRF-Token.
        return _json({"csrf": mine.csrf, **ends})


def _consents(routes: APIRouter, ports: Ports, citizen: CitizenGate, signer: CitizenGate) -> None:
    proven = Annotated[CitizenLogin, Depends(citizen)]
    signing = Annotated[CitizenLogin, Depends(signer)]

    @routes.get("/v1/me/consents", responses=told("MyConsents", READ_ANSWERS), summary="What I said yes to")
    async def get_consents(login: proven) -> Response:
        handles = await own_handles(login.cpr, ports.handles, ports.people)
        at = ports.clock.now()
        given = await own_consents(handles, ports.consents, at)
        return _json({"consents": [consent_body(consent, handles[0], at, handles) for consent in given]})

    @routes.post(
        "/v1/me/consents/{consent_id}/withdraw",
        responses=told("ConsentChanged", CHANGE_ANSWERS),
        summary="Take a yes back",
    )
    async def post_withdraw(consent_id: str, body: WithdrawBody, login: proven) -> Response:
        receipt = await withdraw(consent_id, body.lines, login, ports)
        return _json({"consent": consent_id, "receipt": receipt_body(receipt)})

    @routes.post(
        "/v1/me/consents/{consent_id}/pause",
        responses=told("ConsentChanged", CHANGE_ANSWERS),
        summary="Let a yes rest",
    )
    async def post_pause(consent_id: str, body: WithdrawBody, login: proven) -> Response:
        receipt = await pause(consent_id, body.lines, login, ports)
        return _json({"consent": consent_id, "receipt": receipt_body(receipt)})

    @routes.post(
        "/v1/me/consents/{consent_id}/resume",
        responses=told("ConsentChanged", CHANGE_ANSWERS),
        summary="Let what I paused hold again",
    )
    async def post_resume(consent_id: str, body: WithdrawBody, login: signing) -> Response:
        receipt = await resume(consent_id, body.lines, login, ports)
        return _json({"consent": consent_id, "receipt": receipt_body(receipt)})


def _requests(routes: APIRouter, ports: Ports, citizen: CitizenGate, signer: CitizenGate) -> None:
    proven = Annotated[CitizenLogin, Depends(citizen)]
    signing = Annotated[CitizenLogin, Depends(signer)]

    @routes.get("/v1/me/consent-requests", responses=told("MyRequests", READ_ANSWERS), summary="What I am asked")
    async def get_requests(login: proven) -> Response:
        numbers, today = await own_numbers(login.cpr, ports.handles, ports.people), danish_day(ports.clock.now())
        asked = await own_requests(numbers.handles, ports.consents)
        mine = [my_request_body(own, asked, numbers.handles, today, ports.directory) for own in asked]
        return _json({"requests": mine, "whole": numbers.whole})

    @routes.post(
        "/v1/me/consent-requests/{request_id}/grant",
        responses=told("ConsentGiven", CHANGE_ANSWERS),
        summary="Say yes, all or some",
    )
    async def post_grant(request_id: str, body: YesBody, login: signing) -> Response:
        lines = tuple(body.lines) if body.lines is not None else None
        yes = Yes(lines, day_from(body.to, "/to") if body.to else None, limit_from(body.limit), body.language)
        given, receipt = await grant(request_id, yes, login, ports)
        return _json(grant_body(given, receipt))

    @routes.post(
        "/v1/me/consent-requests/{request_id}/refuse",
        responses=told("RequestChanged", CHANGE_ANSWERS),
        summary="Say no",
    )
    async def post_refuse(request_id: str, login: proven, language: ReadIn = "da") -> Response:
        receipt = await refuse(request_id, login, ports, Before(Yes(language=language)))
        return _json({"request": request_id, "receipt": receipt_body(receipt)})


def _blocks(routes: APIRouter, ports: Ports, citizen: CitizenGate, signer: CitizenGate) -> None:
    proven = Annotated[CitizenLogin, Depends(citizen)]
    signing = Annotated[CitizenLogin, Depends(signer)]

    @routes.get("/v1/me/blocks", responses=told("MyBlocks", READ_ANSWERS), summary="My standing noes")
    async def get_blocks(login: proven) -> Response:
        handles = await own_handles(login.cpr, ports.handles, ports.people)
        blocks = await own_blocks(handles, ports.consents)
        rows = [{"id": b.id, "source": b.source, "unit": b.unit, "category": b.category} for b in blocks]
        return _json({"blocks": rows})

    @routes.post(
        "/v1/me/blocks",
        status_code=201,
        responses=told("BlockChanged", CHANGE_ANSWERS, status=201),
        summary="Set a standing no",
    )
    async def post_block(body: BlockBody, login: proven) -> Response:
        block, receipt = await set_block(BlockWish(body.source, body.unit, body.category), login, ports)
        return _json({"block": block.id, "receipt": receipt_body(receipt)}, 201)

    @routes.post(
        "/v1/me/blocks/{block_id}/lift", responses=told("BlockChanged", CHANGE_ANSWERS), summary="Lift a standing no"
    )
    async def post_lift(block_id: str, login: signing) -> Response:
        receipt = await lift_block(block_id, login, ports)
        return _json({"block": block_id, "receipt": receipt_body(receipt)})


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(body), status_code=status, media_type="application/json")
