"""The documents speak of what is there: links lead somewhere, names exist, pages made from code are current."""

import ast
import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import typer

from broker.cli.commands import app
from broker.settings import FILE, OTHERS, PREFIX, SECRET, Settings
from docs.generate import PAGES, stale_pages
from tests.house.source import ROOT, files
from tools.commands import COMMANDS

DECISIONS = ROOT / "docs" / "decisions"
GUIDES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")] + sorted(
    (ROOT / "docs").glob("*.md")
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
NODE_ID = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
WORDS = {
    *("citizen", "caseworker", "unit", "municipality", "system", "caller", "ask", "purpose", "category", "source"),
    *("item", "consent", "basis", "relation", "facts", "question", "decision", "verdict", "reason", "obligation"),
    *("permit", "receipt", "entry", "checkpoint", "witness", "finding", "view", "break-glass", "sample", "DPO"),
}
PROMISES = 12
LONGEST_DECISION = 90


def dead_links(page: Path, text: str) -> list[str]:
    """Give each link of a page that leads to no file, or to no heading of it."""
    return [link for link in LINK.findall(text) if "://" not in link and not _leads_somewhere(page, link)]


def _leads_somewhere(page: Path, link: str) -> bool:
    name, _, heading = link.partition("#")
    target = page.parent / name if name else page
    if not target.exists():
        return False
    return not heading or heading in set(
        map(_anchor, re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE))
    )


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def missing_tests(text: str) -> list[str]:
    """Give each test that a page names and that is not there."""
    return [f"{path}::{name}" for path, name in NODE_ID.findall(text) if not _is_test(ROOT / path, name)]


def _is_test(path: Path, name: str) -> bool:
    return path.exists() and (not name or re.search(rf"def {name}\(", path.read_text("utf-8")) is not None)


def spoken(text: str) -> Iterator[str]:
    """Give what a page writes as code: blocks line by line, and words in backticks."""
    for block in re.findall(r"^```\w*.*?\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield from block.splitlines()
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def unknown_names(text: str) -> list[str]:
    """Give each command, setting, address and file that a page writes as code and that does not exist."""
    return [piece for line in spoken(text) for piece in _unknown_in(line.removeprefix("$ "))]


def _unknown_in(line: str) -> Iterator[str]:
    yield from (word for word in re.findall(r"\bBROKER_[A-Z_]+\b", line) if word not in _settings())
    yield from (f"run.py {word}" for word in re.findall(r"run\.py ([a-z]+(?:-[a-z]+)*)", line) if word not in COMMANDS)
    for first, second in re.findall(r"^(?:\S*python3? -m )?broker ([a-z]+)(?: ([a-z]+))?", line):
        if not _is_command(first, second):
            yield f"broker {first} {second}".strip()
    yield from (path for path in re.findall(r"(?:GET|POST) (/[^\s`…]*)", line) if path not in _addresses())
    yield from (
        path for path in re.findall(r"^[\w.]+/[\w./-]+\.(?:py|rego|json|yaml|md|sql)$", line) if not _is_file(path)
    )


def _settings() -> set[str]:
    by_file = {PREFIX + name.upper() + FILE for name in SECRET}
    return {PREFIX + name.upper() for name in Settings.model_fields} | OTHERS | by_file


def _is_command(first: str, second: str) -> bool:
    groups: dict[str, Any] = cast("Any", typer.main.get_command(app)).commands
    if first not in groups:
        return False
    below = getattr(groups[first], "commands", None)
    return below is None or not second or second in below


def _addresses() -> set[str]:
    described = json.loads((ROOT / "docs" / "api.json").read_text("utf-8"))["paths"]
    plain = re.findall(r'Route\("([^"]+)"', (ROOT / "broker" / "web" / "oauth" / "__init__.py").read_text("utf-8"))
    # A guide may shorten the name of what stands in braces.
    return {re.sub(r"\{\w+\}", "{id}", path) for path in described} | set(described) | set(plain)


def _is_file(path: str) -> bool:
    # The whole path, or the end of one that the sentence before has named.
    return (ROOT / path).exists() or any(
        found.as_posix().endswith("/" + path) for found in files("*" + Path(path).suffix)
    )


@pytest.mark.parametrize("page", [path.relative_to(ROOT).as_posix() for path in files("*.md")])
def test_links_lead_somewhere(page: str) -> None:
    """Every link of every page leads to a file, and to a heading of it where it names one."""
    path = ROOT / page
    assert dead_links(path, path.read_text("utf-8")) == []


def test_a_dead_link_is_found() -> None:
    """The search sees a missing file and a missing heading, and passes what is there."""
    text = "[a](nowhere.md) [b](SECURITY.md#nothing) [c](SECURITY.md#p5-only-what-was-permitted-is-asked-for) [d](#x)"
    assert dead_links(ROOT / "README.md", text) == ["nowhere.md", "SECURITY.md#nothing", "#x"]


def test_pages_made_from_code_are_current() -> None:
    """Rules, events, settings and API are written as the code says today: `python -m docs.generate` mends it."""
    assert stale_pages() == []


def test_a_stale_page_is_named(tmp_path: Path) -> None:
    """A page that is missing, and one with a changed word, are both stale."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "settings.md").write_text(PAGES["docs/settings.md"]() + "x", encoding="utf-8")
    (tmp_path / "docs" / "rules.md").write_text(PAGES["docs/rules.md"](), encoding="utf-8")
    assert set(stale_pages(tmp_path)) == set(PAGES) - {"docs/rules.md"}


@pytest.mark.parametrize("page", [path.relative_to(ROOT).as_posix() for path in GUIDES])
def test_names_exist(page: str) -> None:
    """Every command, setting, address, file and test that a guide writes as code is really there."""
    text = (ROOT / page).read_text("utf-8")
    assert unknown_names(text) + missing_tests(text) == []


def test_an_unknown_name_is_found() -> None:
    """A wrong command, setting, address, file or test is each found; right ones are left alone."""
    wrong = "`broker wrong` `BROKER_WRONG` `POST /v1/wrong` `broker/wrong.py` `run.py wrong` `broker keys wrong`"
    right = "`broker keys new` `BROKER_PORT` `POST /v1/views` `broker/main.py` `run.py fix` `GET /v1/me/consents`"
    assert len(unknown_names(wrong)) == 6
    assert unknown_names(right) == []
    assert missing_tests("`tests/house/test_docs.py::test_wrong` `tests/house/test_docs.py::test_names_exist`") == [
        "tests/house/test_docs.py::test_wrong"
    ]


def promise_parts() -> dict[str, str]:
    """Take SECURITY.md apart: what it says of each promise."""
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    found = re.findall(r"^### (P\d+)\. .*?\n(.*?)(?=^##)", text, re.MULTILINE | re.DOTALL)
    return dict(found)


@pytest.mark.parametrize("promise", [f"P{number}" for number in range(1, PROMISES + 1)])
def test_every_promise_is_held_and_proved(promise: str) -> None:
    """SECURITY.md names for each promise a file that holds it and a test that proves it."""
    part = promise_parts()[promise]
    holds, _, proves = part.partition("- Proves it:")
    assert LINK.search(holds)
    assert NODE_ID.search(proves)


def glossary() -> dict[str, str]:
    """Give the glossary's rows: word → what the last column says."""
    rows = re.findall(r"^\| ([^|]+) \|(.*)\|$", (ROOT / "docs" / "glossary.md").read_text("utf-8"), re.MULTILINE)
    return {word.strip(): rest.rpartition("|")[2] for word, rest in rows}


@pytest.mark.parametrize("word", sorted(WORDS))
def test_every_word_of_the_house_is_explained(word: str) -> None:
    """The glossary has a row for each word that the house is built of."""
    assert word in glossary()


def test_the_glossary_points_at_code() -> None:
    """What the glossary calls a word's code stands in the file it links to."""
    for word, cell in glossary().items():
        for names, link in re.findall(r"\[([^\]]+)\]\(([^)]+)\)", cell):
            text = (ROOT / "docs" / link).read_text("utf-8")
            for name in re.findall(r"`([\w.]+)`", names):
                parts = [] if link.endswith(f"/{name}") else name.split(".")
                assert all(re.search(rf"\b{part}\b", text) for part in parts), (word, name)


@pytest.mark.parametrize("page", [path.name for path in sorted(DECISIONS.glob("0*.md"))])
def test_a_decision_is_a_page(page: str) -> None:
    """Each decision has its four parts, keeps to about a page, and stands in the index under its own title."""
    text = (DECISIONS / page).read_text("utf-8")
    title = re.match(r"# (\d+)\. (.+)\n", text)
    assert title is not None
    assert int(title[1]) == int(page[:4])
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Choices", "Decision", "Consequences"]
    assert len(text.splitlines()) <= LONGEST_DECISION
    assert f"| [{title[1]}]({page}) | {title[2]} |" in (DECISIONS / "README.md").read_text("utf-8")


def test_numbers_of_decisions_are_taken_once() -> None:
    """No two decisions share a number."""
    numbers = [path.name[:4] for path in DECISIONS.glob("0*.md")]
    assert sorted(numbers) == sorted(set(numbers))


@pytest.mark.parametrize("page", [path.relative_to(ROOT).as_posix() for path in GUIDES])
def test_python_in_guides_is_python(page: str) -> None:
    """What a guide shows as Python parses, and what it imports from the project is there."""
    for block in re.findall(r"^```python.*?\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.MULTILINE | re.DOTALL):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and node.module:
                module = importlib.import_module(node.module)
                assert [alias.name for alias in node.names if not hasattr(module, alias.name)] == []
