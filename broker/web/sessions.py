"""Sessions of people at our pages: an id that only the browser has, content that only we can read.

Rules kept here:
- The cookie holds 256 random bits and nothing else; the database holds their hash, and sealed content, for a CPR number
  is in it, under our secret and that id together. So a copy of the database opens no session and tells nothing, not
  even to whoever has our secret too: when the session is over, nobody can read it any more.
- Idle for a quarter of an hour or an hour old, a session has ended. A log-in always gets a new id.
- A page that loads itself again is no sign of anybody: it does not put off the idle end (`find_as_it_stands`).
- An officer's look is written in their name: another site cannot lead their browser to one (`check_not_led_here`).
- A request that changes something needs the session's token, and comes from our own pages (`check_same_site`).
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hmac import compare_digest
from hmac import digest as hmac_digest
from typing import Any
from urllib.parse import urlsplit

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from starlette.requests import Request
from starlette.responses import Response

from broker.domain.errors import LedHere, NotAllowed
from broker.ports import Clock
from broker.web.doors import Sessions

IDLE = timedelta(minutes=15)
LONGEST = timedelta(minutes=60)
LANDING = timedelta(minutes=1)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_FIELD = "csrf"
CSRF_HEADER = "x-csrf-token"
_KEY_SIZE = 32
_NONCE_SIZE = 12
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(frozen=True, slots=True)
class Session:
    """One live session: what was kept in it, the token its forms carry, and when it ends."""

    content: Mapping[str, Any] = field(repr=False)
    csrf: str = field(repr=False)
    idle_at: datetime
    ends_at: datetime


class SessionBook:
    """Opens, finds and ends sessions. `purpose` keeps citizen, officer, caseworker and running log-ins apart."""

    def __init__(
        self,
        sessions: Sessions,
        key: bytes,
        clock: Clock,
        public_address: str,
        *,
        idle: timedelta = IDLE,
        longest: timedelta = LONGEST,
    ) -> None:
        """Take the door, a secret of 32 bytes, and our public address. Raises `ValueError` for another size."""
        if len(key) != _KEY_SIZE:
            raise ValueError("the session key has 32 bytes")
        self._sessions = sessions
        self._seal_key = hmac_digest(key, b"seal", "sha256")
        self._owner_key = hmac_digest(key, b"owner", "sha256")
        self._mark_key = hmac_digest(key, b"mark", "sha256")
        self._clock = clock
        self._idle = idle
        self._longest = longest
        self.secure = urlsplit(public_address).scheme == "https"

    async def open(
        self,
        response: Response,
        purpose: str,
        content: Mapping[str, Any],
        *,
        owner: str,
        longest: timedelta | None = None,
    ) -> None:
        """Open a session with a new id and put its cookie on the response. `owner` is who can be logged out by name."""
        id_ = secrets.token_urlsafe(_KEY_SIZE)
        key = _hashed(purpose, id_)
        now = self._clock.now()
        ends_at = now + (longest or self._longest)
        kept = {"content": content, "csrf": secrets.token_urlsafe(_KEY_SIZE), "ends_at": ends_at.timestamp()}
        nonce = os.urandom(_NONCE_SIZE)
        sealed = nonce + self._seal(id_).encrypt(nonce, orjson.dumps(kept), key)
        await self._sessions.open(
            key, sealed, self._owned(purpose, owner), idle_at=min(now + self._idle, ends_at), ends_at=ends_at
        )
        response.set_cookie(self._cookie(purpose), id_, httponly=True, samesite="lax", secure=self.secure, path="/")

    async def find(self, request: Request, purpose: str) -> Session | None:
        """Give the live session of this browser and put off its idle end; None when there is none."""
        id_ = request.cookies.get(self._cookie(purpose))
        if not id_:
            return None
        key, now = _hashed(purpose, id_), self._clock.now()
        return self._opened(await self._sessions.use(key, now=now, idle_at=now + self._idle), id_, key, now)

    async def find_as_it_stands(self, request: Request, purpose: str) -> Session | None:
        """Give the live session of this browser and put nothing off; None when there is none."""
        id_ = request.cookies.get(self._cookie(purpose))
        if not id_:
            return None
        key, now = _hashed(purpose, id_), self._clock.now()
        found = await self._sessions.look(key, now=now)
        session = None if found is None else self._opened(found[0], id_, key, now)
        return session if session is None or found is None else replace(session, idle_at=found[1])

    def forget(self, response: Response, purpose: str) -> None:
        """Take the cookie out of the browser."""
        response.delete_cookie(self._cookie(purpose), httponly=True, samesite="lax", secure=self.secure, path="/")

    async def take(self, request: Request, purpose: str) -> Session | None:
        """Give the session of this browser once and end it; None when there is none."""
        id_ = request.cookies.get(self._cookie(purpose))
        if not id_:
            return None
        key, now = _hashed(purpose, id_), self._clock.now()
        return self._opened(await self._sessions.take(key, now=now), id_, key, now)

    async def end_all(self, purpose: str, owner: str) -> int:
        """End every session of a person, on every node, and say how many there were."""
        return await self._sessions.close_all(self._owned(purpose, owner))

    def mark(self, *parts: str) -> str:
        """Give what shows that an address comes from our own page, also over a new log-in; it lets nobody change."""
        return hmac_digest(self._mark_key, "\0".join(parts).encode(), "sha256").hex()[:32]

    def _seal(self, id_: str) -> AESGCM:
        """Make the cipher of one session: of our secret and of the id that only its browser has."""
        return AESGCM(hmac_digest(self._seal_key, id_.encode(), "sha256"))

    def _opened(self, sealed: bytes | None, id_: str, key: bytes, now: datetime) -> Session | None:
        if sealed is None:
            return None
        try:
            kept = orjson.loads(self._seal(id_).decrypt(sealed[:_NONCE_SIZE], sealed[_NONCE_SIZE:], key))
        except InvalidTag:
            # Sealed under a key that is no longer ours, or moved there from another row.
            return None
        ends_at = datetime.fromtimestamp(kept["ends_at"], tz=now.tzinfo)
        return Session(kept["content"], kept["csrf"], min(now + self._idle, ends_at), ends_at)

    def _cookie(self, purpose: str) -> str:
        # The prefix makes browsers refuse the cookie from any other host or path (RFC 6265bis).
        return f"__Host-{purpose}" if self.secure else purpose

    def _owned(self, purpose: str, owner: str) -> bytes:
        return hmac_digest(self._owner_key, f"{purpose}\0{owner}".encode(), "sha256")


def _hashed(purpose: str, id_: str) -> bytes:
    return hashlib.sha256(f"{purpose}\0{id_}".encode()).digest()


async def check_same_site(request: Request, session: Session, public_address: str) -> None:
    """Refuse a change that does not come from our own pages, or without the session's token. Raises `NotAllowed`.

    Browsers say where a request comes from (`Sec-Fetch-Site`, `Origin`); what does not say so still needs the token,
    from the field `csrf` of a form or the header `X-CSRF-Token`.
    """
    if request.method in SAFE_METHODS:
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    elsewhere = site not in {None, "same-origin"} or origin not in {None, _origin(public_address)}
    token = await _csrf_token(request)
    if elsewhere or not compare_digest(token.encode(), session.csrf.encode()):
        raise NotAllowed


def led_here(request: Request) -> bool:
    """Tell whether another site led the browser here; one too old to say where it comes from is believed."""
    return request.headers.get("sec-fetch-site") not in {None, "same-origin", "none"}


def check_not_led_here(request: Request, session: Session, now: datetime) -> None:
    """Refuse a look that another site led the browser to: what officers look at is written in their name.

    Only where the log-in itself leads to, in the minute after it, is come to by way of another site. Raises `LedHere`.
    """
    if request.method not in SAFE_METHODS or not led_here(request):
        return
    query = f"?{request.url.query}" if request.url.query else ""
    path, until = session.content.get("landing", ("", 0.0))
    if path != f"{request.url.path}{query}" or now.timestamp() > until:
        raise LedHere


async def _csrf_token(request: Request) -> str:
    if (token := request.headers.get(CSRF_HEADER)) is not None:
        return token
    if not request.headers.get("content-type", "").lower().startswith(_FORMS):
        return ""
    field_ = (await request.form(max_files=0, max_fields=200)).get(CSRF_FIELD)
    return field_ if isinstance(field_, str) else ""


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
