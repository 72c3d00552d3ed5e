"""README and first-answer page show what really happens: demo, walk-through and code are played and compared."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FIRST_ANSWER = (ROOT / "docs" / "first-answer.md").read_text(encoding="utf-8")
SECONDS_FOR_THE_TOUR = 120
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# What differs from one day to the next: ports, ids, places on the log, its root.
PASSING = (
    (re.compile(r"(?<=127\.0\.0\.1):\d+"), ":PORT"),
    (UUID, "ID"),
    (re.compile(r"(?<=entry )\d+|\d+(?= entries)|(?<=signed up to )\d+|(?<=checkpoint of )\d+"), "N"),
    (re.compile(r'(?<="index": )\d+'), "N"),
    (re.compile(r"(?<=root )[0-9a-f]+"), "ROOT"),
)


@dataclass(frozen=True)
class Home:
    """A folder with a running demo whose tour is over, and what the demo has printed."""

    folder: Path
    printed: str

    def run(self, command: str) -> str:
        """Run one command of the README as it stands there, in a shell, and give all it prints."""
        spoken = command.replace(".venv/bin/python", sys.executable)
        told = subprocess.run(
            ["bash", "-c", spoken], cwd=self.folder, env=_environment(), capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip
        return told.stdout + told.stderr


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """Start the demo as the README does, at a port of its own, and wait for the end of its tour."""
    folder = tmp_path_factory.mktemp("readme")
    folder.joinpath("ask.json").write_text(blocks("json", "ask.json")[0], encoding="utf-8")
    screen = folder / "screen"
    with screen.open("w") as sink:
        demo = subprocess.Popen(
            [sys.executable, "-m", "broker", "demo", "--tour", "--port", "0"],
            cwd=folder, env=_environment(), stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        yield Home(folder, _wait_for_the_tour(demo, screen))
    finally:
        demo.send_signal(signal.SIGTERM)
        demo.wait(timeout=30)


def _wait_for_the_tour(demo: "subprocess.Popen[bytes]", screen: Path) -> str:
    deadline = time.monotonic() + SECONDS_FOR_THE_TOUR
    while time.monotonic() < deadline and demo.poll() is None:
        printed = screen.read_text(encoding="utf-8")
        if "Ctrl-C ends the demo" in printed:
            return printed
        time.sleep(0.2)
    pytest.fail("the demo did not come to the end of its tour:\n" + screen.read_text(encoding="utf-8"))


def blocks(kind: str, title: str) -> list[str]:
    """Give the README's blocks of one kind and title, in order."""
    return re.findall(rf'^```{kind} title="{re.escape(title)}"\n(.*?)^```', README, re.MULTILINE | re.DOTALL)


def lasting(text: str) -> list[str]:
    """Give a text's lines without what differs from one day to the next."""
    for pattern, word in PASSING:
        text = pattern.sub(word, text)
    return [line.rstrip() for line in text.strip("\n").splitlines()]


def test_the_demo_prints_what_the_readme_shows(home: Home) -> None:
    """Every line shown stands on the screen, in that order; dots stand for what was left out."""
    (block,) = blocks("console", "demo")
    shown = [line for line in lasting(block)[1:] if line and line != "…"]
    screen = iter(lasting(home.printed))
    assert [line for line in shown if line not in screen] == []


def test_the_walk_goes_as_the_readme_says(home: Home) -> None:
    """Each command, typed as it stands there, prints what stands below it; ids are those of this day."""
    ids: dict[str, str] = {}
    for block in blocks("console", "walk"):
        command, _, expected = block.removeprefix("$ ").partition("\n")
        for written, real in ids.items():
            command = command.replace(written, real)
        printed = home.run(command)
        assert lasting(printed) == lasting(expected), command
        ids |= dict(zip(UUID.findall(expected), UUID.findall(printed), strict=True))


async def test_the_first_answer_is_an_answer(home: Home) -> None:
    """The code of the first-answer page, with this demo's address and key, gets the broker's answer."""
    profile = json.loads(home.folder.joinpath(".borgerbro", "lene.json").read_text(encoding="utf-8"))
    (code,) = re.findall(r"^```python.*?\n(.*?)^```", FIRST_ANSWER, re.MULTILINE | re.DOTALL)
    code = code.replace("https://broker.example.dk", profile["broker"]).replace("system.key.json", profile["key_file"])
    names: dict[str, Any] = {}
    exec(compile(code, "first-answer.md", "exec"), names)

    async def assertion_from_employer() -> str:
        wish = {"caseworker": profile["caseworker"], "client_id": profile["system"], "audience": profile["broker"]}
        key = Path(profile["employer_key_file"]).read_text(encoding="utf-8")
        headers = {"Authorization": f"Bearer {key}"}
        async with (
            aiohttp.ClientSession() as http,
            http.post(profile["employer"], json=wish, headers=headers) as answer,
        ):
            return str((await answer.json())["assertion"])

    answer = await names["first_answer"](assertion_from_employer)
    assert "da" in answer["notice"]
    assert "receipt" in answer or "entry" in answer


def test_a_log_that_was_edited_is_not_what_the_readme_shows() -> None:
    """The comparison sees another word, another verdict and a missing line."""
    (table, *_rest) = blocks("console", "walk")
    assert lasting(table) != lasting(table.replace("release", "withhold"))
    assert lasting(table) != lasting(table.replace("items: 0 own, 2 shared\n", ""))
    assert lasting("entry 12 of 3") == lasting("entry 7 of 3")


def test_the_ask_of_the_readme_is_an_ask() -> None:
    """The file shown is JSON and names an invented person."""
    (text,) = blocks("json", "ask.json")
    assert int(json.loads(text)["citizen"][:2]) > 60


def test_the_employer_s_word_may_be_saml(home: Home) -> None:
    """`broker ask` as Lene by an OIOSAML assertion gets what she gets by a JWT; only the log's places differ."""
    by_jwt, by_saml = (
        json.loads(home.run(f".venv/bin/python -m broker ask .borgerbro/ask.json --as .borgerbro/{who}.json --json"))
        for who in ("lene", "lene-saml")
    )
    # Whoever walked before may have withdrawn the consent: then both are refused, and are told their entry alone.
    assert [by_saml.get(told) for told in ("verdicts", "counts", "reasons")] == [
        by_jwt.get(told) for told in ("verdicts", "counts", "reasons")
    ]
    assert (by_saml.get("receipt"), by_saml.get("entry")) != (by_jwt.get("receipt"), by_jwt.get("entry"))
