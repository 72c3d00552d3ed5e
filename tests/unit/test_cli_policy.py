"""`broker policy explain` and `test`: a decision in words for a lawyer; the rules' own tests by whichever engine."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broker.adapters.policy_tests import run_rego_tests
from demo.postgres import PrivatePostgres
from tests.archives import ORIGIN, ArchiveHouse, open_archive_house, run
from tests.builders import POLICIES, SOCIAL, a_registry
from tests.model.engines import opa_on_path
from tests.model.questions import random_question


@pytest.fixture
async def archive(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[ArchiveHouse]:
    """Give a house with one ask on record, partly answered."""
    async with open_archive_house(postgres, tmp_path) as made:
        made.house.consents.standing.append(made.house.consented(SOCIAL, "S01"))
        await made.ask()
        yield made


async def test_an_entry_is_explained_by_its_own_rules(archive: ArchiveHouse) -> None:
    """Each key with verdict, stage, paragraph and both sentences; nobody by handle; and the reading is on the log."""
    code, told, printed = archive.policy("explain", "--json", "--entry", ORIGIN, "1")

    assert code == 0
    [given] = [row for row in told["verdicts"] if (row["source"], row["category"]) == (SOCIAL, "S01")]
    assert (given["verdict"], given["stage"], given["basis"][0]["kind"]) == ("release", None, "consent")
    assert given["basis"][0]["paragraph"]
    held = next(row for row in told["verdicts"] if [one["code"] for one in row["reasons"]] == ["NO_CONSENT"])
    assert held["stage"] == "consent or statute"
    assert all(held["reasons"][0][name] for name in ("paragraph", "da", "en"))
    assert held["missing"]
    assert {row["subject"] for row in told["verdicts"]} <= {"citizen", "person-1"}
    assert not [handle for handle in (archive.house.citizen, archive.house.child) if handle in printed]
    kinds = [entry.kind for entry in (await archive.logged())]
    assert kinds[0] == "decisions.replayed"


@pytest.mark.parametrize("place", [(ORIGIN, "0"), (ORIGIN, "99"), ("nowhere", "1")])
async def test_what_is_no_decision_is_said_to_be_none(archive: ArchiveHouse, place: tuple[str, str]) -> None:
    """An ask, a place that is not there, a log that is not there: one line, and nothing is told."""
    code, told, printed = archive.policy("explain", "--json", "--entry", *place)

    assert (code, told) == (1, {})
    assert printed.strip() == "there is no decision to be read there, or its rules are not on record"


def test_a_question_is_explained_in_words(tmp_path: Path) -> None:
    """From a file: the paragraph and both languages, and no handle of anybody."""
    a_registry(tmp_path)
    question = random_question(random.Random(3))
    (tmp_path / "question.json").write_text(json.dumps(question), "utf-8")
    environ = {"PATH": "/usr/bin:/bin"}
    options = (str(tmp_path / "question.json"), "--registry", str(tmp_path / "registry.yaml"))
    code, _, printed = run(environ, "explain", *options)

    assert code == 0
    assert "h-annette" not in printed
    _, told, _ = run(environ, "explain", "--json", *options)
    assert len(told["verdicts"]) == len(question["keys"])
    for row in told["verdicts"]:
        assert bool(row["reasons"]) == (row["verdict"] == "withhold")
        assert all(reason["da"] in printed and reason["en"] in printed for reason in row["reasons"])


def test_neither_file_nor_entry_is_wrong_use() -> None:
    """What is to be explained has to be named."""
    assert run({"PATH": "/usr/bin:/bin"}, "explain")[0] == 2


def test_a_rule_test_that_fails_is_told(tmp_path: Path) -> None:
    """Its name, and exit 1; the rules as they are have none."""
    opa = opa_on_path()
    (tmp_path / "x_test.rego").write_text("package broker.x_test\n\ntest_it if 1 == 2\n", "utf-8")
    code, told, _ = run({"PATH": str(opa.parent)}, "test", "--json", str(tmp_path))

    assert (code, told["passed"], told["failed"]) == (1, 0, ["data.broker.x_test.test_it"])
    assert all(run_rego_tests(POLICIES, opa).values())


def test_without_opa_nobody_judges_the_tests(tmp_path: Path) -> None:
    """The command says so, and does not pass."""
    assert run({"PATH": str(tmp_path)}, "test")[0] == 2
