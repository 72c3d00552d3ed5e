"""Chance from a seed: the same names give the same draws, on every machine and in every order of days."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from itertools import accumulate
from random import Random
from typing import TypeVar

Thing = TypeVar("Thing")


def chance(*names: object) -> Random:
    """Give the source of draws that belongs to these names."""
    return Random("/".join(map(str, names)))  # noqa: S311 - Nothing secret hangs on an invented year.


def handle(*names: object) -> str:
    """Give a handle that tells nothing of what it was made from."""
    return sha256("/".join(map(str, names)).encode()).hexdigest()[:24]


def drawn(rng: Random, things: Sequence[Thing]) -> Thing | None:
    """Draw one, each as likely; None from nothing."""
    return things[int(rng.random() * len(things))] if things else None


def weighted(rows: Sequence[tuple[Thing, float]]) -> tuple[list[Thing], list[float]]:
    """Split a table of things and weights into what `Random.choices` takes."""
    return [thing for thing, _ in rows], list(accumulate(weight for _, weight in rows))


def around(rng: Random, mean: float) -> int:
    """Draw a whole number whose mean is that: one of the two beside it."""
    return int(mean) + (rng.random() < mean % 1)
