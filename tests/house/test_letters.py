"""What the founding letters ask is answered row by row, and what is named there is there."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
ROW = re.compile(r"^\| (C\d\d) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#]+)\)")
UNBUILT = "not built yet"


def test_every_row_is_answered() -> None:
    """C01 to C50 stand once each, in order; each names a file that is there, another row, or what is wanting."""
    rows = ROW.findall((DOCS / "letters.md").read_text("utf-8"))

    assert [number for number, _, _ in rows] == [f"C{number:02}" for number in range(1, 51)]
    for number, _, held in rows:
        links = LINK.findall(held)
        assert links or UNBUILT in held or re.search(r"see C\d\d|by absence", held), number
        assert [link for link in links if not (DOCS / link).exists()] == [], number
