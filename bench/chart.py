"""The figures as one picture: ratios to the floor, who pays for an ask, and where its milliseconds go. SVG by hand.

Light and dark as the reader's screen is; every bar carries its figure in words, so that colour tells nothing alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from statistics import median

from bench.figures import Figures
from bench.goals import broker_of
from bench.machine import PAYERS, described
from bench.plan import CROWD, TLS_BROKER, Case
from bench.profile import CALLERS

WIDTH, LEFT, RIGHT, ROW, BAR = 960, 310, 220, 22, 14
STYLE = """
svg { font: 13px system-ui, sans-serif; --ink: #1a1a1a; --dim: #595959; --paper: #ffffff; --line: #d0d0d0;
 --a: #1f5fa8; --b: #b45309; --c: #15803d; --d: #7e22ce; --e: #525252; --f: #0e7490; }
@media (prefers-color-scheme: dark) { svg { --ink: #f0f0f0; --dim: #b0b0b0; --paper: #161616; --line: #454545;
 --a: #6aa9f0; --b: #f0a35a; --c: #5fcf8a; --d: #c592f5; --e: #a3a3a3; --f: #53c7dd; } }
text { fill: var(--ink); } .dim { fill: var(--dim); } .head { font-weight: 600; font-size: 15px; }
.end { text-anchor: end; } rect.paper { fill: var(--paper); } line { stroke: var(--line); }
"""
COLOURS = "abcdef"
PAYER_NAMES = dict(zip(PAYERS, ("broker", "OPA", "TLS proxy", "PostgreSQL", "systems asked", "load"), strict=True))


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: its name, its parts from left to right as (value, colour), and what is said at its end."""

    name: str
    parts: tuple[tuple[float, str], ...]
    said: str


@dataclass(frozen=True, slots=True)
class Panel:
    """Rows that are compared, on a scale of their own; `legend` names the colours."""

    title: str
    bars: Sequence[Bar]
    legend: tuple[tuple[str, str], ...] = ()

    @property
    def height(self) -> int:
        """How many pixels it takes."""
        return 34 + ROW * len(self.bars) + (ROW if self.legend else 0) + 18


def chart(figures: Figures) -> str:
    """Draw what was measured; what was not is not there."""
    panels = [panel for panel in (_ratios(figures), _payers(figures), _steps(figures)) if panel.bars]
    height = 44 + sum(panel.height for panel in panels)
    drawn, top = [], 44
    for panel in panels:
        drawn.append(_draw(panel, top))
        top += panel.height
    head = f'<text x="14" y="26" class="dim">{escape(described())}; medians of {figures.rounds} rounds</text>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        f' role="img" aria-label="What an ask costs">\n<style>{STYLE}</style>\n'
        f'<rect class="paper" width="{WIDTH}" height="{height}"/>\n{head}\n{"".join(drawn)}</svg>\n'
    )


def _ratios(figures: Figures) -> Panel:
    bars = []
    for case in figures.cases:
        target = broker_of(figures)
        if ratios := figures.ratio((case.name, target, "rate"), (case.name, "floor", "rate")):
            said = f"{median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"
            bars.append(Bar(case.name.replace("registers", "reg."), ((median(ratios), "a"),), said))
    return Panel("Asks a second of the broker, as a share of the hand-written floor's (1 = as many)", bars)


def _payers(figures: Figures) -> Panel:
    bars = []
    for target in ("floor", broker_of(figures) if figures.cases else "", "broker, embedded engine", TLS_BROKER):
        for callers in (1, 16, CROWD):
            place = (Case(0, 0, callers, ()).name, target)
            paid = [(figures.mid(*place, f"cpu {payer}") or 0.0, COLOURS[i]) for i, payer in enumerate(PAYERS)]
            if sum(value for value, _ in paid):
                bars.append(Bar(f"{target}, {callers} at once", tuple(paid), f"{sum(v for v, _ in paid):.1f} ms"))
    legend = tuple((COLOURS[i], PAYER_NAMES[payer]) for i, payer in enumerate(PAYERS))
    return Panel("CPU of the whole machine for one ask, ms, by who spends it", bars, legend)


def _steps(figures: Figures) -> Panel:
    found = figures.facts.get("profile") or {}
    steps = found.get(f"{min(CALLERS)}", {}).get("steps", {})
    bars = [
        Bar(step, ((row["wall"], "a"),), f"{row['wall']:.2f} ms, {row['sql']:.0f} statements, {row['http']:.0f} calls")
        for step, row in steps.items()
        if row.get("wall", 0.0) > 0
    ]
    return Panel("Where the milliseconds of one ask go, alone (group commit is within record and release)", bars)


def _draw(panel: Panel, top: int) -> str:
    most = max((sum(value for value, _ in bar.parts) for bar in panel.bars), default=0) or 1
    scale = (WIDTH - LEFT - RIGHT - 28) / most
    drawn = [f'<text x="14" y="{top + 16}" class="head">{escape(panel.title)}</text>\n']
    y = top + 34
    for bar in panel.bars:
        drawn.append(f'<text x="{LEFT}" y="{y + 11}" class="end">{escape(bar.name)}</text>\n')
        x = float(LEFT + 10)
        for value, colour in bar.parts:
            wide = value * scale
            if wide:
                drawn.append(
                    f'<rect x="{x:.1f}" y="{y}" width="{wide:.1f}" height="{BAR}" style="fill: var(--{colour})"/>\n'
                )
            x += wide
        drawn.append(f'<text x="{x + 6:.1f}" y="{y + 11}" class="dim">{escape(bar.said)}</text>\n')
        y += ROW
    return "".join(drawn) + _legend(panel, y)


def _legend(panel: Panel, y: int) -> str:
    drawn, x = [], LEFT + 10
    for colour, name in panel.legend:
        drawn.append(f'<rect x="{x}" y="{y + 2}" width="10" height="10" style="fill: var(--{colour})"/>\n')
        drawn.append(f'<text x="{x + 14}" y="{y + 11}" class="dim">{escape(name)}</text>\n')
        x += 26 + 8 * len(name)
    return "".join(drawn)
