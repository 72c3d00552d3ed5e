"""How a citizen wants to be told that there is something new: by which way, and how often. Pure.

Rules kept here:
- Whoever chose nothing is told in Digital Post, each time.
- Some things are told whatever was chosen: that one's data was fetched (GDPR art. 14), that on-call staff looked, that
  somebody else changed one's yes, that a breach touches one, and that this choice was changed.
- That it was changed, and a breach of security, is told in Digital Post, at once: nobody who holds somebody's phone
  can silence their letters.
- An address is used once a code that was sent there has come back: few tries, a short time, few codes a day.
- What changes nothing is no change. Changes are few a day, but for the one back to what holds where nobody chose.
- A day's codes and changes are a citizen's in the whole house, whichever municipality they are for.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from broker.domain.days import DANISH_TIME
from broker.domain.errors import BadAsk
from broker.domain.events import AuditEvent
from broker.domain.notices import BREACH, CHOSEN, EMERGENCY, FETCHED, MORNING, RECORDED
from broker.domain.personal import Personal

DIGITAL_POST, EMAIL, LEAST = "digital_post", "email", "least"
WAYS = (DIGITAL_POST, EMAIL, LEAST)
# Told whatever was chosen; and of these, what is told at once and in Digital Post.
ALWAYS = (FETCHED, EMERGENCY, RECORDED, CHOSEN, BREACH)
AT_ONCE = (CHOSEN, BREACH)
CODE_DIGITS = 6
CODE_LASTS = timedelta(minutes=30)
CODE_TRIES = 5
CODES_A_DAY = 5
CHANGES_A_DAY = 10
LONGEST_ADDRESS = 254
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(r"([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])")


@dataclass(frozen=True, slots=True)
class Choice:
    """What a citizen chose in one municipality. `address` is there with `EMAIL` alone, and was confirmed."""

    way: str = DIGITAL_POST
    weekly: bool = False
    address: Personal[str] | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """An address whose code has not come back yet. `mark` tells this code from a later one of the same citizen."""

    address: Personal[str]
    code: Personal[str]
    weekly: bool
    until: datetime
    mark: bytes = b""

    def is_proved(self, code: str, at: datetime) -> bool:
        """Tell whether a code is the one that was sent, in its time."""
        return self.code == Personal(code) and at < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticesChosen(AuditEvent):
    """A citizen chose how they are told that there is something new. No address stands here."""

    code: ClassVar[int] = 104
    name: ClassVar[str] = "notices.chosen"

    way: str  # "digital_post", "email" or "least"
    weekly: bool


def new_pending(address: Personal[str], *, weekly: bool, at: datetime) -> Pending:
    """Draw a code for an address."""
    code = "".join(secrets.choice("0123456789") for _ in range(CODE_DIGITS))
    return Pending(address, Personal(code), weekly, at + CODE_LASTS)


def address_from(text: str) -> Personal[str]:
    """Read an e-mail address (RFC 5321, its plain form); raise `BadAsk` for anything else.

    What a header would read as an encoded word (RFC 2047) is none: it says another address than it is.
    A domain with letters such as æ, ø and å is written as the network writes it.
    """
    local, _, domain = text.strip().rpartition("@")
    try:
        domain = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise BadAsk("/address", "no_address") from None
    address = f"{local}@{domain}"
    if not _LOCAL.fullmatch(local) or "=?" in local or len(local) > 64 or not _DOMAIN.fullmatch(domain):
        raise BadAsk("/address", "no_address")
    if len(address) > LONGEST_ADDRESS:
        raise BadAsk("/address", "no_address")
    return Personal(address)


def week_before(at: datetime) -> datetime:
    """Give the last Monday morning (9 o'clock, Danish time) that is over: what is told weekly was ready by then."""
    local = at.astimezone(DANISH_TIME)
    monday = local.date() - timedelta(days=local.weekday())
    ready = datetime.combine(monday, MORNING, DANISH_TIME)
    if ready > local:
        ready = datetime.combine(monday - timedelta(days=7), MORNING, DANISH_TIME)
    return ready
