"""What went out on which yes as rows: noted with the outcome that hands it out, and read back for its citizen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from broker.adapters.database import Connection
from broker.domain.consents import Consent
from broker.domain.stops import Handed, HandedOut, Received

_KNOWN = "SELECT line FROM consents.handed_out WHERE line = ANY ($1)"
# By line, so that two who note the same at once wait for each other in one order; a line of another's stays out.
_NOTE = """
INSERT INTO consents.handed_out (line, municipality, unit, consent, at)
SELECT l.id, l.municipality, c.unit, c.id, $3
FROM consents.line l JOIN consents.consent c ON c.id = l.consent
WHERE l.id = ANY ($1) AND l.municipality = $2 ORDER BY l.id ON CONFLICT (line) DO NOTHING
"""
# log.shown_from: at once, or when the law keeps it back no more, from whoever's data it is, whoever said yes, or whose
# case it is.
_SHOWN = """to_timestamp(greatest(
    log.shown_from(l.subject, c.unit, '{kind}', floor(extract(epoch FROM {at}))::bigint),
    log.shown_from(l.giver, c.unit, '{kind}', floor(extract(epoch FROM {at}))::bigint),
    log.shown_from(c.citizen, c.unit, '{kind}', floor(extract(epoch FROM {at}))::bigint)))"""
USES = f"""
SELECT u.consent, u.at, u.month, max({_SHOWN.format(kind="outcome", at="u.at")}) AS shown_from
FROM consents.consent_use u JOIN consents.line l ON l.consent = u.consent JOIN consents.consent c ON c.id = u.consent
WHERE u.consent = ANY ($1) GROUP BY u.consent, u.ask, u.at, u.month ORDER BY u.at DESC
"""  # noqa: S608 - only our own words are joined here
_HANDED = f"""
SELECT h.consent, h.line, {_SHOWN.format(kind="outcome", at="h.at")} AS shown_from
FROM consents.handed_out h JOIN consents.line l ON l.id = h.line JOIN consents.consent c ON c.id = h.consent
WHERE h.consent = ANY ($1) ORDER BY h.line
"""  # noqa: S608 - only our own words are joined here
_RECEIVED = f"""
SELECT r.consent, r.step, r.at, max({_SHOWN.format(kind="stop.received", at="r.at")}) AS shown_from
FROM consents.stop_received r JOIN consents.line l ON l.consent = r.consent JOIN consents.consent c ON c.id = r.consent
WHERE r.consent = ANY ($1) GROUP BY r.consent, r.step, r.by, r.at ORDER BY r.step, r.at
"""  # noqa: S608 - only our own words are joined here


async def known_lines(connection: Connection, handed: Sequence[Handed]) -> set[str]:
    """Tell on which of these lines something went out before."""
    found = await connection.fetch(_KNOWN, [UUID(one.line) for one in handed])
    return {str(row["line"]) for row in found}


async def note_handed(connection: Connection, handed: Sequence[Handed]) -> None:
    """Note, in the transaction of its outcome, on which lines of one municipality something goes out."""
    if handed:
        first = handed[0]
        await connection.execute(_NOTE, [UUID(one.line) for one in handed], first.municipality, first.at)


async def with_told(connection: Connection, consents: Sequence[Consent]) -> tuple[Consent, ...]:
    """Tell with each consent on which of its lines something went out, and which stops were received."""
    ids = [UUID(consent.id) for consent in consents]
    handed: dict[str, list[HandedOut]] = defaultdict(list)
    received: dict[str, list[Received]] = defaultdict(list)
    rows: Sequence[Any] = await connection.fetch(_HANDED, ids)
    for row in rows:
        handed[str(row["consent"])].append(HandedOut(str(row["line"]), row["shown_from"]))
    for row in await connection.fetch(_RECEIVED, ids):
        received[str(row["consent"])].append(Received(row["step"], row["at"], row["shown_from"]))
    return tuple(
        replace(consent, handed=tuple(handed[consent.id]), received=tuple(received[consent.id])) for consent in consents
    )
