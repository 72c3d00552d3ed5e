"""jose, a JWS library of another make, verifies a receipt with the published keys alone, and refuses a bent one."""

import json

from tests.records import a_record, an_issuer
from tests.serving import node


async def test_a_foreign_library_verifies_a_receipt() -> None:
    """It reads the record we signed; a changed payload and a stranger's signature it refuses."""
    signer, _, _ = an_issuer()
    stranger, _, _ = an_issuer()
    token = json.loads(signer.signed(a_record()))["jws"]
    header, _, signature = token.split(".")
    other = json.loads(signer.signed(a_record(case="JC-2019-0418")))["jws"].split(".")[1]
    by_stranger = json.loads(stranger.signed(a_record()))["jws"]
    told = await node(
        "receipts.mjs",
        {"jwks": signer.public_jwks(), "tokens": [token, f"{header}.{other}.{signature}", by_stranger]},
    )

    assert told[0]["header"] == {"alg": "Ed25519", "kid": "k1", "typ": "consent-record+jws"}
    assert json.loads(told[0]["payload"]) == a_record()
    assert told[0]["payload"] == json.dumps(a_record(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert [row.get("refused") for row in told[1:]] == ["ERR_JWS_SIGNATURE_VERIFICATION_FAILED"] * 2
