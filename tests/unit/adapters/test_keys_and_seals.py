"""The house's keys in their file, and what is sealed with them."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.adapters.keys_file import KeyFileRefused, new_house_keys, read_house_keys, write_house_keys
from broker.adapters.sealing import DoesNotOpen, derive, seal, unseal

KEY, OTHER = b"k" * 32, b"o" * 32


def test_keys_come_back_as_they_were_written(tmp_path: Path) -> None:
    """What was written is read, by its owner alone; and a file that is there is not replaced."""
    keys = new_house_keys()
    write_house_keys(tmp_path / "keys", keys)

    assert read_house_keys(tmp_path / "keys") == keys
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        write_house_keys(tmp_path / "keys", new_house_keys())


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o601])
def test_a_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    """Whatever others may do with the file, it is refused."""
    write_house_keys(tmp_path / "keys", new_house_keys())
    (tmp_path / "keys").chmod(mode)

    with pytest.raises(KeyFileRefused, match="0600"):
        read_house_keys(tmp_path / "keys")


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", '{"wrapping": 1}', '{"wrapping": "AA==", "pepper": "AA==", "requests": "AA=="}']
)
def test_a_file_that_is_not_whole_is_refused(tmp_path: Path, text: str) -> None:
    """Missing, short or broken keys are refused, and the message repeats none."""
    path = tmp_path / "keys"
    path.write_text(text)
    path.chmod(0o600)

    with pytest.raises(KeyFileRefused) as caught:
        read_house_keys(path)
    assert "AA" not in str(caught.value)


def test_a_file_that_is_missing_or_none_is_refused(tmp_path: Path) -> None:
    """No file, or a folder in its place, is refused in one line."""
    (tmp_path / "folder").mkdir(mode=0o700)
    for name in ("absent", "folder"):
        with pytest.raises(KeyFileRefused):
            read_house_keys(tmp_path / name)


def test_keys_show_themselves_to_nobody() -> None:
    """No key stands in a repr, and a short one is none."""
    keys = new_house_keys()

    assert "=" not in repr(keys)
    with pytest.raises(KeyFileRefused):
        replace(keys, pepper=b"short")


@given(st.binary(max_size=200))
def test_sealed_bytes_open_in_their_place(plain: bytes) -> None:
    """What was sealed opens with the same key in the same place, and twice sealed looks different."""
    sealed = seal(KEY, plain, "here")

    assert unseal(KEY, sealed, "here") == plain
    assert sealed != seal(KEY, plain, "here")


@given(st.integers(min_value=0, max_value=39), st.integers(min_value=1, max_value=255))
def test_a_changed_byte_opens_nothing(at: int, by: int) -> None:
    """Any changed byte, and any cut, is found."""
    sealed = bytearray(seal(KEY, b"twelve bytes", "here"))
    sealed[at] ^= by

    with pytest.raises(DoesNotOpen):
        unseal(KEY, bytes(sealed), "here")
    with pytest.raises(DoesNotOpen):
        unseal(KEY, seal(KEY, b"twelve bytes", "here")[:at], "here")


def test_another_key_use_or_place_opens_nothing() -> None:
    """A sealed text copied elsewhere, or held with another key, stays shut."""
    sealed = seal(derive(KEY, "texts"), b"plain", "here")

    for key, use, place in ((OTHER, "texts", "here"), (KEY, "keys", "here"), (KEY, "texts", "there")):
        with pytest.raises(DoesNotOpen):
            unseal(derive(key, use), sealed, place)


def test_a_key_file_behind_a_link_is_judged_by_itself(tmp_path: Path) -> None:
    """The rights that count are those of the file that is read, not of a link to it."""
    write_house_keys(tmp_path / "keys", new_house_keys())
    (tmp_path / "keys").chmod(0o644)
    (tmp_path / "link").symlink_to(tmp_path / "keys")

    with pytest.raises(KeyFileRefused):
        read_house_keys(tmp_path / "link")
