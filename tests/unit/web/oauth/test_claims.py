"""Who a caseworker is, as the employer's claims say: what is missing or misshapen names nobody."""

from __future__ import annotations

from typing import Any

import pytest

from broker.domain.errors import NotAuthenticated
from broker.web.oauth.claims import caseworker_from

CLAIMS: dict[str, Any] = {
    "sub": "6f1de0f2-0000-0000-0000-000000000001",
    "unit": "jobcentre",
    "roles": [{"name": "sagsbehandler", "kle": ["15.*"], "sensitivity": 3}],
    "nsis": "Substantial",
    "auth_time": 1551690000,
}


def named(**changes: Any) -> Any:
    """Read the claims with some changed."""
    return caseworker_from(CLAIMS | changes, issuer="https://idp", municipality="korsbaek", refusal="no")


def test_a_person_is_named() -> None:
    """Well-formed claims name one caseworker, also where the employer says outright that nobody shares the account."""
    assert named().unit == named(shared_account=False).unit == "jobcentre"


@pytest.mark.parametrize("said", [True, None, "false", 0, 1, []])
def test_an_account_that_several_use_names_nobody(said: Any) -> None:
    """Anything but an outright no to the account being shared is refused (C37)."""
    with pytest.raises(NotAuthenticated):
        named(shared_account=said)
