"""A bundle: everything one person needs to check, offline, that the list of entries about them is whole.

A JSON object (format `log-bundle@v1`). For each log: its signed checkpoint; the newest root of the log's map, with its
place in the log; and the person's lists, their own first, then those that the law kept back for a time and whose time
is over. A list has its key, its proof in the map, and its entries: leaf, place in the log, and what is shown of it.

Rules kept here:
- Nothing of a bundle is believed but what the checkpoint's signature, a proof or a commitment holds up.
- A list is whole up to the moment its map's root says, and no further; older than `BUSY_SECONDS` while the log went on,
  or than `IDLE_SECONDS` while it rested, is too old to say so, and so is one of the future, which would never grow old.
- With a policy a checkpoint counts only under its quorum of witnesses: the log's key alone could sign another history
  for one reader.
- Every number, text and name is read strictly; a part that is missing is a fault, never a blank.
"""

import hmac
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from audit import base64_strict
from audit.checkpoint import Checkpoint, open_checkpoint
from audit.commitment import body_commitment, shown_commitment
from audit.errors import LogError, Malformed, NotVerified
from audit.map import NOTHING, Chain, MapProof, Slot
from audit.map_root import MapRoot
from audit.merkle import HASH_SIZE, inclusion_holds, leaf_hash
from audit.note import VerifyKey
from audit.policy import Policy

FORMAT = "log-bundle@v1"
MAX_BYTES = 50_000_000
MAX_DIGITS = 16
# An epoch is at most 60 seconds, and its root is signed and witnessed within 15 minutes (design.md 6.6).
BUSY_SECONDS = 1200
IDLE_SECONDS = 7200


@dataclass(frozen=True, slots=True)
class ShownEntry:
    """One entry of a list that holds: where it stands, and what is shown of it; None where that was deleted."""

    index: int
    shown: str | None


@dataclass(frozen=True, slots=True)
class WholeList:
    """What was found of one log: the entries of each list, up to when they are whole, or what is wrong."""

    origin: str
    size: int
    whole_until: datetime | None
    lists: tuple[tuple[ShownEntry, ...], ...]
    fault: str | None = None


def verify_bundle(
    text: str, keys: Sequence[VerifyKey], *, now: datetime | None = None, policy: Policy | None = None
) -> list[WholeList]:
    """Check a bundle and say of each log what holds; `now` is when it is judged, the time it was made if None.

    With a `policy` each checkpoint needs its quorum of witnesses too. Raises Malformed where the text is no bundle;
    what does not hold is told of its log.
    """
    bundle = _read(text)
    at = now or _moment(_is(bundle, "made_at", str))
    return [_checked(one, keys, policy, at) for one in _is(bundle, "logs", list)]


def _read(text: str) -> Mapping[str, Any]:
    if len(text) > MAX_BYTES:
        raise Malformed("the bundle is too long")
    try:
        bundle = _parsed(text)
    except (ValueError, RecursionError):
        raise Malformed("the bundle is no JSON") from None
    if not isinstance(bundle, dict) or bundle.get("format") != FORMAT:
        raise Malformed(f"not a {FORMAT}")
    return bundle


def _parsed(text: str) -> Any:
    """Read JSON; raise ValueError where a number is written otherwise than in at most 16 plain decimal digits."""
    return json.loads(text, parse_int=_whole, parse_float=_refused, parse_constant=_refused)


def _whole(text: str) -> int:
    return _refused(text) if text == "-0" or len(text.lstrip("-")) > MAX_DIGITS else int(text)


def _refused(_: str) -> NoReturn:
    raise ValueError("not a plain decimal number")


def _checked(log: Any, keys: Sequence[VerifyKey], policy: Policy | None, now: datetime) -> WholeList:
    if not isinstance(log, dict) or not isinstance(origin := log.get("origin"), str):
        raise Malformed("a log of the bundle has no origin")
    size = 0
    try:
        checkpoint = _head(_is(log, "checkpoint", str), origin, keys, policy)
        size = checkpoint.size
        if log.get("root") is None:
            raise NotVerified("the bundle carries no proof that the list is whole")
        root, row = _root(_is(log, "root", dict), checkpoint)
        at = datetime.fromtimestamp(_is(row, "at", int), UTC)
        lists = tuple(_list(one, root, checkpoint) for one in _is(log, "lists", list))
        if not lists:
            raise NotVerified("the bundle carries no list of one's own")
        rests, year = checkpoint.size == _is(log["root"], "index", int) + 1, _is(row, "year", int)
        # The last root of a year that is over stays good; of which year a log is, its origin says too.
        over = rests and at.year > year and origin.endswith(f"/{year}")
        _check_age(now - at, _limit(rests=rests, over=over))
    except LogError as error:
        return WholeList(origin, size, None, (), str(error))
    except (ValueError, OverflowError, OSError):
        return WholeList(origin, size, None, (), "the bundle is not what its format says")
    return WholeList(origin, size, at, lists)


def _head(signed: str, origin: str, keys: Sequence[VerifyKey], policy: Policy | None) -> Checkpoint:
    """Read the log's checkpoint under its key and, with a policy, under its witnesses."""
    if policy is not None:
        policy.open(signed, origin)
    return open_checkpoint(signed, origin, keys)


def _root(given: Mapping[str, Any], checkpoint: Checkpoint) -> tuple[MapRoot, Mapping[str, Any]]:
    """Check that the map's root stands in the log, and open what it says of itself."""
    leaf, row = _bytes(given, "leaf"), _is(given, "row", str)
    root = MapRoot.from_leaf(leaf)
    _check_place(_is(given, "index", int), leaf, given, checkpoint)
    said = body_commitment(_bytes(given, "salt"), row.encode(), b"")
    if not hmac.compare_digest(said, MapRoot.body_of(leaf)):
        raise NotVerified("what the map's root says of itself is not what it committed to")
    opened = _parsed(row)
    if not isinstance(opened, dict) or opened.get("covered") != root.covered:
        raise NotVerified("what the map's root says of itself is not about this map")
    return root, opened


def _list(given: Any, root: MapRoot, checkpoint: Checkpoint) -> tuple[ShownEntry, ...]:
    if not isinstance(given, dict):
        raise Malformed("a list is an object")
    chain, shown, before = Chain(), [], -1
    for entry in _is(given, "entries", list):
        if not isinstance(entry, dict):
            raise Malformed("an entry is an object")
        index, leaf = _is(entry, "index", int), _bytes(entry, "leaf")
        if not before < index < root.covered:
            raise NotVerified("the entries are not in order, or beyond what the map covers")
        before = index
        _check_place(index, leaf, entry, checkpoint)
        text = None if "committed" in entry else _is(entry, "shown", str)
        committed = (
            _bytes(entry, "committed") if text is None else shown_commitment(_bytes(entry, "salt"), text.encode())
        )
        if len(committed) != HASH_SIZE:
            raise Malformed("a commitment is 32 bytes")
        chain = chain.then(leaf_hash(leaf), committed)
        shown.append(ShownEntry(index, text))
    siblings = tuple(base64_strict.decode(_text(one)) or NOTHING for one in _is(given, "siblings", list))
    neighbours = tuple(_slot(one) for one in _is(given, "neighbours", list))
    if MapProof(siblings, neighbours).root(_bytes(given, "key"), chain) != root.root:
        raise NotVerified("the list is not whole: it is not the one that the map counts")
    return tuple(shown)


def _check_place(index: int, leaf: bytes, given: Mapping[str, Any], checkpoint: Checkpoint) -> None:
    hashes = [base64_strict.decode(_text(one)) for one in _is(given, "hashes", list)]
    if not inclusion_holds(index, checkpoint.size, leaf_hash(leaf), hashes, checkpoint.root):
        raise NotVerified("an entry is not in the log at its place")


def _limit(*, rests: bool, over: bool) -> float:
    if over:
        return math.inf
    return IDLE_SECONDS if rests else BUSY_SECONDS


def _check_age(age: timedelta, limit_seconds: float) -> None:
    if age.total_seconds() < -BUSY_SECONDS:  # Clocks may differ, but not by more than is too old.
        raise NotVerified("the newest proof that the list is whole is of the future")
    if age.total_seconds() > limit_seconds:
        raise NotVerified("the newest proof that the list is whole is too old")


def _slot(given: Any) -> Slot:
    if not isinstance(given, list) or len(given) != 2:
        raise Malformed("a neighbour is a label and a value")
    return Slot(base64_strict.decode(_text(given[0])), base64_strict.decode(_text(given[1])))


def _is(given: Mapping[str, Any], name: str, kind: type) -> Any:
    value = given.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise Malformed(f"the bundle has no {name} where one belongs")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Malformed("a hash is text")
    return value


def _bytes(given: Mapping[str, Any], name: str) -> bytes:
    return base64_strict.decode(_is(given, name, str))


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Malformed("the bundle does not say when it was made") from None
    if at.tzinfo is None:
        raise Malformed("the bundle does not say when it was made")
    return at
