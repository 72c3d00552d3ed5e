"""A number of a person typed where a code belongs: it must not get as far as an address that is taken."""

from __future__ import annotations

import re

import pytest

from broker.web.wire import CODE

NUMBERS = ["7102740022", "710274-0022", "0101500000", "1", "..", ".git", "-rf", ""]
CODES = ["S01", "NO_CONSENT", "consent.granted", "korsbaek-social", "helhedsorienteret_plan", "outcome"]


@pytest.mark.parametrize("word", NUMBERS)
def test_a_number_is_no_code(word: str) -> None:
    """An overseer who types a CPR number into a filter is refused, instead of searching with it in the address."""
    assert not re.match(CODE, word)


@pytest.mark.parametrize("word", CODES)
def test_every_kind_of_code_is_one(word: str) -> None:
    """Categories, reasons, kinds, sources and purposes pass."""
    assert re.match(CODE, word)
