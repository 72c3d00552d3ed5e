"""`broker policy explain`: what the rules say to one question, or what they said to one that is on the log."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from broker.cli.say import WRONG_USE, fail, out, print_json

POLICIES = Path(__file__).parents[2] / "policies"


def explain(
    question: Annotated[Path | None, typer.Argument(help="A question (policies/question.schema.json), as JSON")] = None,
    registry: Annotated[Path | None, typer.Option(help="The registry file the question speaks of")] = None,
    entry: Annotated[
        tuple[str, int] | None, typer.Option(help="LOG INDEX of an outcome about the citizen asked for, instead")
    ] = None,
    folder: Annotated[Path, typer.Option(help="The folder of rules and law tables")] = POLICIES,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False,
) -> None:
    """Say per key the verdict, its basis or every reason with paragraph and sentences, and what would turn it.

    An entry is judged by the rules and tables it was judged by. That it was opened is written on its log first.
    """
    if entry is not None and question is None:
        revision, rows = _of_entry(*entry)
    elif question is not None and registry is not None and entry is None:
        revision, rows = _of_file(question, registry, folder)
    else:
        fail("name a question and its --registry, or an --entry", code=WRONG_USE)
    if as_json:
        print_json({"revision": revision, "verdicts": rows})
        return
    for row in rows:
        _tell(row)


def _of_file(question: Path, registry: Path, folder: Path) -> tuple[str, list[dict[str, Any]]]:
    import asyncio

    import orjson

    from broker.adapters.policy_embedded import EmbeddedPolicy
    from broker.domain.errors import PolicyBroken
    from broker.oversight.explained import explained
    from broker.policy_tables import PolicyFaults, load_rules
    from broker.registry import RegistryFaults, read_registry

    try:
        tables = read_registry(registry, folder / "tables").tables
        asked = orjson.loads(question.read_bytes())
        decision = asyncio.run(EmbeddedPolicy(load_rules(folder), tables).decide(asked))
    except (RegistryFaults, PolicyFaults) as error:
        fail("\n".join(error.faults))
    except (OSError, orjson.JSONDecodeError):
        fail("the question cannot be read as JSON", code=WRONG_USE)
    except PolicyBroken:
        fail("that is not a question the rules can answer (policies/question.schema.json)", code=WRONG_USE)
    return decision.mark.revision, explained(asked, decision.verdicts, tables)


def _of_entry(log: str, index: int) -> tuple[str, list[dict[str, Any]]]:
    import asyncio

    from broker.adapters.keys_file import KeyFileRefused
    from broker.cli.archive import open_archive
    from broker.cli.serve import read_settings
    from broker.domain.errors import LogUnavailable, NotFound, StoreUnavailable
    from broker.domain.receipts import Receipt

    settings = read_settings()

    async def read() -> tuple[Any, dict[str, str], dict[str, Any]]:
        async with open_archive(settings) as archive:
            past = await archive.decisions.one(Receipt(log, index), await archive.municipalities())
            modules, tables = await archive.revisions.read(past.revision)
            at = int(past.at.timestamp())
            await archive.note(past.municipality, (at, at + 1), 1, candidate=False)
            return past, modules, tables

    try:
        past, modules, tables = asyncio.run(read())
    except NotFound:
        fail("there is no decision to be read there, or its rules are not on record")
    except KeyFileRefused as fault:
        fail(str(fault))
    except LogUnavailable:
        fail("the log cannot be written: that a decision was opened must stand on it, so nothing is told")
    except StoreUnavailable:
        fail("a database gives no answer (BROKER_DATABASE_URL, BROKER_VAULT_URL)")
    return past.revision, _judged(past, modules, tables)


def _judged(past: Any, modules: dict[str, str], tables: dict[str, Any]) -> list[dict[str, Any]]:
    """Judge the kept question by the rules of its day."""
    import orjson

    from broker.adapters.policy_batch import EmbeddedRules, RuleSet
    from broker.oversight.explained import explained
    from broker.oversight.replay import NoQuestion, asked_of

    try:
        asked = asked_of(past)
    except NoQuestion:
        asked = None
    if asked is None:
        fail("no question is kept there: the entry is older, was changed, or its citizen's key is gone")
    question = orjson.loads(asked.question)
    [answer] = EmbeddedRules(RuleSet(modules, tables)).answers([asked.question]) if question["keys"] else [()]
    if answer is None:
        fail("the rules of that day give no decision to it: `broker policy replay` tells more")
    return explained(question, answer, tables)


def _tell(row: dict[str, Any]) -> None:
    stage = f" ({row['stage']})" if row["stage"] else ""
    out.print(f"{row['source']} {row['category']} {row['subject']}: {row['verdict']}{stage}", markup=False)
    for basis in row["basis"]:
        out.print(f"    {basis['kind']} {basis['id']} {basis['version']}, {basis['paragraph']}", markup=False)
    for mask in row["masks"]:
        out.print(f"    masked: {mask}", markup=False)
    for reason in row["reasons"]:
        out.print(f"    {reason['code']} ({reason['paragraph']})\n        {reason['da']}", markup=False)
        out.print(f"        {reason['en']}", markup=False)
    told = [reason["code"] for reason in row["shown"]]
    if told != [reason["code"] for reason in row["reasons"]]:
        out.print(f"    the asker is shown: {' '.join(told)}", markup=False)
    for one in row["missing"]:
        out.print(f"    a yes would turn it: {one['source']} {one['category']}, by {one['giver']}", markup=False)
