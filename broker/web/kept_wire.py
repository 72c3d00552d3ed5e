"""What of a search of the log can be kept, in an address or under a name: codes, days and the order, never a person."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from broker.domain.errors import BadAsk
from broker.domain.personal import Personal
from broker.web.pages.filters import wish_of
from broker.web.wire import CODE

Code = Annotated[str, Field(pattern=rf"^$|{CODE}")]
LONGEST_NAME = 60
NUMBER = re.compile(r"\d{6}[\s-]*\d{4}")
Day = Annotated[str, Field(max_length=10)]


class CodesKept(BaseModel):
    """The fields that can be kept, empty where any will do; as JSON it has no others."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    kind: Code = ""
    unit: Code = ""
    purpose: Code = ""
    outcome: Code = ""
    reason: Code = ""
    source: Code = ""
    basis: Code = ""
    holder: Code = ""
    municipality: Code = ""
    since: Day = ""
    until: Day = ""
    emergency: Literal["", "yes", "no"] = ""
    order: Literal["", "oldest"] = ""


NAMES = tuple(CodesKept.model_fields)


def name_of(text: str) -> Personal[str]:
    """Take the name of a search; raise `BadAsk` for none, a long one, control signs, or a CPR number."""
    words = text.strip()
    if not 0 < len(words) <= LONGEST_NAME or not words.isprintable() or NUMBER.search(words):
        raise BadAsk("/name")
    return Personal(words)


def kept_codes(body: CodesKept) -> dict[str, str]:
    """Give what is filled in; raise `BadAsk` for a day that does not exist."""
    kept = {name: getattr(body, name) for name in NAMES if getattr(body, name)}
    for name, _ in wish_of(kept).faults:
        raise BadAsk(f"/criteria/{name}")
    return kept
