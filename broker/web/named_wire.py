"""What an overseer writes to have an employee named or found: why, and the employer's own id of them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from broker.domain.errors import BadAsk
from broker.domain.personal import Personal
from broker.oversight.names import LONGEST_ID, LONGEST_WHY, Sought
from broker.web.access_wire import SearchBody
from broker.web.break_glass_wire import STRICT
from broker.web.kept_wire import NUMBER

LONGEST_ISSUER = 2000
Why = Annotated[str, Field(min_length=1, max_length=LONGEST_WHY, repr=False, description="In your own words")]


class WhyBody(BaseModel):
    """Why a name is wanted."""

    model_config = STRICT

    reason: Why


class EmployeeBody(BaseModel):
    """An employee, by the id that their employer's log-in states."""

    model_config = STRICT

    id: Annotated[str, Field(min_length=1, max_length=LONGEST_ID, repr=False)]
    issuer: Annotated[
        str, Field(max_length=LONGEST_ISSUER, description="The employer's, where your municipalities have several")
    ] = ""


class EmployeeSearchBody(SearchBody):
    """A search for a named employee's lines; all else narrows it. Its `reason` is a code, as in every search."""

    employee: EmployeeBody
    why: Why


def why_from(text: str) -> Personal[str]:
    """Take why; raise `BadAsk` where there is no word, more than fits, a control sign, or a CPR number."""
    words = text.replace("\r\n", "\n").strip()
    if not 0 < len(words) <= LONGEST_WHY or not words.replace("\n", "").isprintable() or NUMBER.search(words):
        raise BadAsk("/why")
    return Personal(words)


def sought_from(person: str, issuer: str) -> Sought:
    """Take whom is looked for; raise `BadAsk` for what can be no id."""
    wanted = person.strip()
    if not 0 < len(wanted) <= LONGEST_ID or not wanted.isprintable():
        raise BadAsk("/employee/id")
    return Sought(Personal(wanted), issuer)
