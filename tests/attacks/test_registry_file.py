"""A registry file written by somebody who means harm, or by accident: it is refused in words, and tells no secret."""

from __future__ import annotations

import copy
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.registry import RegistryFaults
from broker.registry.text import MOST_BYTES, MOST_DEPTH, MOST_VALUES, read_file
from tests.registry_files import MAPPING, SMALL, examined, faults_in, small_folder

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

# Each doubles the one before it.
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)
DEEP = "".join(f"a{n}: &a{n} [[[[[[[[{f'*a{n - 1}' if n else 'x'}]]]]]]]]\n" for n in range(50))
JUNK: list[tuple[str, str]] = [
    ("a bomb of aliases", BOMB),
    ("a bomb of depth", DEEP),
    ("brackets without end", "[" * 100_000),
    ("braces without end", "{a: " * 100_000),
    ("dashes without end", "- " * 100_000),
    ("a loop", "a: &a [*a]"),
    ("a Python object", "a: !!python/object/apply:os.system ['true']"),
    ("a tag of one's own", "a: !secret b"),
    ("a tag's directive", "%TAG ! tag:x,2000:\n---\na: 1"),
    ("a version's directive", "%YAML 1.1\n---\na: 1"),
    ("two documents", "a: 1\n---\nb: 1"),
    ("a list as a name", "? [a]\n: b"),
    ("nothing", ""),
    ("a word", "word"),
    ("a long number", "version: " + "9" * 100_000),
    ("no number", "version: .nan"),
    ("a null byte", "version: \0"),
    ("an escape to nowhere", 'a: "\\U00110000"'),
    ("half a pair", 'a: "\\ud800"'),
    ("an endless text", "a: '"),
    ("merged with itself", "a: &a {<<: *a}"),
    ("merged with a list", "a: {<<: [1]}"),
]


@pytest.mark.parametrize("row", JUNK, ids=lambda row: row[0])
def test_what_is_no_registry_is_refused_in_words(tmp_path: Path, row: tuple[str, str]) -> None:
    """Whatever stands in the file, as registry or as mapping: faults, no crash, and nothing repeated at length."""
    _, text = row
    for file in (small_folder(tmp_path, text), small_folder(tmp_path, SMALL, text)):
        found = faults_in(file)
        assert found
        assert all(len(str(fault)) < 400 for fault in found)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00a", b"a: \xc3", b"\xed\xa0\x80", b"\x89PNG\r\n"])
def test_what_is_no_text_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    """Bytes that are no UTF-8."""
    file = small_folder(tmp_path)
    file.write_bytes(content)

    assert [fault.what for fault in faults_in(file)] == ["is not text in UTF-8"]


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    """Neither a large file (a sparse one of a terabyte) nor a device or pipe that never ends is read."""
    file = small_folder(tmp_path)
    with file.open("wb") as sink:
        sink.truncate(2**40)
    assert f"larger than {MOST_BYTES}" in faults_in(file)[0].what

    file.unlink()
    os.mkfifo(file)
    assert faults_in(file)[0].what == "is not a plain file"
    for endless in ("/dev/zero", str(tmp_path)):
        text = SMALL.replace("mapping.yaml", endless).replace("momentum.json", endless)
        assert {"the file is not a plain file"} == {fault.what for fault in faults_in(small_folder_anew(file, text))}


def small_folder_anew(file: Path, text: str) -> Path:
    """Write the small registry where a pipe stood."""
    file.unlink(missing_ok=True)
    return small_folder(file.parent, text)


def test_an_alias_counts_as_what_it_stands_for(tmp_path: Path) -> None:
    """Values and depth behind aliases are counted, so a page of text is never a million values."""
    (tmp_path / "a.yaml").write_text(BOMB, "utf-8")
    with pytest.raises(RegistryFaults, match=f"more than {MOST_VALUES} values"):
        read_file(tmp_path / "a.yaml", "a.yaml")
    (tmp_path / "a.yaml").write_text(DEEP, "utf-8")
    with pytest.raises(RegistryFaults, match=f"nested deeper than {MOST_DEPTH}"):
        read_file(tmp_path / "a.yaml", "a.yaml")


def test_an_alias_stands_for_its_value(tmp_path: Path) -> None:
    """Within the bounds an alias and a merge key mean what they always meant."""
    (tmp_path / "a.yaml").write_text(
        "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: *a\nd: ['<<', 2019-01-01, 0x1]\n", "utf-8"
    )
    found = read_file(tmp_path / "a.yaml", "a.yaml").value

    assert found["b"] == {"x": 1, "y": 3}
    assert found["c"] == {"x": 1, "y": 2}
    assert found["d"] == ["<<", "2019-01-01", "0x1"]


def test_a_name_said_twice_never_wins_silently(tmp_path: Path) -> None:
    """The second of two entries of one name could hide a system's key or a cap: it is a fault, wherever it stands."""
    text = SMALL.replace("systems:\n", "systems:\n  momentum: {jwks_file: x, units: [{a: [b]}]}\n")

    (fault,) = [one for one in faults_in(small_folder(tmp_path, text)) if "stands here again" in one.what]
    assert fault.where == "systems.momentum"


# --- mutations ------------------------------------------------------------------------------------------------------


@quick
@given(st.data())
def test_no_damage_to_the_text_ends_in_a_crash(tmp_path: Path, data: st.DataObject) -> None:
    """Letters lost, doubled, swapped or replaced anywhere: the file is good, or each fault has a place in a file."""
    text = SMALL
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        length = data.draw(st.integers(0, 12))
        put = data.draw(
            st.one_of(st.sampled_from(list(":{}[]&*!%|>\"'#-?,\t\n \0\x85\u2028\ufeff")), st.text(max_size=6))
        )
        text = text[:at] + put + text[at + length :]
    file = small_folder(tmp_path)
    file.write_bytes(text.encode("utf-8", "surrogatepass"))

    for fault in faults_in(file):
        of = {"registry.yaml": text, "mapping.yaml": MAPPING}.get(fault.place.file, "")
        assert fault.what
        assert fault.remedy
        assert 0 <= fault.place.line <= len(re.split("\r\n|[\r\n\x85\u2028\u2029]", of))


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8), st.sampled_from(["korsbaek", "jobcentre"])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=6,
)


def paths_of(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List every place in a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for name, one in inner for found in paths_of(one, (*path, name)))]


def put(value: Any, path: tuple[Any, ...], what: Any) -> Any:
    """Put something at a place."""
    if not path:
        return what
    value = copy.deepcopy(value)
    spot = value
    for part in path[:-1]:
        spot = spot[part]
    spot[path[-1]] = what
    return value


def small_value(folder: Path) -> Any:
    """Read the small registry."""
    return examined(small_folder(folder)).sheet.written.value


@quick
@given(st.data())
def test_no_value_of_another_shape_ends_in_a_crash(tmp_path: Path, data: st.DataObject) -> None:
    """Anything in place of anything, several at once: the registry is good, or it is refused in words."""
    raw = small_value(tmp_path)
    for _ in range(data.draw(st.integers(1, 3))):
        raw = put(raw, data.draw(st.sampled_from(paths_of(raw))), data.draw(VALUES))
    file = small_folder(tmp_path)
    file.write_text(json.dumps(raw), "utf-8")

    assert all(fault.what and fault.remedy for fault in faults_in(file))


@pytest.mark.parametrize("secret", ["CANARY-hunter2", "canaryhunter2", {"canaryhunter2": "canaryhunter2"}])
def test_no_secret_is_repeated(tmp_path: Path, secret: Any) -> None:
    """Written where only its place belongs, or in a setting, as value or as name: no fault and no output repeats it."""
    raw = small_value(tmp_path)
    places = [path for path in paths_of(raw) if {"secrets", "secret", "settings"} & set(path[:-1])]
    assert len(places) == 8
    for path in places:
        file = small_folder(tmp_path)
        file.write_text(json.dumps(put(raw, path, secret)), "utf-8")
        assert not [fault for fault in faults_in(file) if "hunter2" in str(fault)]
