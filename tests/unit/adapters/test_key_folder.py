"""`broker keys new`, run once more: what is there stays, wherever the private halves have gone since."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from broker.adapters.house_keys import make_key_folder, read_key_folder
from broker.cli.commands import app

NAME = "broker.example.dk/log"


def _files(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): file.read_text("utf-8") for file in folder.rglob("*") if file.is_file()}


def test_once_more_changes_nothing(tmp_path: Path) -> None:
    """Every key stays as it is."""
    make_key_folder(tmp_path / "keys", NAME)
    before = _files(tmp_path)
    make_key_folder(tmp_path / "keys", NAME)

    assert _files(tmp_path) == before


def test_a_deletion_key_that_was_moved_is_not_drawn_again(tmp_path: Path) -> None:
    """The private half is with the job that erases, as docs/operations.md says; no node gets another."""
    make_key_folder(tmp_path / "keys", NAME)
    (tmp_path / "keys" / "deletion.skey").rename(tmp_path / "deletion.skey")
    before = _files(tmp_path)
    make_key_folder(tmp_path / "keys", NAME)

    assert _files(tmp_path) == before


def test_a_log_key_that_is_elsewhere_is_not_drawn_again(tmp_path: Path) -> None:
    """Where the checkpointer runs on another machine, no second key is drawn, and the command says nothing of one."""
    make_key_folder(tmp_path / "keys", NAME)
    (tmp_path / "checkpointer").rename(tmp_path / "away")
    before = _files(tmp_path)
    told = CliRunner().invoke(app, ["keys", "new", str(tmp_path / "keys"), "--log-name", NAME])

    assert (told.exit_code, _files(tmp_path)) == (0, before)
    assert "log.skey" not in told.output


def test_a_house_from_before_gets_both_halves_to_the_checkpointer(tmp_path: Path) -> None:
    """A key with which nodes signed goes there with the public half that it is known by, and the nodes keep theirs."""
    keys, signers = tmp_path / "keys", tmp_path / "checkpointer"
    make_key_folder(keys, NAME)
    key, public = (signers / "log.skey").read_text("utf-8"), (keys / "log.vkey").read_text("utf-8")
    (signers / "log.skey").rename(keys / "log.skey")
    (signers / "log.vkey").unlink()
    signers.rmdir()
    make_key_folder(keys, NAME)

    assert not (keys / "log.skey").exists()
    assert (signers / "log.skey").read_text("utf-8") == key
    assert (signers / "log.vkey").read_text("utf-8") == (keys / "log.vkey").read_text("utf-8") == public
    assert (signers / "log.vkey").stat().st_mode & 0o777 == 0o600
    assert read_key_folder(keys).log_public == [public.strip()]


def test_receipts_get_a_new_key_and_old_ones_still_verify(tmp_path: Path) -> None:
    """`broker keys rotate`: the new key is first and alone private, for its owner to read; nothing else moves."""
    keys = tmp_path / "keys"
    make_key_folder(keys, NAME)
    before, others = read_key_folder(keys).receipts, _files(tmp_path)
    told = [CliRunner().invoke(app, ["keys", "rotate", str(keys)]) for _ in range(2)]
    after = read_key_folder(keys).receipts

    assert [one.exit_code for one in told] == [0, 0]
    assert [("d" in key) for key in after] == [True, False, False]
    assert (after[-1]["kid"], after[-1]["x"]) == (before[0]["kid"], before[0]["x"])
    assert (keys / "receipts.jwks.json").stat().st_mode & 0o777 == 0o600
    now = _files(tmp_path)
    assert {name for name in now if now[name] != others.get(name)} == {"keys/receipts.jwks.json"}
    assert CliRunner().invoke(app, ["keys", "rotate", str(tmp_path)]).exit_code == 1
