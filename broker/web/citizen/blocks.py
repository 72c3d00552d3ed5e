"""`/mine/blocks`: standing noes. A no to a source, a unit or a kind of information, which no yes gets past.

To lift one opens, as a yes does, and takes a fresh log-in; to set one takes none.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from broker.consents.blocks import BlockWish, lift_block, set_block
from broker.consents.own import own_blocks
from broker.view.phrases import Language
from broker.web.citizen.room import Me, Room
from broker.web.login import CITIZEN
from broker.web.pages.forms import sent
from broker.web.pages.language import language_of
from broker.web.pages.show import Named, go_to
from broker.web.pages.words import marked

NAMES = ("source", "unit", "category")
LOG_IN = f"/login/{CITIZEN}?{urlencode({'anew': '1', 'next': '/mine/blocks?anew=1'})}"
NAMES_NOTHING = (("source", marked("Choose at least one of the three.")),)


def build(room: Room) -> APIRouter:
    """Build the list of standing noes, with its forms."""
    routes = APIRouter()

    @routes.get("/mine/blocks")
    async def get_blocks(request: Request) -> Response:
        return await _page(request, room, await room.enter(request))

    @routes.post("/mine/blocks")
    async def post_block(request: Request) -> Response:
        me = await room.enter(request)
        named = (await sent(request)).filled(*NAMES)
        if not named:
            return await _page(request, room, me, faults=NAMES_NOTHING, status=400)
        _, receipt = await set_block(BlockWish(*(named.get(name) for name in NAMES)), me.login, room.ports)
        return room.to_receipt(receipt)

    @routes.post("/mine/blocks/{block_id}/lift")
    async def post_lift(request: Request, block_id: str) -> Response:
        me = await room.enter(request)
        if not await room.logins.may_sign(request):
            return go_to("/mine/blocks")
        return room.to_receipt(await lift_block(block_id, me.login, room.ports))

    return routes


async def _page(
    request: Request, room: Room, me: Me, *, faults: tuple[tuple[str, str], ...] = (), status: int = 200
) -> Response:
    return room.show(
        request,
        "blocks.html",
        me,
        status,
        blocks=await own_blocks(me.handles, room.ports.consents),
        may_sign=await room.logins.may_sign(request),
        anew="anew" in request.query_params,
        log_in=LOG_IN,
        faults=faults,
        start_over=None if request.method == "GET" else "/mine/blocks",
        **_choices(room, language_of(request)),
    )


def _choices(room: Room, language: Language) -> dict[str, list[tuple[str, str]]]:
    """List what can be said no to, by name; what is never shared needs no no."""
    known = room.ports.directory
    shareable = {code: category for code, category in known.categories.items() if not category.never}
    return {
        "sources": _by_name(known.sources, language),
        "units": _by_name(known.units, language),
        "categories": _by_name(shareable, language),
    }


def _by_name(rows: Mapping[str, Named], language: Language) -> list[tuple[str, str]]:
    named = [(code, row.name_da if language == "da" else row.name_en) for code, row in rows.items()]
    return sorted(named, key=lambda row: row[1])
