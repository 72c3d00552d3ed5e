"""The PIN of a token: never shown, never from a file that others read, never tried until the token locks (P7)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from audit import key_files, token_module
from audit.__main__ import main
from audit.errors import SignerUnavailable
from audit.token_uri import TokenUri
from tests.soft_token import PIN, SoftToken, soft_token

WRONG = "0815-wrong"


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SoftToken:
    """Give a token that holds a log's key, and its key file `log.skey`."""
    token = soft_token(tmp_path, monkeypatch)
    assert main(["keys", "new", str(tmp_path / "log.skey"), "--name", "log.example", "--pkcs11", token.uri()]) == 0
    token_module.module_at(token.module)._start_anew()
    return token


def test_a_refused_pin_is_tried_once_by_a_process(token: SoftToken, monkeypatch: pytest.MonkeyPatch) -> None:
    """Round after round, and even when the file was mended, so that the token does not lock; a new process signs."""
    (key,) = key_files.read_signing(token.folder / "log.skey")
    tried: list[str] = []
    read = TokenUri.read_pin
    monkeypatch.setattr(TokenUri, "read_pin", lambda uri: tried.append(read(uri)) or tried[-1])
    token.write_pin(WRONG)
    for _ in range(12):
        with pytest.raises(SignerUnavailable, match="refused the PIN"):
            key.sign(b"message")
    assert tried == [WRONG]
    token.write_pin(PIN)
    with pytest.raises(SignerUnavailable, match="until a restart"):
        key.sign(b"message")
    sign = "from pathlib import Path; from audit import key_files; import sys\n"
    sign += "print(len(key_files.read_signing(Path(sys.argv[1]))[0].sign(b'message')))"
    said = subprocess.run([sys.executable, "-c", sign, token.folder / "log.skey"], capture_output=True, check=False)
    assert said.stdout == b"64\n"


@pytest.mark.parametrize("fault", ["wrong", "empty", "readable", "gone", "folder", "not text"])
def test_no_fault_of_the_pin_shows_it(token: SoftToken, capfd: pytest.CaptureFixture[str], fault: str) -> None:
    """Each is one line that names the fault and repeats neither the PIN nor what stands in its place; code 2."""
    match fault:
        case "wrong":
            token.write_pin(WRONG)
        case "empty":
            token.write_pin("")
        case "readable":
            token.pin_file.chmod(0o640)
        case "gone" | "folder":
            token.pin_file.unlink()
            if fault == "folder":
                token.pin_file.mkdir()
        case _:
            token.pin_file.write_bytes(WRONG.encode() + b"\xff")
    words = ["keys", "new", str(token.folder / "again"), "--name", "log.example", "--existing"]
    assert main([*words, "--pkcs11", token.uri()]) == 2
    shown = capfd.readouterr()
    said = shown.err + shown.out.partition("log.example+")[0]
    assert shown.err.count("\n") == 1
    assert "PIN" in shown.err
    assert PIN not in said
    assert WRONG not in said
    assert not (token.folder / "again").exists()


def test_a_pin_in_the_uri_is_refused_and_not_repeated(token: SoftToken, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither on the command line nor in a key file."""
    uri = f"{token.uri()}&pin-value={PIN}"
    assert main(["keys", "new", str(token.folder / "again"), "--name", "log.example", "--pkcs11", uri]) == 2
    file = token.folder / "log.skey"
    file.write_text(file.read_text().strip() + f"&pin-value={PIN}\n")
    assert main(["keys", "show", str(file)]) == 2
    said = capsys.readouterr()
    assert PIN not in said.err
    assert "pin-source" in said.err


def test_the_token_never_gives_its_key_away(token: SoftToken) -> None:
    """A key that we drew is sensitive and cannot be taken out, whoever is logged in."""
    (key,) = key_files.read_signing(token.folder / "log.skey")
    key.sign(b"message")
    import pkcs11

    (held,) = token_module.module_at(token.module)._keys.values()
    assert held[pkcs11.Attribute.SENSITIVE] is True
    assert held[pkcs11.Attribute.EXTRACTABLE] is False
    with pytest.raises(pkcs11.AttributeSensitive):
        held[pkcs11.Attribute.VALUE]
