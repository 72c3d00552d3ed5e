"""Replay under attack: what was changed is found, what is tried out holds nobody up, and nobody is named."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from broker.adapters.database import open_pool
from broker.adapters.eraser_sql import EraserSql
from broker.adapters.log_key import new_log_key
from broker.domain.events import FOR_REPLAY_ALONE
from broker.domain.kept import canonical, digest, packed, unpacked
from broker.domain.retention import Retention
from broker.domain.shown import shown_of
from broker.oversight.retention import KINDS
from demo.postgres import PrivatePostgres
from tests.archives import ORIGIN, ArchiveHouse, open_archive_house, run, write_questions
from tests.builders import POLICIES, ROOT, SOCIAL, a_registry
from tests.databases import BASE
from tests.model.engines import opa_on_path


@pytest.fixture
async def archive(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[ArchiveHouse]:
    """Give a house with three asks on record: refused, partly answered, and about nothing."""
    async with open_archive_house(postgres, tmp_path) as made:
        await made.ask()
        made.house.consents.standing.append(made.house.consented(SOCIAL, "S01"))
        await made.ask()
        await made.ask(purpose="marketing")
        yield made


def a_candidate(folder: Path) -> Path:
    """Copy the rules and law tables, to be changed."""
    shutil.copytree(POLICIES, folder / "candidate")
    return folder / "candidate"


@pytest.mark.parametrize("engine", ["embedded", "opa"])
async def test_every_decision_comes_again(archive: ArchiveHouse, engine: str) -> None:
    """By the embedded engine and by OPA: all are the same, whole, and the reading stands on the log."""
    if engine == "opa":
        opa_on_path()
    code, told, _ = archive.replay("--engine", engine)

    assert (code, told["replayed"], told["same"], told["differing"]) == (0, 3, 3, 0)
    superuser = await asyncpg.connect(archive.admin)
    kinds = await superuser.fetch("SELECT kind FROM log.index ORDER BY at DESC, log_id DESC, idx DESC LIMIT 1")
    await superuser.close()
    assert [row["kind"] for row in kinds] == ["decisions.replayed"]


async def test_other_days_and_municipalities_are_left_alone(archive: ArchiveHouse) -> None:
    """Days are Danish, both included; a municipality that is not named is not read."""
    counts = {
        options: archive.replay(*options)[1]["replayed"]
        for options in [
            ("--since", "2019-03-04", "--until", "2019-03-04"),
            ("--since", "2019-03-05"),
            ("--until", "2019-03-03"),
            ("--municipality", "norrestrand"),
        ]
    }

    assert list(counts.values()) == [3, 0, 0, 0]


async def test_a_body_changed_in_the_database_is_found(archive: ArchiveHouse) -> None:
    """One bit of one body: told by place, and the exit code says so."""
    await archive.superuser(
        "UPDATE log.body SET ciphertext = set_byte(ciphertext, 60, get_byte(ciphertext, 60) # 1) WHERE idx = 1"
    )
    code, told, _ = archive.replay()

    assert (code, told["replayed"]) == (1, 2)
    assert told["differences"] == [{"place": f"{ORIGIN} 1", "codes": ["changed"]}]


@pytest.mark.parametrize(
    ("hash_too", "codes"),
    [(False, ["question_differs", "answer_differs", "verdicts_differ"]), (True, ["answer_differs", "verdicts_differ"])],
)
async def test_another_question_than_was_asked_is_found(
    archive: ArchiveHouse, hash_too: bool, codes: list[str]
) -> None:
    """Whoever seals a question of their own, even with its hash, has not what the rules answer to it."""
    outcome = await archive.outcome()
    question = json.loads(unpacked(outcome.question_packed or ""))
    question["caller"]["nsis"] = "Low"
    content = canonical(question)
    named = {"question": digest(content)} if hash_too else {}
    (receipt,) = await archive.log.append([replace(outcome, question_packed=packed(content), **named)])
    code, told, _ = archive.replay()

    assert code == 1
    assert told["differences"] == [{"place": f"{receipt.log} {receipt.index}", "codes": codes}]


async def test_a_verdict_wider_than_the_answer_is_found(archive: ArchiveHouse) -> None:
    """A release that the rules did not give, beside a true question and a true hash; also where it was judged again."""
    outcome = await archive.outcome()
    generous = next(verdict for verdict in outcome.verdicts if verdict.released)
    verdicts = tuple(replace(generous, key=verdict.key) for verdict in outcome.verdicts)
    for again in (False, True):
        await archive.log.append([replace(outcome, verdicts=verdicts, judged_again=again)])
    code, told, _ = archive.replay()

    assert code == 1
    assert [row["codes"] for row in told["differences"]] == [["verdicts_differ"]] * 2


async def test_what_is_packed_and_no_question_is_told(archive: ArchiveHouse) -> None:
    """Junk in the place of a question is a difference with a code, and stops nothing."""
    outcome = await archive.outcome()
    for junk in ("?", packed(b"[]"), packed(b"not json")):
        await archive.log.append([replace(outcome, question_packed=junk)])
    code, told, _ = archive.replay()

    assert (code, told["differing"]) == (1, 3)
    assert told["same"] == 3


async def test_rules_that_are_not_on_record_are_told(archive: ArchiveHouse) -> None:
    """A decision by rules that nobody can show is a difference."""
    await archive.superuser("DELETE FROM policy.revisions")
    code, told, _ = archive.replay()

    assert (code, told["differing"]) == (1, 3)
    assert {code for row in told["differences"] for code in row["codes"]} == {"revision_unknown"}


async def test_an_erased_citizen_is_counted_and_no_fault(archive: ArchiveHouse) -> None:
    """With the key gone the question is gone: that is lawful, and counted."""
    vault = await asyncpg.connect(archive.vault_admin)
    await vault.execute("DELETE FROM vault.subject_key WHERE handle = $1", archive.house.citizen)
    await vault.close()
    code, told, _ = archive.replay()

    assert (code, told["replayed"], told["differing"]) == (0, 0, 0)
    assert told["left_out"]["erased"] >= 3


async def test_what_was_kept_long_enough_is_counted_and_no_fault(archive: ArchiveHouse) -> None:
    """With content deleted on record there is nothing to judge again: that is counted, and no place is asked for."""
    pools = [await open_pool(dsn, name="test", largest=2) for dsn in (archive.admin, archive.vault_admin)]
    eraser = EraserSql(pools[0], pools[1], archive.log, archive.vault, new_log_key(BASE)[0])
    kim, later = await archive.vault.node("kim"), datetime(2030, 1, 1, tzinfo=UTC)
    gone = await eraser.delete_due("korsbaek", Retention(), KINDS, kim, later, dry_run=False)
    for pool in pools:
        await pool.close()
    code, told, _ = archive.replay()

    assert (code, told["replayed"], told["differing"]) == (0, 0, 0)
    assert told["left_out"]["content_deleted"] == sum(counts["outcome"] for counts in gone.values()) >= 3
    code, _, said = archive.policy("explain", "--entry", ORIGIN, "1")
    assert (code, "Traceback" in said) == (1, False)


async def test_nobody_is_named(archive: ArchiveHouse, tmp_path: Path) -> None:
    """No handle of citizen, child, giver, actor or case, and no consent: in no output, with differences and changes."""
    candidate = a_candidate(tmp_path)
    file = candidate / "tables" / "categories.json"
    file.write_text(file.read_text("utf-8").replace('"level": 3', '"level": 4'), "utf-8")
    outcome = await archive.outcome()
    await archive.log.append([replace(outcome, decided="0" * 64)])
    code, told, printed = archive.replay("--with", str(candidate))

    assert code == 1
    assert told["changes"]
    names = {outcome.subject, outcome.actor, outcome.case, outcome.ask, archive.house.child, "c1", '"h-'}
    assert {name for name in names if f'"{name}"' in printed or (len(name) > 8 and name in printed)} == set()


async def test_changes_are_classed(archive: ArchiveHouse, tmp_path: Path) -> None:
    """A category that becomes more sensitive refuses what was given; nothing else is said to change."""
    candidate = a_candidate(tmp_path)
    file = candidate / "tables" / "categories.json"
    law = json.loads(file.read_text("utf-8"))
    law["S01"]["level"] = 4
    file.write_text(json.dumps(law), "utf-8")
    code, told, _ = archive.replay("--with", str(candidate))

    assert code == 0
    refused = [row for row in told["changes"] if row["kind"] == "newly_refused"]
    assert [(row["category"], row["by"], row["count"]) for row in refused] == [("S01", "ROLE_SENSITIVITY", 1)]
    assert {row["category"] for row in told["changes"]} == {"S01"}
    assert told["samples"]["newly_refused"] == [f"{ORIGIN} 4"]


RUNAWAY = """# METADATA
# title: A rule that never ends
package broker.runaway

# METADATA
# title: More than anybody can wait for
ways := count({[a, b, c, d, e] |
	some a in input.keys
	some b in data.tables.reasons
	some c in data.tables.reasons
	some d in data.tables.reasons
	some e in data.tables.reasons
})
"""


def test_a_runaway_rule_ends_and_says_so(tmp_path: Path) -> None:
    """Rules that would take hours are stopped after the patience given; nothing is told as if it were finished."""
    candidate = a_candidate(tmp_path)
    (candidate / "runaway.rego").write_text(RUNAWAY, "utf-8")
    file = candidate / "decision.rego"
    text = file.read_text("utf-8")
    file.write_text(
        text.replace(
            '"schema": "borgerbro/decision/1",', '"schema": "borgerbro/decision/1", "ways": data.broker.runaway.ways,'
        ),
        "utf-8",
    )
    a_registry(tmp_path)
    write_questions(tmp_path / "asked.jsonl", 3)
    code, told, printed = run(plain(), *asked_of(tmp_path), "--with", str(candidate), "--patience", "2")

    assert (code, told) == (1, {})
    assert printed.strip() == "the rules gave no answer in time, or brought their process down: nothing was finished"


def test_junk_among_the_questions_is_named_by_its_line_alone(tmp_path: Path) -> None:
    """What is no question is counted and told by line, in a file of every kind of junk; the rest is answered."""
    a_registry(tmp_path)
    file = tmp_path / "asked.jsonl"
    write_questions(file, 2)
    canary = "0101901234"
    junk = ["{}", "", canary, "[" * 5000, '{"version": 1e999}', '"' + canary + '"', "\x00", '{"a":' + "9" * 400 + "}"]
    sound = json.loads(file.read_text("utf-8").splitlines()[0])
    junk += [json.dumps(sound | {"citizen": canary}), json.dumps(sound | {"keys": canary})]
    with file.open("ab") as sink:
        sink.write("\n".join(junk).encode() + b"\n\xff\xfe\n")
    code, told, printed = run(plain(), *asked_of(tmp_path), "--with", str(a_candidate(tmp_path)))

    assert (code, told["replayed"], told["changed_questions"]) == (1, 2, 0)
    assert [row["place"] for row in told["differences"]] == [f"line {number}" for number in range(3, 14)]
    assert canary not in printed


@pytest.mark.parametrize(
    "rule",
    [
        'leak := http.send({"method": "GET", "url": "http://127.0.0.1/"})',
        "clock := time.now_ns()",
        "not rego at all",
    ],
)
def test_a_candidate_outside_the_profile_is_not_run(tmp_path: Path, rule: str) -> None:
    """Rules that reach the network or a clock, or are none, are refused before any question is put to them."""
    candidate = a_candidate(tmp_path)
    (candidate / "more.rego").write_text(f"package broker.more\n\n{rule}\n", "utf-8")
    a_registry(tmp_path)
    write_questions(tmp_path / "asked.jsonl", 1)
    code, _, printed = run(plain(), *asked_of(tmp_path), "--with", str(candidate))

    assert code == 2
    assert printed.startswith("more.rego:")


def plain() -> dict[str, str]:
    """Give the environment of somebody who has no node."""
    return {"PATH": os.environ["PATH"]}


def asked_of(folder: Path) -> tuple[Any, ...]:
    """Give the options of a replay of the questions in a folder."""
    files = ("--questions", str(folder / "asked.jsonl"), "--registry", str(folder / "registry.yaml"))
    return ("replay", "--json", "--processes", "1", *files)


def test_the_question_is_read_for_replay_alone() -> None:
    """No page, no answer and no export names the kept question, or reads a body past what leaves it out."""
    files = {
        file: file.read_text("utf-8") for file in [*(ROOT / "broker").rglob("*.py"), *(ROOT / "audit").rglob("*.py")]
    }

    def naming(word: str) -> set[str]:
        return {file.relative_to(ROOT).as_posix() for file, text in files.items() if word in text}

    adapters = "broker/adapters"
    assert naming("question_packed") == {
        "broker/domain/events.py", "broker/exchange/release.py", f"{adapters}/past_decisions.py"
    }  # fmt: skip
    assert naming("_opened_whole") == naming("_whole_entry") == {
        f"{adapters}/audit_reader.py", f"{adapters}/past_decisions.py"
    }  # fmt: skip
    # Samples and after-checks take from it how somebody stood to the citizen, through `RelationsRecorded` alone, and
    # samples keep that sealed (`test_signs_lie_sealed`).
    assert naming("PastDecisionsPostgres") == {
        f"{adapters}/past_decisions.py", f"{adapters}/relations_recorded.py",
        "broker/cli/archive.py", "broker/drawing.py", "broker/main.py",
        # A run hands questions to a program that gives counts, small ones withheld (`test_what_ifs.py`).
        f"{adapters}/what_ifs_sql.py",
    }  # fmt: skip
    # Whoever takes a question out of an entry puts it to rules again: two commands, and what a DPO has tried.
    assert naming("asked_of(") == {
        "broker/oversight/replay.py", "broker/cli/replay.py", "broker/cli/explain.py", f"{adapters}/what_ifs_sql.py"
    }  # fmt: skip
    # A citizen's bundle and an evidence package open bodies too, and give out of them only what is named as shown.
    assert naming("open_body") == {
        "audit/commitment.py", f"{adapters}/audit_reader.py", f"{adapters}/audit_bundle.py",
        f"{adapters}/audit_evidence.py",
    }  # fmt: skip
    assert shown_of(dict.fromkeys((*FOR_REPLAY_ALONE, "actor", "subject"), "x")) == {}
