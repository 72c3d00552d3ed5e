"""Log-in of people at our pages: citizens, officers (DPO) and caseworkers without a system of their own.

Rules kept here:
- A CPR number comes from the provider's `dk.cpr` alone; without it a citizen has no access. NSIS Substantial or High.
- An officer oversees the municipalities that their privileges name; a caseworker acts for the municipality whose CVR
  number the provider states, through the one registered system that is our own page.
- A log-in runs in the browser that began it, once; it ends what was open there before and gets a new id.
- A yes takes a log-in of the last ten minutes, at a moment that the provider states; a no or a stop takes none.
- Who logs in anew goes on where they were; another person, or who was not logged in, begins on their own first page.
- A new log-in that a citizen breaks off leaves the old one as it was, and leads back: no yes can be given there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from broker.domain.errors import NotAllowed, NotAuthenticated, NotFound, StoreUnavailable
from broker.domain.identity import Caller, CitizenLogin, OfficerLogin
from broker.domain.personal import Personal
from broker.ports import Clock
from broker.web.doors import Ceilings
from broker.web.oauth.claims import CPR, caseworker_claims, caseworker_from, nsis_level, private_claims
from broker.web.oauth.registrations import Registrations
from broker.web.openid import BROKEN_OFF, OpenIdClient, Proven, Provider
from broker.web.sessions import (
    LANDING,
    SAFE_METHODS,
    Session,
    SessionBook,
    check_not_led_here,
    check_same_site,
    led_here,
)

CITIZEN, OFFICER, CASEWORKER = "citizen", "officer", "caseworker"
OFFICER_ROLES = ("dpo", "logkontrollant", "teamleder", "styregruppe", "systemforvalter")
# A log controller who leads a unit as well explains for that unit.
LEADER, LEADING = "teamleder", ("logkontrollant", "teamleder")
HOMES = {CITIZEN: "/mine", OFFICER: "/dpo", CASEWORKER: "/case"}
# Who leads units does not read the log.
LEADERS_HOME = "/dpo/tasks"
RUNNING = timedelta(minutes=10)
# How old a log-in may be by which somebody says yes (`domain.md` 4.1: a fresh one for signing).
FRESH = timedelta(minutes=10)
NOT_FRESH = "login_not_fresh"
LONGEST_PATH = 2000
_NO_STORE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
_EXPIRED = "login_expired"
# Where who must be gone at once is sent: a page that anybody may have open.
EXIT = "https://www.dmi.dk/"
# The cookie of the chosen language (`pages/language.py`): it tells that somebody was here.
LANGUAGE = "lang"


@dataclass(frozen=True, slots=True)
class Faces:
    """Who may log in where: a provider for each kind of person, and what their claims are read against.

    `page_system` is the client id of the registered system that our caseworker page acts as, and `page_employer` the
    issuer whose employees log in there; without them nobody is let in as a caseworker.
    """

    providers: Mapping[str, Provider]
    municipality_of_cvr: Mapping[str, str] = field(default_factory=dict)
    page_system: str | None = None
    page_employer: str | None = None


class Logins:
    """Everything about logged-in people: the log-in routes, and the gate of every page."""

    def __init__(
        self, faces: Faces, *, book: SessionBook, registrations: Registrations, ceilings: Ceilings,
        http: aiohttp.ClientSession, clock: Clock, public_address: str, exit_address: str = EXIT,
    ) -> None:  # fmt: skip
        """Take the doors. `clock` judges what providers say; `public_address` has no slash at the end.

        `exit_address` is where who must be gone at once is sent.
        """
        self._faces = faces
        self._book = book
        self._registrations = registrations
        self._ceilings = ceilings
        self._clock = clock
        self._address = public_address
        self._exit = exit_address
        self._clients = {
            kind: OpenIdClient(provider, f"{public_address}/login/{kind}/callback", http)
            for kind, provider in faces.providers.items()
        }
        self._read: Mapping[str, Callable[[Proven], tuple[str, dict[str, Any]]]] = {
            CITIZEN: _citizen_content,
            OFFICER: self._officer_content,
            CASEWORKER: self._caseworker_content,
        }

    def routes(self) -> list[Route]:
        """Build `/login/{kind}`, its callback, `/logout/{kind}` and `/leave/{kind}`."""
        return [
            Route("/login/{kind}", self._begin, methods=["GET"]),
            Route("/login/{kind}/callback", self._finish, methods=["GET"]),
            Route("/logout/{kind}", self._leave, methods=["POST"]),
            Route("/leave/{kind}", self._leave_at_once, methods=["POST"]),
        ]

    async def require_citizen(self, request: Request) -> CitizenLogin:
        """Name the citizen who is logged in here. Raises `NotAuthenticated("login_required")`, `NotAllowed` (CSRF)."""
        content = (await self.session(request, CITIZEN)).content
        return CitizenLogin(Personal(content["cpr"]), content["nsis"], _at(content))

    async def require_signer(self, request: Request) -> CitizenLogin:
        """Name the citizen who logged in here just now, as a yes takes.

        Raises as `require_citizen`, and `NotAuthenticated("login_not_fresh")`.
        """
        login = await self.require_citizen(request)
        if not await self.may_sign(request):
            raise NotAuthenticated(NOT_FRESH)
        return login

    async def may_sign(self, request: Request) -> bool:
        """Tell whether the citizen's log-in is fresh enough to say yes by. Raises as `require_citizen`."""
        content = (await self.session(request, CITIZEN)).content
        return bool(content.get("tells_when")) and self._clock.now() - _at(content) <= FRESH

    async def require_officer(self, request: Request) -> OfficerLogin:
        """Name the officer who is logged in here. Raises as `require_citizen`."""
        return _officer((await self.session(request, OFFICER)).content)

    async def officer_left_alone(self, request: Request) -> OfficerLogin:
        """Name the officer whose page asks by itself, which keeps no session alive. Raises as `require_citizen`."""
        return _officer((await self.session(request, OFFICER, by_itself=True)).content)

    async def require_caseworker(self, request: Request) -> Caller:
        """Name the caseworker who is logged in here, acting through our own page as a registered system.

        The value is the same that `Gate.caller` gives. Raises as `require_citizen`, and `TooManyAsks` when a request
        that may be an ask goes over a ceiling.
        """
        session = await self.session(request, CASEWORKER)
        system = self._registrations.clients.get(self._faces.page_system or "")
        employer = None if system is None else self._registrations.employer_for(system, self._faces.page_employer)
        if system is None or employer is None:
            raise NotAuthenticated("login_required")
        caseworker = caseworker_from(
            session.content["caseworker"],
            issuer=employer.issuer,
            municipality=employer.municipality,
            refusal="login_required",
        )
        if request.method not in SAFE_METHODS:
            await self._ceilings.count(system.system, caseworker)
        return Caller(system.system, caseworker)

    async def session(self, request: Request, kind: str, *, by_itself: bool = False) -> Session:
        """Give the live session of this kind: its `csrf` goes into every form, its `idle_at` into the page's dialog.

        Asked again for the same request it costs nothing. Raises `NotAuthenticated("login_required")`, `NotAllowed`
        when the request changes something and was not sent by our own page, `LedHere` as `check_not_led_here` says.
        """
        found: dict[str, Session] = request.scope.setdefault("borgerbro.sessions", {})
        if kind not in found:
            find = self._book.find_as_it_stands if by_itself else self._book.find
            session = await find(request, kind)
            if session is None:
                raise NotAuthenticated("login_required")
            await check_same_site(request, session, self._address)
            if kind == OFFICER:
                check_not_led_here(request, session, self._clock.now())
            found[kind] = session
        return found[kind]

    def mark(self, *parts: str) -> str:
        """Give what a page of ours puts in its form so that a link which somebody else made brings no choice."""
        return self._book.mark(*parts)

    def seconds_left(self, session: Session) -> int:
        """Say in how many seconds a session ends if nothing is done."""
        return max(0, int((session.idle_at - self._clock.now()).total_seconds()))

    async def end_all(self, kind: str, owner: str) -> int:
        """End every session of a person on every node: a citizen by CPR number, others by the provider's `sub`."""
        return await self._book.end_all(kind, owner)

    async def _begin(self, request: Request) -> Response:
        client = self._client(request)
        anew, kind = "anew" in request.query_params, request.path_params["kind"]
        address, running = await client.begin(anew=anew)
        response = _redirect(address)
        # Where an officer goes is written in their name, so a site that leads them to log in does not choose it.
        led = kind == OFFICER and led_here(request)
        content = running | {"next": HOMES[kind] if led else own_path(request.query_params.get("next", "/"))}
        if anew:
            held = await self._book.find(request, kind)
            content["anew_for"] = held.content.get("owner", "") if held is not None else ""
        await self._book.open(response, _running(request), content, owner="", longest=RUNNING)
        return response

    async def _finish(self, request: Request) -> Response:
        client, kind = self._client(request), request.path_params["kind"]
        # Taken, not found: what the browser brings back serves one log-in, and only where that began.
        running = await self._book.take(request, _running(request))
        if running is None:
            raise NotAuthenticated(_EXPIRED)
        answer = dict(request.query_params)
        if len(answer) != len(request.query_params.multi_items()):
            raise NotAuthenticated("login_failed")
        try:
            proven = await client.finish(answer, running.content, self._clock.now())
        except NotAuthenticated as error:
            return self._back_unchanged(request, running.content, error)
        owner, content = self._read[kind](proven)
        # A link to log in anew carries what somebody chose: it is theirs, and a link from elsewhere brings none.
        others = running.content.get("anew_for", owner) != owner
        back_to = HOMES[kind] if others else running.content["next"]
        if back_to == HOMES[OFFICER] and content.get("role") == LEADER:
            back_to = LEADERS_HOME
        response = _redirect(back_to)
        self._book.forget(response, _running(request))
        await self._book.take(request, kind)
        kept = content | {
            "id_token": proven.id_token,
            "at": proven.authenticated_at.timestamp(),
            "tells_when": proven.tells_when,
            "owner": owner,
            "landing": (back_to, (self._clock.now() + LANDING).timestamp()),
        }
        await self._book.open(response, kind, kept, owner=owner)
        return response

    def _back_unchanged(self, request: Request, running: Mapping[str, Any], error: NotAuthenticated) -> Response:
        """Lead a citizen who broke a new log-in off back, the old one as it was; raise any other error."""
        if error.what != BROKEN_OFF or request.path_params["kind"] != CITIZEN or not running.get("anew_for"):
            raise error
        response = _redirect(running["next"])
        self._book.forget(response, _running(request))
        return response

    async def _leave(self, request: Request) -> Response:
        client, kind = self._client(request), request.path_params["kind"]
        if (session := await self._book.find(request, kind)) is not None:
            await check_same_site(request, session, self._address)
        response = _redirect("/")
        self._book.forget(response, kind)
        await self._book.take(request, kind)
        if session is not None and (address := await _farewell(client, session, f"{self._address}/")):
            response.headers["location"] = address
        return response

    async def _leave_at_once(self, request: Request) -> Response:
        """End the session and go to a page that tells nothing, whatever is amiss: who looks on must not wait (4.5)."""
        kind = request.path_params["kind"]
        if kind not in self._read:
            raise NotFound
        response = _redirect(self._exit)
        try:
            if not await self._came_from_us(request, kind):
                return response
            await self._book.take(request, kind)
        except StoreUnavailable:
            # The session ends by itself; the browser forgets it now.
            pass
        self._book.forget(response, kind)
        response.delete_cookie(LANGUAGE, path="/")
        return response

    async def _came_from_us(self, request: Request, kind: str) -> bool:
        """Tell whether our own page sent this: by its token, or by what the browser says of its own accord."""
        session = await self._book.find(request, kind)
        if session is None or request.headers.get("sec-fetch-site") == "same-origin":
            return True
        try:
            await check_same_site(request, session, self._address)
        except NotAllowed:
            return False
        return True

    def _client(self, request: Request) -> OpenIdClient:
        client = self._clients.get(request.path_params["kind"])
        if client is None:
            raise NotFound
        return client

    def _officer_content(self, proven: Proven) -> tuple[str, dict[str, Any]]:
        claims = proven.claims
        privileges = claims.get("nemlogin.privileges")
        held = [row for row in privileges if isinstance(row, dict)] if isinstance(privileges, list) else []
        seats = {
            (str(row.get("privilege")), self._faces.municipality_of_cvr[row["cvr"]], str(row.get("unit", "")))
            for row in held
            if row.get("cvr") in self._faces.municipality_of_cvr
        }
        role = next((role for role in OFFICER_ROLES if any(seat[0] == role for seat in seats)), None)
        if role is None:
            raise NotAuthenticated("no_role")
        name = claims.get("nemlogin.name")
        return claims["sub"], {
            "id": claims["sub"],
            "issuer": claims["iss"],
            "role": role,
            "municipalities": sorted({seat[1] for seat in seats if seat[0] == role}),
            "nsis": _nsis(claims),
            "name": name if isinstance(name, str) else None,
            "units": sorted(seat[1:] for seat in seats if seat[0] == LEADER and seat[2] and role in LEADING),
        }

    def _caseworker_content(self, proven: Proven) -> tuple[str, dict[str, Any]]:
        system = self._registrations.clients.get(self._faces.page_system or "")
        cvr = str(proven.claims.get("nemlogin.cvr"))
        if system is None or self._faces.municipality_of_cvr.get(cvr) != system.municipality:
            raise NotAuthenticated("no_role")
        claims = {**proven.claims, "nsis": _nsis(proven.claims), "auth_time": proven.authenticated_at.timestamp()}
        claims["cpr"] = proven.claims.get("nemlogin.cpr")
        caseworker = caseworker_from(claims, issuer="", municipality="", refusal="no_role")
        return claims["sub"], {"caseworker": caseworker_claims(caseworker) | private_claims(caseworker)}


def _officer(content: Mapping[str, Any]) -> OfficerLogin:
    return OfficerLogin(
        id=Personal(content["id"]),
        issuer=content["issuer"],
        role=content["role"],
        municipalities=frozenset(content["municipalities"]),
        nsis=content["nsis"],
        authenticated_at=_at(content),
        name=None if content["name"] is None else Personal(content["name"]),
        # A session of before units were read leads none.
        units=frozenset((home, unit) for home, unit in content.get("units", ())),
    )


def _citizen_content(proven: Proven) -> tuple[str, dict[str, Any]]:
    nsis = _nsis(proven.claims)
    told = proven.claims.get("dk.cpr")
    if not isinstance(told, str) or not CPR.fullmatch(told):
        raise NotAuthenticated("no_cpr")
    cpr = told.replace("-", "")
    return cpr, {"cpr": cpr, "nsis": nsis}


def _nsis(claims: Mapping[str, Any]) -> str:
    """Give the NSIS level of the log-in, if it is enough (`domain.md` 4.1)."""
    level = nsis_level(claims.get("loa"))
    if level not in {"Substantial", "High"}:
        raise NotAuthenticated("nsis_too_low")
    return str(level)


def _at(content: Mapping[str, Any]) -> datetime:
    return datetime.fromtimestamp(content["at"], UTC)


def _running(request: Request) -> str:
    return f"login-{request.path_params['kind']}"


def own_path(path: str) -> str:
    r"""Give a path of ours to go on to; whatever could lead to another host (`//`, `/\`, a scheme) leads home."""
    plain = path.startswith("/") and not path.startswith("//") and path.isprintable() and "\\" not in path
    if not plain or len(path) > LONGEST_PATH:
        return "/"
    parts = urlsplit(path)
    return path if not parts.scheme and not parts.netloc else "/"


def _redirect(address: str) -> Response:
    return RedirectResponse(address, 303, _NO_STORE)


async def _farewell(client: OpenIdClient, session: Session, back_to: str) -> str | None:
    """Give the address that ends the provider's session too; ours has ended whether the provider answers or not."""
    farewell: Awaitable[str | None] = client.farewell(session.content["id_token"], back_to)
    try:
        return await farewell
    except NotAuthenticated:
        return None
