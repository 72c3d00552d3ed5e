"""The page of defences: each promise's defences, where they stand, and which tests fail without them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tools.defences.table import FOLDER, PROMISES, PROVED, Defence, read_table

TITLES = {
    "P1": "No rule, no data",
    "P2": "No log line, no data",
    "P3": "Withdrawal bites at once, also inside running asks",
    "P4": "No copy",
    "P5": "Only what was permitted is asked for",
    "P6": "What is withheld leaves no shadow",
    "P7": "The log cannot be changed unnoticed",
    "P8": "A citizen can prove completeness",
    "P9": "Immutable and erasable",
    "P10": "Every decision can be replayed",
    "P11": "A caller is a system and a person",
    "P12": "One slow or broken source never takes the others with it",
}
SOURCE = str(FOLDER)
ABOUT = """\
A defence is worth what its tests are worth. Each row is a line or two of the program that keeps a promise. It was
switched off, by an edit of a copy of the tree, and the tests beside it were run there: each of them failed, and said
itself that the promise was broken. Where nothing is switched off they pass. `python3 run.py defences` does this again
(`--only NAME`, `--only P4`, `--changed`, `--part 1/4`, `--json`); a defence that no test misses is named SURVIVED, and
the command fails. A test of the suite sees to it that every edit still fits the code."""


def page_of_defences(root: Path) -> Iterator[str]:
    """Write the page's parts; raise `TableUnusable` for a table that cannot be read."""
    defences = read_table(root)
    tests = {test for defence in defences for test in defence.tests}
    yield ABOUT
    yield f"{len(defences)} defences, {len(tests)} tests."
    for promise in PROMISES:
        rows = [defence for defence in defences if defence.promise == promise]
        if rows:
            yield f"## {promise}. {TITLES[promise]}"
            if promise not in PROVED:
                yield "What there is of it so far; see [SECURITY.md](../SECURITY.md)."
            yield _table(rows)


def _table(defences: Sequence[Defence]) -> str:
    rows = [
        " | ".join(
            (
                f"`{defence.name}`",
                defence.says.replace("|", "\\|"),
                "<br>".join(f"[`{file}`](../{file})" for file in defence.files),
                "<br>".join(f"`{test.removeprefix('tests/')}`" for test in defence.tests),
            )
        )
        for defence in defences
    ]
    heads = ["defence | what it does | stands in | without it these fail (in `tests/`)", "--- | --- | --- | ---"]
    return "\n".join(f"| {row} |" for row in [*heads, *rows])
