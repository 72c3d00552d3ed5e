"""`broker keys policy`, `broker policy bundle` and `broker policy verify`: from nothing to a bundle that is ours."""

import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from broker.cli.commands import app
from tests.registry_files import demo_registry, written


def run(*arguments: object) -> Result:
    """Run `broker` with these arguments."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    """Give a folder with a key pair and a bundle signed by it."""
    registry = written(tmp_path, demo_registry(tmp_path))
    assert run("keys", "policy", tmp_path / "key.pem", tmp_path / "pub.pem").exit_code == 0
    made = run("policy", "bundle", tmp_path / "b.tar.gz", "--registry", registry, "--key", tmp_path / "key.pem")
    assert made.exit_code == 0, made.output
    return tmp_path


def test_a_bundle_of_ours_is_known_again(signed: Path) -> None:
    """What was signed is verified with the public half alone, and both commands name the same revision."""
    told = run("policy", "verify", signed / "b.tar.gz", "--key", signed / "pub.pem")

    assert told.exit_code == 0, told.output
    assert "revision sha256:" in told.output
    assert stat.S_IMODE((signed / "key.pem").stat().st_mode) == 0o600


def test_a_key_is_never_replaced(signed: Path) -> None:
    """Making a key where one stands ends with one line, and the key stays."""
    before = (signed / "key.pem").read_bytes()

    assert run("keys", "policy", signed / "key.pem", signed / "pub.pem").exit_code == 1
    assert (signed / "key.pem").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("b.tar.gz", "--key", "pub.pem", "--key-id", "another"), 1),
        (("pub.pem", "--key", "pub.pem"), 1),
        (("nowhere.tar.gz", "--key", "pub.pem"), 2),
        (("b.tar.gz", "--key", "nowhere.pem"), 2),
        (("b.tar.gz", "--key", "registry.yaml"), 2),
    ],
)
def test_what_is_wrong_is_said_in_a_line(
    signed: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: int
) -> None:
    """Another key's name, no bundle at all, and files that are not there end with a line and a code, no traceback."""
    monkeypatch.chdir(signed)

    told = run("policy", "verify", *arguments)

    assert told.exit_code == code
    assert len(told.output.strip().splitlines()) == 1
    assert isinstance(told.exception, SystemExit)


def test_a_bundle_takes_a_private_key(signed: Path) -> None:
    """The public half signs nothing: the command says that the key cannot be used."""
    registry = signed / "registry.yaml"

    told = run("policy", "bundle", signed / "other.tar.gz", "--registry", registry, "--key", signed / "pub.pem")

    assert told.exit_code == 2
    assert not (signed / "other.tar.gz").exists()
