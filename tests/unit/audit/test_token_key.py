"""Keys in a PKCS#11 token: drawn, shown, changed and used as keys in files are (P7), in a real SoftHSM."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from audit import key_files, note, postgres, token_module
from audit.__main__ import main
from audit.checkpoint import Checkpoint, open_checkpoint
from audit.cosignature import Cosigner, CosignerKey
from audit.errors import Malformed, SignerUnavailable
from audit.heads_file import HeadsFile
from audit.note import SigningKey, VerifyKey
from audit.token_key import TokenCosigner, TokenSigner
from audit.token_uri import TokenUri
from audit.witness import KnownLogs, Witness
from tests.soft_token import PIN, SoftToken, soft_token
from tests.unit.audit.sealed import ORIGIN, new
from tests.witness_table import KEY, submission

NAME = "log.example"
NOWHERE = "pkcs11:token=t;object=k?module-path=/nowhere/module.so&pin-source=file:/nowhere/pin"


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SoftToken:
    """Give a token of the test's own."""
    return soft_token(tmp_path, monkeypatch)


def run(*arguments: str | Path) -> int:
    """Run one command in this process."""
    return main([str(argument) for argument in arguments])


def drawn(token: SoftToken, file: Path, *also: str, key: str = "log", name: str = NAME) -> None:
    """Draw a key in the token and write its key file."""
    assert run("keys", "new", file, "--name", name, "--pkcs11", token.uri(key), *also) == 0


def test_a_key_is_drawn_in_the_token_and_signs(
    token: SoftToken, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its file names it and holds no secret; `show` needs no token; a checkpoint by it opens with the public half."""
    file = tmp_path / "log.skey"
    drawn(token, file)
    vkey = capsys.readouterr().out.strip()
    (signer,) = key_files.read_signing(file)
    signed = Checkpoint(NAME, 3, b"r" * 32).signed_by(signer)
    assert open_checkpoint(signed, NAME, [VerifyKey.from_text(vkey)]).size == 3
    assert isinstance(signer, TokenSigner)
    assert file.read_text() == f"{vkey} {token.uri()}\n"
    assert file.stat().st_mode & 0o777 == 0o600
    token.take_out()
    assert run("keys", "show", file) == 0
    assert capsys.readouterr().out.strip() == vkey


def test_a_key_that_is_there_is_taken_and_never_drawn_over(
    token: SoftToken, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--existing` gives the same key; drawing one of a name that is taken is refused, and no file is written."""
    drawn(token, tmp_path / "one")
    drawn(token, tmp_path / "two", "--existing")
    assert (tmp_path / "one").read_text() == (tmp_path / "two").read_text()
    capsys.readouterr()
    for file, also in (("three", []), ("one", ["--existing"])):
        assert run("keys", "new", tmp_path / file, "--name", NAME, "--pkcs11", token.uri(), *also) == 2
    said = capsys.readouterr().err
    assert "holds an object of that name already" in said
    assert "exists" in said
    assert not (tmp_path / "three").exists()
    assert run("keys", "new", tmp_path / "four", "--name", NAME, "--pkcs11", token.uri("no"), "--existing") == 2
    assert "holds no such key" in capsys.readouterr().err


def test_a_key_is_found_by_serial_and_id(token: SoftToken, tmp_path: Path) -> None:
    """Names may be changed or given twice; then the token's serial number and the object's id tell which is meant."""
    for number in ("%01", "%02"):
        drawn(token, tmp_path / number, key=f"log;id={number}")
    assert run("keys", "new", tmp_path / "k", "--name", NAME, "--pkcs11", token.uri(), "--existing") == 2
    (held,) = token_module.module_at(token.module)._lib.get_tokens(token_label=token.label)
    serial = "".join(f"%{byte:02x}" for byte in held.serial)
    uri = f"pkcs11:serial={serial};id=%02?{token.uri().partition('?')[2]}"
    assert run("keys", "new", tmp_path / "k", "--name", NAME, "--pkcs11", uri, "--existing") == 0
    (one,), (two,), (by_id,) = (key_files.read_signing(tmp_path / name) for name in ("%01", "%02", "k"))
    assert by_id.verify_key == two.verify_key != one.verify_key


def test_a_log_moves_from_a_file_into_a_token_without_a_gap(
    token: SoftToken, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both sign side by side, and whoever knows either goes on; then the token's key alone, and never back unasked."""
    file = tmp_path / "log.skey"
    assert run("keys", "new", file, "--name", NAME) == 0
    assert run("keys", "rotate", file, "--pkcs11", token.uri()) == 0
    old, fresh = (VerifyKey.from_text(line) for line in capsys.readouterr().out.split())
    signed = note.sign("log.example\n1\nx\n", key_files.read_signing(file))
    for known in ([old], [fresh], [old, fresh]):
        assert note.open_note(signed, known)[1]
    assert run("keys", "rotate", file) == 2
    assert run("keys", "retire", file) == 0
    assert "--pkcs11" in capsys.readouterr().err
    (left,) = key_files.read_signing(file)
    assert isinstance(left, TokenSigner)
    assert left.verify_key == fresh
    assert run("keys", "rotate", file, "--pkcs11", token.uri("log-2")) == 0
    assert len(note.read(note.sign("log.example\n1\nx\n", key_files.read_signing(file))).signatures) == 2


def test_a_token_that_was_away_is_found_again(token: SoftToken, tmp_path: Path) -> None:
    """Out: one clear word, and nothing signed. Back: it signs with no restart, also for a second key of the token."""
    drawn(token, tmp_path / "a")
    drawn(token, tmp_path / "b", key="other")
    keys = [*key_files.read_signing(tmp_path / "a"), *key_files.read_signing(tmp_path / "b")]
    before = [key.sign(b"message") for key in keys]
    token.take_out()
    for key in keys:
        with pytest.raises(SignerUnavailable, match="the token is not there"):
            key.sign(b"message")
    token.put_back()
    assert [key.sign(b"message") for key in keys] == before


def test_a_session_that_ended_is_opened_again_once(token: SoftToken, tmp_path: Path) -> None:
    """Whoever signs notices nothing of it: the same signature (Ed25519 draws nothing)."""
    drawn(token, tmp_path / "a")
    (key,) = key_files.read_signing(tmp_path / "a")
    before = key.sign(b"message")
    (session,) = token_module.module_at(token.module)._sessions.values()
    session.close()
    assert key.sign(b"message") == before


def test_another_key_than_the_file_names_signs_nothing(token: SoftToken, tmp_path: Path) -> None:
    """An object that was drawn anew, or a wrong line: found by its first signature, which is not given out."""
    drawn(token, tmp_path / "a")
    (tmp_path / "a").write_text(f"{SigningKey.generate(NAME).verify_key} {token.uri()}\n")
    (key,) = key_files.read_signing(tmp_path / "a")
    with pytest.raises(SignerUnavailable, match="another key"):
        key.sign(b"message")


def test_a_witness_cosigns_with_a_key_in_a_token(
    token: SoftToken, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its line verifies; without the token it answers 503 and says so; and it goes on from the head that it kept."""
    drawn(token, tmp_path / "w.skey", "--witness", name="witness.example/w1")
    key = CosignerKey.from_text(capsys.readouterr().out.strip())
    cosigners = key_files.read_cosigners(tmp_path / "w.skey")
    assert isinstance(cosigners[0], TokenCosigner)
    logs = KnownLogs.from_text(f"log {KEY.verify_key}\n")
    with HeadsFile(tmp_path / "heads", cosigners[0].name, new=True) as heads:
        witness = Witness(heads, cosigners, logs, now=lambda: 1_900_000_000)
        answer = witness.add_checkpoint(submission(0, 3))
        assert answer.status == 200
        text = note.read(submission(0, 3).decode().partition("\n\n")[2]).text
        line = note.read(f"{text}\n{answer.text}").signatures[0]
        assert (line.name, line.key_id) == (key.name, key.key_id)
        assert key.verifies(text.encode(), line.signature)
        token.take_out()
        answer = witness.add_checkpoint(submission(3, 8))
        assert (answer.status, answer.told) == (503, "key: the token is not there")
        token.put_back()
        assert witness.add_checkpoint(submission(3, 8)).text == "8\n"
        assert witness.add_checkpoint(submission(8, 8)).status == 200
    assert run("keys", "rotate", tmp_path / "w.skey", "--pkcs11", token.uri("w2")) == 2


def test_it_is_ed25519_like_any_other(token: SoftToken, tmp_path: Path) -> None:
    """A cosignature of a key in a file and one of a key in a token are told apart by their key alone."""
    drawn(token, tmp_path / "w.skey", "--witness", name="w")
    (held,) = key_files.read_cosigners(tmp_path / "w.skey")
    drawn_here = Cosigner.generate("w")
    for key in (held, drawn_here):
        line = key.cosign(f"{ORIGIN}\n1\nx\n", 5)
        assert key.key.verifies(f"{ORIGIN}\n1\nx\n".encode(), note.read(f"x\n\n{line}").signatures[0].signature)
        with pytest.raises(Malformed):
            key.cosign("x\n", 2**63)


@pytest.fixture
def no_module_yet() -> Iterator[None]:
    """Let nothing that was loaded before be found."""
    token_module.module_at.cache_clear()
    yield
    token_module.module_at.cache_clear()


@pytest.mark.parametrize("package", [True, False])
def test_what_is_not_installed_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    no_module_yet: None,
    package: bool,
) -> None:
    """No package, or no module at that path: a witness does not start, code 2; `show` works all the same."""
    if not package:
        monkeypatch.setitem(sys.modules, "pkcs11", None)
    file = tmp_path / "w.skey"
    file.touch(mode=0o600)
    file.write_text(f"{Cosigner.generate('w').key} {NOWHERE}\n")
    assert run("keys", "show", file) == 0
    assert run("witness", "--key", file, "--logs", file, "--state", tmp_path / "state") == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert ("no PKCS#11 module" if package else "the extra `hsm`") in said


async def test_a_checkpointer_signs_with_a_key_in_a_token(
    token: SoftToken,
    tmp_path: Path,
    dsn: str,
    superuser: "asyncpg.Connection[Any]",
    capsys: pytest.CaptureFixture[str],
) -> None:
    """By the command of its own, over a real database; without the token it says `key` and signs nothing."""
    drawn(token, tmp_path / "log.skey")
    vkey = VerifyKey.from_text(capsys.readouterr().out.strip())
    (tmp_path / "policy").write_text("quorum none\n")
    files = ("--key", "log.skey", "--policy", "policy", "--state", "state")
    words = [word if word.startswith("-") else str(tmp_path / word) for word in files]

    async def once(*also: str) -> tuple[int | None, list[dict[str, Any]]]:
        command = (sys.executable, "-m", "audit", "checkpointer", "--database", dsn, *words, "--once", *also)
        child = await asyncio.create_subprocess_exec(*command, stderr=subprocess.PIPE)
        _, said = await child.communicate()
        return child.returncode, [json.loads(line) for line in said.decode().splitlines()]

    await superuser.execute("DELETE FROM log.head WHERE origin <> $1", ORIGIN)
    await postgres.append(superuser, [new(number) for number in range(3)])
    assert await once("--new-state") == (0, [])
    signed = await postgres.published_checkpoint(superuser, 1)
    assert signed is not None
    assert note.open_note(signed.note, [vkey])[1] == (vkey,)
    await postgres.append(superuser, [new(number) for number in range(3, 5)])
    token.take_out()
    assert await once() == (2, [{"event": "wrong", "what": "key", "why": "the token is not there"}])
    token.put_back()
    assert await once() == (0, [])
    later = await postgres.published_checkpoint(superuser, 1)
    assert later is not None
    assert later.size >= signed.size + 2


GOOD = "pkcs11:token=t;object=k?module-path=/m.so&pin-source=file:/pin"


def test_a_uri_is_read_as_rfc_7512_writes_it() -> None:
    """Percent signs are taken back, an id is bytes, and a file is named with or without slashes."""
    uri = TokenUri.from_text(
        "pkcs11:type=private;serial=a%2Fb;id=%00%ff;token=my%20token;object=%C3%B8?pin-source=file:///run/p%20n&module-path=/m.so"
    )
    assert (uri.token, uri.serial, uri.label, uri.key_id) == ("my token", b"a/b", "ø", b"\0\xff")
    assert (uri.pin_file, uri.module) == (Path("/run/p n"), Path("/m.so"))
    assert TokenUri.from_text(GOOD).pin_file == Path("/pin")


@pytest.mark.parametrize(
    "uri",
    [
        "https://token=t",
        GOOD.replace("token=t;", ""),
        GOOD.replace(";object=k", ""),
        GOOD.replace("object=k", "object="),
        GOOD.replace("object=k", "object=k;object=k"),
        GOOD.replace("object=k", "object=%ff"),
        GOOD.replace("object=k", "object=k;type=public"),
        GOOD.replace("object=k", "object=k;slot-id=1"),
        GOOD.replace("&pin-source=file:/pin", ""),
        GOOD.replace("file:/pin", "|cat /pin"),
        GOOD.replace("file:/pin", "file:pin"),
        GOOD.replace("file:/pin", "file:/pin%00"),
        GOOD.replace("module-path=/m.so", "module-path=m.so"),
        GOOD.replace("module-path=/m.so", "module-name=m"),
        GOOD + "&pin-value=" + PIN,
        GOOD + "&pin-value",
    ],
)
def test_a_uri_that_is_not_understood_is_refused(uri: str) -> None:
    """Each missing, doubled, empty or unknown part, a command for the PIN, the PIN itself; nothing is repeated."""
    with pytest.raises(Malformed) as refused:
        TokenUri.from_text(uri)
    assert PIN not in str(refused.value)


@pytest.mark.parametrize(
    "line", [GOOD, f"{KEY.verify_key} x{GOOD}", f"{Cosigner.generate('w', 6).key} {GOOD}", f"x {GOOD}"]
)
def test_a_line_that_names_no_key_is_refused(tmp_path: Path, line: str) -> None:
    """A URI without the public half, another scheme, another kind of key: the file is refused by its name."""
    (tmp_path / "log.skey").touch(mode=0o600)
    (tmp_path / "log.skey").write_text(f"{line}\n")
    with pytest.raises(Malformed, match=r"log\.skey"):
        key_files.read_private(tmp_path / "log.skey")


def test_words_that_do_not_go_together_draw_nothing(tmp_path: Path) -> None:
    """ML-DSA in a token, `--existing` without one, a name that no note could carry: code 2, and no file."""
    for also in (
        ["--name", "w", "--witness", "--ml-dsa", "--pkcs11", GOOD],
        ["--name", "w", "--existing"],
        ["--name", "w w", "--pkcs11", GOOD],
    ):
        assert run("keys", "new", tmp_path / "k", *also) == 2
    assert not (tmp_path / "k").exists()
