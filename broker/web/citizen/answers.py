"""`/mine/requests/…`: read what is asked, then say yes to all, yes to some, or no; no answer is chosen beforehand.

What is kept as read is exactly what was shown: a form carries the digest of its text, and another text is not taken.
What was chosen counts from our own form alone: a link that somebody else made brings nothing ticked. Who goes back to
choose again finds what they chose.
A yes takes a fresh log-in: who logged in some time ago does so again, and comes back to what they chose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from hmac import compare_digest
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from broker.consents.answer import Before, Yes, chosen, grant, refuse
from broker.consents.own import NOT_ANSWERED, asked_before, foremost, own_parts, own_requests
from broker.consents.renew import renewed
from broker.consents.texts import consent_text, text_digest
from broker.domain.consents import ConsentRequest
from broker.domain.days import day_number, day_of
from broker.domain.errors import BadAsk, Conflict
from broker.domain.limits import Limit, limit_of
from broker.web.citizen.room import Me, Room, waits_for_me
from broker.web.login import CITIZEN
from broker.web.pages.forms import sent
from broker.web.pages.language import language_of
from broker.web.pages.show import go_to
from broker.web.pages.words import marked

# How often they may look, as the page offers it; over the API any number a month.
OFFERED = (Limit(1), Limit(1, monthly=True), Limit(2, monthly=True), Limit(4, monthly=True))
NOT_LESS = marked("Choose how often they may look, or the last day.")
UNTIL = "/until"
NOT_THAT_DAY = (("until", marked("Choose a last day within what they ask for.")),)
NOTHING_CHOSEN = (("line-0", marked("Choose at least one line, or say no.")),)


# What somebody answered themselves when they were asked before.
ANSWERED = {
    "granted": marked("you said yes"),
    "partly_granted": marked("you said yes to some"),
    "refused": marked("you said no"),
    NOT_ANSWERED: marked("you did not answer"),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """What a citizen chose of a request: lines by number (none: not chosen), how often, and their own last day."""

    picked: tuple[int, ...] = ()
    limit: Limit | None = None
    until: int | None = None

    @property
    def fields(self) -> list[tuple[str, str]]:
        """Write it as a form or an address carries it."""
        return [
            *(("line", str(number)) for number in self.picked),
            *([("limit", self.limit.code)] if self.limit else []),
            *([("until", day_of(self.until).isoformat())] if self.until else []),
        ]


def build(room: Room) -> APIRouter:
    """Build the pages of one request."""
    routes = APIRouter()

    @routes.get("/mine/requests/{request_id}")
    async def get_request(request: Request, request_id: str) -> Response:
        asked, me = await _question(room, await room.enter(request), request_id)
        return await _asked_page(request, room, me, asked, _kept(request, room, me, asked))

    @routes.post("/mine/requests/{request_id}/yes")
    async def post_yes(request: Request, request_id: str) -> Response:
        asked, me = await _question(room, await room.enter(request), request_id)
        form = await sent(request)
        choice = _choice(form.every("line") or _all_of(asked, me), form.one("limit"), form.one("until"))
        if waits_for_me(asked, me) and not await room.logins.may_sign(request):
            return go_to(_to_read(room, me, asked, choice))
        if form.one("digest") != text_digest(_text(request, room, me, asked, choice)):
            raise Conflict("text_changed")
        yes = Yes(choice.picked, choice.until, choice.limit, language_of(request))
        _, receipt = await grant(request_id, yes, me.login, room.ports, under=me.handle)
        return room.to_receipt(receipt)

    @routes.post("/mine/requests/{request_id}/no")
    async def post_no(request: Request, request_id: str) -> Response:
        me = await room.enter(request)
        form = await sent(request)
        choice = _choice(form.every("line"), form.one("limit"), form.one("until"))
        read = Yes(choice.picked or None, choice.until, choice.limit, language_of(request))
        before = Before(read, form.one("digest"))
        return room.to_receipt(await refuse(request_id, me.login, room.ports, before))

    _some(routes, room)
    return routes


def _some(routes: APIRouter, room: Room) -> None:
    """Add the pages of a yes to less than what is asked: to some lines, not so often, or not so long."""

    @routes.get("/mine/requests/{request_id}/some")
    async def get_some(request: Request, request_id: str) -> Response:
        asked, me = await _question(room, await room.enter(request), request_id)
        query = request.query_params
        if not _marked(request, room, me, asked):
            # A link that somebody else made: nothing of it is chosen.
            return go_to(f"/mine/requests/{asked.id}")
        try:
            choice = _choice(query.getlist("line"), query.get("limit", ""), query.get("until", ""))
            faults = _faults(asked, me, choice, less="often" in query)
        except BadAsk as error:
            if error.pointer != UNTIL:
                raise
            choice, faults = _choice(query.getlist("line"), query.get("limit", ""), ""), NOT_THAT_DAY
        if faults and ("often" in query or faults == NOT_THAT_DAY):
            return _less_page(request, room, me, asked, choice, faults)
        if faults:
            return await _asked_page(request, room, me, asked, Choice(), faults=faults, status=400)
        mine, text = asked.lines_of(me.handle), _text(request, room, me, asked, choice)
        back = _to_read(room, me, asked, choice) + "&anew=1"
        return room.show(
            request, "some.html", me,
            asked=asked, choice=choice, all=len(set(choice.picked)) == len(mine), text=text, digest=text_digest(text),
            may_sign=await room.logins.may_sign(request), anew="anew" in query, kept=_carried(room, me, asked, choice),
            log_in=f"/login/{CITIZEN}?{urlencode({'anew': '1', 'next': back})}",
        )  # fmt: skip

    @routes.get("/mine/requests/{request_id}/often")
    async def get_often(request: Request, request_id: str) -> Response:
        asked, me = await _question(room, await room.enter(request), request_id)
        if not waits_for_me(asked, me):
            raise Conflict("nothing_to_choose")
        return _less_page(request, room, me, asked, _kept(request, room, me, asked), ())


async def _question(room: Room, me: Me, request_id: str) -> tuple[ConsentRequest, Me]:
    """Find what is asked, under whichever number it is put to them, and who they are there; raise `NotFound`."""
    own = foremost(await own_parts(request_id, me.handles, room.ports.consents))
    return own.request, me.under(own.me)


async def _asked_page(
    request: Request, room: Room, me: Me, asked: ConsentRequest, choice: Choice, *,
    faults: Sequence[tuple[str, str]] = (), status: int = 200,
) -> Response:  # fmt: skip
    mine = asked.lines_of(me.handle)
    text = _text(request, room, me, asked, _choice(_all_of(asked, me), "", "")) if mine else ""
    return room.show(
        request,
        "request.html",
        me,
        status,
        asked=asked,
        mine=mine,
        tellers=sorted({line.source for line in mine if line.tells_source_to(me.handle)}),
        # Once, however many they are: it is no count of what is kept back.
        unnamed=any(not line.tells_source_to(me.handle) for line in mine),
        open=waits_for_me(asked, me),
        choice=choice,
        text=text,
        digest=text_digest(text),
        # The caseworker's own words are to the citizen, not to a child's other parent or the child.
        why=asked.why.disclose() if asked.why and asked.citizen == me.handle else None,
        again=asked.again.disclose() if asked.again and asked.citizen == me.handle else None,
        before=asked_before(asked, await _own_requests(room, me), me.handle, me.handles),
        words=ANSWERED,
        renewed=await renewed(asked, me.handles, room.ports),
        may_sign=await room.logins.may_sign(request),
        mark=_mark(room, me, asked),
        faults=faults,
    )


async def _own_requests(room: Room, me: Me) -> list[ConsentRequest]:
    return [own.request for own in await own_requests(me.handles, room.ports.consents)]


def _less_page(
    request: Request, room: Room, me: Me, asked: ConsentRequest, choice: Choice, faults: Sequence[tuple[str, str]]
) -> Response:
    """Show the choice; one that was sent half keeps what was chosen in it."""
    return room.show(
        request, "often.html", me, 400 if faults else 200,
        asked=asked, mine=asked.lines_of(me.handle), offered=_offered(asked), faults=faults, choice=choice,
        first=day_of(_first_day(asked, me)).isoformat(), last=day_of(asked.to_day).isoformat(),
        until=day_of(choice.until).isoformat() if choice.until else "", mark=_mark(room, me, asked),
    )  # fmt: skip


def _offered(asked: ConsentRequest) -> list[Limit]:
    """Give what somebody may choose instead of what they are asked for: it lets them look less often."""
    return [limit for limit in OFFERED if limit.within(asked.limit) and limit != asked.limit]


def _faults(asked: ConsentRequest, me: Me, choice: Choice, *, less: bool) -> tuple[tuple[str, str], ...]:
    """Say what is missing or wrong in what was chosen; `less` where how often or how long was to be chosen too."""
    if choice.until is not None and not _first_day(asked, me) <= choice.until <= asked.to_day:
        return NOT_THAT_DAY
    if less and not (choice.limit or choice.until):
        return (("limit-0" if _offered(asked) else "until", NOT_LESS),)
    return () if choice.picked else NOTHING_CHOSEN


def _to_read(room: Room, me: Me, asked: ConsentRequest, choice: Choice) -> str:
    """Give the page on which what was chosen is read once more, and from which an old log-in is made anew."""
    return f"/mine/requests/{asked.id}/some?{_carried(room, me, asked, choice)}"


def _carried(room: Room, me: Me, asked: ConsentRequest, choice: Choice) -> str:
    """Write what was chosen as an address carries it on, or back to where it is chosen again."""
    return urlencode([*choice.fields, ("mark", _mark(room, me, asked))])


def _kept(request: Request, room: Room, me: Me, asked: ConsentRequest) -> Choice:
    """Give what somebody chose before and came back to; nothing by a link that is not ours, or no longer fits."""
    query = request.query_params
    if not _marked(request, room, me, asked):
        return Choice()
    try:
        return _choice(query.getlist("line"), query.get("limit", ""), query.get("until", ""))
    except BadAsk:
        return Choice()


def _marked(request: Request, room: Room, me: Me, asked: ConsentRequest) -> bool:
    return compare_digest(request.query_params.get("mark", "").encode(), _mark(room, me, asked).encode())


def _mark(room: Room, me: Me, asked: ConsentRequest) -> str:
    """Give what only a page shown to this citizen about this request carries."""
    return room.logins.mark("choice", me.handle, asked.id)


def _text(request: Request, room: Room, me: Me, asked: ConsentRequest, choice: Choice) -> str:
    """Give the text of a yes to what was chosen. Raises `BadAsk` for a line that is not there."""
    lines = chosen(asked.lines_of(me.handle), choice.picked)
    days = (_first_day(asked, me), choice.until or asked.to_day)
    often = choice.limit or asked.limit
    return consent_text(asked.unit, asked.purpose, lines, days, language_of(request), room.ports.directory, often)


def _first_day(asked: ConsentRequest, me: Me) -> int:
    return max(asked.from_day, me.today)


def _all_of(asked: ConsentRequest, me: Me) -> tuple[str, ...]:
    return tuple(str(number) for number in range(len(asked.lines_of(me.handle))))


def _choice(lines: Sequence[str], limit: str, until: str) -> Choice:
    """Read what was chosen. Raises `BadAsk` for what no page of ours sends, and for a day that is none."""
    if not all(text.isascii() and text.isdigit() and len(text) <= 3 for text in lines):
        raise BadAsk("/lines", "no_such_line")
    try:
        day = day_number(date.fromisoformat(until)) if until else None
    except ValueError:
        raise BadAsk(UNTIL, "no_such_day") from None
    return Choice(tuple(int(text) for text in lines), limit_of(limit) if limit else None, day)
