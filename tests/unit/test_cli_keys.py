"""`broker keys join`: old and new public keys side by side, and nothing that is private."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from broker.cli.commands import app


def made(folder: Path, name: str) -> tuple[Path, Path]:
    """Make a key pair as a department does."""
    private, public = folder / f"{name}.key.json", folder / f"{name}.jwks.json"
    assert CliRunner().invoke(app, ["keys", "system", str(private), str(public)]).exit_code == 0
    return private, public


def test_old_and_new_stand_side_by_side(tmp_path: Path) -> None:
    """Each key once, in order, however often its set is named."""
    (_, old), (_, new) = made(tmp_path, "old"), made(tmp_path, "new")
    both = tmp_path / "both.json"

    told = CliRunner().invoke(app, ["keys", "join", str(both), str(old), str(new), str(old)])

    assert told.exit_code == 0
    wanted = [json.loads(file.read_text("utf-8"))["keys"][0] for file in (old, new)]
    assert json.loads(both.read_text("utf-8"))["keys"] == wanted


@pytest.mark.parametrize(
    "content", ["", "[]", '{"keys": [1]}', '{"keys": [{}]}', '{"keys": [{"kid": "a", "d": "hunter2"}]}']
)
def test_what_is_no_public_key_set_is_refused(tmp_path: Path, content: str) -> None:
    """A private key, or no set at all: wrong use, nothing written and nothing repeated."""
    _, public = made(tmp_path, "old")
    (tmp_path / "x.json").write_text(content, "utf-8")
    both = tmp_path / "both.json"

    told = CliRunner().invoke(app, ["keys", "join", str(both), str(public), str(tmp_path / "x.json")])

    assert told.exit_code == 2
    assert not both.exists()
    assert "hunter2" not in told.output
