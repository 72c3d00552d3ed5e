"""Settings: nothing safe by default that must be chosen, nothing misspelt that is ignored, nothing secret repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.settings import SettingsFaults, read

GOOD = {
    "BROKER_PROFILE": "test",
    "BROKER_PUBLIC_URL": "https://broker.example.dk/",
    "BROKER_REGISTRY": "registry.yaml",
    "BROKER_POLICIES": "policies",
    "BROKER_DATABASE_URL": "postgresql://app@db/main",
    "BROKER_VAULT_URL": "postgresql://app@db/vault",
    "BROKER_KEY_FOLDER": "keys",
}


def faults(**changes: str) -> list[str]:
    """Give what is wrong with the good settings after a change; an empty value takes one away."""
    environ = {name: value for name, value in (GOOD | changes).items() if value}
    with pytest.raises(SettingsFaults) as caught:
        read(environ)
    return caught.value.faults


def test_good_settings_are_read() -> None:
    """What is required is enough; the address loses its last slash."""
    assert read(GOOD).public_url == "https://broker.example.dk"


def test_all_that_is_missing_is_said_at_once() -> None:
    """Two missing settings give two faults, by name."""
    found = faults(BROKER_PROFILE="", BROKER_VAULT_URL="")

    assert {fault.split(":")[0] for fault in found} == {"BROKER_PROFILE", "BROKER_VAULT_URL"}


def test_a_misspelt_setting_is_a_fault() -> None:
    """An unknown BROKER_ name keeps the house shut."""
    assert faults(BROKER_PROFIL="production") == ["BROKER_PROFIL: no such setting"]


@pytest.mark.parametrize("name", [
    "https://broker.example.dk/log", "broker.example.dk/logs", "/log", "log", "broker.example.dk", "a b.example/log",
    "broker.example.dk/log/", "broker.example.dk//log", "hunter2+key/log", "broker.example.dk/log\n",
])  # fmt: skip
def test_a_log_is_named_by_where_it_is_served(name: str) -> None:
    """A log's origin is its address without scheme, so a name that is not served under is refused."""
    assert [fault.split(":")[0] for fault in faults(BROKER_LOG_NAME=name)] == ["BROKER_LOG_NAME"]
    (fault,) = faults(BROKER_LOG_NAME=name)
    assert "ends in /log, without scheme, such as broker.example.dk/log" in fault
    assert "hunter2" not in fault
    assert read(GOOD | {"BROKER_LOG_NAME": "broker.example.dk/log"}).log_name == "broker.example.dk/log"


def test_a_fault_does_not_repeat_the_value() -> None:
    """A wrong value is named by its setting, never shown: it may be a secret in the wrong place."""
    found = faults(BROKER_PORT="hunter2")

    assert found
    assert not any("hunter2" in fault for fault in found)


@pytest.mark.parametrize(
    "change",
    [{"BROKER_FIXED_CLOCK": "2019-03-04T10:00:00+01:00"}, {"BROKER_PUBLIC_URL": "http://broker.example.dk"}],
    ids=["a standing clock", "no TLS"],
)
def test_production_takes_no_shortcuts(change: dict[str, str]) -> None:
    """A clock of one's own and plain HTTP are for the demo and tests."""
    assert faults(BROKER_PROFILE="production", **change)


def test_invented_numbers_are_for_demo_and_test() -> None:
    """Production takes no CPR number that no person can have."""
    assert not read(GOOD | {"BROKER_PROFILE": "production"}).test_numbers
    assert read(GOOD).test_numbers


@pytest.mark.parametrize("address", ["broker.example.dk", "https://", "ftp://x", "https://x/path", "https://x?q=1"])
def test_a_public_address_is_an_origin(address: str) -> None:
    """Tokens are bound to the public address, so it is an origin and nothing more."""
    assert faults(BROKER_PUBLIC_URL=address)


def test_a_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    """An address with its password is read from the file that is named, without the line's end."""
    file = tmp_path / "database_url"
    file.write_text("postgresql://app:secret@db/main\n")
    file.chmod(0o640)
    environ = {name: value for name, value in GOOD.items() if name != "BROKER_DATABASE_URL"}

    assert read(environ | {"BROKER_DATABASE_URL_FILE": str(file)}).database_url == "postgresql://app:secret@db/main"


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o602])
def test_a_file_that_everybody_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    """A secret that lies open is said by its setting's name, without its content, and as the only fault."""
    file = tmp_path / "vault_url"
    file.write_text("postgresql://app:secret@db/vault")
    file.chmod(mode)
    (found,) = faults(BROKER_VAULT_URL="", BROKER_VAULT_URL_FILE=str(file))

    assert found == "BROKER_VAULT_URL_FILE: everybody may read that file"


def test_a_file_that_is_not_there_or_empty_is_a_fault(tmp_path: Path) -> None:
    """A missing file and an empty one are said by name, not taken for an empty secret."""
    empty = tmp_path / "empty"
    empty.touch(0o600)
    found = faults(
        BROKER_VAULT_URL="", BROKER_VAULT_URL_FILE=str(empty),
        BROKER_DATABASE_URL="", BROKER_DATABASE_URL_FILE=str(tmp_path / "absent"),
    )  # fmt: skip

    assert {fault.split(":")[0] for fault in found} == {"BROKER_VAULT_URL_FILE", "BROKER_DATABASE_URL_FILE"}


def test_a_secret_given_twice_is_a_fault(tmp_path: Path) -> None:
    """Which of two addresses counts is nobody's guess."""
    file = tmp_path / "x"
    file.touch(0o600)

    assert faults(BROKER_VAULT_URL_FILE=str(file)) == ["BROKER_VAULT_URL_FILE: given twice, as itself and as a file"]


def test_only_what_is_secret_comes_by_file(tmp_path: Path) -> None:
    """Another setting's name with `_FILE` is no setting."""
    assert faults(BROKER_PROFILE_FILE=str(tmp_path)) == ["BROKER_PROFILE_FILE: no such setting"]
