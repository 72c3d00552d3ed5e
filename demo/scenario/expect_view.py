"""Hold what is expected of the whole-person view: weeks, findings, plans, gaps. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from demo.scenario.seen import Check, Seen, equal, same_set


def check_weeks(expected: Mapping[str, Mapping[str, int]], seen: Seen) -> Iterator[Check]:
    """Check the figures of O1, week by week."""
    weeks = {row["week"]: row for row in seen.reply.said.get("weeks", ())}
    for week, figures in expected.items():
        for name, number in figures.items():
            yield equal(f"week {week}, {name}", number, weeks.get(week, {}).get(name))


def check_findings(expected: list[Mapping[str, Any]], seen: Seen) -> Iterator[Check]:
    """Check that each finding is there: its rules, the items it names, its figures."""
    there = [_named(finding, seen) for finding in seen.reply.said.get("findings", ())]
    for wanted in expected:
        same = [got for got in there if sorted(got["rules"]) == sorted(wanted["rules"])]
        found = any(_fits(wanted, got) for got in same)
        near = "; ".join(f"items {','.join(got['items'])} figures {got['figures']}" for got in same) or "none"
        told = ", ".join("/".join(got["rules"]) for got in there)
        yield Check(_title(wanted), found, f"expected {_wish(wanted)}, got {near} (findings: {told or 'none'})")


def check_no_findings(expected: list[str], seen: Seen) -> Iterator[Check]:
    """Check that no finding rests on these rules."""
    there = {rule for finding in seen.reply.said.get("findings", ()) for rule in finding["rules"]}
    for rule in expected:
        yield Check(f"no finding {rule}", held=rule not in there, line="there is one")


def check_plans(what: str, expected: Any, seen: Seen) -> Iterator[Check]:
    """Check how many plans there are, or which of them one plan may replace."""
    plans = seen.reply.said.get("plans", ())
    if what == "plans":
        yield equal("plans", expected, len(plans))
        return
    yield same_set(what, expected, (_item(plan["item"], seen) for plan in plans if plan["replaceable"]))


def check_trials(expected: Mapping[str, str], seen: Seen) -> Iterator[Check]:
    """Check by which trial each plan may be replaced: exactly these."""
    told = {_item(plan["item"], seen): plan["trial"] for plan in seen.reply.said.get("plans", ()) if plan["trial"]}
    yield equal("trials", dict(expected), told)


def check_gaps(expected: list[str], seen: Seen) -> Iterator[Check]:
    """Check what the view says it lacks: exactly these codes, or `code:source`, `code:area`."""
    rows = seen.reply.said.get("gaps", ())
    told = {row["code"] for row in rows} | {f"{row['code']}:{row['source'] or row['area']}" for row in rows}
    for gap in expected:
        yield Check(f"gap {gap}", held=gap in told, line=f"gaps: {', '.join(sorted(told)) or 'none'}")


def check_excluded(expected: Mapping[str, str], seen: Seen) -> Iterator[Check]:
    """Check which items are shown and left out, each with its reason: exactly these."""
    told = {_item(row["item"], seen): row["reason"]["code"] for row in seen.reply.said.get("excluded", ())}
    yield equal("excluded", dict(expected), told)


def _named(finding: Mapping[str, Any], seen: Seen) -> dict[str, Any]:
    return {**finding, "items": [_item(index, seen) for index in finding["items"]]}


def _item(index: int, seen: Seen) -> str:
    return str(seen.reply.said["items"][index]["id"])


def _fits(wanted: Mapping[str, Any], got: Mapping[str, Any]) -> bool:
    if "items" in wanted and sorted(wanted["items"]) != sorted(got["items"]):
        return False
    return all(got["figures"].get(name) == value for name, value in wanted.get("figures", {}).items())


def _title(wanted: Mapping[str, Any]) -> str:
    items = f" ({', '.join(wanted['items'])})" if "items" in wanted else ""
    return f"finding {'/'.join(wanted['rules'])}{items}"


def _wish(wanted: Mapping[str, Any]) -> str:
    return " ".join(f"{name} {wanted[name]}" for name in ("items", "figures") if name in wanted) or "one"
