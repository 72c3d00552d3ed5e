"""`/desk/consents/…`: record by phone that a citizen stops, pauses or shares again; give them their receipt.

On paper or as a file, it is the one they would get themselves. It tells what they said and when, and nothing that any
system holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from broker.consents.desk_look import given_at_desk, names_source
from broker.consents.pause import pause_at_desk, resume_at_desk
from broker.consents.receipts import receipt_at_desk
from broker.consents.withdraw import withdraw_at_desk
from broker.domain.days import danish_day
from broker.domain.errors import Conflict, NotAllowed
from broker.web.api.receipts import document
from broker.web.consent_wire import line_state
from broker.web.desk.room import NOT_CHECKED, Done, Room, is_checked
from broker.web.pages.forms import sent
from broker.web.pages.words import marked
from broker.web.record_wire import record_body

WAYS = {
    "withdrawal": (withdraw_at_desk, "withdrawn"),
    "pause": (pause_at_desk, "paused"),
    "resumption": (resume_at_desk, "resumed"),
}
NOTHING_CHOSEN = marked("Choose at least one line.")
NOTHING_CHANGES = marked("Nothing changes for the lines you chose. Look at how they stand.")


def build(room: Room) -> APIRouter:
    """Build the changes, the print and the file."""
    routes = APIRouter()
    for way in WAYS:
        _change(routes, room, way)

    @routes.post("/desk/consents/{consent_id}/print")
    async def post_print(request: Request, consent_id: str) -> Response:
        caller = await room.enter(request)
        citizen = room.citizen_of(await sent(request))
        today = danish_day(room.ports.clock.now())
        consent, record = await receipt_at_desk(consent_id, citizen, caller, room.made_from, proofs=False)
        text = record["notice"]["text"]
        return await room.show(
            request, "print.html", caller, consent=consent, text=text.disclose() if text else "",
            citizen=citizen.disclose(), today=today, receipt=record["receipt_id"], laws=_laws(record),
            steps=[(row, datetime.fromisoformat(row["time"])) for row in record["events"]],
            state_of=lambda line: line_state(line.state, line.from_day, line.to_day, today, spent=consent.spent),
            names=lambda line: names_source(line, consent.unit, consent.giver, caller),
        )  # fmt: skip

    @routes.post("/desk/consents/{consent_id}/record")
    async def post_record(request: Request, consent_id: str) -> Response:
        caller = await room.enter(request)
        form = await sent(request)
        citizen = room.citizen_of(form)
        if not is_checked(form):
            fault = ((f"identity-{consent_id}", NOT_CHECKED),)
            return await room.overview(request, caller, citizen, faults=fault, status=400)
        _, record = await receipt_at_desk(consent_id, citizen, caller, room.made_from, proofs=True)
        return document(room.records.signed(record_body(record)), "kvittering.json")

    return routes


def _laws(record: Mapping[str, Any]) -> list[str]:
    """Name the paragraphs that a yes rests on, of the lines whose source its giver may learn."""
    told = {row["lawful_basis"]["paragraph"] for row in record["personal_data"]}
    return sorted(paragraph for paragraph in told if paragraph)


def _change(routes: APIRouter, room: Room, way: str) -> None:
    record, became = WAYS[way]

    @routes.post(f"/desk/consents/{{consent_id}}/{way}")
    async def post_change(request: Request, consent_id: str) -> Response:
        caller = await room.enter(request)
        form = await sent(request)
        citizen, chosen = room.citizen_of(form), form.every("line")
        lines = None if way == "withdrawal" and form.one("what") == "all" else chosen
        if caller.caseworker.cpr == citizen:
            raise NotAllowed
        faults = [] if lines is None or lines else [(f"line-{consent_id}-0", NOTHING_CHOSEN)]
        faults += [] if is_checked(form) else [(f"identity-{consent_id}", NOT_CHECKED)]
        if faults:
            return await room.overview(request, caller, citizen, faults=faults, status=400)
        try:
            receipt = await record(consent_id, lines, citizen, caller, room.ports)
        except Conflict:
            # Sent twice, or changed meanwhile: nothing was done, and the page says how it stands.
            fault = ((f"line-{consent_id}-0", NOTHING_CHANGES),)
            return await room.overview(request, caller, citizen, faults=fault, status=409)
        (giver,) = await room.ports.handles.citizens([citizen])
        consent = await given_at_desk(consent_id, giver, caller, room.ports)
        changed = [line for line in consent.lines if lines is None or line.id in lines]
        done = Done(became, consent.unit, consent.purpose, giver, changed, receipt, consent.id)
        return await room.show_done(request, caller, citizen, done)
