"""The doors that only the web needs: what was seen before, who is logged in, how much was asked, whose token it is.

They speak in plain bytes and words of the domain, so that adapters need to know nothing of the web.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from broker.domain.identity import Caseworker, System


class Replay(Protocol):
    """The memory of what may be used once; shared by all nodes. Raises `StoreUnavailable`."""

    async def first_use(self, key: bytes, *, issued_at: datetime, keep_until: datetime) -> bool:
        """Remember a key (a hash) and say whether this is surely its first use.

        No when the key was seen before, or when what bears it was issued before this memory began: after a crash the
        memory is empty, and what was used just before could otherwise be used again (`design.md` 6b l).
        """


class Ceilings(Protocol):
    """How much may be asked within a while, counted over all nodes. Raises `TooManyAsks`, `StoreUnavailable`."""

    async def count(self, system: System, caseworker: Caseworker | None) -> None:
        """Count one ask for the municipality, the system and the caseworker, or refuse it."""

    async def count_look(self, citizen: str) -> None:
        """Count one live look of a citizen (handle) at their own data, or refuse it."""

    async def count_package(self, officer: str) -> None:
        """Count one file of a citizen's that an officer (handle) makes, within a day, or refuse it."""

    async def count_name(self, officer: str) -> None:
        """Count one employee's name that an officer (handle) puts together with a code, within a day, or refuse it."""

    async def count_search(self, officer: str) -> None:
        """Count one search that names somebody, by an officer (handle), within a day, or refuse it."""

    async def count_line(self, officer: str) -> None:
        """Count one line of the log that an officer (handle) opens, within a day, or refuse it."""

    async def count_evidence(self, officer: str) -> None:
        """Count one line whose evidence an officer (handle) takes out, within a day, or refuse it."""

    async def count_touched(self, officer: str) -> None:
        """Count one reading of a log for whom a breach touches, by an officer (handle), within a day, or refuse it."""

    async def count_paper(self, officer: str) -> None:
        """Count one report or fact sheet that an officer (handle) has made, within a day, or refuse it."""


class Tokens(Protocol):
    """Access tokens: made and read with the broker's own keys."""

    def mint(self, claims: Mapping[str, Any], private: Mapping[str, Any] | None = None) -> str:
        """Sign the claims as an access token (RFC 9068); the private ones are in it so that only we can read them."""

    def read(self, token: str, now: datetime) -> Mapping[str, Any]:
        """Give all claims of a live token that we made, or raise `NotAuthenticated("invalid_token")`."""

    def public_jwks(self) -> dict[str, Any]:
        """Give the public keys as a JWK set (RFC 7517)."""


class Records(Protocol):
    """Consent records as signed documents, with a key of the house's own."""

    def signed(self, record: Mapping[str, Any]) -> bytes:
        """Give the document of one record, as canonical JSON."""

    def exported(self, records: Sequence[Mapping[str, Any]]) -> bytes:
        """Give many documents as one file."""

    def public_jwks(self) -> dict[str, Any]:
        """Give the public keys as a JWK set, those that signed before too."""


class RecordIssuers(Protocol):
    """Those whose signed consent records count."""

    def opened(self, document: str, municipality: str) -> Mapping[str, Any]:
        """Give the record of a document, held against its schema; raise `BadAsk` where nobody who counts signed it."""


class Sessions(Protocol):
    """Who is logged in: sealed bytes under the hash of an id that only the browser has. Raises `StoreUnavailable`."""

    async def open(self, key: bytes, sealed: bytes, owner: bytes, *, idle_at: datetime, ends_at: datetime) -> None:
        """Keep a new session. `owner` is a keyed hash of the person, by which all their sessions can be ended."""

    async def use(self, key: bytes, *, now: datetime, idle_at: datetime) -> bytes | None:
        """Give a live session's content and put off its idle end; None when there is none or it has ended."""

    async def look(self, key: bytes, *, now: datetime) -> tuple[bytes, datetime] | None:
        """Give a live session's content and when it ends if nothing is done, and put nothing off; None as `use`."""

    async def take(self, key: bytes, *, now: datetime) -> bytes | None:
        """Give a live session's content and end it in the same statement, so that it serves once."""

    async def close(self, key: bytes) -> None:
        """End a session."""

    async def close_all(self, owner: bytes) -> int:
        """End every session of a person, and say how many there were."""


class PublicLog(Protocol):
    """The logs' public files (C2SP tlog-tiles). Raises `NotFound`, `TooManyAsks`, `StoreUnavailable`."""

    async def checkpoint(self, origin: str) -> str:
        """Give a log's newest checkpoint, a signed note."""

    async def tile(self, origin: str, path: str) -> bytes:
        """Give a tile or entry bundle by its path below the log; never more than the newest checkpoint covers."""


class Condition(Protocol):
    """How a source does: how its reads ended so far, how many are under way, and whether it is left alone."""

    @property
    def reads(self) -> Mapping[str, int]:
        """How many reads ended with which word: `answered`, `resting`, or why there was no answer."""

    @property
    def under_way(self) -> int:
        """How many reads the source is answering now."""

    @property
    def rests(self) -> bool:
        """Whether it is left alone after failures in a row, but for a try now and then."""


class Watched(Protocol):
    """Something whose condition the operator may see."""

    @property
    def condition(self) -> Condition:
        """Tell how it does; asks it nothing."""


class Tallied(Protocol):
    """A door that counts how its answers came, for the operator."""

    @property
    def tally(self) -> Mapping[str, int]:
        """How many calls ended with which word: `answered`, or why not."""


__all__ = [
    "Ceilings",
    "Condition",
    "PublicLog",
    "RecordIssuers",
    "Records",
    "Replay",
    "Sessions",
    "Tallied",
    "Tokens",
    "Watched",
]
