"""The door `NoticeChoices` over PostgreSQL: each choice commits with the event that says so, or not at all.

Addresses and codes lie sealed under the citizen's key: where that is gone, nobody is written to by e-mail (P9).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from broker.adapters.audit_log import AuditLogPostgres
from broker.adapters.database import Connection, Pool, Scope, scoped
from broker.adapters.handles_vault import HandlesVault
from broker.adapters.outbox_rows import add_notices, seal_notices
from broker.adapters.sealing import DoesNotOpen, derive, seal, unseal
from broker.domain.days import DANISH_TIME
from broker.domain.errors import Conflict
from broker.domain.notice_choices import CHANGES_A_DAY, CODE_TRIES, CODES_A_DAY, EMAIL, Choice, NoticesChosen, Pending
from broker.domain.notices import Notice
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt

_USE = "notice address"
# One citizen's choices and codes change one after another, in whichever municipalities of the house at once.
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock($1, hashtext($2))"
LOCK = 6_210_774
_KEEP = """
INSERT INTO notices.choice AS c (municipality, citizen, way, weekly, sealed_address, at, day, changes)
VALUES ($1, $2, $3, $4, $5, $6, $7, 1)
ON CONFLICT (municipality, citizen) DO UPDATE SET way = $3, weekly = $4, sealed_address = $5, at = $6,
    day = greatest(c.day, $7), changes = CASE WHEN c.day < $7 THEN 1 ELSE c.changes + 1 END
"""
_CODE = """
INSERT INTO notices.code AS c (municipality, citizen, sealed, weekly, until_at, tries, day, codes)
VALUES ($1, $2, $3, $4, $5, 0, $6, 1)
ON CONFLICT (municipality, citizen) DO UPDATE SET sealed = $3, weekly = $4, until_at = $5, tries = 0,
    day = greatest(c.day, $6), codes = CASE WHEN c.day < $6 THEN 1 ELSE c.codes + 1 END
"""
# Of a later day too: a clock that was set back gives nobody new ones.
_CODES_TODAY = "SELECT coalesce(sum(codes), 0) FROM notices.code WHERE citizen = $1 AND day >= $2"
_CHANGES_TODAY = "SELECT coalesce(sum(changes), 0) FROM notices.choice WHERE citizen = $1 AND day >= $2"
_TRY = """
UPDATE notices.code SET tries = tries + 1
WHERE municipality = $1 AND citizen = $2 AND sealed IS NOT NULL AND tries < $3 AND until_at > $4 RETURNING *
"""
_USED = """
UPDATE notices.code SET sealed = NULL WHERE municipality = $1 AND citizen = $2 AND sealed = $3 RETURNING true
"""
_FORGET_CODE = "UPDATE notices.code SET sealed = NULL WHERE municipality = $1 AND citizen = $2"


class NoticeChoicesSql:
    """Choices in the main database; addresses sealed with the vault's keys."""

    def __init__(self, pool: Pool, log: AuditLogPostgres, vault: HandlesVault) -> None:
        self._pool = pool
        self._log = log
        self._vault = vault

    async def of_citizen(self, citizen: str) -> Mapping[str, Choice]:
        """Give what a citizen chose, by municipality; where they chose nothing there is nothing."""
        async with scoped(self._pool, Scope(citizen=citizen), snapshot=True) as connection:
            rows = await connection.fetch("SELECT * FROM notices.choice WHERE citizen = $1", citizen)
        return await opened_choices(rows, self._vault)

    async def await_code(self, municipality: str, citizen: str, pending: Pending, at: datetime) -> None:
        """Keep a code that is to come back, in place of an earlier one. Raises `Conflict` after too many in a day."""
        key = (await self._vault.keys([(citizen, municipality)]))[citizen, municipality]
        plain = f"{pending.code.disclose()} {pending.address.disclose()}"
        sealed = seal(derive(key, _USE), plain.encode(), _place(municipality, citizen, "code"))
        day = at.astimezone(DANISH_TIME).date()
        async with scoped(self._pool, Scope(municipality=municipality, citizen=citizen)) as connection:
            await connection.execute(_ONE_AT_A_TIME, LOCK, citizen)
            if await connection.fetchval(_CODES_TODAY, citizen, day) >= CODES_A_DAY:
                raise Conflict("too_many_codes")
            await connection.execute(_CODE, municipality, citizen, sealed, pending.weekly, pending.until, day)

    async def take_try(self, municipality: str, citizen: str, at: datetime) -> Pending | None:
        """Count one try of the code that waits and give it; None where none waits, or its tries or time are over."""
        async with scoped(self._pool, Scope(municipality=municipality)) as connection:
            row = await connection.fetchrow(_TRY, municipality, citizen, CODE_TRIES, at)
        return None if row is None else await self._pending(row)

    async def keep(
        self, choice: Choice, event: NoticesChosen, *, proved: Pending | None = None, tell: Sequence[Notice] = ()
    ) -> Receipt | None:
        """Keep a choice; None where it changes nothing, which then is written nowhere and told to nobody.

        `proved` is the code that came back, where one had to. It can be used once. Raises `Conflict` where that code
        waits no more, and after too many changes in a day; back to what holds where nobody chose is always open.
        """
        whose = (event.municipality, event.subject)
        keys = await self._log.prepare([event])
        waiting = await seal_notices(tell, self._vault)
        sealed = await self._sealed(*whose, choice)
        own_key = (await self._vault.held_keys([(event.subject, event.municipality)])).get((event.subject, whose[0]))
        day = event.at.astimezone(DANISH_TIME).date()
        async with scoped(self._pool, Scope(municipality=event.municipality, citizen=event.subject)) as connection:
            await connection.execute(_ONE_AT_A_TIME, LOCK, event.subject)
            await _use_code(connection, *whose, proved)
            rows = await choices_of(connection, event.municipality, [event.subject])
            if choice == (open_choice(rows[0], own_key) if rows else Choice()):
                return None
            if choice != Choice() and await connection.fetchval(_CHANGES_TODAY, event.subject, day) >= CHANGES_A_DAY:
                raise Conflict("too_many_changes")
            await connection.execute(_KEEP, *whose, choice.way, choice.weekly, sealed, event.at, day)
            await add_notices(connection, waiting)
            (receipt,) = await self._log.append_within(connection, [event], keys)
        return receipt

    async def _sealed(self, municipality: str, citizen: str, choice: Choice) -> bytes | None:
        if choice.way != EMAIL or choice.address is None:
            return None
        key = (await self._vault.keys([(citizen, municipality)]))[citizen, municipality]
        return seal(derive(key, _USE), choice.address.disclose().encode(), _place(municipality, citizen, "address"))

    async def _pending(self, row: Any) -> Pending | None:
        municipality, citizen = row["municipality"], row["citizen"]
        key = (await self._vault.held_keys([(citizen, municipality)])).get((citizen, municipality))
        if key is None:
            return None
        try:
            plain = unseal(derive(key, _USE), row["sealed"], _place(municipality, citizen, "code")).decode()
        except DoesNotOpen:
            return None
        code, _, address = plain.partition(" ")
        return Pending(Personal(address), Personal(code), row["weekly"], row["until_at"], row["sealed"])


async def _use_code(connection: Connection, municipality: str, citizen: str, proved: Pending | None) -> None:
    if proved is None:
        await connection.execute(_FORGET_CODE, municipality, citizen)
    elif not await connection.fetchval(_USED, municipality, citizen, proved.mark):
        raise Conflict("no_code_waits")


async def choices_of(connection: Connection, municipality: str, citizens: Sequence[str]) -> list[Any]:
    """Read what some citizens chose in a municipality, in the caller's own transaction."""
    return list(
        await connection.fetch(
            "SELECT * FROM notices.choice WHERE municipality = $1 AND citizen = ANY ($2)", municipality, citizens
        )
    )


async def opened_choices(rows: Sequence[Any], vault: HandlesVault) -> dict[str, Choice]:
    """Open choices of one citizen, by municipality."""
    keys = await vault.held_keys({(row["citizen"], row["municipality"]) for row in rows}) if rows else {}
    return {row["municipality"]: open_choice(row, keys.get((row["citizen"], row["municipality"]))) for row in rows}


def open_choice(row: Any, key: bytes | None) -> Choice:
    """Open one choice; whose address does not open is told in Digital Post."""
    if row["sealed_address"] is None or key is None:
        return Choice() if row["way"] == EMAIL else Choice(row["way"], row["weekly"])
    place = _place(row["municipality"], row["citizen"], "address")
    try:
        address = unseal(derive(key, _USE), row["sealed_address"], place).decode()
    except DoesNotOpen:
        return Choice()
    return Choice(EMAIL, row["weekly"], Personal(address))


def _place(municipality: str, citizen: str, what: str) -> str:
    return f"{municipality} {citizen} {what}"
