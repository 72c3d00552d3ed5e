"""Bundles: a whole list is told so, and nothing else is; Python and JavaScript say the same."""

import json
import random
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from audit.__main__ import main
from audit.bundle import WholeList, verify_bundle
from audit.cosignature import ED25519, Cosigner
from audit.errors import Malformed
from audit.note import SigningKey, read
from tests.unit.audit.bundles import ANNA, BO, KEY, MADE_AT, ORIGIN, Town, a_stranger, shown_of
from tests.unit.audit.test_javascript_verifier import judged

OWNERS = (ANNA, BO, ANNA, ANNA, BO, ANNA)


def found(bundle: dict[str, Any]) -> WholeList:
    """Check a bundle of one log."""
    (one,) = verify_bundle(json.dumps(bundle), [KEY.verify_key])
    return one


def said_in_javascript(*bundles: dict[str, Any] | str) -> list[Any]:
    """Let the browser's verifier check bundles."""
    texts = [one if isinstance(one, str) else json.dumps(one) for one in bundles]
    return judged([("bundle", {"text": text, "keys": [str(KEY.verify_key)]}) for text in texts])


def said_in_python(bundle: dict[str, Any] | str) -> Any:
    """Say what Python finds, as the judge in JavaScript says it."""
    try:
        whole = verify_bundle(bundle if isinstance(bundle, str) else json.dumps(bundle), [KEY.verify_key])
    except Malformed:
        return "Malformed"
    return [
        [
            one.origin,
            one.size,
            one.whole_until and one.whole_until.timestamp(),
            [[[entry.index, entry.shown] for entry in entries] for entries in one.lists],
            one.fault is not None,
        ]
        for one in whole
    ]


def test_a_whole_list_is_told_to_be_whole_and_what_it_says() -> None:
    """Everybody's own, an empty one, one with deleted content and one of what was kept back: each is proved."""
    town = Town(*OWNERS, after=2)
    nobody = a_stranger()
    bundles = [
        town.bundle(town.list_of(ANNA), town.list_of(BO)),
        town.bundle(town.list_of(nobody)),
        town.bundle(town.list_of(ANNA, deleted=(2, 5))),
    ]
    whole = [found(bundle) for bundle in bundles]
    assert [one.fault for one in whole] == [None] * 3
    assert [[[e.index for e in entries] for entries in one.lists] for one in whole] == [
        [[0, 2, 3, 5], [1, 4]],
        [[]],
        [[0, 2, 3, 5]],
    ]
    assert [entry.shown for entry in whole[2].lists[0]] == [shown_of(0), None, shown_of(3), None]
    assert {one.whole_until for one in whole} == {MADE_AT}
    assert said_in_javascript(*bundles) == [said_in_python(bundle) for bundle in bundles]


@pytest.mark.parametrize("without", [(0,), (2, 3), (5,), (0, 2, 3, 5)], ids=["oldest", "middle", "newest", "all"])
def test_a_list_with_anything_left_out_is_not_whole(without: tuple[int, ...]) -> None:
    """The oldest, some in the middle, the newest, all: the map counts them, so their absence shows."""
    town = Town(*OWNERS)
    bundle = town.bundle(town.list_of(ANNA, *without))
    assert "not whole" in str(found(bundle).fault)
    assert said_in_javascript(bundle) == [said_in_python(bundle)]


def _first(bundle: dict[str, Any]) -> Any:
    return bundle["logs"][0]["lists"][0]["entries"][0]


BENT: dict[str, Callable[[dict[str, Any]], Any]] = {
    "an entry is shown twice": lambda b: b["logs"][0]["lists"][0]["entries"].insert(0, deepcopy(_first(b))),
    "two entries are swapped": lambda b: b["logs"][0]["lists"][0]["entries"].reverse(),
    "other words are shown": lambda b: _first(b).update(shown=shown_of(7)),
    "another salt is given": lambda b: _first(b).update(salt=b["logs"][0]["root"]["salt"]),
    "an entry is said to stand elsewhere": lambda b: _first(b).update(index=1),
    "an entry's proof is cut": lambda b: _first(b)["hashes"].pop(),
    "another's entry stands in its place": lambda b: b["logs"][0]["lists"].__setitem__(
        0, {**b["logs"][0]["lists"][0], "entries": b["logs"][0]["lists"][1]["entries"]}
    ),
    "the key is another's": lambda b: b["logs"][0]["lists"][0].update(key=b["logs"][0]["lists"][1]["key"]),
    "the root stands elsewhere": lambda b: b["logs"][0]["root"].update(index=0),
    "the root is no root": lambda b: b["logs"][0]["root"].update(
        {k: _first(b)[k] for k in ("index", "leaf", "hashes")}
    ),
    "the root says another time": lambda b: b["logs"][0]["root"].update(
        row=b["logs"][0]["root"]["row"].replace('"at":1', '"at":2')
    ),
    "there is no root": lambda b: b["logs"][0].update(root=None),
    "there is no list": lambda b: b["logs"][0].update(lists=[]),
    "the checkpoint is not signed": lambda b: b["logs"][0].update(
        checkpoint=b["logs"][0]["checkpoint"].split("\n\n")[0] + "\n\n"
    ),
    "the log is another's": lambda b: b["logs"][0].update(origin="log.example/other/2026"),
    "a sibling is gone": lambda b: b["logs"][0]["lists"][0]["siblings"].pop(),
    "a neighbour was put in": lambda b: b["logs"][0]["lists"][0]["neighbours"].append(
        [b["logs"][0]["lists"][0]["key"], b["logs"][0]["lists"][0]["key"]]
    ),
}


def test_whatever_is_bent_in_a_bundle_shows_in_both_verifiers() -> None:
    """Each way of bending a bundle by hand is a fault, in Python and in JavaScript."""
    town = Town(*OWNERS)
    bundles = []
    for bend in BENT.values():
        bundle = town.bundle(town.list_of(ANNA), town.list_of(BO))
        bend(bundle)
        bundles.append(bundle)
    faults = [found(bundle).fault for bundle in bundles]
    assert [name for name, fault in zip(BENT, faults, strict=True) if fault is None] == []
    assert said_in_javascript(*bundles) == [said_in_python(bundle) for bundle in bundles]


def test_a_list_that_the_map_never_counted_is_not_whole() -> None:
    """Where a house left an entry out of its map, showing it does not prove, and not showing it is the house's lie."""
    town = Town(*OWNERS, hidden=(3,))
    assert found(town.bundle(town.list_of(ANNA))).fault
    assert found(town.bundle(town.list_of(ANNA, 3))).fault is None


def test_an_old_map_proves_nothing_of_today() -> None:
    """While the log goes on twenty minutes are too old, while it rests two hours; the last root of its year stays."""
    minutes, day = timedelta(minutes=1), timedelta(days=1)
    cases = [
        (Town(*OWNERS, after=1, age=19 * minutes), True),
        (Town(*OWNERS, after=1, age=21 * minutes), False),
        (Town(*OWNERS, age=119 * minutes), True),
        (Town(*OWNERS, age=121 * minutes), False),
        (Town(*OWNERS, age=day, year=2025), True),
        (Town(*OWNERS, after=1, age=day, year=2025), False),
        (Town(*OWNERS, age=70 * day, year=2025), False),
    ]
    bundles = [town.bundle(town.list_of(ANNA)) for town, _ in cases]
    assert [found(bundle).fault is None for bundle in bundles] == [good for _, good in cases]
    assert said_in_javascript(*bundles) == [said_in_python(bundle) for bundle in bundles]
    (later,) = verify_bundle(json.dumps(bundles[0]), [KEY.verify_key], now=MADE_AT + day)
    assert later.fault


class Never(datetime):
    """A moment that no calendar has."""

    def timestamp(self) -> float:
        """Say how many seconds it is away."""
        return 9e15


def test_a_root_of_the_future_or_of_another_year_does_not_stay_good(monkeypatch: pytest.MonkeyPatch) -> None:
    """A house that dates its root ahead, or says that the log's year is over, would never have to count again."""
    minutes, day = timedelta(minutes=1), timedelta(days=1)
    towns = [
        Town(*OWNERS, after=1, age=-19 * minutes),
        Town(*OWNERS, after=1, age=-21 * minutes),
        Town(*OWNERS, age=-400 * day),
        Town(*OWNERS, age=day, year=2025, origin=ORIGIN),
    ]
    monkeypatch.setattr("tests.unit.audit.bundles.MADE_AT", Never(2026, 3, 1, 12, tzinfo=UTC))
    towns.append(Town(*OWNERS))
    monkeypatch.undo()
    bundles = [town.bundle(town.list_of(ANNA)) for town in towns]
    assert [found(bundle).fault is None for bundle in bundles] == [True, False, False, False, False]
    assert said_in_javascript(*bundles) == [said_in_python(bundle) for bundle in bundles]


def test_with_a_policy_a_bundle_needs_its_witnesses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The log's own key may sign another history for one reader; the quorum's signatures it does not have."""
    witness, town = Cosigner("witness.example/w1", ED25519, b"w" * 32), Town(*OWNERS)
    policy, path = tmp_path / "policy", tmp_path / "bundle.json"
    policy.write_text(f"log {KEY.verify_key}\nwitness w1 {witness.key}\nquorum w1\n", "utf-8")
    for expected in (1, 0):
        path.write_text(text := json.dumps(town.bundle(town.list_of(ANNA))), "utf-8")
        case = {"text": text, "keys": [str(KEY.verify_key)], "policy": policy.read_text("utf-8")}
        (((*_, at_fault),),) = judged([("bundle", case)])
        assert at_fault is bool(expected)
        assert main(["verify", "--bundle", str(path), "--policy", str(policy)]) == expected
        assert ("quorum" in capsys.readouterr().out) == bool(expected)
        town.checkpoint += witness.cosign(read(town.checkpoint).text, 7)


def test_a_bundle_is_held_against_the_keys_one_knows() -> None:
    """Signed by somebody else, nothing of it counts."""
    town = Town(*OWNERS)
    (one,) = verify_bundle(json.dumps(town.bundle(town.list_of(ANNA))), [SigningKey(ORIGIN, b"o" * 32).verify_key])
    assert one.fault
    assert one.lists == ()


def test_what_is_no_bundle_is_refused_alike() -> None:
    """Texts that are something else, or half of one, and random changes end the same way in both verifiers."""
    town = Town(*OWNERS)
    text = json.dumps(town.bundle(town.list_of(ANNA), town.list_of(BO)))
    chance = random.Random(8)
    texts = ["", "[]", "null", "{}", '{"format": "log-bundle@v1"}', text[:-1], text.replace("+00:00", "")]
    for _ in range(120):
        place = chance.randrange(len(text))
        texts.append(text[:place] + chance.choice('09azAZ+/="{}[],:\\') + text[place + 1 :])
    python = [said_in_python(one) for one in texts]
    assert said_in_javascript(*texts) == python
    assert python[:7] == ["Malformed"] * 7


WRITINGS = ("0.0", "0e0", "0E1", "-0", "0e-400", "NaN", "Infinity", "-Infinity", "1e400", "0" * 17, "9" * 17)


def test_a_number_has_one_writing() -> None:
    """What is read as a whole number is written as one, and what is not read too, in both verifiers."""
    town = Town(*OWNERS)
    text = json.dumps(town.bundle(town.list_of(ANNA)))
    sound, named = text.replace("{", '{"more": [-10, 0, 17], "0.5": "-0, 1.0, \\"1e5", ', 1), '"index": 0,'
    assert sound.count(named) == 1
    odd = [sound.replace(named, f'"index": {writing},') for writing in WRITINGS]
    odd += [sound.replace("17]", f"{writing}]") for writing in WRITINGS]
    answers = [said_in_python(one) for one in (sound, *odd)]
    assert answers[0][0][-1] is False
    assert answers[1:] == ["Malformed"] * len(odd)
    assert said_in_javascript(sound, *odd) == answers


def test_the_command_tells_in_words_and_by_its_exit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """0 and until when where it is whole, 1 where it is not, 2 where it cannot be checked; as JSON too."""
    town = Town(*OWNERS)
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps(town.bundle(town.list_of(ANNA), town.list_of(BO))), "utf-8")
    vkey = ("--vkey", str(KEY.verify_key))
    assert main(["verify", "--bundle", str(path), *vkey]) == 0
    assert "whole until 2026-03-01 12:00:00 UTC: 4 entries, and 2 that had been kept back" in capsys.readouterr().out
    assert main(["verify", "--bundle", str(path), "--json", *vkey]) == 0
    assert json.loads(capsys.readouterr().out)["logs"][0]["lists"][0][0]["index"] == 0
    assert main(["verify", "--bundle", str(path)]) == 2
    path.write_text(json.dumps(town.bundle(town.list_of(ANNA, 3))), "utf-8")
    assert main(["verify", "--bundle", str(path), *vkey]) == 1
    path.write_text(json.dumps({**town.bundle(), "logs": []}), "utf-8")
    assert main(["verify", "--bundle", str(path), *vkey]) == 0
    assert "names no log" in capsys.readouterr().out
