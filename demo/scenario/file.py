"""A scenario file → checked values. All that is wrong is said at once, each with its place."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from demo.scenario.pages import look_faults, look_names
from demo.world.casting import Cast
from demo.world.children import ROOT, WorldBroken
from demo.world.template import merged
from demo.world.yaml_file import read_yaml

SCHEMA = ROOT / "scenarios" / "scenario.schema.json"
VERBS = (
    "ask", "evaluate", "request_consent", "grant", "refuse", "give", "withdraw", "pause", "resume", "receive", "block",
    "clock", "source", "records", "people", "hold", "start", "release", "await", "break_glass", "decide", "log_is",
    "tamper", "verify_log", "look",
)  # fmt: skip
NOT_HANDED_DOWN = ("steps", "about", "law", "extends", "title")
MOST_GENERATIONS = 8
Row = dict[str, Any]


class ScenarioFaults(ValueError):
    """The file is not a scenario. `faults` lists every reason, each with its place."""

    def __init__(self, file: Path, faults: list[str]) -> None:
        super().__init__("\n".join(f"{file}: {fault}" for fault in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens, and what is expected of it. `number` counts from 1."""

    number: int
    verb: str
    wish: Any
    expect: Mapping[str, Any] | None
    say: str | None
    name: str | None


@dataclass(frozen=True, slots=True)
class Scenario:
    """A checked scenario."""

    file: Path
    title: str
    about: str | None
    law: tuple[str, ...]
    clock: datetime
    registry: Any
    cast: Cast
    records: Mapping[str, Any]
    consents: Mapping[str, Row]
    steps: tuple[Step, ...]


def read_scenario(file: Path) -> Scenario:
    """Read and check a scenario; raise `ScenarioFaults`, or `WorldBroken` where it is not YAML."""
    raw = _with_parents(file, file, 0)
    faults = [*_schema_faults(raw)]
    if not faults:
        faults = [*_verb_faults(raw), *_name_faults(raw)]
    if faults:
        raise ScenarioFaults(file, faults)
    return Scenario(
        file=file,
        title=raw["title"],
        about=raw.get("about"),
        law=tuple(raw.get("law", ())),
        clock=datetime.fromisoformat(raw["clock"]),
        registry=raw.get("registry"),
        cast=Cast(raw["people"], raw.get("caseworkers", {}), raw.get("cases", {})),
        records={name: row["records"] for name, row in raw.get("sources", {}).items()},
        consents=raw.get("consents", {}),
        steps=tuple(_step(number, row) for number, row in enumerate(raw["steps"], start=1)),
    )


def read_scenarios(files: Iterable[Path]) -> tuple[list[Scenario], dict[str, str]]:
    """Read every file; give the scenarios, and for each file that is none, why."""
    scenarios, broken = [], {}
    for file in files:
        try:
            scenarios.append(read_scenario(file))
        except (ScenarioFaults, WorldBroken) as error:
            broken[str(file)] = str(error)
    return scenarios, broken


def _with_parents(file: Path, asked: Path, generation: int) -> Any:
    """Lay a file over those it extends."""
    raw = read_yaml(file)
    if not isinstance(raw, dict) or not isinstance(raw.get("extends"), str):
        return raw
    if generation == MOST_GENERATIONS:
        raise ScenarioFaults(asked, ["extends: goes round in a circle"])
    parent = _with_parents(file.parent / raw["extends"], asked, generation + 1)
    if not isinstance(parent, dict):
        raise ScenarioFaults(asked, ["extends: names a file that is no scenario"])
    handed_down = {name: value for name, value in parent.items() if name not in NOT_HANDED_DOWN}
    return merged(handed_down, {name: value for name, value in raw.items() if name != "extends"})


def _schema_faults(raw: Any) -> Iterator[str]:
    validator = Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))
    for error in sorted(validator.iter_errors(raw), key=lambda error: error.json_path):
        yield f"{error.json_path}: {error.message[:300]}"


def _verb_faults(raw: Row) -> Iterator[str]:
    for number, row in enumerate(raw["steps"], start=1):
        said = [verb for verb in VERBS if verb in row]
        if len(said) != 1:
            yield f"step {number}: says {' and '.join(said) or 'nothing to do'}; exactly one of {', '.join(VERBS)}"
        if "start" in row and "as" not in row:
            yield f"step {number}: an ask that is started needs a name (`as`), to be awaited by"
        yield from look_faults(number, row)


def _name_faults(raw: Row) -> Iterator[str]:
    """Find names that nobody and nothing has."""
    people, caseworkers = set(raw["people"]), set(raw.get("caseworkers", {}))
    people.update(*(step.get("people", {}) for step in raw["steps"]))
    for place, name, known in _names(raw):
        names, kind = (people, "person") if known == "people" else (caseworkers, "caseworker")
        if name not in names:
            yield f"{place}: no {kind} here is called {name}"


def _names(raw: Row) -> Iterator[tuple[str, str, str]]:
    for number, row in raw.get("cases", {}).items():
        yield f"cases.{number}.citizen", row["citizen"], "people"
        yield from (
            (f"cases.{number}", name, "caseworkers") for name in [*row.get("caseworkers", []), *row.get("team", [])]
        )
    for name, row in raw["people"].items():
        yield from ((f"people.{name}.custody", held["holder"], "people") for held in row.get("custody", []))
        yield from ((f"people.{name}", held["who"], "people") for held in row.get("representatives", []))
    for name, row in raw.get("consents", {}).items():
        yield from _names_of_consent(f"consents.{name}", row)
    for number, step in enumerate(raw["steps"], start=1):
        yield from _names_of_step(f"step {number}", step)


def _names_of_step(place: str, step: Row) -> Iterator[tuple[str, str, str]]:
    for verb in ("give", "request_consent"):
        if verb in step:
            yield from _names_of_consent(place, step[verb])
    for verb in ("ask", "start", "evaluate", "break_glass"):
        if verb in step:
            yield place, step[verb]["by"], "caseworkers"
            yield place, step[verb]["citizen"], "people"
    if "look" in step:
        yield from ((place, *named) for named in look_names(step["look"]))
    if "decide" in step:
        yield place, step["decide"]["by"], "caseworkers"


def _names_of_consent(place: str, row: Row) -> Iterator[tuple[str, str, str]]:
    yield place, row["asked_by"], "caseworkers"
    yield from ((place, str(name), "people") for name in (row["citizen"], row.get("giver", row["citizen"])))
    yield from ((place, line["subject"], "people") for line in row["lines"] if "subject" in line)


def _step(number: int, row: Row) -> Step:
    verb = next(verb for verb in VERBS if verb in row)
    return Step(number, verb, row[verb], row.get("expect"), row.get("say"), row.get("as"))
