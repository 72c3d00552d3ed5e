"""Every sentence of the pages, found where it stands: in templates and in code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from babel.messages.extract import extract_from_file
from jinja2.ext import babel_extract

WEB = Path(__file__).parents[4] / "broker" / "web"
ROOMS = ("pages", "citizen", "case", "desk", "dpo", "log", "reference")
Sentence = str | tuple[str, str]


def in_templates(room: str) -> Iterator[Sentence]:
    """List what a room's templates say."""
    for file in sorted((WEB / room / "templates").glob("*.html")):
        with file.open("rb") as text:
            options = {"trimmed": "true", "trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}
            for _, _, message, _ in babel_extract(text, ("_", "gettext", "ngettext"), [], options):
                if isinstance(_said(message), tuple) or message:
                    yield _said(message)


def in_code(room: str) -> Iterator[Sentence]:
    """List what a room's modules mark for translation."""
    for file in sorted((WEB / room).glob("*.py")):
        for _, message, _, _ in extract_from_file("python", file, keywords={"marked": None}):
            yield _said(message)


def said(*rooms: str) -> set[Sentence]:
    """Give all sentences of these rooms, or of all."""
    return {one for room in rooms or ROOMS for one in (*in_templates(room), *in_code(room))}


def _said(message: object) -> Sentence:
    if isinstance(message, tuple | list):
        texts = [part for part in message if isinstance(part, str)]
        return (texts[0], texts[1]) if len(texts) > 1 else texts[0]
    return str(message)
