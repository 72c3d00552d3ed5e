"""What came in a form, read once the sender is known; and what is wrong with it, field by field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

B = TypeVar("B", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Sent:
    """The fields of a form. Values are read by name and never printed."""

    fields: Mapping[str, Sequence[str]] = field(repr=False)

    def one(self, name: str) -> str:
        """Give a field's first value without the spaces around it; nothing sent is nothing written."""
        return next(iter(self.fields.get(name, ())), "").strip()

    def every(self, name: str) -> tuple[str, ...]:
        """Give all values of a field that may stand several times."""
        return tuple(self.fields.get(name, ()))

    def filled(self, *names: str) -> dict[str, str]:
        """Give those of these fields that were filled in."""
        return {name: self.one(name) for name in names if self.one(name)}


async def sent(request: Request) -> Sent:
    """Read a form. Whoever calls has let the log-in's gate judge it first."""
    form = await request.form(max_files=0, max_fields=200)
    fields: dict[str, list[str]] = {}
    for name, value in form.multi_items():
        if isinstance(value, str):
            fields.setdefault(name, []).append(value)
    return Sent(fields)


def read(model: type[B], values: Mapping[str, Any]) -> tuple[B | None, frozenset[str]]:
    """Read values into a body; else name the fields that are wrong. The values themselves are not repeated."""
    try:
        return model.model_validate(values), frozenset()
    except ValidationError as error:
        return None, frozenset(str(row["loc"][0]) for row in error.errors(include_input=False) if row["loc"])
