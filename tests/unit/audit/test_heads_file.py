"""The file of signed heads: whole after any crash, never back, and refused where it cannot be believed."""

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audit.errors import StateRefused
from audit.heads_file import HeadsFile, KeptHead

A, B = "log.example/a", "log.example/b"


def head(size: int, mark: int = 0, at: int = 0) -> KeptHead:
    """Make a head of a size; `mark` makes another root."""
    return KeptHead(size, bytes([mark]) * 32, b"f" * 32, at)


def test_heads_are_read_back_by_the_next_process(tmp_path: Path) -> None:
    """Two logs kept, one twice: the next to open the file reads the last of each, and the file is its owner's alone."""
    with HeadsFile(tmp_path / "state", "key", new=True) as heads:
        assert heads.heads() == {}
        for origin, one in ((A, head(1)), (B, head(2, 1, 5)), (A, head(3, 2))):
            heads.keep(origin, one)
    with HeadsFile(tmp_path / "state", "key") as heads:
        assert heads.heads() == {A: head(3, 2), B: head(2, 1, 5)}
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("back", [head(2), head(3, 1), head(3, at=4)], ids=["smaller", "another root", "earlier"])
def test_a_head_never_goes_back(tmp_path: Path, back: KeptHead) -> None:
    """Smaller, another root at the same size, or an earlier time is refused; the file stays as it was."""
    with HeadsFile(tmp_path / "state", "key", new=True) as heads:
        heads.keep(A, head(3, at=5))
        with pytest.raises(StateRefused):
            heads.keep(A, back)
        assert heads.heads() == {A: head(3, at=5)}


def test_a_missing_file_is_made_only_when_that_is_said(tmp_path: Path) -> None:
    """Whoever forgot what they signed does not begin anew by themselves; asked twice, the file stays."""
    with pytest.raises(StateRefused, match="no such file"):
        HeadsFile(tmp_path / "state", "key")
    with HeadsFile(tmp_path / "state", "key", new=True) as heads:
        heads.keep(A, head(3))
    with HeadsFile(tmp_path / "state", "key", new=True) as heads:
        assert heads.heads() == {A: head(3)}


def test_one_process_holds_the_file(tmp_path: Path) -> None:
    """A second one is refused until the first has let go."""
    with HeadsFile(tmp_path / "state", "key", new=True), pytest.raises(StateRefused, match="another process"):
        HeadsFile(tmp_path / "state", "key")
    HeadsFile(tmp_path / "state", "key").close()


def test_another_key_s_file_is_refused(tmp_path: Path) -> None:
    """What one key signed says nothing of what another did."""
    HeadsFile(tmp_path / "state", "key", new=True).close()
    with pytest.raises(StateRefused, match="another key"):
        HeadsFile(tmp_path / "state", "other")


def test_every_changed_byte_is_seen(tmp_path: Path) -> None:
    """Each byte of the file flipped in turn, and the file cut at each place: it is refused or reads the same."""
    path = tmp_path / "state"
    with HeadsFile(path, "key", new=True) as heads:
        heads.keep(A, head(3))
    whole = path.read_bytes()
    for place in range(len(whole)):
        for bent in (whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :], whole[:place]):
            path.write_bytes(bent)
            try:
                with HeadsFile(path, "key") as heads:
                    assert heads.heads() == {A: head(3)}, bent
            except StateRefused:
                continue


@pytest.mark.parametrize(
    "document", ["[]", "{}", "null", '{"version": 2}', '{"version": 1, "kept": 7, "digest": ""}', "\xff"]
)
def test_what_is_no_file_of_heads_is_refused(tmp_path: Path, document: str) -> None:
    """Other JSON, and none."""
    (tmp_path / "state").write_text(document, encoding="latin-1")
    with pytest.raises(StateRefused, match="damaged"):
        HeadsFile(tmp_path / "state", "key")


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    """The state's folder is the operator's to make."""
    with pytest.raises(StateRefused, match="No such file"):
        HeadsFile(tmp_path / "none" / "state", "key", new=True)


CALLS = ("open", "write", "fsync", "replace")


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_a_failing_disk_leaves_the_old_head_or_the_new_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    """Each call of a write fails in turn, at each of its places: it is told, and what stands is whole."""
    for place in range(3):
        path = tmp_path / f"{call}-{place}"
        with HeadsFile(path, "key", new=True) as heads:
            heads.keep(A, head(3))
            with monkeypatch.context() as patched:
                failed = _fail_at(patched, call, place, code)
                told = 0
                try:
                    heads.keep(A, head(4))
                except StateRefused as refused:
                    told = getattr(refused.__cause__, "errno", -1)
                assert told == (code if failed else 0)
        with HeadsFile(path, "key") as heads:
            assert heads.heads()[A] in (head(3), head(4))
            heads.keep(A, head(5))


def _fail_at(patched: pytest.MonkeyPatch, call: str, place: int, code: int) -> list[int]:
    """Let the call fail at its n-th time; gives a list that is not empty once it has."""
    owner: Any = Path if call == "replace" else os
    real: Callable[..., Any] = getattr(owner, call)
    calls: list[int] = []
    failed: list[int] = []

    def failing(*given: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) == place + 1:
            failed.append(1)
            raise OSError(code, os.strerror(code))
        return real(*given, **named)

    patched.setattr(owner, call, failing)
    return failed


def test_a_write_in_pieces_is_a_whole_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system may take a few bytes at a time."""
    real = os.write
    with HeadsFile(tmp_path / "state", "key", new=True) as heads, monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda handle, content: real(handle, bytes(content)[:7]))
        heads.keep(A, head(3))
    assert json.loads((tmp_path / "state").read_text())["kept"]["heads"][A]["size"] == 3
