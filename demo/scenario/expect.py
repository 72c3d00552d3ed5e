"""Hold a step's expectations against what was seen: every difference is one line. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from demo.scenario.expect_log import check_log, check_report
from demo.scenario.expect_view import (
    check_excluded,
    check_findings,
    check_gaps,
    check_no_findings,
    check_plans,
    check_trials,
    check_weeks,
)
from demo.scenario.seen import Check, Seen, equal, same_set

Expected = Any


def compare(expect: Mapping[str, Any] | None, seen: Seen) -> list[Check]:
    """Hold every expectation of a step against what was seen. Without any, the step must not have failed."""
    if expect is None:
        status = seen.reply.status
        return [] if status < 400 else [Check("status", held=False, line=f"expected no refusal, got {_said(seen)}")]
    checks: list[Check] = []
    for what, expected in expect.items():
        if what == "only":
            continue
        if what == "verdicts":
            checks += _verdicts(expected, seen, only=expect.get("only", False))
        else:
            checks += CHECKS[what](expected, seen)
    if "status" not in expect and "problem" not in expect and seen.reply.status >= 400:
        checks.append(Check("status", held=False, line=f"expected no refusal, got {_said(seen)}"))
    return checks


def _said(seen: Seen) -> str:
    body = seen.reply.said
    codes = ", ".join(row["code"] for row in body.get("reasons", ()))
    what = body.get("what") or body.get("pointer") or ""
    return " ".join(part for part in (str(seen.reply.status), str(body.get("type", "")), codes, str(what)) if part)


def _status(expected: int, seen: Seen) -> Iterator[Check]:
    got = seen.reply.status
    yield Check("status", held=expected == got, line=f"expected {expected}, got {_said(seen)}")


def _problem(expected: str, seen: Seen) -> Iterator[Check]:
    yield equal("problem", expected, str(seen.reply.said.get("type", "")).rpartition(":")[2])


def _told_in(seen: Seen, name: str) -> list[Mapping[str, Any]]:
    """Gather rows of that name: a refusal's own, those of verdicts, and those of evaluations."""
    body = seen.reply.said
    contexts = [row["context"] for row in body.get("evaluations", ())]
    return [row for part in (body, *body.get("verdicts", ()), *contexts) for row in part.get(name, ())]


def _reason_codes(seen: Seen) -> set[str]:
    return {row["code"] for row in _told_in(seen, "reasons")}


def _reasons(expected: list[str], seen: Seen) -> Iterator[Check]:
    yield same_set("reasons", expected, _reason_codes(seen))


def _reasons_include(expected: list[str], seen: Seen) -> Iterator[Check]:
    there = _reason_codes(seen)
    for code in expected:
        yield Check(
            f"reason {code}", held=code in there, line=f"expected {code}, got {', '.join(sorted(there)) or 'none'}"
        )


def _missing(expected: list[str], seen: Seen) -> Iterator[Check]:
    yield same_set("missing", expected, {f"{row['source']}/{row['category']}" for row in _told_in(seen, "missing")})


def _decisions(expected: list[bool], seen: Seen) -> Iterator[Check]:
    yield equal("decisions", expected, [row["decision"] for row in seen.reply.said.get("evaluations", ())])


def _found(expected: list[str], seen: Seen) -> Iterator[Check]:
    yield same_set("found", expected, (row["id"] for row in seen.reply.said.get("results", ())))


def _verdicts(expected: list[Mapping[str, Any]], seen: Seen, *, only: bool) -> Iterator[Check]:
    there = {(row["source"], row["category"], row["subject"]): row for row in seen.reply.said.get("verdicts", ())}
    wanted = set()
    for row in expected:
        # A withheld row says nothing of whom it concerns, so it stands under the citizen (P6).
        label = "citizen" if row["verdict"] == "withhold" else seen.label(row.get("subject"))
        key = (row["source"], row["category"], label)
        wanted.add(key)
        yield from _verdict(row, there.get(key), key, seen)
    if only:
        extra = sorted(set(there) - wanted)
        told = ", ".join(f"{'/'.join(key)} {there[key]['verdict']}" for key in extra)
        yield Check("verdicts, only", held=not extra, line=f"not expected: {told}")


def _verdict(
    expected: Mapping[str, Any], got: Mapping[str, Any] | None, key: tuple[str, str, str], seen: Seen
) -> Iterator[Check]:
    place = "/".join(key if key[2] != "citizen" else key[:2])
    if got is None:
        yield Check(f"verdicts: {place}", held=False, line=f"expected {expected['verdict']}, got no such row")
        return
    wish, told = _in_words(expected), _told(got, seen)
    fits = expected["verdict"] == got["verdict"]
    if "reason" in expected:
        fits = fits and expected["reason"] in {row["code"] for row in got.get("reasons", ())}
    if "basis" in expected:
        fits = fits and expected["basis"] in _bases(got, seen)
    if "law" in expected:
        fits = fits and expected["law"] in {basis["law"] for basis in got.get("basis", ())}
    yield Check(f"verdicts: {place}", held=fits, line=f"expected {wish}, got {told}")
    if "masks" in expected:
        yield same_set(f"verdicts: {place}, masks", expected["masks"], got.get("masks", ()))
    if "logged" in expected:
        yield _logged(expected, key, seen)


def _logged(expected: Mapping[str, Any], key: tuple[str, str, str], seen: Seen) -> Check:
    about = expected.get("subject")
    reasons = {
        code
        for (source, category, person), verdict in seen.verdicts_logged.items()
        if (source, category) == key[:2] and about in {None, person, "citizen" if person == seen.citizen else person}
        for code in verdict["reasons"]
    }
    what = f"verdicts: {key[0]}/{key[1]}, on the log"
    return Check(what, expected["logged"] in reasons, f"expected {expected['logged']}, got {sorted(reasons)}")


def _in_words(row: Mapping[str, Any]) -> str:
    return " ".join(str(row[name]) for name in ("verdict", "reason", "basis", "law") if name in row)


def _told(row: Mapping[str, Any], seen: Seen) -> str:
    codes = [reason["code"] for reason in row.get("reasons", ())]
    return " ".join([str(row["verdict"]), *codes, *sorted(_bases(row, seen))])


def _bases(row: Mapping[str, Any], seen: Seen) -> set[str]:
    """Name what a verdict rests on: `own_case`, a statute's id, a consent's short name."""
    names = set()
    for basis in row.get("basis", ()):
        names.add("own_case" if basis["kind"] == "own_case" else seen.names.consent(basis["id"]))
    return names


def _items(expected: list[str], seen: Seen) -> Iterator[Check]:
    yield same_set("items", expected, (item["id"] for item in seen.reply.said.get("items", ())))


def _no_trace_of(expected: list[str], seen: Seen) -> Iterator[Check]:
    body = json.dumps(seen.reply.said, ensure_ascii=False).casefold()
    for text in expected:
        yield Check(f"no trace of “{text}”", held=text.casefold() not in body, line="it stands in the answer")


def _counts(expected: Mapping[str, int], seen: Seen) -> Iterator[Check]:
    got = seen.reply.said.get("counts", {})
    for name, number in expected.items():
        yield equal(f"items, {name}", number, got.get(name))


def _silent(expected: list[str], seen: Seen) -> Iterator[Check]:
    states = seen.reply.said.get("sources", ())
    yield same_set("silent", expected, (row["source"] for row in states if row["state"] == "silent"))


def _calls(expected: Mapping[str, list[str]], seen: Seen) -> Iterator[Check]:
    for source, categories in expected.items():
        yield same_set(f"asked of {source}", categories, set(seen.calls.get(source, ())))


def _rows(expected: int | list[Mapping[str, Any]], seen: Seen) -> Iterator[Check]:
    if isinstance(expected, int):
        yield equal("rows", expected, len(seen.rows))
        return
    for wanted in expected:
        found = any(_row_fits(wanted, row) for row in seen.rows)
        yield Check(f"row {json.dumps(wanted, ensure_ascii=False)}", found, f"none of {len(seen.rows)} rows is it")


def _row_fits(wanted: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    return all(_field_fits(value, row.get(name)) for name, value in wanted.items())


def _field_fits(wanted: Any, got: Any) -> bool:
    """Compare one field; a list of codes also fits rows that carry those codes."""
    if isinstance(wanted, list) and isinstance(got, list):
        return sorted(map(str, wanted)) == sorted(
            str(one["code"] if isinstance(one, dict) and "code" in one else one) for one in got
        )
    return bool(wanted == got)


def _text(expected: list[str], seen: Seen) -> Iterator[Check]:
    for text in expected:
        yield Check(f"text “{text}”", held=text in seen.texts, line="it is not on the page")


def _not_text(expected: list[str], seen: Seen) -> Iterator[Check]:
    page = seen.texts.casefold()
    for text in expected:
        # On a page that did not come nothing stands; that is no proof that it would not.
        line = "it is on the page" if page else "no page was shown"
        yield Check(f"no text “{text}”", held=bool(page) and text.casefold() not in page, line=line)


CHECKS: Mapping[str, Callable[[Expected, Seen], Iterator[Check]]] = {
    "status": _status,
    "problem": _problem,
    "reasons": _reasons,
    "reasons_include": _reasons_include,
    "missing": _missing,
    "decisions": _decisions,
    "found": _found,
    "items": _items,
    "no_trace_of": _no_trace_of,
    "counts": _counts,
    "silent": _silent,
    "excluded": check_excluded,
    "weeks": check_weeks,
    "findings": check_findings,
    "no_findings": check_no_findings,
    "plans": lambda expected, seen: check_plans("plans", expected, seen),
    "replaceable": lambda expected, seen: check_plans("replaceable", expected, seen),
    "trials": check_trials,
    "gaps": check_gaps,
    "calls": _calls,
    "log": check_log,
    "intact": lambda expected, seen: check_report("intact", expected, seen),
    "bad_entry": lambda expected, seen: check_report("bad_entry", expected, seen),
    "rows": _rows,
    "text": _text,
    "not_text": _not_text,
}
