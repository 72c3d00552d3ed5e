"""Drawing samples: the terms are committed first, the draw is carried out when its head is signed, and verified again.

Rules kept here:
- A period is drawn once: whoever could draw again until it suits them would choose.
- The seed's entry stands on the log of the period itself, whose head the draw goes by.
- Random and ranked stand apart: what the signs put forward takes no place of what chance put forward.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from broker.domain.accesses import Access
from broker.domain.days import DANISH_TIME
from broker.domain.draw import SEED_BYTES, Counted, Head, Terms, commitment_of, draw, head_for, key_of
from broker.domain.entries import INTACT
from broker.domain.errors import Conflict, NotFound
from broker.domain.habits import Past
from broker.domain.ranking import Ranked, day_ranking
from broker.domain.receipts import Receipt
from broker.domain.samples import RANDOM, RANKED, Round, Sample, SampleDrawn, SampleSeeded
from broker.domain.signs import RankingRules
from broker.oversight.doors import RelationsOnRecord
from broker.ports import Accesses, Clock, LogReader, Samples

PER_UNIT = 5
# Entries that were on their way when the period ended stand on the log by then.
GRACE = timedelta(minutes=10)
MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)
COMMITTED = ("since", "until", "per_unit", "commitment", "rules")


@dataclass(frozen=True, slots=True)
class Desk:
    """The doors of the draw."""

    clock: Clock
    accesses: Accesses
    relations: RelationsOnRecord
    samples: Samples
    reader: LogReader
    rules: RankingRules


@dataclass(frozen=True, slots=True)
class Verified:
    """What doing a draw again found: nothing wrong, or a code of each thing that is."""

    round: str
    accesses: int
    drawn: int
    faults: tuple[str, ...]


def month_of(text: str) -> tuple[int, int]:
    """Give the first second of a Danish month (YYYY-MM) and that of the next; raise ValueError."""
    found = MONTH.fullmatch(text)
    if found is None:
        raise ValueError("a month is written YYYY-MM")
    year, month = int(found[1]), int(found[2])
    starts = datetime(year, month, 1, tzinfo=DANISH_TIME)
    ends = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=DANISH_TIME)
    return int(starts.timestamp()), int(ends.timestamp())


def month_at(at: datetime) -> str:
    """Name the Danish month of a moment."""
    return f"{at.astimezone(DANISH_TIME):%Y-%m}"


async def round_of(municipality: str, month: str, desk: Desk) -> Round | None:
    """Find the draw of a month; None where none was committed. Raises ValueError."""
    since, _ = month_of(month)
    return next((one for one in await desk.samples.rounds(municipality) if one.terms.since == since), None)


async def seed(municipality: str, month: str, actor: str, desk: Desk, *, per_unit: int = PER_UNIT) -> Round:
    """Commit what a month's draw goes by. Raises `Conflict` where it was done, and for any month but this one.

    Who could commit when all accesses are known, or long before, would choose.
    """
    since, until = month_of(month)
    at = desk.clock.now()
    if month != month_at(at):
        raise Conflict("another_month")
    secret = secrets.token_bytes(SEED_BYTES)
    terms = Terms(municipality, since, until, per_unit, commitment_of(secret), desk.rules.revision)
    name = str(uuid4())
    event = SampleSeeded(
        municipality=municipality, subject=actor, actor=actor, at=at, round=name, since=since, until=until,
        per_unit=per_unit, commitment=terms.commitment, rules=terms.rules,
    )  # fmt: skip
    return await desk.samples.seed(Round(name, terms, Receipt("", 0), at), secret, event)


async def draw_round(wanted: Round, actor: str, desk: Desk) -> tuple[Sample, ...]:
    """Carry a draw out. Raises `Conflict`: the month still runs, no head covers it yet, or it was drawn before."""
    terms, log, at = wanted.terms, wanted.seeded.log, desk.clock.now()
    if at < datetime.fromtimestamp(terms.until, UTC) + GRACE:
        raise Conflict("month_runs")
    if wanted.drawn_at is not None:
        raise Conflict("already_drawn")
    places = await desk.accesses.draw_from(terms.municipality, log, terms.since, terms.until)
    last = max((entry for _, entry in places), default=-1)
    head = head_for(await desk.accesses.heads(log, max(wanted.seeded.index, last)), wanted.seeded.index, last)
    if head is None:
        raise Conflict("not_signed")
    secret = await desk.samples.seed_of(wanted)
    counted = draw(key_of(secret, head.root), log, places, terms.per_unit)
    chosen = {entry for entries in counted.drawn.values() for entry in entries}
    found, ranked = await _month(terms, chosen, desk)
    samples = [_sample(wanted, access, at) for access in found if access.log == log]
    samples += [_sample(wanted, one.access, at, one) for one in ranked]
    event = _drawn_event(wanted, actor, at, secret, head, counted, ranked)
    await desk.samples.draw(wanted, counted, samples, event)
    return tuple(samples)


async def _month(terms: Terms, chosen: set[int], desk: Desk) -> tuple[list[Access], list[Ranked]]:
    """Go through a month day by day, after the days that are remembered: what was drawn, and what the signs put first.

    One of each pair, and as many in all as the rules name for a day's reviews.
    """
    past, rules = Past(), desk.rules
    found, best = list[Access](), dict[tuple[str, str], Ranked]()
    for since, until in _days(terms.since - rules.remember_days * 86_400, terms.until):
        day = await desk.accesses.between(terms.municipality, since, until)
        relations = await desk.relations.of(terms.municipality, since, until)
        # In a thread: a month is long, and the node answers others meanwhile.
        ranked = await asyncio.to_thread(day_ranking, day, past, rules, relations)
        found += [access for access in day if access.entry in chosen and access.at >= terms.since]
        for one in ranked[: rules.reviews_a_day]:
            pair = (one.access.actor, one.access.citizen)
            of_month = one.access.at >= terms.since and one.access.entry not in chosen
            if of_month and (pair not in best or best[pair].score < one.score):
                best[pair] = one
    first = sorted(best.values(), key=lambda one: (-one.score, one.access.at, one.access.entry))
    return found, first[: rules.reviews_a_day]


def _days(since: int, until: int) -> Iterator[tuple[int, int]]:
    """Cut a time into Danish days, the first and the last perhaps a part of one."""
    while since < until:
        here = datetime.fromtimestamp(since, DANISH_TIME)
        midnight = datetime(here.year, here.month, here.day, tzinfo=DANISH_TIME) + timedelta(1)
        ends = min(int(midnight.timestamp()), until)
        yield since, ends
        since = ends


def _sample(wanted: Round, access: Access, at: datetime, ranked: Ranked | None = None) -> Sample:
    return Sample(
        id=str(uuid4()),
        round=wanted.id,
        municipality=wanted.terms.municipality,
        unit=access.unit,
        about=Receipt(access.log, access.entry),
        at=datetime.fromtimestamp(access.at, UTC),
        citizen=access.citizen,
        actor=access.actor,
        how=RANKED if ranked else RANDOM,
        signs=ranked.spoke if ranked else (),
        explained=ranked.explained if ranked else (),
        opened_at=at,
    )


def _drawn_event(
    wanted: Round, actor: str, at: datetime, secret: bytes, head: Head, counted: Counted, ranked: Sequence[Ranked]
) -> SampleDrawn:
    return SampleDrawn(
        municipality=wanted.terms.municipality,
        subject=actor,
        actor=actor,
        at=at,
        round=wanted.id,
        seed=secret.hex(),
        head_size=head.size,
        head_root=head.root.hex(),
        log=wanted.seeded.log,
        accesses=tuple(sorted(counted.accesses.items())),
        drawn=tuple((unit, entry) for unit, entries in sorted(counted.drawn.items()) for entry in entries),
        ranked=tuple((one.access.unit, one.access.entry) for one in ranked),
    )


async def verify_round(wanted: Round, desk: Desk) -> Verified:
    """Do a draw again from the log alone. Raises `NotFound` where it was not carried out."""
    place = await desk.samples.drawn(wanted)
    if place is None:
        raise NotFound
    terms, log = wanted.terms, wanted.seeded.log
    seeded = await _entry(wanted.seeded, "sample.seeded", wanted, desk)
    told = await _entry(place, "sample.drawn", wanted, desk)
    if seeded is None or told is None:
        return Verified(wanted.id, 0, 0, ("entry_changed",))
    body = told.body
    secret, head = bytes.fromhex(body["seed"]), Head(body["head_size"], bytes.fromhex(body["head_root"]))
    places = await desk.accesses.draw_from(terms.municipality, log, terms.since, terms.until)
    covered = [(unit, entry) for unit, entry in places if entry < head.size]
    again = draw(key_of(secret, head.root), log, covered, terms.per_unit)
    drawn = [[unit, entry] for unit, entries in sorted(again.drawn.items()) for entry in entries]
    last = max((entry for _, entry in covered), default=-1)
    first = head_for(await desk.accesses.heads(log, max(wanted.seeded.index, last)), wanted.seeded.index, last)
    checks = {
        "terms_differ": any(seeded.body[name] != getattr(terms, name) for name in COMMITTED),
        "another_seed": commitment_of(secret) != seeded.body["commitment"],
        "head_not_signed": head not in await desk.accesses.heads(log, head.size - 1),
        "not_the_first_head": first != head,
        "seeded_out_of_its_month": not terms.since <= int(seeded.at.timestamp()) < terms.until,
        "accesses_differ": [list(row) for row in sorted(again.accesses.items())] != body["accesses"],
        "draw_differs": drawn != body["drawn"],
        "samples_differ": await _kept(wanted, desk) != sorted([*body["drawn"], *body["ranked"]]),
    }
    return Verified(wanted.id, len(covered), len(drawn), tuple(code for code, wrong in checks.items() if wrong))


async def _entry(place: Receipt, kind: str, wanted: Round, desk: Desk) -> Any:
    entry = await desk.reader.entry(place, municipalities=(wanted.terms.municipality,))
    fits = entry.state == INTACT and entry.kind == kind and entry.body and entry.body["round"] == wanted.id
    return entry if fits else None


async def _kept(wanted: Round, desk: Desk) -> list[list[Any]]:
    """List (unit, entry) of the samples that are kept of a draw."""
    kept, after = list[list[Any]](), None
    while True:
        page = await desk.samples.of((wanted.terms.municipality,), None, after, 200)
        kept += [[one.unit, one.about.index] for one in page if one.round == wanted.id]
        if len(page) < 200:
            return sorted(kept)
        after = page[-1].id


async def keep_drawing(municipality: str, actor: str, desk: Desk) -> int:
    """Do what is due of a municipality: commit this month, draw those that are over and signed; give how many are late.

    What is not signed yet, or another node does at this moment, is left for the next time.
    """
    rounds, here = await desk.samples.rounds(municipality), desk.clock.now()
    if not any(one.terms.since == month_of(month_at(here))[0] for one in rounds):
        await _try(seed(municipality, month_at(here), actor, desk))
    for one in rounds:
        if one.drawn_at is None and here >= datetime.fromtimestamp(one.terms.until, UTC) + GRACE:
            await _try(draw_round(one, actor, desk))
    return await _late(municipality, desk)


async def _try(work: Awaitable[Any]) -> None:
    with contextlib.suppress(Conflict):
        await work


async def _late(municipality: str, desk: Desk) -> int:
    """Count the samples that somebody should have done something about by now."""
    today, late, after = desk.clock.now().astimezone(DANISH_TIME).date(), 0, None
    while True:
        page = await desk.samples.of((municipality,), None, after, 200)
        late += sum(one.late(today) for one in page)
        if len(page) < 200:
            return late
        after = page[-1].id
