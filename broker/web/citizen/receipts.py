"""`/mine/receipts/…`: what was just done, as the log holds it. It can be kept, reloaded, printed; it does nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from broker.consents.own import own_consents, own_requests
from broker.consents.receipts import Desk, consent_receipt, refusal_receipt
from broker.domain.consents import Consent, RequestLine
from broker.domain.entries import LogEntry
from broker.domain.errors import NotFound
from broker.domain.facts import ConsentLine
from broker.domain.limits import limit_of
from broker.domain.receipts import Receipt
from broker.web.api.receipts import document
from broker.web.citizen.notices import WORDS as WAYS_IN_WORDS
from broker.web.citizen.room import Me, Room, live
from broker.web.record_wire import record_body

Name = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,64}$")]
DONE = frozenset(
    {
        "consent.granted", "consent.refused", "consent.withdrawn", "consent.paused", "consent.resumed", "block.changed",
        "notices.chosen",
    }
)  # fmt: skip


def build(room: Room) -> APIRouter:
    """Build the receipt page."""
    routes = APIRouter()

    @routes.get("/mine/receipts/{municipality}/{year}/{index}")
    async def get_receipt(
        request: Request,
        municipality: Name,
        year: Annotated[int, Path(ge=1, le=9999)],
        index: Annotated[int, Path(ge=0, le=2**62)],
    ) -> Response:
        me = await room.enter(request)
        entry = await _done(room, me, Receipt(f"{room.log_name}/{municipality}/{year}", index))
        body = entry.body or {}
        consent = await _consent(room, me, body)
        lines = await _lines(room, entry.kind, body, consent)
        limit = limit_of(body["limit"]) if body.get("limit") else None
        # A no stays under the handle it was said under; a yes is told under that of now.
        me = me.under(body["actor"]) if entry.kind == "consent.refused" else me
        return room.show(
            request, "receipt.html", me, entry=entry, body=body, lines=lines, limit=limit, holds=_holds(consent, me),
            home=municipality, words=WAYS_IN_WORDS,
        )  # fmt: skip

    @routes.get("/mine/receipts/{municipality}/{year}/{index}/record")
    async def get_record(
        request: Request,
        municipality: Name,
        year: Annotated[int, Path(ge=1, le=9999)],
        index: Annotated[int, Path(ge=0, le=2**62)],
    ) -> Response:
        me = await room.enter(request)
        entry = await _done(room, me, Receipt(f"{room.log_name}/{municipality}/{year}", index))
        desk, body = Desk(room.ports, room.reader, room.address), entry.body or {}
        if entry.kind == "consent.refused":
            record = await refusal_receipt(body["consent"], me.login, desk)
        elif "consent" in body:
            record = await consent_receipt(body["consent"], me.login, desk, body["version"])
        else:
            raise NotFound
        return document(room.records.signed(record_body(record)), "kvittering.json")

    return routes


async def _done(room: Room, me: Me, receipt: Receipt) -> LogEntry:
    """Open the entry of what one did oneself; what others did stands in the list, and is not found here."""
    entry = await _entry(room, me, receipt)
    if entry.kind not in DONE or (entry.body or {}).get("actor") not in me.handles:
        raise NotFound
    return entry


async def _entry(room: Room, me: Me, receipt: Receipt) -> LogEntry:
    """Open an entry about oneself, or about somebody one said yes or no for (their own entries lie under their key)."""
    for subject in await _spoken_for(room, me):
        try:
            return await room.reader.entry(receipt, subject=subject)
        except NotFound:
            continue
    raise NotFound


async def _consent(room: Room, me: Me, body: Mapping[str, Any]) -> Consent | None:
    """Find the yes that an entry is about, as it stands now; none for a no, or for a standing no."""
    given = await own_consents(me.handles, room.ports.consents, room.ports.clock.now())
    return next((row for row in given if row.id == body.get("consent")), None)


def _holds(consent: Consent | None, me: Me) -> bool:
    """Tell whether a yes opens anything now or later; a receipt stands for ever, and what it tells of may be over."""
    return consent is not None and live(consent, me)


async def _lines(
    room: Room, kind: str, body: Mapping[str, Any], consent: Consent | None
) -> Sequence[ConsentLine | RequestLine]:
    """Give all lines that were answered at once; each person's own entry names those about them alone."""
    if kind == "consent.refused":
        said_as = body["actor"]
        return (await room.ports.consents.request_by_id(body["consent"], citizen=said_as)).lines_of(said_as)
    if consent is None:
        return ()
    changed = {step.line for step in consent.history if step.version == body["version"]}
    return [line for line in consent.lines if line.id in changed]


async def _spoken_for(room: Room, me: Me) -> list[str]:
    asked = await own_requests(me.handles, room.ports.consents)
    given = await own_consents(me.handles, room.ports.consents, room.ports.clock.now())
    others = {line.subject for own in asked for line in own.request.lines if line.giver in me.handles}
    others |= {line.subject for row in given for line in row.lines if line.giver == me.handle}
    return [*me.handles, *sorted(others - {*me.handles})]
