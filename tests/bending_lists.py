"""What can be bent of a citizen's own list; each gives what a citizen hears who checks it."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import timedelta
from typing import Any

from audit.bundle import verify_bundle
from audit.commitment import Party
from tests.bending_files import Files
from tests.unit.audit.bundles import ANNA, BO, KEY, ORIGIN, Town, encode

OWNERS = (ANNA, BO, ANNA, ANNA, BO, ANNA)
# An epoch later than a citizen may be shown.
LATE = timedelta(hours=3)


def _checked(bundle: dict[str, Any]) -> list[str]:
    """Check a bundle as the citizen does, offline."""
    return [one.fault for one in verify_bundle(json.dumps(bundle), [KEY.verify_key]) if one.fault is not None]


def _anna(town: Town, *without: int, of: Party = ANNA) -> dict[str, Any]:
    bundle = town.bundle(town.list_of(of, *without))
    assert _checked(town.bundle(town.list_of(ANNA))) == []
    return bundle


def list_oldest(files: Files) -> list[str]:
    """Bend: the oldest access is withheld."""
    return _checked(_anna(Town(*OWNERS), 0))


def list_middle(files: Files) -> list[str]:
    """Bend: an access in the middle is withheld."""
    return _checked(_anna(Town(*OWNERS), 2))


def list_newest(files: Files) -> list[str]:
    """Bend: the newest access is withheld."""
    return _checked(_anna(Town(*OWNERS), 5))


def list_all(files: Files) -> list[str]:
    """Bend: every access is withheld."""
    return _checked(_anna(Town(*OWNERS), 0, 2, 3, 5))


def list_added(files: Files) -> list[str]:
    """Bend: somebody else's access is put among one's own."""
    town = Town(*OWNERS)
    bundle = _anna(town)
    entries = bundle["logs"][0]["lists"][0]["entries"]
    entries.insert(1, town.list_of(BO)["entries"][0])
    return _checked(bundle)


def list_reworded(files: Files) -> list[str]:
    """Bend: an access says something else."""
    bundle = _anna(Town(*OWNERS))
    entry = bundle["logs"][0]["lists"][0]["entries"][1]
    entry["shown"] = entry["shown"].replace("Jobcenter", "Borgerservice")
    return _checked(bundle)


def list_said_deleted(files: Files) -> list[str]:
    """Bend: an access is said to be deleted, with a commitment to nothing."""
    bundle = _anna(Town(*OWNERS))
    entry = bundle["logs"][0]["lists"][0]["entries"][1]
    del entry["shown"], entry["salt"]
    entry["committed"] = encode(bytes(32))
    return _checked(bundle)


def list_older_root(files: Files) -> list[str]:
    """Bend: the map's root of an older epoch is shown while the log went on."""
    town = Town(*OWNERS, after=2, age=LATE)
    return _checked(town.bundle(town.list_of(ANNA)))


def list_other_root(files: Files) -> list[str]:
    """Bend: the map's root of another epoch is shown, in which the newest access was not yet counted."""
    town, before = Town(*OWNERS), Town(*OWNERS[:5])
    bundle = _anna(town, 5)
    shorter = before.bundle(before.list_of(ANNA))["logs"][0]
    bundle["logs"][0]["root"] = deepcopy(shorter["root"])
    return _checked(bundle)


def list_uncounted(files: Files) -> list[str]:
    """Bend: an access is left out of the map, and shown all the same."""
    town = Town(*OWNERS, hidden=(2,))
    return _checked(town.bundle(town.list_of(ANNA)))


def list_empty_shown(files: Files) -> list[str]:
    """Bend: somebody who was asked about is shown the proof of a list that is empty."""
    town, stranger = Town(*OWNERS), Party(b"stranger", b"s" * 32)
    bundle = _anna(town)
    empty = town.list_of(stranger)
    bundle["logs"][0]["lists"] = [empty | {"key": encode(ANNA.map_key(ORIGIN))}]
    return _checked(bundle)
