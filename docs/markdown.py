"""Pages of words and tables, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MADE = "<!-- Made by `python -m docs.generate`; edit the source it names. -->"
NOTHING = "nothing more"


def page(title: str, source: str, *parts: str) -> str:
    """Lay out a page: its title, the file it is made from, its parts."""
    return "\n\n".join((f"# {title}", MADE, f"From [`{source}`](../{source}).", *parts)) + "\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay out a table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in lines
    )


def words(names: Sequence[str]) -> str:
    """List names as code, or say that there is nothing more."""
    return ", ".join(f"`{name}`" for name in names) or NOTHING
