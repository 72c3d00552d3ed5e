"""An independent OAuth client (oauth4webapi) gets through our door, and finds it shut where it must be."""

import pytest
from starlette.types import ASGIApp

from broker.adapters.clock_system import SystemClock
from tests.actors import ASystem, a_key
from tests.doorway import Doorway
from tests.serving import node, node_or_skip, serving


@pytest.mark.parametrize(("alg", "proof_alg"), [("ES256", "ES256"), ("Ed25519", "Ed25519"), ("PS256", "ES256")])
async def test_a_foreign_client_runs_the_whole_road(alg: str, proof_alg: str) -> None:
    """Discovery, private_key_jwt, DPoP, token exchange, an ask; another key and a system alone are refused."""
    node_or_skip()
    system, clock = ASystem(alg=alg, key=a_key(alg)), SystemClock()
    door: list[Doorway] = []

    def make(address: str) -> ASGIApp:
        door.append(Doorway(system=system, issuer=address, real_clock=clock))
        return door[0].app

    async with serving(make) as address:
        told = await node(
            "department_system.mjs",
            {
                "issuer": address,
                "clientId": system.client_id,
                "key": {**system.key.as_dict(private=True), "kid": "one"},
                "alg": alg,
                "proofAlg": proof_alg,
                "assertion": door[0].employer.assertion(clock.now(), aud=address),
                "resource": f"{address}/v1/exchange",
            },
        )

    assert told["alone"] == {"type": "dpop", "lives": 300}
    assert told["exchanged"] == {"type": "dpop", "issued": "urn:ietf:params:oauth:token-type:access_token"}
    assert told["asked"]["status"] == told["askedAgain"]["status"] == 200
    assert told["asked"]["body"]["who"] == "lene.krogh"
    assert told["withAnotherKey"]["status"] == 401
    assert told["withAnotherKey"]["challenges"][0]["parameters"]["error"] == "invalid_token"
    assert told["systemAlone"]["status"] == 403
    assert told["judged"] == {"sub": "lene.krogh", "act": {"sub": system.client_id}, "clientId": system.client_id}
