"""The pages that follow from the code: `python -m docs.generate` writes them, `--check` names those that are stale.

| page | made from |
| --- | --- |
| `docs/rules.md` | `policies/tables/*.json` |
| `docs/audit-events.md` | the catalogue in `broker/domain/events.py` |
| `docs/settings.md`, `deploy/broker.env.example` | `broker/settings.py` |
| `deploy/requirements.lock` | `requirements.lock` |
| `docs/api.json` | the application's own OpenAPI |
| `docs/defences.md` | the table of defences in `tests/defences` |
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import inspect
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, cast

from fastapi import FastAPI
from pydantic.fields import FieldInfo

from broker.domain.directory import Directory
from broker.domain.events import CATALOGUE, AuditEvent
from broker.main import VERSION
from broker.policy_tables import load_law_tables, unverified
from broker.ports import Ports
from broker.settings import FILE, PREFIX, SECRET, Settings
from broker.web.faces import WebDoors, open_faces
from broker.web.login import Faces
from broker.web.oauth.registrations import Registrations
from tools.defences.page import SOURCE, page_of_defences
from tools.runtime_lock import runtime_lock

ROOT = Path(__file__).parents[1]
TABLES = ROOT / "policies" / "tables"
MADE = "<!-- Made by `python -m docs.generate`; edit the source it names. -->"
ALWAYS = 99991231
NOTHING = "nothing more"
STAGES = {
    1: "the caller: who asks, with which role",
    2: "the case, the relation, the delegation",
    3: "the purpose and its bound",
    4: "the person: age, custody, guardianship, protection",
    5: "consent or statute",
}
FLAGS = {
    "child": "concerns a child",
    "health": "health",
    "place": "tells a place",
    "never": "never shared",
}


def page_of_rules() -> str:
    """Write the law tables out: purposes, statutes, categories, reasons, and what nobody has verified."""
    tables = load_law_tables(TABLES)
    return _page(
        "What may be shared: the law tables",
        "policies/tables",
        "As we read the law. The rules that use these tables are the `.rego` files of "
        "[`policies/`](../policies); how a word is meant is in the [glossary](glossary.md).",
        *_purposes(tables),
        *_statutes(tables),
        *_emergency(tables["settings"]["emergency"]),
        *_categories(tables),
        *_reasons(tables),
        *_evidence(tables),
    )


def _purposes(tables: Mapping[str, Any]) -> Iterator[str]:
    yield "## Purposes"
    yield "An ask has one purpose. Whatever the basis, nothing beyond the purpose's categories is ever asked for."
    yield _table(
        ("purpose", "in Danish", "basis", "at most these categories", "paragraph"),
        (
            (f"`{name}`", row["name_da"], row["basis"], " ".join(row["categories"]), row["paragraph"])
            for name, row in tables["purposes"].items()
        ),
    )


def _statutes(tables: Mapping[str, Any]) -> Iterator[str]:
    yield "## Statutes"
    yield "Rows that let data go out without consent, within their days, for the purposes and cases they name."
    rows = []
    for name, row in tables["statutes"].items():
        reach = "; ".join(
            f"`{purpose}` in cases of KLE {' '.join(where['case_kle'])}: {' '.join(where['categories'])}"
            for purpose, where in row["purposes"].items()
        )
        conditions = ", ".join(f"`{condition}`" for condition in row["conditions"])
        rows.append((f"`{name}`", row["paragraph"], _days(row["from"], row["to"]), reach, conditions, row["note"]))
    yield _table(("row", "paragraph", "days", "for", "only where", "note"), rows)


def _emergency(rule: Mapping[str, Any]) -> Iterator[str]:
    yield "## Danger to life"
    yield (
        f"Break-glass (`{rule['purpose']}`) is a road of its own: a caseworker with the role `{rule['role']}` "
        f"asks with a call-out's number, a `{rule['holder_role']}` of the unit that holds the data says yes or no, and "
        f"a yes opens the profile to that caseworker for {rule['hours']} hours. Why life is in danger is one of these:"
    )
    yield _table(
        ("reason", "in Danish", "in English", "opens where the citizen is"),
        (
            (f"`{code}`", row["da"], row["en"], "yes" if row["address"] else "no")
            for code, row in rule["reasons"].items()
        ),
    )
    yield "What the ordinary stages ask and an emergency does not; everything else holds as it does for any ask:"
    yield _table(
        ("relaxed", "why, in Danish", "why, in English"),
        ((f"`{what}`", row["da"], row["en"]) for what, row in rule["relaxed"].items()),
    )


def _categories(tables: Mapping[str, Any]) -> Iterator[str]:
    yield "## Categories"
    yield "Level 1 is not confidential, 2 confidential, 3 sensitive, 4 for VIP cases; a role reaches up to its level."
    yield _table(
        ("category", "in Danish", "in English", "level", "marks"),
        (
            (f"`{name}`", row["name_da"], row["name_en"], str(row["level"]), ", ".join(_marks(row)))
            for name, row in tables["categories"].items()
        ),
    )


def _marks(row: Mapping[str, Any]) -> Iterator[str]:
    yield from (text for flag, text in FLAGS.items() if row[flag])
    if row["young_person"]:
        yield f"young person's own consent: {row['young_person']}"


def _reasons(tables: Mapping[str, Any]) -> Iterator[str]:
    yield "## Reasons"
    yield (
        "Stages run in this order and the first that fails ends it, with all of its reasons. "
        "A reason for the log alone is never shown to the asker, who sees what the last stage would say without it "
        "([ADR 30](decisions/0030-what-the-asker-is-shown.md))."
    )
    for stage, about in STAGES.items():
        yield f"### Stage {stage}: {about}"
        yield _table(
            ("reason", "shown to the asker", "sentence", "paragraph"),
            (
                (f"`{code}`", "yes" if row["caller"] else "log only", f"{row['da']}<br>{row['en']}", row["paragraph"])
                for code, row in tables["reasons"].items()
                if row["stage"] == stage
            ),
        )


def _evidence(tables: Mapping[str, Any]) -> Iterator[str]:
    waiting = unverified(tables)
    rows = sum(isinstance(row, Mapping) for table in tables.values() for row in table.values())
    yield "## Who verified these rows"
    yield (
        f"Each row carries its source, who verified it and when. Of {rows} rows, {len(waiting)} have been verified by "
        "nobody yet: no municipality should rely on them before a lawyer of its own has."
    )


def page_of_events() -> str:
    """Write the catalogue of audit events out: codes, fields, and which of them supervision may search by."""
    shared = [field.name for field in dataclasses.fields(AuditEvent)]
    return _page(
        "What may stand on the log",
        "broker/domain/events.py",
        "Each entry has a public leaf (commitments only), a body encrypted under the citizen's key, and an index row "
        "for search that can be deleted ([ADR 10](decisions/0010-what-the-body-commitment-covers.md)). Events hold "
        "handles, codes, counts and days: no CPR number, name or free text.",
        f"Every event has: {_words(shared)}.",
        *(part for event in CATALOGUE for part in _event(event, shared)),
    )


def _event(event: type[AuditEvent], shared: Sequence[str]) -> Iterator[str]:
    own = [field for field in dataclasses.fields(event) if field.name not in shared]
    hidden = _words([field.name for field in own if not field.repr])
    sealed = f"; of {hidden} only an HMAC under the subject's key" if hidden != NOTHING else ""
    yield f"## {event.code}: `{event.name}`"
    yield inspect.getdoc(event) or ""
    yield f"Body, beside what every event has: {_words([field.name for field in own if field.repr])}{sealed}."
    yield f"Index row: {_words(_searched(event))}."


def _searched(event: type[AuditEvent]) -> list[str]:
    """Name what an event's index row holds, by making an empty one."""
    empty = {field.name: () for field in dataclasses.fields(event)}
    made = cast("Any", event)(**{**empty, "at": datetime.fromtimestamp(0, UTC)})
    return list(made.index())


def page_of_settings() -> str:
    """Write every setting out."""
    return _page(
        "Settings",
        "broker/settings.py",
        "A node reads its settings from the environment. There is no default for what is secret or decides safety; all "
        "faults are said at once; an unknown name that begins with `BROKER_` is a fault. `broker settings` prints this "
        "list. [`deploy/broker.env.example`](../deploy/broker.env.example) has every one, to be filled in.",
        f"What is secret may lie in a file instead, which not everybody may read: {_words(_file_names())}.",
        _table(
            ("name", "meaning", "default"),
            (
                (f"`{PREFIX}{name.upper()}`", field.description or "", _default(field.is_required(), field.default))
                for name, field in Settings.model_fields.items()
            ),
        ),
    )


def _default(required: bool, value: object) -> str:  # noqa: FBT001 - One word of a table row.
    if required:
        return "must be given"
    return "none" if value is None else f"`{value}`"


def _file_names() -> list[str]:
    return [f"{PREFIX}{name.upper()}{FILE}" for name in SECRET]


def example_of_settings() -> str:
    """Write a file of environment variables with every setting: what must be given first, with an example of it."""
    fields = Settings.model_fields.items()
    required = [_example(name, field) for name, field in fields if field.is_required()]
    others = [_example(name, field) for name, field in fields if not field.is_required()]
    return (
        "\n\n".join(
            (
                "# Every setting of a node. Written by `python -m docs.generate` from broker/settings.py. Copy it.",
                "# A line that is commented out shows the default, or nothing where there is none.",
                "# --- must be given",
                *required,
                "# --- may be given",
                *others,
            )
        )
        + "\n"
    )


def _example(name: str, field: FieldInfo) -> str:
    about = f"# {field.description}."
    if name in SECRET:
        line = f"{PREFIX}{name.upper()}{FILE}=/run/secrets/{name}"
    else:
        shown = field.examples[0] if field.examples else ("" if field.default is None else field.default)
        line = f"{PREFIX}{name.upper()}={shown}"
    return f"{about}\n{line}" if field.is_required() else f"{about}\n# {line}"


def openapi() -> str:
    """Write the application's OpenAPI document."""
    return json.dumps(described_app().openapi(), indent=2, ensure_ascii=False) + "\n"


def described_app() -> FastAPI:
    """Build the application over doors that are shut: it can be read, not used."""
    return asyncio.run(_described())


class _Shut:
    """Stands where a door would: describing a route opens none, and using this is a fault."""

    def __getattr__(self, name: str) -> _Shut:
        return self


async def _described() -> FastAPI:
    shut = cast("Any", _Shut())
    directory = Directory("", {}, {}, {}, {}, {}, {}, {}, {})
    ports = Ports(
        **{**dict.fromkeys((field.name for field in dataclasses.fields(Ports)), shut), "directory": directory}
    )
    given = {
        "public_url": "https://broker.example.dk",
        "log_name": "broker.example.dk/log",
        "registrations": Registrations.of([], []),
        "people": Faces({}),
        "session_key": bytes(32),
        "pings": {},
        "test_numbers": False,
        "most_body_bytes": Settings.model_fields["most_body_bytes"].default,
        "version": VERSION,
        "watched": {},
        "tallied": {},
    }
    doors = WebDoors(**{**dict.fromkeys((field.name for field in dataclasses.fields(WebDoors)), shut), **given})
    async with open_faces(ports, doors) as app:
        return app


def _page(title: str, source: str, *parts: str) -> str:
    return "\n\n".join((f"# {title}", MADE, f"From [`{source}`](../{source}).", *parts)) + "\n"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in lines
    )


def _words(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or NOTHING


def _days(first: int, last: int) -> str:
    start = f"{first // 10000}-{first // 100 % 100:02}-{first % 100:02}"
    end = "" if last == ALWAYS else f"{last // 10000}-{last // 100 % 100:02}-{last % 100:02}"
    return f"{start} to {end}" if end else f"from {start}"


def page_of_what_bites() -> str:
    """Write the defences out, with the tests that fail when they are switched off."""
    return _page("Defences and the tests that miss them", SOURCE, *page_of_defences(ROOT))


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "docs/rules.md": page_of_rules,
    "docs/audit-events.md": page_of_events,
    "docs/settings.md": page_of_settings,
    "deploy/broker.env.example": example_of_settings,
    "deploy/requirements.lock": lambda: runtime_lock((ROOT / "requirements.lock").read_text("utf-8")),
    "docs/api.json": openapi,
    "docs/defences.md": page_of_what_bites,
}


def stale_pages(root: Path = ROOT) -> list[str]:
    """Name each page that is not what the code says today, or is missing."""
    return [name for name, page in PAGES.items() if not _is_current(root / name, page())]


def _is_current(file: Path, text: str) -> bool:
    return file.exists() and file.read_text(encoding="utf-8") == text


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or with `--check` name those that are stale; 1 when there are any."""
    parser = argparse.ArgumentParser(prog="docs.generate", description="Make the pages that follow from the code.")
    parser.add_argument("--check", action="store_true", help="change nothing; name the pages that are stale")
    if parser.parse_args(arguments).check:
        stale = stale_pages()
        for name in stale:
            print(f"{name} is stale: `python -m docs.generate` writes it anew")  # noqa: T201 - A command line tool.
        return 1 if stale else 0
    for name, page in PAGES.items():
        (ROOT / name).write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
