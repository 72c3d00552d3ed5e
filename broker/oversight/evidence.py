"""An overseer takes out the evidence of one access, for an inspector; that is on the log before they have it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import sha256

from broker.domain.identity import OfficerLogin
from broker.domain.integrity import EvidenceMade
from broker.domain.receipts import Receipt
from broker.oversight.integrity import Desk, check_role
from broker.oversight.search import shows_to_its_own

Count = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Package:
    """A package as it is handed out, and where the log says that it was."""

    content: bytes = field(repr=False)
    receipt: Receipt


async def take_out(wanted: Receipt, officer: OfficerLogin, desk: Desk, count: Count) -> Package:
    """Make the package of one entry of the overseer's municipalities. The entry names its SHA-256.

    `count` holds the officer (handle) to a ceiling. Raises `NotAllowed`, `NotFound`, `TooManyAsks`, `Conflict` for one
    that is not signed yet or was changed, `LogUnavailable`.
    """
    check_role(officer)
    actor = await desk.handles.officer(officer)
    await count(actor)
    municipality, content = await desk.watch.evidences.of(wanted, officer.municipalities)
    found = await desk.reader.entry(wanted, municipalities=officer.municipalities)
    # Whom the line is about sees that its evidence was taken out, unless the line itself is kept back from them.
    subject = found.index["citizen"] if await shows_to_its_own(found, desk.reader) else actor
    event = EvidenceMade(
        municipality=municipality, subject=subject, actor=actor, at=desk.clock.now(), role=officer.role, log=wanted.log,
        line=wanted.index, digest=sha256(content).hexdigest(),
    )  # fmt: skip
    (receipt,) = await desk.log.append([event])
    return Package(content, receipt)
