"""The pages that follow from the code: `python -m docs.generate` writes them, `--check` names those that are stale.

| page | made from |
| --- | --- |
| `docs/rules.md` | `policies/tables/*.json` |
| `docs/audit-events.md` | the catalogue in `broker/domain/events.py` |
| `docs/settings.md`, `deploy/broker.env.example` | `broker/settings.py` |
| `deploy/requirements.lock`, `deploy/requirements-hsm.lock` | `requirements.lock` |
| `docs/api.json` | the application's own OpenAPI |
| `docs/consent-record.*.json` | the schema of receipts, and `docs/receipt_example.py` |
| `docs/defences.md` | the table of defences in `tests/defences` |
| `docs/bent-log.md` | what is done to the log, in `tests/bent_log.yaml` |
| `docs/mutants.md` | what `run.py mutants --keep` wrote down in `tests/rules/mutants_measured.json` |
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import inspect
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, cast

from fastapi import FastAPI
from pydantic.fields import FieldInfo

from broker.domain.catalogue import CATALOGUE
from broker.domain.directory import Directory
from broker.domain.events import AuditEvent
from broker.main import VERSION
from broker.ports import Ports
from broker.settings import FILE, PREFIX, SECRET, Settings
from broker.web.faces import WebDoors, open_faces
from broker.web.login import Faces
from broker.web.oauth.registrations import Registrations
from docs import receipt_example
from docs.bent_log_page import SOURCE as BENT
from docs.bent_log_page import page_of_bent_log
from docs.markdown import NOTHING, page, table, words
from docs.rules_page import page_of_rules
from tools.defences.page import SOURCE, page_of_defences
from tools.mutants import page as mutants_page
from tools.runtime_lock import hsm_lock, runtime_lock

ROOT = Path(__file__).parents[1]


def page_of_events() -> str:
    """Write the catalogue of audit events out: codes, fields, and which of them supervision may search by."""
    shared = [field.name for field in dataclasses.fields(AuditEvent)]
    return page(
        "What may stand on the log",
        "broker/domain/events.py",
        "Each entry has a public leaf (commitments only), a body encrypted under the citizen's key, and an index row "
        "for search that can be deleted ([ADR 10](decisions/0010-what-the-body-commitment-covers.md)). Events hold "
        "handles, codes, counts and days: no CPR number, name or free text.",
        f"Every event has: {words(shared)}.",
        *(part for event in CATALOGUE for part in _event(event, shared)),
    )


def _event(event: type[AuditEvent], shared: Sequence[str]) -> Iterator[str]:
    own = [field for field in dataclasses.fields(event) if field.name not in shared]
    hidden = words([field.name for field in own if not field.repr])
    sealed = f"; of {hidden} only an HMAC under the subject's key" if hidden != NOTHING else ""
    yield f"## {event.code}: `{event.name}`"
    yield inspect.getdoc(event) or ""
    yield f"Body, beside what every event has: {words([field.name for field in own if field.repr])}{sealed}."
    yield f"Index row: {words(_searched(event))}."


def _searched(event: type[AuditEvent]) -> list[str]:
    """Name what an event's index row holds, by making an empty one."""
    empty = {field.name: () for field in dataclasses.fields(event)}
    made = cast("Any", event)(**{**empty, "at": datetime.fromtimestamp(0, UTC)})
    return list(made.index())


def page_of_settings() -> str:
    """Write every setting out."""
    return page(
        "Settings",
        "broker/settings.py",
        "A node reads its settings from the environment. There is no default for what is secret or decides safety; all "
        "faults are said at once; an unknown name that begins with `BROKER_` is a fault. `broker settings` prints this "
        "list. [`deploy/broker.env.example`](../deploy/broker.env.example) has every one, to be filled in.",
        f"What is secret may lie in a file instead, which not everybody may read: {words(_file_names())}.",
        table(
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
        "log_keys": (),
        "registrations": Registrations.of([], []),
        "people": Faces({}),
        "session_key": bytes(32),
        "pings": {},
        "test_numbers": False,
        "most_body_bytes": Settings.model_fields["most_body_bytes"].default,
        "version": VERSION,
        "watched": {},
        "tallied": {},
        "exit_address": Settings.model_fields["exit_url"].default,
    }
    doors = WebDoors(**{**dict.fromkeys((field.name for field in dataclasses.fields(WebDoors)), shut), **given})
    async with open_faces(ports, doors) as app:
        return app


def page_of_what_bites() -> str:
    """Write the defences out, with the tests that fail when they are switched off."""
    return page("Defences and the tests that miss them", SOURCE, *page_of_defences(ROOT))


def page_of_what_bends() -> str:
    """Write out what was done to the log, and who noticed."""
    return page("What was done to the log, and who noticed", BENT, *page_of_bent_log(ROOT))


def page_of_damage() -> str:
    """Write out who noticed when the rules were damaged in every small way."""
    return page("Mutants of the rules", mutants_page.SOURCE, *mutants_page.page_of_mutants(ROOT))


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "docs/rules.md": page_of_rules,
    "docs/audit-events.md": page_of_events,
    "docs/settings.md": page_of_settings,
    "deploy/broker.env.example": example_of_settings,
    "deploy/requirements.lock": lambda: runtime_lock((ROOT / "requirements.lock").read_text("utf-8")),
    "deploy/requirements-hsm.lock": lambda: hsm_lock((ROOT / "requirements.lock").read_text("utf-8")),
    "docs/api.json": openapi,
    "docs/consent-record.schema.json": receipt_example.schema,
    "docs/consent-record.example.json": receipt_example.example,
    "docs/consent-record.example.keys.json": receipt_example.keys,
    "docs/defences.md": page_of_what_bites,
    "docs/bent-log.md": page_of_what_bends,
    "docs/mutants.md": page_of_damage,
}


def stale_pages(root: Path = ROOT) -> list[str]:
    """Name each page that is not what the code says today, or is missing."""
    return [name for name, made in PAGES.items() if not _is_current(root / name, made())]


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
    for name, made in PAGES.items():
        (ROOT / name).write_text(made(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
