"""`/dpo/tasks`: what waits for the overseer who is logged in, late first, each a link to where it is done."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from broker.domain.days import DANISH_TIME
from broker.oversight.tasks import AFTER_CHECK, BREACH, ERASURE, INQUIRY, KINDS, SAMPLE, Desk, Task, tasks
from broker.web.dpo.room import Room
from broker.web.pages.words import marked

PLACE = "/dpo/tasks"
WORDS = {
    SAMPLE: marked("A sample"),
    AFTER_CHECK: marked("A case of danger to life"),
    INQUIRY: marked("A citizen's question"),
    BREACH: marked("A breach of security"),
    ERASURE: marked("An erasure to approve"),
}


def build(room: Room, desk: Desk) -> APIRouter:
    """Build the list."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(PLACE)
    async def get_tasks(request: Request) -> Response:
        officer = await room.enter(request)
        found = await tasks(officer, desk)
        # Each kind that there is, with how many wait and how many of them are late.
        mine = [(kind, [one for one in found if one.kind == kind]) for kind in KINDS]
        counts = [(kind, len(rows), sum(one.late for one in rows)) for kind, rows in mine if rows]
        today = desk.samples.clock.now().astimezone(DANISH_TIME).date()
        return await room.show(
            request, "tasks.html", officer, rows=[(one, place_of(one)) for one in found], counts=counts, words=WORDS,
            today=today,
        )  # fmt: skip

    return routes


def place_of(task: Task) -> str:
    """Give the address where a task is done."""
    places = {
        SAMPLE: f"/dpo/samples/{task.id}",
        AFTER_CHECK: f"/dpo/break-glass/{task.id}",
        INQUIRY: f"/dpo/inquiries/{task.id}",
        BREACH: f"/dpo/breaches/{task.id}",
        # Its page lists them all: which citizen one is about is written anew in its form.
        ERASURE: "/dpo/erasures",
    }
    return places[task.kind]
