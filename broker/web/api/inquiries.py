"""`/v1/me/inquiries` and `/v1/inquiries`: what citizens ask about lines of the log, and what the DPO answers."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from broker.domain.days import danish_day
from broker.domain.identity import CitizenLogin, OfficerLogin
from broker.domain.inquiries import LONGEST_TEXT, QUESTION
from broker.domain.receipts import Receipt
from broker.oversight import inquiries as oversight
from broker.oversight.package import record_package
from broker.oversight.recipients import receivers
from broker.ports import LogReader
from broker.transparency import inquiries as mine
from broker.web.api.answers import CHANGE_ANSWERS, READ_ANSWERS, told
from broker.web.api.strict import StrictRoute
from broker.web.break_glass_wire import STRICT, Number
from broker.web.doors import Ceilings
from broker.web.export_wire import export_body, package_body, recipient_body
from broker.web.inquiry_wire import cursor_of, inquiry_body, my_inquiry_body, place_from, words_from
from broker.web.recipient_wire import RecipientsBody, receivers_body, wish_from
from broker.web.wire import cpr_of, receipt_body

CitizenGate = Callable[[Request], Awaitable[CitizenLogin]]
OfficerGate = Callable[[Request], Awaitable[OfficerLogin]]
Cursor = Annotated[str | None, Query(max_length=80)]
Limit = Annotated[int, Query(ge=1, le=200)]
Concern = Annotated[str, Field(max_length=200, pattern=r"^[!-~]+$", examples=["unit/jobcentre"])]
Words = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT, repr=False)]


class QuestionBody(BaseModel):
    """Which line of my list, and what I ask about it."""

    model_config = STRICT

    log: Annotated[str, Field(max_length=200, pattern=r"^[!-~]+$", examples=["borgerbro.example/log/korsbaek/2019"])]
    index: Annotated[int, Field(ge=0, le=2**62)]
    text: Words
    aim: Annotated[str, Field(pattern="^(question|correction|objection)$")] = QUESTION


class CitizenBody(BaseModel):
    """Who asks what is held about them."""

    model_config = STRICT

    citizen: Number


class AnswerBody(BaseModel):
    """What the citizen is answered."""

    model_config = STRICT

    text: Words


class PassedOnBody(BaseModel):
    """Who was told, of those that the inquiry names as concerned: `source/ID` or `unit/ID`."""

    model_config = STRICT

    told: Annotated[list[Concern], Field(min_length=1, max_length=500)]


def build_for_citizens(desk: mine.Desk, citizen: CitizenGate) -> APIRouter:
    """Build the citizen's own questions."""
    routes = APIRouter(tags=["me"], route_class=StrictRoute)
    proven = Annotated[CitizenLogin, Depends(citizen)]

    @routes.get("/v1/me/inquiries", responses=told("MyInquiries", READ_ANSWERS), summary="What I asked the DPO")
    async def get_mine(login: proven) -> Response:
        today, found = danish_day(desk.ports.clock.now()), await mine.my_inquiries(login, desk)
        rows = [my_inquiry_body(one, today) for one in found]
        return _json({"inquiries": rows})

    @routes.post("/v1/me/inquiries", status_code=201, responses=told("Inquiry", CHANGE_ANSWERS, status=201),
                 summary="Ask the DPO about a line of my list")  # fmt: skip
    async def post_mine(body: QuestionBody, login: proven) -> Response:
        made = await mine.send(Receipt(body.log, body.index), words_from(body.text), login, desk, body.aim)
        return _json(inquiry_body(made, danish_day(made.sent_at)), 201)

    @routes.get("/v1/me/export", responses=told("MyExport", READ_ANSWERS), summary="All that is held about me")
    async def get_export(login: proven) -> Response:
        answer = _json(await export_body(login, desk))
        answer.headers["Content-Disposition"] = 'attachment; filename="export.json"'
        return answer

    return routes


def build_for_officers(desk: oversight.Desk, officer: OfficerGate, reader: LogReader) -> APIRouter:
    """Build the DPO's list, who is concerned and was told, and the answers."""
    routes = APIRouter(tags=["oversight"], route_class=StrictRoute)
    proven = Annotated[OfficerLogin, Depends(officer)]

    @routes.get("/v1/inquiries", responses=told("Inquiries", READ_ANSWERS), summary="What citizens asked")
    async def get_all(login: proven, cursor: Cursor = None, limit: Limit = oversight.A_PAGE) -> Response:
        today = danish_day(desk.clock.now())
        page, following = await oversight.inquiries(login, desk, place_from(cursor), limit)
        rows = [inquiry_body(one, today) for one in page]
        return _json({"inquiries": rows, "next": None if following is None else cursor_of(following)})

    @routes.get("/v1/inquiries/{inquiry_id}", responses=told("InquiryRead", READ_ANSWERS),
                summary="Read what a citizen asked; the citizen sees that it was read")  # fmt: skip
    async def get_one(inquiry_id: str, login: proven) -> Response:
        found = await oversight.read(inquiry_id, login, desk)
        concerned = await oversight.concerned(found.inquiry, login, reader)
        rows = [{"id": one.id, "got": [recipient_body(row) for row in one.got]} for one in concerned]
        return _json(my_inquiry_body(found, danish_day(desk.clock.now())) | {"concerned": rows})

    @routes.post("/v1/inquiries/{inquiry_id}/passed-on", responses=told("InquiryPassedOn", CHANGE_ANSWERS),
                 summary="Write down who was told that something is wrong or not to be used")  # fmt: skip
    async def post_passed_on(inquiry_id: str, body: PassedOnBody, login: proven) -> Response:
        receipt = await oversight.pass_on(inquiry_id, tuple(body.told), login, desk, reader)
        return _json({"inquiry": inquiry_id, "receipt": receipt_body(receipt)})

    @routes.post("/v1/inquiries/{inquiry_id}/answer", responses=told("InquiryAnswered", CHANGE_ANSWERS),
                 summary="Answer a citizen")  # fmt: skip
    async def post_answer(inquiry_id: str, body: AnswerBody, login: proven) -> Response:
        receipt = await oversight.answer(inquiry_id, words_from(body.text), login, desk)
        return _json({"inquiry": inquiry_id, "receipt": receipt_body(receipt)})

    return routes


def build_package(
    desk: mine.Desk, officer: OfficerGate, ceilings: Ceilings, *, test_numbers: bool
) -> APIRouter:  # fmt: skip
    """Build the file that a DPO hands over to who asks what is held about them, and who got what of it."""
    routes = APIRouter(tags=["oversight"], route_class=StrictRoute)
    proven = Annotated[OfficerLogin, Depends(officer)]

    @routes.post("/v1/packages", responses=told("MyExport", CHANGE_ANSWERS),
                 summary="All that is held about a citizen, to hand over; the citizen sees it")  # fmt: skip
    async def post_package(body: CitizenBody, login: proven) -> Response:
        citizen = cpr_of(body.citizen, pointer="/citizen", test_numbers=test_numbers)
        package = await record_package(citizen, login, desk.ports, ceilings.count_package)
        answer = _json(await package_body(package, desk))
        answer.headers["Content-Disposition"] = 'attachment; filename="indsigt.json"'
        return answer

    @routes.post("/v1/recipients", responses=told("Recipients", CHANGE_ANSWERS),
                 summary="Who got some of what is held about a citizen, who sees that it was asked")  # fmt: skip
    async def post_recipients(body: RecipientsBody, login: proven) -> Response:
        wish = wish_from(body, test_numbers=test_numbers)
        found = await receivers(wish, login, desk.ports, desk.reader, ceilings.count_package)
        return _json(receivers_body(found))

    return routes


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(body), status_code=status, media_type="application/json")
