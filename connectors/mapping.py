"""From a source's own record to our item, by configuration: JMESPath expressions compiled once, at the start.

What a mapping may say stands in `mapping.schema.json`, in words in `README.md`. A record that does not fit its mapping
is `Malformed`: it is dropped and counted, never guessed at. A code or a time that is not understood is left out of an
item that otherwise fits, and counted too.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any, Final

import jmespath
from jmespath.exceptions import JMESPathError
from jsonschema import Draft202012Validator

from broker.domain.items import Item, ItemPerson, LawRef, Visit
from broker.domain.personal import Personal
from connectors import values
from connectors.codes import KNOWN
from connectors.values import Malformed

SCHEMA: Final[dict[str, Any]] = json.loads(Path(__file__).with_name("mapping.schema.json").read_text("utf-8"))

_NAMES: Final = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)

# At most so many of each inside one record: a bound on what one record can make us do.
MOST_PARTS = 100


class SettingsUnusable(ValueError):
    """A source's settings or mapping cannot be used. Says where and what was expected."""


@dataclass(frozen=True, slots=True)
class Field:
    """How one value is read from a record: an expression or a constant, then a translation of codes if there is one."""

    path: Callable[[Any], Any] | None
    constant: Any = None
    codes: Mapping[str, str] | None = None

    def of(self, record: Any) -> Any:
        """Give the raw value, before codes. Raises `Malformed` when the expression does not fit the record."""
        if self.path is None:
            return self.constant
        try:
            return self.path(record)
        except (JMESPathError, ValueError, TypeError, RecursionError):
            raise Malformed from None


@dataclass(frozen=True, slots=True)
class Part:
    """A repeated part of a record, such as its visits: where its rows are, and the fields of one row."""

    each: Field
    fields: Mapping[str, Field]

    def rows(self, record: Any) -> Iterator[Callable[[str], Any]]:
        """Yield a reader of fields for each row; a field that the mapping leaves out reads as None."""
        for row in _listed(self.each.of(record)):
            yield partial(_cell, self.fields, row)


@dataclass(frozen=True, slots=True)
class Read:
    """One question to a source about one category, and how its records become items."""

    category: str
    ask: Mapping[str, Any]
    records: Field | None
    person: Field | None
    keep: Field | None
    fields: Mapping[str, Field]
    parts: Mapping[str, tuple[Part, ...]]

    def concerns(self, record: Any, names: frozenset[str]) -> bool:
        """Tell whether the record is about the subject, whom the source knows by these names. Raises `Malformed`.

        A mapping without `person` says openly that the source's records do not tell whom they concern.
        """
        if self.person is None:
            return True
        told = self.person.of(record)
        texts = [one for one in _listed(told) if isinstance(one, str)]
        return any((values.cpr_digits(one) or one) in names for one in texts)

    def is_of_category(self, record: Any) -> bool:
        """Tell whether the record belongs to the category that was asked for, as far as the mapping can tell."""
        return self.keep is None or self.keep.of(record) is True


def compile_reads(kind: str, reads: Mapping[str, Any]) -> tuple[Read, ...]:
    """Check a source's `reads` and make them ready, ordered by category. Raises `SettingsUnusable`.

    Sources with the same mapping share what is made of it: a country's 300 sources have a handful of mappings.
    """
    return _compiled(kind, _Written(repr(reads), copy.deepcopy(reads)))


@dataclass(frozen=True, slots=True)
class _Written:
    """A mapping, known by how it is written; unlike JSON that tells 1 from "1", and a day from a text."""

    text: str
    reads: Mapping[str, Any] = field(compare=False, repr=False)


@lru_cache(maxsize=64)
def _compiled(kind: str, written: _Written) -> tuple[Read, ...]:
    reads = written.reads
    check_settings(f"{kind}_reads", reads, "reads")
    compiled: list[Read] = []
    for category in sorted(reads):
        for number, raw in enumerate(reads[category]):
            compiled.append(_read(category, raw, f"reads.{category}[{number}]"))
    return tuple(compiled)


def check_settings(definition: str, settings: Any, place: str) -> None:
    """Hold settings against a named part of the schema. Raises `SettingsUnusable` with every fault."""
    validator = Draft202012Validator({"$ref": f"#/$defs/{definition}", "$defs": SCHEMA["$defs"]})
    faults = [
        # An address may hold a password, so what does not fit a pattern is not repeated.
        f"{place}{error.json_path[1:]}: "
        + (f"does not fit {error.validator_value}" if error.validator == "pattern" else error.message)
        for error in sorted(validator.iter_errors(settings), key=lambda error: error.json_path)
    ]
    if faults:
        raise SettingsUnusable("\n".join(faults))


def _read(category: str, raw: Mapping[str, Any], place: str) -> Read:
    item = raw["item"]
    parts = {"people", "law", "visits"}
    return Read(
        category=category,
        ask=raw["ask"],
        records=_field(raw["records"], f"{place}.records") if "records" in raw else None,
        person=None if raw["person"] is False else _field(raw["person"], f"{place}.person"),
        keep=_field(raw["keep"], f"{place}.keep") if "keep" in raw else None,
        fields={
            name: _field(spec, f"{place}.item.{name}", KNOWN.get(name))
            for name, spec in item.items()
            if name not in parts
        },
        parts={
            name: tuple(_part(spec, f"{place}.item.{name}[{i}]") for i, spec in enumerate(item.get(name, ())))
            for name in parts
        },
    )  # fmt: skip


def _part(raw: Mapping[str, Any], place: str) -> Part:
    fields = {name: _field(spec, f"{place}.{name}", KNOWN.get(name)) for name, spec in raw.items() if name != "each"}
    return Part(_field(raw.get("each", "@"), f"{place}.each"), fields)


def _field(raw: Any, place: str, known: Callable[[str], bool] | None = None) -> Field:
    """Make one field; constants and code translations must already lead to codes that we know."""
    if isinstance(raw, str):
        return Field(expression(raw, place))
    targets = list(raw["codes"].values()) if "codes" in raw else raw.get("value", [])
    for target in targets if isinstance(targets, list) else [targets]:
        if known is not None and not known(str(target)):
            raise SettingsUnusable(f"{place}: not a code of ours: {target}")
    if "value" in raw:
        return Field(None, raw["value"])
    return Field(expression(raw["path"], place), codes=raw.get("codes"))


def _itself(record: Any) -> Any:
    return record


def _looked_up(names: tuple[str, ...], record: Any) -> Any:
    for name in names:
        if not isinstance(record, dict):
            return None
        record = record.get(name)
    return record


@cache
def expression(text: str, place: str) -> Callable[[Any], Any]:
    """Compile a JMESPath expression of a mapping, once. Raises `SettingsUnusable` naming its place."""
    if text == "@":
        return _itself
    if _NAMES.fullmatch(text):
        # Most fields are plain names; looking them up is what JMESPath would do, at a tenth of the cost.
        return partial(_looked_up, tuple(text.split(".")))
    try:
        search: Callable[[Any], Any] = jmespath.compile(text).search
    except JMESPathError as error:
        raise SettingsUnusable(f"{place}: not JMESPath: {error}") from None
    return search


@dataclass(frozen=True, slots=True)
class Origin:
    """What every item of one read has in common: its source, its subject's handle, and when it was fetched."""

    source: str
    subject: str
    fetched_at: datetime


class Mapped:
    """One record on its way to an item, and how many of its values were not understood."""

    def __init__(self, read: Read, record: Any) -> None:
        self._read = read
        self._record = record
        self.not_understood = 0

    def item(self, origin: Origin) -> Item:
        """Make the item. Raises `Malformed`."""
        identity, unit = self._text("id"), self._text("unit")
        kinds = self._codes("kind")
        from_day, to_day = values.day(self._raw("from")), values.day(self._raw("to"), last=True)
        backwards = from_day is not None and to_day is not None and from_day > to_day
        if identity is None or unit is None or len(kinds) != 1 or backwards:
            raise Malformed
        return Item(
            source=origin.source,
            category=self._read.category,
            subject=origin.subject,
            kind=kinds[0],
            id=Personal(identity),
            fetched_at=origin.fetched_at,
            unit=unit,
            title=_personal(self._text("title")),
            text=_personal(self._text("text")),
            from_day=from_day,
            to_day=to_day,
            people=tuple(self._people()),
            law=tuple(self._law()),
            kle=values.kle(self._raw("kle")),
            need=self._code("need"),
            limits=self._codes("limits"),
            demands=self._codes("demands"),
            visits=tuple(self._visits()),
            topic=",".join(self._codes("topic")) or None,
            status=self._code("status"),
            decision=_personal(self._text("decision")),
            plan_type=self._code("plan_type"),
            next_follow_up=values.day(self._raw("next_follow_up")),
            hours_per_week=values.hours(self._raw("hours_per_week")),
        )

    def _raw(self, name: str) -> Any:
        return _cell(self._read.fields, self._record, name)

    def _text(self, name: str) -> str | None:
        return values.text(self._raw(name))

    def _code(self, name: str) -> str | None:
        codes = self._codes(name)
        return codes[0] if codes else None

    def _codes(self, name: str) -> tuple[str, ...]:
        field = self._read.fields.get(name)
        return self._translated(field.of(self._record), field, KNOWN[name]) if field else ()

    def _translated(self, raw: Any, field: Field, known: Callable[[str], bool]) -> tuple[str, ...]:
        told = [text for one in _listed(raw) if (text := values.text(one)) is not None]
        codes = [field.codes.get(one) if field.codes is not None else one for one in told]
        understood = [code for code in codes if code is not None and known(code)]
        self.not_understood += len(codes) - len(understood)
        return tuple(dict.fromkeys(understood))

    def _people(self) -> Iterator[ItemPerson]:
        for part in self._read.parts["people"]:
            for row in part.rows(self._record):
                name, phone = values.text(row("name")), values.text(row("phone"))
                roles = self._translated(row("role"), part.fields["role"], KNOWN["role"])
                if roles and (name is not None or phone is not None):
                    yield ItemPerson(roles[0], _personal(name), _personal(phone))

    def _law(self) -> Iterator[LawRef]:
        for part in self._read.parts["law"]:
            for row in part.rows(self._record):
                act, paragraph = values.text(row("act")), values.text(row("paragraph"))
                if act is not None and paragraph is not None:
                    yield LawRef(act, paragraph)

    def _visits(self) -> Iterator[Visit]:
        for part in self._read.parts["visits"]:
            for row in part.rows(self._record):
                yield from self._visit(row, part.fields.get("weekdays"))

    def _visit(self, row: Callable[[str], Any], weekdays: Field | None) -> Iterator[Visit]:
        """Yield a visit for each weekday, or one for its day. Without a beginning and an end there is no visit."""
        start, end, length = values.minute(row("start")), values.minute(row("end")), values.minute(row("minutes"))
        if end is None and start is not None and length is not None:
            end = start + length
        if start is None or end is None:
            self.not_understood += 1
            return
        if end == 0:
            end = values.MINUTES_A_DAY  # Until midnight.
        if not start < end <= values.MINUTES_A_DAY:
            raise Malformed
        if weekdays is not None:
            for one in self._translated(row("weekdays"), weekdays, values.is_weekday):
                yield Visit(start, end, weekday=int(one))
            return
        day = values.day(row("day"))
        if day is None:
            raise Malformed
        yield Visit(start, end, day=day)


def _cell(fields: Mapping[str, Field], record: Any, name: str) -> Any:
    return fields[name].of(record) if name in fields else None


def _listed(value: Any) -> list[Any]:
    """Give a value as a list: nothing, one, or many. Raises `Malformed` when there are too many."""
    listed = [] if value is None else value if isinstance(value, list) else [value]
    if len(listed) > MOST_PARTS:
        raise Malformed
    return listed


def _personal(text: str | None) -> Personal[str] | None:
    return None if text is None else Personal(text)
