"""Show a played scenario on a terminal, in words that a lawyer can read: who got what, on what basis, or why not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from demo.scenario.play import Performance, Played
from demo.scenario.seen import Seen
from demo.world.world import POLICIES

WIDTH = 200
STYLES = {"release": "green", "mask": "green", "withhold": "yellow"}
WORDS = {"release": "released", "mask": "released, masked", "withhold": "withheld"}
FIGURES = (
    ("total_minutes", "minutes in all"),
    ("union_minutes", "at least one helper"),
    ("two_or_more_minutes", "two or more"),
    ("three_or_more_minutes", "three or more"),
    ("excess_minutes", "more than one helper needs"),
)
Row = Mapping[str, Any]


class Show:
    """Prints each step as it is played."""

    def __init__(self, console: Console) -> None:
        # A file or a pipe has no width of its own; rows are then not cut.
        self._console = console if console.is_terminal else Console(file=console.file, width=WIDTH, highlight=False)
        names = json.loads((POLICIES / "tables" / "categories.json").read_text("utf-8"))
        self._categories = {code: row["name_da"] for code, row in names.items() if isinstance(row, dict)}

    def title(self, title: str, about: str | None, law: Iterable[str]) -> None:
        """Print what a scenario is about."""
        self._console.print()
        self._console.rule(f"[bold]{escape(title)}[/]", align="left")
        if about:
            self._console.print(" ".join(about.split()), style="dim", markup=False)
        for paragraph in law:
            self._console.print(f"  § {paragraph}", style="dim", markup=False)

    def step(self, played: Played) -> None:
        """Print one step: what happened, what came back, and what was expected otherwise."""
        step, seen = played.step, played.seen
        held = sum(check.held for check in played.checks)
        mark = "[red]✗[/]" if played.differences else "[green]✓[/]" if held else "·"
        name = f"{step.number}. {step.verb}" if step.number else "before"
        told = escape(step.say or _what(step.verb, step.wish))
        self._console.print(f"\n{mark} [bold]{name}[/]  {told}")
        if step.verb in ("ask", "await"):
            self.answer(seen)
        elif step.verb == "verify_log":
            self.report(seen)
        elif step.verb == "evaluate" and seen.reply.status < 400:
            self._evaluated(step.wish, seen.reply.said)
        elif seen.reply.status >= 400:
            self._refusal(seen.reply.status, seen.reply.said)
        self.places(seen)
        for line in played.differences:
            self._console.print(f"    {line}", style="red", markup=False)

    def answer(self, seen: Seen) -> None:
        """Print an answer to an ask."""
        body = seen.reply.said
        if seen.reply.status >= 400:
            self._refusal(seen.reply.status, body)
            return
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold dim")
        for column, width in (
            ("    source", 26),
            ("category", 28),
            ("about", 7),
            ("verdict", 16),
            ("basis or reason", 21),
        ):
            table.add_column(column, no_wrap=column != "basis or reason", overflow="ellipsis", min_width=width)
        for row in body.get("verdicts", ()):
            verdict = Text(WORDS[row["verdict"]], STYLES[row["verdict"]])
            category = f"{row['category']} {self._categories.get(row['category'], '').partition(':')[0]}"
            table.add_row(f"    {row['source']}", category, _about(row), verdict, _why(row, seen))
        self._console.print(table)
        for told in sorted({_reason(reason) for row in body.get("verdicts", ()) for reason in row.get("reasons", ())}):
            self._console.print(f"    {told}", style="dim", markup=False)
        self._items(body)
        self._findings(body)

    def places(self, seen: Seen) -> None:
        """Print where on the logs a step stands."""
        if seen.entries:
            self._console.print(f"    log: {_places(seen)}", style="dim", markup=False)

    def report(self, seen: Seen) -> None:
        """Print what a check of the logs told, one line a log."""
        for log in (seen.report or {}).get("logs", ()):
            intact = "[green]intact[/]" if log["intact"] else "[red]NOT INTACT[/]"
            signed = f"signed up to {log['signed_size']}" if log["signed_size"] is not None else "not signed"
            self._console.print(f"    {escape(log['origin'])}: {intact}, {log['size']} entries, {signed}")
            for fault in log["faults"]:
                self._console.print(f"      {fault['where']}: {fault['what']}", style="red", markup=False)

    def total(self, performances: Iterable[Performance], broken: Mapping[str, str]) -> None:
        """Print one line a scenario, and the sum."""
        played = list(performances)
        self._console.print()
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold dim")
        for column in ("scenario", "held", "did not", "seconds"):
            table.add_column(column, justify="left" if column == "scenario" else "right")
        for one in played:
            failed = Text(str(one.failed), "red" if one.failed else "")
            table.add_row(
                f"{one.scenario.file.name}  {one.scenario.title}", str(one.held), failed, f"{one.seconds:.1f}"
            )
        for file, why in broken.items():
            table.add_row(file, "", Text("✗", "red"), "")
            self._console.print(f"{file}: {why}", style="red", markup=False)
        self._console.print(table)
        held, differing = sum(one.held for one in played), sum(one.failed for one in played) + len(broken)
        style = "red" if differing else "bold green"
        self._console.print(f"\n{held} expectations held, {differing} did not", style=style)

    def _refusal(self, status: int, body: Row) -> None:
        self._console.print(f"    [yellow]refused[/] ({status})  {escape(str(body.get('title', '')))}")
        for row in body.get("reasons", ()):
            self._console.print(f"      {_reason(row)}", markup=False)
        if body.get("missing"):
            lines = ", ".join(f"{row['source']} {row['category']}" for row in body["missing"])
            self._console.print(f"      a yes to these would open it: {lines}", markup=False)

    def _evaluated(self, wish: Row, body: Row) -> None:
        """Print whether each place may be seen, or which may."""
        if "results" in body:
            found = ", ".join(row["id"] for row in body["results"])
            self._console.print(f"    may see: {found or 'nothing'}", markup=False)
        for place, row in zip(wish.get("places", ()), body.get("evaluations", ()), strict=False):
            told = [reason["code"] for reason in row["context"].get("reasons", ())]
            told += [row["context"]["error"]["message"]] if "error" in row["context"] else []
            self._console.print(f"    {place}: {'yes' if row['decision'] else 'no'}  {', '.join(told)}", markup=False)

    def _items(self, body: Row) -> None:
        counts = body.get("counts", {})
        ids = ", ".join(item["id"] for item in body.get("items", ()))
        self._console.print(
            f"    items: {ids or 'none'} ({counts.get('own')} own, {counts.get('shared')} shared)", markup=False
        )
        for row in body.get("sources", ()):
            if row["state"] == "silent":
                self._console.print(f"    no answer from {row['source']} ({row['why']})", style="yellow", markup=False)

    def _findings(self, body: Row) -> None:
        for row in body.get("findings", ()):
            figures = ", ".join(f"{name} {value}" for name, value in row["figures"].items())
            self._console.print(f"    {'/'.join(row['rules'])}: {row['text']['en']}", markup=False)
            # The figures of O1 follow week by week.
            if figures and "O1" not in row["rules"]:
                self._console.print(f"        {figures}", style="dim", markup=False)
        for weeks, told in _weeks(body.get("weeks", ())):
            self._console.print(f"    {weeks}: {told}", style="dim", markup=False)


def _weeks(weeks: Iterable[Row]) -> list[tuple[str, str]]:
    """Say the figures of each week; weeks that are alike are said once."""
    told: dict[str, list[str]] = {}
    for week in weeks:
        if week["total_minutes"]:
            told.setdefault(", ".join(f"{words} {week[name]}" for name, words in FIGURES), []).append(week["week"])
    return [(" to ".join(dict.fromkeys((names[0], names[-1]))), figures) for figures, names in told.items()]


def _why(row: Row, seen: Seen) -> str:
    """Name the basis of a release, or the reasons of a refusal, whose sentences follow below the table."""
    if row["verdict"] == "withhold":
        return ", ".join(reason["code"] for reason in row.get("reasons", ()))
    masks = f" (hidden: {', '.join(row['masks'])})" if row.get("masks") else ""
    return "; ".join(_basis(basis, seen) for basis in row.get("basis", ())) + masks


def _about(row: Row) -> str:
    return "" if row["subject"] == "citizen" else str(row["subject"])


def _reason(row: Row) -> str:
    paragraph = f" ({row['paragraph']})" if row.get("paragraph") else ""
    return f"{row['code']}: {row.get('en', '')}{paragraph}"


def _basis(basis: Row, seen: Seen) -> str:
    if basis["kind"] == "own_case":
        return "the unit's own case"
    if basis["kind"] == "consent":
        return f"consent {seen.names.consent(basis['id'])}, version {basis['version']} ({basis['paragraph']})"
    return f"{basis['kind']} {basis['id']} ({basis['paragraph']})"


def _places(seen: Seen) -> str:
    """Say where each new entry stands: its log, its index, what it is, and about whom."""
    return ", ".join(
        f"{'/'.join(entry.receipt.log.split('/')[-2:])} {entry.receipt.index} {entry.kind}"
        f" ({seen.names.person(entry.index.get('citizen', ''))})"
        for entry in seen.entries
    )


def _what(verb: str, wish: Any) -> str:
    """Say what a step does, from what its author wrote, where they gave no words for it."""
    match wish:
        case str():
            return wish
        case {"by": by, "citizen": citizen, "case": case}:
            return f"{by} asks about {citizen}, case {case}"
        case {"page": page, "as_who": who}:
            return f"{who} looks at {page}"
        case dict():
            return ", ".join(f"{name} {value}" for name, value in wish.items() if isinstance(value, str | int))
    return str(verb)
