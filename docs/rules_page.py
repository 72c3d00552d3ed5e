"""The page of the law: purposes, rows of law with both grounds and days, categories, reasons, who verified them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from broker.policy_tables import load_law_tables, unverified
from docs.markdown import page, table

TABLES = Path(__file__).parents[1] / "policies" / "tables"
ALWAYS = 99991231
STAGES = {
    1: "the caller: who asks, with which role",
    2: "the case, the relation, the delegation",
    3: "the purpose and its bound",
    4: "the person: age, custody, guardianship, protection",
    5: "consent or statute",
}
FORMS = {
    "free": "written or oral",
    "waivable": "written, unless circumstances speak for an oral yes",
    "required": "written",
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
    return page(
        "What may be shared: the law tables",
        "policies/tables",
        "As we read the law. The rules that use these tables are the `.rego` files of "
        "[`policies/`](../policies); how a word is meant is in the [glossary](glossary.md).",
        *_purposes(tables),
        *_statutes(tables),
        *_emergency(tables["settings"]["emergency"]),
        *_consent_bases(tables),
        *_categories(tables),
        *_reasons(tables),
        *_evidence(tables),
    )


def _purposes(tables: Mapping[str, Any]) -> Iterator[str]:
    yield "## Purposes"
    yield "An ask has one purpose. Whatever the basis, nothing beyond the purpose's categories is ever asked for."
    yield table(
        ("purpose", "in Danish", "basis", "at most these categories", "paragraph"),
        (
            (f"`{name}`", row["name_da"], row["basis"], " ".join(row["categories"]), row["paragraph"])
            for name, row in tables["purposes"].items()
        ),
    )


def _statutes(tables: Mapping[str, Any]) -> Iterator[str]:
    yield "## Statutes"
    yield (
        "Rows that let data go out without consent: within their days, for the purposes and cases they name, and "
        "between the kinds of unit they name. Where a statute reaches, the broker does not ask for consent. Reports of "
        "concern (underretninger: SEL §§ 153-154, now barnets lov) need no broker and stand outside: the category F04 "
        "is never shared."
    )
    yield from _law_tables(tables["statutes"], "only where", _conditions)


def _consent_bases(tables: Mapping[str, Any]) -> Iterator[str]:
    yield "## The law a consent rests on"
    yield (
        "A yes is judged by the row that holds today for the purpose, the category and the kinds of unit. Rows of one "
        "legal basis follow each other as the law is renumbered. Every yes names its source, recipient, category, "
        "purpose and case."
    )
    yield from _law_tables(tables["consent_bases"], "form", _form)


def _law_tables(rows: Mapping[str, Any], heading: str, cell: Callable[[Mapping[str, Any]], str]) -> Iterator[str]:
    """Write rows of law twice: what they say and since when, and what they reach."""
    yield table(
        ("row", "legal basis", "paragraph (disclosure)", "GDPR", "days", heading, "verified", "source", "note"),
        (
            (
                f"`{name}`", row["basis"], row["paragraph"], row["gdpr_basis"], _days(row["from"], row["to"]),
                cell(row), _verified(row), row["source"], row["note"],
            )
            for name, row in rows.items()
        ),
    )  # fmt: skip
    yield table(
        ("row", "purpose", "categories", "from", "to"),
        (
            (f"`{name}`", f"`{purpose}`", _reached(reach), " ".join(row["from_units"]), " ".join(row["to_units"]))
            for name, row in rows.items()
            for purpose, reach in row["purposes"].items()
        ),
    )


def _reached(reach: Any) -> str:
    if isinstance(reach, Mapping):
        return f"{' '.join(reach['categories'])}, in cases of KLE {' '.join(reach['case_kle'])}"
    return " ".join(reach)


def _conditions(row: Mapping[str, Any]) -> str:
    return ", ".join(f"`{condition}`" for condition in row["conditions"])


def _form(row: Mapping[str, Any]) -> str:
    form = row["form"]
    end = f"at most {form['years']} calendar year" if form["years"] else "no end in law; ours is one calendar year"
    return f"{FORMS[form['written']]}; {end}"


def _verified(row: Mapping[str, Any]) -> str:
    return "nobody yet" if row["verified_by"] is None else f"{row['verified_by']}, {row['verified_on']}"


def _emergency(rule: Mapping[str, Any]) -> Iterator[str]:
    yield "## Danger to life"
    yield (
        f"Break-glass (`{rule['purpose']}`) is a road of its own: a caseworker with the role `{rule['role']}` "
        f"asks with a call-out's number, a `{rule['holder_role']}` of the unit that holds the data says yes or no, and "
        f"a yes opens the profile to that caseworker for {rule['hours']} hours. Why life is in danger is one of these:"
    )
    yield table(
        ("reason", "in Danish", "in English", "opens where the citizen is"),
        (
            (f"`{code}`", row["da"], row["en"], "yes" if row["address"] else "no")
            for code, row in rule["reasons"].items()
        ),
    )
    yield "What the ordinary stages ask and an emergency does not; everything else holds as it does for any ask:"
    yield table(
        ("relaxed", "why, in Danish", "why, in English"),
        ((f"`{what}`", row["da"], row["en"]) for what, row in rule["relaxed"].items()),
    )


def _categories(tables: Mapping[str, Any]) -> Iterator[str]:
    yield "## Categories"
    yield "Level 1 is not confidential, 2 confidential, 3 sensitive, 4 for VIP cases; a role reaches up to its level."
    yield table(
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
        yield table(
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


def _days(first: int, last: int) -> str:
    start = f"{first // 10000}-{first // 100 % 100:02}-{first % 100:02}"
    end = "" if last == ALWAYS else f"{last // 10000}-{last // 100 % 100:02}-{last % 100:02}"
    return f"{start} to {end}" if end else f"from {start}"
