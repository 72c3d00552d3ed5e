"""`broker ask` tells what was wrong: the field by its name and why, never what stood in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from broker.cli.ask import _print_refusal, ask
from broker.cli.commands import app


def test_a_malformed_ask_names_its_field(capsys: pytest.CaptureFixture[str]) -> None:
    """A 400 prints the pointer and the code beside the title."""
    _print_refusal(400, {"title": "The request is malformed.", "pointer": "/citizen", "what": "not_a_cpr_number"})

    assert capsys.readouterr().err == "400 The request is malformed.\n  /citizen: not_a_cpr_number\n"


def test_a_refusal_names_reason_and_log_entry(capsys: pytest.CaptureFixture[str]) -> None:
    """A 403 prints each reason with its paragraph, and where the log holds the ask."""
    reason = {"code": "NO_CONSENT", "da": "Der er ikke samtykke.", "paragraph": "RSL § 11 a"}
    _print_refusal(403, {"title": "Refused.", "reasons": [reason], "entry": {"log": "x/log", "index": 7}})

    told = capsys.readouterr().err
    assert "NO_CONSENT  Der er ikke samtykke.  (RSL § 11 a)" in told
    assert "on the log: x/log entry 7" in told


def test_an_answer_of_another_form_is_printed_whole(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another address answers, a decision of AuthZEN, is printed as JSON though nobody asked for JSON."""

    async def answered(*_: object) -> dict[str, bool]:
        return {"decision": True}

    monkeypatch.setattr("broker.cli.ask._send", answered)
    wish = tmp_path / "wish.json"
    wish.write_text("{}", encoding="utf-8")
    ask(wish, wish, path="/access/v1/evaluation")

    assert json.loads(capsys.readouterr().out) == {"decision": True}


def test_an_unknown_form_of_the_employer_s_word_is_wrong_use(tmp_path: Path) -> None:
    """`assertion` in the caller's file is jwt or saml; another is told of before anybody is asked."""
    caller = dict.fromkeys(["broker", "system", "key_file", "employer", "employer_key_file", "caseworker"], "x")
    (tmp_path / "caller.json").write_text(json.dumps(caller | {"assertion": "paper"}), "utf-8")
    (tmp_path / "ask.json").write_text("{}", "utf-8")

    told = CliRunner().invoke(app, ["ask", str(tmp_path / "ask.json"), "--as", str(tmp_path / "caller.json")])

    assert (told.exit_code, "jwt, saml" in told.stderr) == (2, True)
