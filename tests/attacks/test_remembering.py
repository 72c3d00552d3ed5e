"""One proof an ask, and what may be used once is remembered for longer than anybody would take it, clocks apart."""

from __future__ import annotations

from datetime import timedelta

import pytest

from broker.domain.errors import NotAuthenticated
from broker.web.oauth.assertions import check_caseworker, check_client
from broker.web.oauth.dpop import check_proof
from tests.actors import ISSUER, TOKEN_ENDPOINT
from tests.doorway import ASK, Doorway

SECOND = timedelta(seconds=1)
# How far apart the clocks of two nodes may be before their proofs are refused anyway.
APART = timedelta(seconds=5)


def test_a_proof_is_remembered_longer_than_it_lives() -> None:
    """The last second in which a proof is taken, told by a clock that is behind, lies within the memory."""
    door = Doorway()
    proof = door.system.proof(door.now)
    last = door.now + 60 * SECOND

    held = check_proof(proof, method="POST", address=TOKEN_ENDPOINT, now=last)

    assert held.keep_until >= last + APART
    with pytest.raises(NotAuthenticated):
        check_proof(proof, method="POST", address=TOKEN_ENDPOINT, now=last + SECOND)


def test_an_assertion_is_remembered_longer_than_it_lives() -> None:
    """So it is with a system's assertion, and with an employer's word about a caseworker."""
    door = Doorway()
    soon = door.now + 59 * SECOND
    client, proven = check_client(
        door.system.assertion(door.now), door.registrations, audiences=frozenset({ISSUER}), now=soon
    )
    word = door.employer.assertion(door.now, exp=int(soon.timestamp()) + 1)
    _, vouched = check_caseworker(word, client, door.registrations, issuer=ISSUER, now=soon)

    assert min(proven.keep_until, vouched.keep_until) >= soon + SECOND + APART


def test_an_ask_with_two_proofs_is_refused() -> None:
    """Two good proofs are one too many: which of them would be remembered?"""
    door = Doorway()
    token = door.token()
    proofs = [door.system.proof(door.now, ASK, token=token) for _ in range(2)]
    headers = [("Authorization", f"DPoP {token}"), *(("DPoP", proof) for proof in proofs)]

    assert door.client.post("/v1/exchange", headers=headers).status_code == 401
    assert door.knock(token, proofs[0]).status_code == 200
