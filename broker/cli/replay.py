"""`broker policy replay`: put past questions to their rules again, or to rules that somebody would like to have."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from broker.cli.say import WRONG_USE, err, fail, out, print_json

if TYPE_CHECKING:
    from asyncio import Runner

    from broker.adapters.policy_batch import RuleSet
    from broker.adapters.replay_workers import Pair, Portion, Told
    from broker.cli.archive import Archive
    from broker.domain.past import PastDecision
    from broker.oversight.replay import Asked
    from broker.oversight.replayed import Replayed

POLICIES = Path(__file__).parents[2] / "policies"
PORTION = 200
MOST_LINE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Plan:
    """What a replay was told to do."""

    candidate: Path | None
    engine: str
    processes: int
    patience: float


def replay(
    candidate: Annotated[
        Path | None, typer.Option("--with", help="A folder of other rules and law tables: what would change?")
    ] = None,
    questions: Annotated[
        Path | None, typer.Option(help="Questions, one JSON object a line, instead of those on the log")
    ] = None,
    registry: Annotated[Path | None, typer.Option(help="The registry file that --questions speaks of")] = None,
    municipality: Annotated[list[str] | None, typer.Option(help="Only these municipalities' logs")] = None,
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First Danish day")] = None,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last Danish day")] = None,
    engine: Annotated[str, typer.Option(help="Who answers as on record: embedded, or opa (on PATH)")] = "embedded",
    processes: Annotated[int, typer.Option(min=1, max=64, help="How many processes")] = os.cpu_count() or 1,
    patience: Annotated[float, typer.Option(min=1, help="Seconds a portion of 200 questions may take")] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False,
) -> None:
    """Judge past questions again; tell by place on the log what does not come out as it stands there.

    Without --with, every decision on record is held, whole, against what its own rules and tables answer now; exit 1
    when any differs. With it, the changes are told by kind, purpose, category and reason. Nobody is named.
    """
    from broker.adapters.replay_workers import RunawayRules
    from broker.domain.errors import LogUnavailable, StoreUnavailable
    from broker.policy_tables import PolicyFaults

    plan = Plan(candidate, engine, processes, patience)
    try:
        _refuse_wrong_use(plan, questions, registry)
        if questions is not None and registry is not None:
            tally = _of_file(plan, questions, registry)
        else:
            tally = _of_log(plan, frozenset(municipality or ()), (_first(since), _after(until)))
    except RunawayRules:
        fail("the rules gave no answer in time, or brought their process down: nothing was finished")
    except PolicyFaults as fault:
        fail("\n".join(fault.faults), code=WRONG_USE)
    except StoreUnavailable:
        fail("a database gives no answer (BROKER_DATABASE_URL, BROKER_VAULT_URL)")
    except LogUnavailable:
        fail("the log cannot be written: that decisions were opened must stand on it, so nothing is told")
    _tell(tally, as_json=as_json)
    raise typer.Exit(1 if tally.differing else 0)


def _refuse_wrong_use(plan: Plan, questions: Path | None, registry: Path | None) -> None:
    if plan.engine not in ("embedded", "opa"):
        fail("--engine is embedded or opa", code=WRONG_USE)
    if plan.engine == "opa" and shutil.which("opa") is None:
        fail("there is no opa on PATH", code=WRONG_USE)
    if questions is not None and (registry is None or plan.candidate is None):
        fail("--questions needs --registry and --with: a file holds no answers to compare with", code=WRONG_USE)
    if plan.candidate is not None:
        from broker.policy_lint import lint

        faults = lint(plan.candidate)
        if faults:
            fail("\n".join(faults), code=WRONG_USE)


def _of_file(plan: Plan, questions: Path, registry: Path) -> Replayed:
    """Try the candidate on a file of questions, beside the project's own rules."""
    from broker.adapters.policy_batch import RuleSet
    from broker.oversight.replayed import Replayed
    from broker.policy_tables import load_rules
    from broker.registry import RegistryFaults, read_registry

    tally = Replayed()
    try:
        tables = read_registry(registry, POLICIES / "tables").tables
        ours = RuleSet(load_rules(POLICIES).modules, tables, POLICIES)
        total = sum(1 for _ in questions.open("rb"))
    except RegistryFaults as fault:
        fail("\n".join(fault.faults), code=WRONG_USE)
    except OSError:
        fail("the questions cannot be read", code=WRONG_USE)
    pair = _pair(plan, ours)
    _run(plan, _portions_of_file(questions, tally), lambda _: pair, tally, total)
    return tally


def _portions_of_file(questions: Path, tally: Replayed) -> Iterator[Portion]:
    """Read questions line by line; a line that is none is counted, and named by its number alone."""
    from broker.adapters.replay_workers import Portion
    from broker.domain.kept import canonical
    from broker.oversight.replay import Asked
    from broker.oversight.replayed import UNREADABLE
    from broker.policy_shape import shape

    is_question = shape(POLICIES / "question.schema.json")
    asked: list[Asked] = []
    with questions.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            question = _parsed(line)
            if not is_question(question):
                tally.left_out(f"line {number}", UNREADABLE)
                continue
            asked.append(Asked(f"line {number}", canonical(question)))
            if len(asked) == PORTION:
                yield Portion("", tuple(asked))
                asked = []
    if asked:
        yield Portion("", tuple(asked))


def _parsed(line: bytes) -> Any:
    """Read a line as JSON; None for what is none, or longer than any question."""
    import orjson

    try:
        return orjson.loads(line) if len(line) <= MOST_LINE_BYTES else None
    except orjson.JSONDecodeError:
        return None


def _of_log(plan: Plan, municipalities: frozenset[str], days: tuple[int, int]) -> Replayed:
    """Replay what is on record, and write on each log that it was read, before anything is told."""
    import asyncio

    from broker.adapters.keys_file import KeyFileRefused
    from broker.cli.archive import open_archive
    from broker.cli.serve import read_settings
    from broker.oversight.replayed import DELETED, Replayed

    tally, read = Replayed(), Counter[str]()
    with asyncio.Runner() as runner:
        opening = open_archive(read_settings())
        try:
            archive = runner.run(opening.__aenter__())
        except KeyFileRefused as fault:
            fail(str(fault))
        try:
            mine = municipalities or runner.run(archive.municipalities())
            revisions = _Revisions(plan, archive, runner)
            portions = _portions_of_log(archive, runner, (mine, days), revisions, tally, read)
            _run(plan, portions, revisions.pair, tally, None)
            if gone := runner.run(archive.decisions.deleted(mine)):
                tally.unasked[DELETED] = gone
            for municipality in sorted(mine):
                note = archive.note(municipality, days, read[municipality], candidate=plan.candidate is not None)
                runner.run(note)
        finally:
            runner.run(opening.__aexit__(None, None, None))
    return tally


class _Revisions:
    """The revisions on record, each read once, with the candidate in its place beside it."""

    def __init__(self, plan: Plan, archive: Archive, runner: Runner) -> None:
        self._plan, self._archive, self._runner = plan, archive, runner
        self._pairs: dict[str, Pair | None] = {}

    def known(self, revision: str) -> bool:
        """Say whether a revision is on record; read it if it was not yet."""
        from broker.adapters.policy_batch import RuleSet
        from broker.domain.errors import NotFound

        if revision not in self._pairs:
            try:
                modules, tables = self._runner.run(self._archive.revisions.read(revision))
                self._pairs[revision] = _pair(self._plan, RuleSet(modules, tables))
            except NotFound:
                self._pairs[revision] = None
        return self._pairs[revision] is not None

    def pair(self, revision: str) -> Pair:
        """Give a revision that is known."""
        pair = self._pairs[revision]
        if pair is None:
            raise KeyError(revision)
        return pair


def _portions_of_log(
    archive: Archive,
    runner: Runner,
    wanted: tuple[frozenset[str], tuple[int, int]],
    revisions: _Revisions,
    tally: Replayed,
    read: Counter[str],
) -> Iterator[Portion]:
    """Read the log page by page, and sort what it holds by revision."""
    from broker.adapters.replay_workers import Portion

    mine, (since, until) = wanted
    waiting: dict[str, list[Asked]] = {}
    cursor: str | None = None
    while True:
        page = runner.run(archive.decisions.page(mine, since=since, until=until, cursor=cursor))
        for past in page.decisions:
            read[past.municipality] += 1
            if (asked := _to_ask(past, revisions, tally)) is not None:
                waiting.setdefault(past.revision, []).append(asked)
        for revision, some in waiting.items():
            while len(some) >= PORTION or (some and page.next is None):
                yield Portion(revision, tuple(some[:PORTION]))
                del some[:PORTION]
        if (cursor := page.next) is None:
            return


def _to_ask(past: PastDecision, revisions: _Revisions, tally: Replayed) -> Asked | None:
    """Take the question of an entry; count one that cannot be put again, and why."""
    from broker.domain.entries import INTACT
    from broker.oversight.replay import NoQuestion, asked_of
    from broker.oversight.replayed import NO_REVISION, UNASKED, UNREADABLE

    place = f"{past.receipt.log} {past.receipt.index}"
    try:
        asked = asked_of(past)
    except NoQuestion:
        tally.left_out(place, UNREADABLE)
        return None
    if asked is None:
        tally.left_out(place, UNASKED if past.state == INTACT else past.state)
    elif not revisions.known(past.revision):
        tally.left_out(place, NO_REVISION)
        return None
    return asked


def _pair(plan: Plan, recorded: RuleSet) -> Pair:
    """Put beside the rules of a revision those to be tried: new rules and law, with the registry of that day.

    Raises `PolicyFaults` where they cannot be used at all.
    """
    from broker.adapters.candidate_rules import read_candidate
    from broker.adapters.policy_batch import EmbeddedRules
    from broker.adapters.replay_workers import Pair

    candidate = None
    if (folder := plan.candidate) is not None:
        schemas = folder if (folder / "question.schema.json").exists() else POLICIES
        candidate = read_candidate(folder).beside(recorded, schemas)
        EmbeddedRules(candidate)
    opa = shutil.which("opa") if plan.engine == "opa" else None
    return Pair(recorded, candidate, Path(opa) if opa else None, POLICIES / "capabilities.json")


def _run(
    plan: Plan, portions: Iterator[Portion], pairs: Callable[[str], Pair], tally: Replayed, total: int | None
) -> None:
    """Put every portion to the rules, with a progress bar where somebody looks."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from broker.adapters.replay_workers import run

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("questions", total=total)
        for told in run(portions, pairs, processes=plan.processes, patience_seconds=plan.patience):
            _count(told, tally)
            bar.update(task, advance=told.count)


def _count(told: Told, tally: Replayed) -> None:
    tally.replayed += told.count
    tally.differ(told.differences)
    tally.change(told.changes)


def _tell(tally: Replayed, *, as_json: bool) -> None:
    told: dict[str, Any] = tally.as_json()
    if as_json:
        print_json(told)
        return
    out.print(f"{told['replayed']} decisions judged again, {told['differing']} differ")
    for why, count in told["left_out"].items():
        out.print(f"    {why}: {count}", markup=False)
    for row in told["differences"]:
        out.print(f"    {row['place']}: {' '.join(row['codes'])}", markup=False)
    if told["changes"]:
        out.print(f"{told['changed_questions']} questions would have another answer")
    for row in told["changes"]:
        out.print(f"    {row['count']} {row['kind']} {row['purpose']} {row['category']}: {row['by']}", markup=False)
    for kind, places in told["samples"].items():
        out.print(f"    {kind}, for instance: {'; '.join(places)}", markup=False)


def _first(day: datetime | None) -> int:
    return 0 if day is None else _midnight(day.date())


def _after(day: datetime | None) -> int:
    return 2**62 if day is None else _midnight(day.date() + timedelta(days=1))


def _midnight(day: date) -> int:
    """Give the second at which a Danish day begins."""
    from broker.domain.days import DANISH_TIME

    return int(datetime(day.year, day.month, day.day, tzinfo=DANISH_TIME).timestamp())
