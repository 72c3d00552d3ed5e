"""Print pages as PDF/UA-1, which a screen reader can read: text, tables and pictures, set by typst in memory.

What is printed is given to the template as data, never as markup, and nothing is read from or written to the disk or
the network on the way. What typst says of a fault may quote the text, so it is never passed on.
"""

from __future__ import annotations

import asyncio
import json
import unicodedata
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path
from threading import Semaphore
from typing import Literal

MOST_ROWS = 1000
# What the font that typst brings can show; anything else would end the print (PDF/UA-1 wants each sign mapped).
_SHOWN = frozenset(
    chr(sign)
    for sign in chain(
        range(0x20, 0x7F), range(0xA0, 0x180), range(0x384, 0x3CF), range(0x400, 0x460), range(0x2010, 0x2016),
        range(0x2018, 0x201F), (0x2020, 0x2022, 0x2026, 0x2030, 0x20AC, 0x2190, 0x2192, 0x2212, 0x2264, 0x2265),
    )
    if unicodedata.category(chr(sign)) not in {"Cn", "Cf"}
)  # fmt: skip
_LOST = "?"
_TEMPLATES = Path(__file__).parent / "pages" / "templates"
_ONE_AT_A_TIME = ThreadPoolExecutor(1, "printing")
# Who comes when so many wait is told at once that it cannot be printed now, and holds no request open.
MOST_WAITING = 8
_waiting = Semaphore(MOST_WAITING)


class NotPrinted(Exception):
    """It could not be printed; why may quote what was to be printed, so it is not said."""


class TooLongToPrint(Exception):
    """It has more than `MOST_ROWS` rows."""


@dataclass(frozen=True, slots=True)
class Heading:
    """Head what follows."""

    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Say something in running text."""

    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """Lay rows under their heads; `widths` are shares of the page, alike when none are given."""

    caption: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    widths: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """Show an SVG that the server drew itself, with the words for who cannot see it."""

    svg: str
    alt: str


Part = Heading | Paragraph | Table | Picture


@dataclass(frozen=True, slots=True)
class Printed:
    """A page to print, in one language, from its title down; `made` stands in the file as its date."""

    language: Literal["da", "en"]
    title: str
    made: datetime
    parts: tuple[Part, ...]


async def pdf(printed: Printed) -> bytes:
    """Give the page as a tagged PDF (PDF/UA-1), set beside the event loop, one at a time.

    A sign that the font lacks stands as a question mark. Raises `TooLongToPrint`, and `NotPrinted`, also where
    `MOST_WAITING` wait already.
    """
    if sum(len(part.rows) for part in printed.parts if isinstance(part, Table)) > MOST_ROWS:
        raise TooLongToPrint
    data = {
        "language": printed.language,
        "title": _shown(printed.title),
        "parts": [_part(part) for part in printed.parts],
    }
    if not _waiting.acquire(blocking=False):
        raise NotPrinted
    try:
        work = _ONE_AT_A_TIME.submit(_set, json.dumps(data), printed.made)
    except BaseException:
        _waiting.release()
        raise
    # Given back when the thread is done with it, not when somebody ceases to wait for it.
    work.add_done_callback(lambda _: _waiting.release())
    return await asyncio.wrap_future(work)


def _part(part: Part) -> dict[str, object]:
    match part:
        case Heading(text):
            return {"kind": "heading", "text": _shown(text)}
        case Paragraph(text):
            return {"kind": "text", "text": _shown(text)}
        case Picture(svg, alt):
            return {"kind": "picture", "svg": svg, "alt": _shown(alt)}
        case Table(caption, columns, rows, widths):
            return {
                "kind": "table",
                "caption": _shown(caption),
                "columns": [_shown(name) for name in columns],
                "rows": [[_shown(cell) for cell in row] for row in rows],
                "widths": widths or (1,) * len(columns),
            }


def _shown(text: str) -> str:
    signs = unicodedata.normalize("NFC", text)
    kept = (sign if sign in _SHOWN else " " if sign.isspace() else _LOST for sign in signs)
    return "".join(sign for sign, given in zip(kept, signs, strict=True) if unicodedata.category(given) != "Cf")


def _set(data: str, made: datetime) -> bytes:
    # Large (34 MB), and most nodes never print: loaded when it is wanted.
    import typst  # noqa: PLC0415

    try:
        return typst.compile(
            _TEMPLATES / "printed.typ",
            root=_TEMPLATES,
            sys_inputs={"printed": data},
            format="pdf",
            pdf_standards="ua-1",
            ignore_system_fonts=True,
            timestamp=made,
        )
    except RuntimeError:
        raise NotPrinted from None
