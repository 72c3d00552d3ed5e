"""The page of the mutants: what was damaged, who noticed, and which damages change nothing that anybody could see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from docs.markdown import table
from tools.mutants.damage import COMPARED, JOINED
from tools.mutants.equal import EQUAL, equal_mutants
from tools.mutants.record import RECORD, files_of_rules, measured, text_of

SOURCE = str(RECORD)
ABOUT = f"""\
A rule is worth what its tests are worth. Each mutant is the rules with one small thing wrong: a comparison moved by one
or turned ({", ".join(f"`{was}`" for was, _ in COMPARED.values())}), a set operator exchanged
({", ".join(f"`{was}`" for was, _ in JOINED.values())}), a `not` left out, a condition or a whole rule of a set taken
away, a number, a word or a truth changed. The tests must notice: a decision that is another than the sound rules', the
lint of the portable profile, or the tests in Rego. `python3 run.py mutants` does it again (`--only FILE`,
`--part 1/12`, `--json`) and fails below 98 %; `--keep` writes down what this page is made from."""
WHO = {
    "table": "rows of the tables by hand",
    "unshaped": "questions that break their shape",
    "pairs": "questions made pair by pair",
    "random": "random questions",
    "lint": "the lint of the profile",
    "rego": "tests in Rego",
    "survived": "nobody",
}


def page_of_mutants(root: Path) -> Iterator[str]:
    """Write the page's parts from what was measured last."""
    rows, equal = measured(root), equal_mutants()
    yield ABOUT
    tried, noticed = (sum(row[what] for row in rows.values()) for what in ("mutants", "noticed"))
    yield f"{noticed} of {tried} mutants noticed ({noticed / tried:.1%})." if tried else "Nothing was measured yet."
    yield table(
        ("file", "mutants", "noticed", "change nothing", "no rules at all", "measured of"),
        ((f"`{file}`", *_numbers(rows.get(file)), _of(file, rows.get(file))) for file in files_of_rules()),
    )
    by = sum((Counter(row["by"]) for row in rows.values()), Counter[str]())
    yield table(("who noticed first", "mutants"), ((WHO[who], str(by[who])) for who in WHO if by[who]))
    yield from _survivors(rows)
    yield from _argued(equal)


def _numbers(row: Mapping[str, Any] | None) -> Iterator[str]:
    yield from (str(row[what]) if row else "" for what in ("mutants", "noticed", "equal", "no_rules"))


def _of(file: str, row: Mapping[str, Any] | None) -> str:
    if row is None:
        return "not tried yet"
    return "the file as it stands" if row["text"] == text_of(file) else "an earlier text of the file"


def _survivors(rows: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    survived = [name for row in rows.values() for name in row["survived"]]
    if survived:
        yield "## Nobody noticed"
        yield "\n".join(f"- `{name}`" for name in survived)


def _argued(equal: Mapping[str, str]) -> Iterator[str]:
    if equal:
        yield "## Change nothing that anybody could see"
        yield f"Not counted above. Each with the reason, from [`{EQUAL}`](../{EQUAL})."
        yield table(("mutant", "why"), ((f"`{name}`", why) for name, why in equal.items()))
