"""Reading what callers send: CPR numbers by form alone, codes by the registry."""

from __future__ import annotations

import pytest

from broker.domain.errors import BadAsk
from broker.web.wire import cpr_of

GOOD = ["0101500000", "010150-0000", "2902961234", "0201609995"]
INVENTED = ["710274-0022", "8009064011", "6101010001"]
BAD = [
    "",
    "0000000000",
    "000000-0000",
    "12345678",
    "3201501234",
    "0113501234",
    "01015000001",
    "010150 0000",
    "०१०१५०००००",
]


@pytest.mark.parametrize("number", GOOD + INVENTED)
def test_a_well_formed_number_is_taken(number: str) -> None:
    """Ten digits with a possible day are enough: modulus 11 is not tested since 2007 (domain.md 4.4)."""
    assert len(cpr_of(number, pointer="/citizen", test_numbers=True).disclose()) == 10


@pytest.mark.parametrize("number", INVENTED)
def test_invented_numbers_are_refused_in_production(number: str) -> None:
    """Day + 60 stands for nobody, and is taken in the demo and test profiles alone."""
    with pytest.raises(BadAsk):
        cpr_of(number, pointer="/citizen", test_numbers=False)


@pytest.mark.parametrize("number", BAD)
def test_anything_else_is_refused_without_an_echo(number: str) -> None:
    """A number that cannot be is refused by the field's name."""
    with pytest.raises(BadAsk) as caught:
        cpr_of(number, pointer="/citizen", test_numbers=True)

    assert caught.value.pointer == "/citizen"
    assert not number or number not in str(caught.value)
