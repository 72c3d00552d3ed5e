"""Tell the story as a table, a line a second, and for machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table

from deploy.shape.afterwards import Findings
from deploy.shape.load import ANSWERED, REFUSED, UNKNOWN, Told
from deploy.shape.story import Story


def seconds_of(story: Story) -> Iterator[dict[str, Any]]:
    """Give for each second what came of the asks that were sent in it, and what happened."""
    for second in range(_last_second(story) + 1):
        sent = [one for one in story.load.told if int(one.sent) == second]
        happened = [what for at, what in story.happened if int(at) == second]
        if not sent and not happened:
            continue
        yield {
            "second": second,
            **{kind: sum(one.kind == kind for one in sent) for kind in (ANSWERED, REFUSED, UNKNOWN)},
            "longest_ms": round(max((one.took for one in sent), default=0) * 1000),
            "words": dict(Counter(one.word for one in sent if one.word)),
            "happened": happened,
        }


def _last_second(story: Story) -> int:
    return int(max([at for at, _ in story.happened] + [one.sent for one in story.load.told], default=0))


def totals(told: list[Told]) -> dict[str, Any]:
    """Sum the whole story up."""
    answered = sorted(one.took for one in told if one.kind == ANSWERED)
    return {
        **{kind: sum(one.kind == kind for one in told) for kind in (ANSWERED, REFUSED, UNKNOWN)},
        "words": dict(Counter(one.word for one in told if one.word)),
        "p50_ms": round(answered[len(answered) // 2] * 1000, 1) if answered else None,
        "longest_ms": round(max((one.took for one in told), default=0) * 1000),
    }


def as_json(story: Story, findings: Findings, missing: list[str]) -> dict[str, Any]:
    """Give all of it for a machine to read."""
    return {
        "missing": missing,
        "asks_a_second": story.plan.rate,
        "seconds": list(seconds_of(story)),
        "total": totals(story.load.told),
        "afterwards": {
            "held": findings.held,
            "answers": findings.answers,
            "entries": findings.entries,
            "without_entries": [list(place) for place in findings.without_entries],
            "not_on_replica": [list(place) for place in findings.not_on_replica],
            "logs": findings.logs,
        },
    }


def show(story: Story, findings: Findings, missing: list[str], console: Console) -> None:
    """Print the story and its end."""
    for line in missing:
        console.print(f"left out: {line}", markup=False)
    table = Table("second", "answered", "refused", "unknown", "longest wait", "what else", "what happened")
    for row in seconds_of(story):
        words = ", ".join(f"{count} × {word}" for word, count in row["words"].items())
        counts = [str(row[name]) for name in ("second", ANSWERED, REFUSED, UNKNOWN)]
        table.add_row(*counts, f"{row['longest_ms']} ms", words, "; ".join(row["happened"]))
    console.print(table)
    total = totals(story.load.told)
    console.print(
        f"{total[ANSWERED]} answered (half of them within {total['p50_ms']} ms), {total[REFUSED]} refused, "
        f"{total[UNKNOWN]} not known; longest wait {total['longest_ms']} ms"
    )
    console.print(
        f"{findings.answers} answers: {len(findings.without_entries)} without their entries, "
        f"{len(findings.not_on_replica)} missing on the replica"
    )
    for origin, intact in findings.logs.items():
        console.print(f"{origin}: {'intact' if intact else 'NOT INTACT'}, {findings.entries} entries", markup=False)
