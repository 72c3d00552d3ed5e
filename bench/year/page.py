"""`docs/supervision-proof.md` and its record: what was played, what reviews found, what they did not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from bench.year.almanac import DAYS
from bench.year.arms import CHANCE
from bench.year.kinds import HIDES
from bench.year.sources import SOURCES
from bench.year.telling import (
    ARMS,
    GOAL_DAYS,
    GOAL_FOUND,
    HONEST,
    Figures,
    head_of_kinds,
    missed,
    rows_of_arms,
    rows_of_honest,
    rows_of_kinds,
)
from broker.adapters.clock_system import SystemClock
from docs.markdown import table

DOCS = Path(__file__).parents[2] / "docs"
RECORD, PAGE = DOCS / "supervision-proof.json", DOCS / "supervision-proof.md"
HEAD = """# Does supervision find those who snoop?

Written by `python3 run.py oversight-proof --page`; do not edit. The figures are in `supervision-proof.json`.

Nobody can hide real snoopers in a real log. So years are invented, people who snoop are hidden in them, and an hour of
review a day has to find them. The generator (`bench/year/`) was written apart from the rules that rank accesses
and without reading them; the trial calls a ranking by its signature alone and gives it the accesses and what registers
would answer, never the answer key.
"""
WORK = """## What is played

- A town with households, kin, neighbours, former spouses and surnames about as common as in Denmark; people of the next
  town; sixty known to the public, and somebody new in the news about every month.
- Caseworkers in units and teams: part time, holidays, illness, evening work, shifts, people who leave, come and move.
  Seven in ten live in the town: so clients are by chance their neighbours, namesakes, brothers and colleagues.
- Cases that open, are handed over, close and open again; the case register learns of one tie in ten some days late.
  Some units' job function reaches the whole unit, others' the team alone.
- Honest accesses, each with its reason: own case, a colleague on leave, a team's meeting, a leader's reading-over, the
  unit's telephone, the front desk, a new case, a case opened again, a wrong number, shifts at night and on weekends,
  deadlines, and emergencies. What honest work shares with snooping is there too: for each hidden tie of kinship three
  honest ones are made, one new case in seven has a consent noted by who handles it, and whole plans are asked for.
- Snoopers of 24 kinds, half of them with a live tie in the case register as they look. Most who are merely curious look
  on one day alone. Where the law or the register says no, the broker refuses, and the attempt stands on the log.

Each day has its reviews, made on the morning of the next working day. **A review of a snooper's access is
taken to find them, and a review of an honest one to clear it**: what is tried is which accesses come before a reviewer,
not how well the reviewer asks (`--eye 0.7` has them miss three in ten). Who was found looks no more in that arm.
"""
BASE = """## Where the shares come from

No public figures are of a municipality. Used, as far as they go:
"""
DENSITY = """
Forty hidden among some 450 employed in the year is more than these suggest, so that each kind occurs and the shares
mean something. It makes finding any one of them by chance no likelier, and finding one who looks once no easier.
"""

LIMITS = """
## What these figures do not say

- The year is invented. Nobody has counted how often a municipality opens a case again, answers for another team or
  types a wrong number; here about one in three closed cases is opened again, which is likely too many. What honest work
  looks like decides how many honest accesses stand before a reviewer, and so how deep a snooper's lies.
  Played with a quarter as many openings-again (2026-11-22, first 111 days of year 11, rules `49ef26080f83`), 16 of 39
  were found with registers asked, 13 of 39 from the log alone, 4 of 39 by chance.
- What explains a sign away was looked over once it was seen which honest accesses took the reviews of year 11 (cases
  opened again, the rota's nights): two explanations were added and each access judged at its own moment. With that year
  of 120 days 28 % became 52 % with registers asked, 20 % became 38 % from the log alone. Year 12 was played
  only afterwards.
- A reviewer who always sees through is the best there can be. An entry is reviewed by itself.
- Registers are asked as they would answer if the broker were connected to all of them. `by rank, from the log alone` is
  what the broker writes down by itself: who the case register had on the case.
- Whoever sits at the front desk or in the duty room counts as on duty for every caller.
- After the ranking's signature was known two things were added to the year: the rota of shifts as something registers
  can be asked, and false emergencies on shifts alone, where emergencies are. Nothing was changed for what it found.
"""


def write_page(told: Figures) -> None:
    """Write record and page from what was found."""
    told = told | {"measured_on": SystemClock().now().date().isoformat()}
    RECORD.write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    PAGE.write_text(page(told), "utf-8")


def page(told: Figures) -> str:
    """Lay the page out."""
    sources = table(("what", "source"), ((what, f"[{name}]({address})") for what, name, address in SOURCES))
    return "\n".join((HEAD, *_results(told), "", WORK, BASE, sources, DENSITY + LIMITS))


def _span(told: Figures) -> str:
    """Say how much was played: years, or as many days of them."""
    years, days = len(told["seeds"]), told["size"]["days"]
    if days == DAYS:
        return f"{years} years" if years > 1 else "one year"
    return f"the first {days} days of {years} years" if years > 1 else f"{days} days of one year"


def _reached(told: Figures) -> str:
    """Say of each ranking whether it came up to the goal."""
    return "; ".join(
        f"{name}, {'reached' if _good(arm) else 'not reached'}" for name, arm in told["arms"].items() if name != CHANCE
    )


def _good(arm: Figures) -> bool:
    return arm["found"] >= GOAL_FOUND * arm["hidden"] and (arm["median_days"] or DAYS) <= GOAL_DAYS


def _results(told: Figures) -> Iterator[str]:
    size, seeds = told["size"], told["seeds"]
    accesses = sum(seed["accesses"] for seed in seeds)
    wrong = sum(seed["snoopers_accesses"] for seed in seeds)
    yield (
        f"## What reviews found\n\nMeasured on {told['measured_on']}: {_span(told)} of {size['citizens']:,} "
        f"citizens, {size['staff']} caseworkers and {size['units']} units; {accesses:,} accesses in all, {wrong:,} of "
        f"them snoopers' (one in {accesses // max(1, wrong):,}); {told['reviews_a_day']} reviews "
        f"a day; the table of rules is `{told.get('rules', '')[:12]}`.\n"
    )
    yield f"The goal is {GOAL_FOUND:.0%} found, in {GOAL_DAYS} days at the median: {_reached(told)}.\n"
    yield table(ARMS, rows_of_arms(told))
    yield "\nBy kind; `accesses` are those of all years together, had nobody been found.\n"
    yield table(head_of_kinds(told), rows_of_kinds(told))
    for name, kinds in missed(told):
        if name != CHANCE:
            yield f"\nReviews chosen {name} found fewer than half of: {', '.join(kinds) or 'none'}."
    hidden = sorted({kind for name, kinds in missed(told) if name != CHANCE for kind in kinds})
    yield "\nWhy a ranking does not see them:\n" if hidden else ""
    yield "\n".join(f"- **{kind}**: {HIDES.get(kind, 'its signs are those of honest work too')}." for kind in hidden)
    yield "\nHonest accesses that came before a reviewer, by why they were made:\n"
    yield table(HONEST, rows_of_honest(told))
