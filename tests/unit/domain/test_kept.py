"""What an outcome keeps for replay: it comes back as it was, and nothing else comes back at all."""

import random
import zlib
from base64 import b64encode
from dataclasses import fields, replace
from typing import Any

import pytest

from broker.domain.asks import Key
from broker.domain.decisions import MASK, Basis, Missing, Verdict
from broker.domain.kept import MOST_BYTES, NoQuestion, canonical, decided, packed, unpacked
from broker.domain.periods import Period
from tests.model.questions import random_question

PLAIN = Verdict(Key("social", "S01", "h-1"), "release", basis=(Basis("consent", "c1", "1", "RSL-11a-1"),))
OTHER: dict[str, Any] = {
    "key": Key("social", "S02", "h-1"),
    "basis": (Basis("consent", "c2", "1", "RSL-11a-1"),),
    "own": True,
    "periods": ((Period(20180101, 20181231),),),
}
REFUSED = Verdict(PLAIN.key, "withhold", reasons=("NO_CONSENT",), shown=("NO_CONSENT",))
OTHER_REFUSED: dict[str, Any] = {
    "reasons": ("BLOCKED",),
    "shown": ("CONSENT_EXPIRED",),
    "missing": (Missing("social", "S01", "citizen"),),
}


def test_a_question_comes_back_as_it_was() -> None:
    """Packing and unpacking give the very bytes, for any question."""
    for seed in range(200):
        asked = canonical(random_question(random.Random(seed)))
        assert unpacked(packed(asked)) == asked


@pytest.mark.parametrize(
    "junk",
    [
        "",
        "?",
        "æ",
        packed(b"{}")[:-4],
        b64encode(b"no zlib").decode(),
        b64encode(zlib.compress(b"{}") + b"more").decode(),
        b64encode(zlib.compress(b" " * (MOST_BYTES + 1))).decode(),
    ],
)
def test_junk_is_no_question(junk: str) -> None:
    """What is cut short, has something after it, or would fill the memory is refused, and not quoted."""
    with pytest.raises(NoQuestion) as caught:
        unpacked(junk)

    assert str(caught.value) == "not a packed question"


def test_every_field_of_a_verdict_counts() -> None:
    """Two decisions that differ in any field of one verdict have two hashes."""
    told = {name: decided([replace(PLAIN, **{name: value})]) for name, value in OTHER.items()}
    told |= {name: decided([replace(REFUSED, **{name: value})]) for name, value in OTHER_REFUSED.items()}
    told |= {"masks": decided([replace(PLAIN, outcome=MASK, masks=("address",))]), "outcome": decided([REFUSED])}

    assert told.keys() == {field.name for field in fields(Verdict)}
    assert len({*told.values(), decided([PLAIN])}) == len(told) + 1


def test_the_order_of_verdicts_does_not_count() -> None:
    """A decision is the same whichever verdict is named first."""
    second = replace(PLAIN, key=Key("social", "S02", "h-1"))

    assert decided([PLAIN, second]) == decided([second, PLAIN])
