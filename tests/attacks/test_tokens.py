"""Forged, stolen, replayed and misdirected: whoever lies about system, caseworker or key gets nothing (P11)."""

import asyncio
import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest
from joserfc.jwk import ECKey, Key, OctKey

from broker.web.oauth.registrations import BadKey, PublicKeys, Registrations, key_faults, public_key, same_key
from tests.actors import ISSUER, TOKEN_ENDPOINT, AnEmployer, ASystem, a_key, public, signed
from tests.doorway import ASK, Doorway
from tests.fakes.web import FakeCeilings, FakeReplay

SECOND = timedelta(seconds=1)


@pytest.fixture
def door() -> Doorway:
    """Give a door with two systems of one municipality, and an employer each of two municipalities."""
    return Doorway(
        others=(ASystem("korsbaek-school", units=frozenset({"korsbaek-school"})), ASystem("skovlund-job", "skovlund")),
        employers=(AnEmployer("https://login.skovlund.example", "skovlund"),),
    )


def bare(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    """Put a JWT together by hand."""
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def claims_in(token: str) -> dict[str, Any]:
    """Read a JWT's claims as a thief would."""
    part = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))


def refused(answer: Any, error: str) -> bool:
    """Tell whether the token endpoint said just this error, and nothing of what was sent."""
    return bool(answer.status_code in {400, 401} and answer.json() == {"error": error})


def pem(key: Key) -> bytes:
    """Give a public key as its PEM text."""
    assert isinstance(key, ECKey)
    return key.as_pem(private=False)


def hmac_signed(key_bytes: bytes, claims: dict[str, Any], **header: Any) -> str:
    """Sign with HS256, the public key as the secret: the classic confusion of algorithms."""
    signing_input = bare({"alg": "HS256", **header}, claims).rsplit(".", 1)[0]
    digest = hmac.digest(key_bytes, signing_input.encode(), "sha256")
    return f"{signing_input}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


CLIENT_LIES: dict[str, dict[str, Any]] = {
    "expired": {"iat": -120, "exp": -1},
    "ends now": {"exp": 0},
    "lives too long": {"exp": 301},
    "issued in the future": {"iat": 30, "exp": 60},
    "not yet valid": {"nbf": 30},
    "never ends": {"exp": None},
    "no issue time": {"iat": None},
    "no id": {"jti": None},
    "empty id": {"jti": ""},
    "id is no text": {"jti": 7},
    "endless id": {"jti": "x" * 300},
    "for another": {"aud": "https://other.example"},
    "for us and another": {"aud": [ISSUER, "https://other.example"]},
    "for nobody": {"aud": None},
    "another subject": {"sub": "korsbaek-school"},
    "no subject": {"sub": None},
    "time as text": {"exp": "99999999999"},
    "time as truth": {"iat": True},
    "endless time": {"exp": 1e300},
}


@pytest.mark.parametrize("lie", CLIENT_LIES)
def test_a_lying_client_assertion_is_refused(door: Doorway, lie: str) -> None:
    """Each wrong, missing or misshapen claim of a client assertion refuses it."""
    at = int(door.now.timestamp())
    numbers = {"iat", "exp", "nbf"}
    claims: dict[str, Any] = {
        name: at + value if name in numbers and type(value) is int else value
        for name, value in CLIENT_LIES[lie].items()
    }
    form = door.system.form(door.now) | {"client_assertion": door.system.assertion(door.now, **claims)}

    assert refused(door.ask_token(form, None), "invalid_client")


def test_a_client_assertion_works_once(door: Doorway) -> None:
    """The same assertion with a fresh proof is refused the second time."""
    form = door.system.form(door.now)

    assert door.ask_token(form, None).status_code == 200
    assert refused(door.ask_token(form, None), "invalid_client")


def test_unsigned_and_confused_assertions_are_refused(door: Doorway) -> None:
    """No signature, HMAC under the public key, another algorithm of the family, another's signature: all refused."""
    claims = claims_in(door.system.assertion(door.now))
    public_pem = pem(door.system.key)
    tries = [
        bare({"alg": "none", "kid": "one"}, claims),
        bare({"alg": "None", "kid": "one"}, claims),
        bare({"alg": "nOnE"}, claims, b"x"),
        bare({"kid": "one"}, claims, b"x"),
        bare({"alg": "ES256", "kid": "one"}, claims),
        bare({"alg": "ES256", "kid": "one"}, claims, b"\0" * 64),
        hmac_signed(public_pem, claims, kid="one"),
        hmac_signed(json.dumps(public(door.system.key)).encode(), claims, kid="one"),
        signed(a_key(), claims, kid="one"),
        signed(a_key("Ed25519"), claims, "Ed25519", kid="one"),
        signed(a_key("PS256"), claims, "PS256", kid="one"),
    ]
    for assertion in tries:
        form = door.system.form(door.now) | {"client_assertion": assertion}
        assert refused(door.ask_token(form, None), "invalid_client")


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "two"},
        {"kid": ""},
        {"kid": 1},
        {"kid": ["one"]},
        {"kid": "../../one"},
        {"kid": "one' OR '1'='1"},
        {"crit": ["exp"]},
        {"crit": ["b64"], "b64": False},
        {"crit": []},
        {"typ": "dpop+jwt"},
        {"typ": "at+jwt"},
        {"typ": 1},
    ],
)
def test_tricks_in_the_header_are_refused(door: Doorway, header: dict[str, Any]) -> None:
    """An unknown or odd key id, a critical extension, the type of another token: refused."""
    claims = claims_in(door.system.assertion(door.now))
    head = {"alg": "ES256", "kid": "one"} | header
    signing_input = bare(head, claims).rsplit(".", 1)[0]
    # Signed by hand with the right key, so that nothing but the header is wrong.
    der = ECKey.import_key(door.system.key.as_dict(private=True))
    signature = _es256(der, signing_input.encode())
    form = door.system.form(door.now) | {"client_assertion": f"{signing_input}.{signature}"}

    assert refused(door.ask_token(form, None), "invalid_client")


def _es256(key: ECKey, message: bytes) -> str:
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
    from cryptography.hazmat.primitives.hashes import SHA256

    assert key.private_key is not None
    r, s = decode_dss_signature(key.private_key.sign(message, ECDSA(SHA256())))
    return base64.urlsafe_b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).rstrip(b"=").decode()


def test_a_key_that_the_token_brings_along_has_no_say(door: Doorway) -> None:
    """`jwk`, `jku`, `x5u` and `x5c` in the header do not replace the registered key (and nothing is fetched)."""
    thief = a_key()
    claims = claims_in(door.system.assertion(door.now))
    for header in (
        {"jwk": public(thief)},
        {"jku": "https://thief.example/keys"},
        {"x5u": "https://thief.example/cert"},
        {"jwk": public(thief), "kid": "one"},
    ):
        form = door.system.form(door.now) | {"client_assertion": signed(thief, claims, **header)}
        assert refused(door.ask_token(form, None), "invalid_client")


def test_a_known_header_that_is_ignored_does_no_harm(door: Doorway) -> None:
    """A rightly signed assertion with such a header is judged by the registered key alone."""
    assertion = door.system.assertion(door.now, header={"jku": "https://thief.example/keys"})

    assert door.ask_token(door.system.form(door.now) | {"client_assertion": assertion}, None).status_code == 200


def test_oversized_tokens_are_refused(door: Doorway) -> None:
    """What is too long is refused before it is parsed."""
    form = door.system.form(door.now) | {"client_assertion": door.system.assertion(door.now, pad="x" * 9000)}
    assert refused(door.ask_token(form, None), "invalid_client")

    proof = door.system.proof(door.now, pad="x" * 9000)
    assert refused(door.ask_token(door.system.form(door.now), proof), "invalid_dpop_proof")


PROOF_LIES: dict[str, dict[str, Any]] = {
    "too old": {"iat": -61},
    "from the future": {"iat": 6},
    "no time": {"iat": None},
    "no id": {"jti": None},
    "another method": {"htm": "GET"},
    "method in small letters": {"htm": "post"},
    "another path": {"htu": f"{ISSUER}/oauth2/other"},
    "another host": {"htu": "https://thief.example/oauth2/token"},
    "the inside host": {"htu": "http://inside.internal/oauth2/token"},
    "without https": {"htu": "http://broker.example/oauth2/token"},
    "another port": {"htu": "https://broker.example:8443/oauth2/token"},
    "a user before the host": {"htu": "https://broker.example@thief.example/oauth2/token"},
    "no address": {"htu": None},
    "an address that is none": {"htu": "https://[::1/oauth2/token"},
    "address as list": {"htu": [TOKEN_ENDPOINT]},
}


@pytest.mark.parametrize("lie", PROOF_LIES)
def test_a_lying_proof_is_refused(door: Doorway, lie: str) -> None:
    """A proof for another time, method or address refuses the request."""
    at = int(door.now.timestamp())
    claims: dict[str, Any] = {
        name: at + value if isinstance(value, int) else value for name, value in PROOF_LIES[lie].items()
    }

    answer = door.ask_token(door.system.form(door.now), door.system.proof(door.now, **claims))

    assert refused(answer, "invalid_dpop_proof")


def test_a_proof_with_a_wrong_header_is_refused(door: Doorway) -> None:
    """The wrong type, no key, a private key, a shared secret, another's key, no algorithm: refused."""
    own = door.system.proof_key
    private = own.as_dict(private=True)
    claims = claims_in(door.system.proof(door.now))
    tries = [
        "",
        "not a token",
        door.system.proof(door.now, header={"typ": "JWT"}),
        door.system.proof(door.now, header={"typ": None}),
        door.system.proof(door.now, header={"jwk": None}),
        door.system.proof(door.now, header={"jwk": private}),
        door.system.proof(door.now, header={"jwk": public(a_key())}),
        door.system.proof(door.now, header={"jwk": {"kty": "EC", "crv": "P-256"}}),
        bare({"typ": "dpop+jwt", "alg": "none", "jwk": public(own)}, claims),
        hmac_signed(b"secret" * 8, claims, typ="dpop+jwt", jwk={"kty": "oct", "k": "c2VjcmV0"}),
        hmac_signed(pem(own), claims, typ="dpop+jwt", jwk=public(own)),
    ]
    for proof in tries:
        assert refused(door.ask_token(door.system.form(door.now), proof), "invalid_dpop_proof")


def test_an_rsa_proof_is_refused(door: Doorway) -> None:
    """Proofs are ES256 or Ed25519, as the metadata says."""
    door.system.proof_key = a_key("PS256")

    answer = door.ask_token(door.system.form(door.now), door.system.proof(door.now, header={"alg": "PS256"}))

    assert refused(answer, "invalid_dpop_proof")


def test_two_proofs_are_refused(door: Doorway) -> None:
    """More than one DPoP header refuses the request (RFC 9449 section 4.3, 1)."""
    headers = [("DPoP", door.system.proof(door.now)), ("DPoP", door.system.proof(door.now))]

    answer = door.client.post("/oauth2/token", data=door.system.form(door.now), headers=headers)

    assert refused(answer, "invalid_dpop_proof")


def test_a_proof_works_once(door: Doorway) -> None:
    """The same proof with a fresh assertion is refused the second time."""
    proof = door.system.proof(door.now)

    assert door.ask_token(door.system.form(door.now), proof).status_code == 200
    assert refused(door.ask_token(door.system.form(door.now), proof), "invalid_dpop_proof")


CASEWORKER_LIES: dict[str, dict[str, Any]] = {
    "for another client": {"client_id": "korsbaek-school"},
    "for no client": {"client_id": None},
    "for many clients": {"client_id": ["korsbaek-jobcentre"]},
    "for another broker": {"aud": "https://other.example"},
    "for the client itself": {"aud": "korsbaek-jobcentre"},
    "for us and another": {"aud": [ISSUER, "https://other.example"]},
    "expired": {"iat": -300, "exp": -1},
    "lives too long": {"exp": 301},
    "issued in the future": {"iat": 30},
    "logged in tomorrow": {"auth_time": 86400},
    "no log-in time": {"auth_time": None},
    "no id": {"jti": None},
    "nobody": {"sub": None},
    "empty person": {"sub": ""},
    "person with a line break": {"sub": "lene\nadmin"},
    "no unit": {"unit": None},
    "no roles": {"roles": None},
    "roles as text": {"roles": "sagsbehandler"},
    "too many roles": {"roles": [{"name": "r", "kle": [], "sensitivity": 1}] * 51},
    "role as text": {"roles": ["sagsbehandler"]},
    "role without level": {"roles": [{"name": "sagsbehandler", "kle": []}]},
    "role with truth for a level": {"roles": [{"name": "sagsbehandler", "kle": [], "sensitivity": True}]},
    "role above all levels": {"roles": [{"name": "sagsbehandler", "kle": [], "sensitivity": 5}]},
    "role without name": {"roles": [{"kle": [], "sensitivity": 1}]},
    "role with KLE as text": {"roles": [{"name": "sagsbehandler", "kle": "15.*", "sensitivity": 1}]},
    "role attested never": {"roles": [{"name": "s", "kle": [], "sensitivity": 1, "attested_on": "2026"}]},
    "no NSIS level": {"nsis": None},
    "an NSIS level of its own": {"nsis": "Ultra"},
    "a CPR number that is none": {"cpr": "1"},
    "a CPR number as number": {"cpr": 102030405},
}


@pytest.mark.parametrize("lie", CASEWORKER_LIES)
def test_a_lying_caseworker_assertion_is_refused(door: Doorway, lie: str) -> None:
    """Each wrong, missing or misshapen claim of an employer's assertion refuses the exchange."""
    at = int(door.now.timestamp())
    numbers = {"iat", "exp", "auth_time"}
    claims: dict[str, Any] = {
        name: at + value if name in numbers and isinstance(value, int) else value
        for name, value in CASEWORKER_LIES[lie].items()
    }
    form = door.system.form(door.now, door.employer.assertion(door.now, **claims))

    assert refused(door.ask_token(form, None), "invalid_grant")


def test_a_caseworker_assertion_works_once(door: Doorway) -> None:
    """The same assertion, brought again with fresh proofs, is refused."""
    vouched = door.employer.assertion(door.now)

    assert door.ask_token(door.system.form(door.now, vouched), None).status_code == 200
    assert refused(door.ask_token(door.system.form(door.now, vouched), None), "invalid_grant")


def test_another_system_cannot_use_an_assertion(door: Doorway) -> None:
    """An assertion stolen by a system of the same municipality is worth nothing there."""
    school = door.others[0]

    answer = door.ask_token(school.form(door.now, door.employer.assertion(door.now)), None, school)

    assert refused(answer, "invalid_grant")


def test_another_municipality_s_employer_is_not_heard(door: Doorway) -> None:
    """An employer vouches for clients of its own municipality alone, unless a registration lists it."""
    neighbour = door.employers[0]

    answer = door.ask_token(door.system.form(door.now, neighbour.assertion(door.now)), None)

    assert refused(answer, "invalid_grant")


def test_keys_do_not_change_roles(door: Doorway) -> None:
    """A system cannot vouch for its caseworker, an employer cannot pass for a system, nor one employer for another."""
    own_word = AnEmployer(door.employer.issuer, key=door.system.key).assertion(door.now)
    neighbour_s_word = AnEmployer(door.employer.issuer, key=door.employers[0].key).assertion(door.now)
    itself = AnEmployer(door.system.client_id, key=door.system.key).assertion(door.now)
    for vouched in (own_word, neighbour_s_word, itself, door.system.assertion(door.now)):
        assert refused(door.ask_token(door.system.form(door.now, vouched), None), "invalid_grant")

    disguised = ASystem(key=door.employer.key)
    assert refused(door.ask_token(disguised.form(door.now), None), "invalid_client")
    named = ASystem(client_id=door.employer.issuer, key=door.employer.key)
    assert refused(door.ask_token(named.form(door.now), None), "invalid_client")


def test_an_access_token_is_no_assertion(door: Doorway) -> None:
    """Our own token cannot be exchanged for another, nor prove a client."""
    token = door.token()

    assert refused(door.ask_token(door.system.form(door.now, token), None), "invalid_grant")
    form = door.system.form(door.now) | {"client_assertion": token}
    assert refused(door.ask_token(form, None), "invalid_client")


def test_a_stranger_fills_no_memory(door: Doorway) -> None:
    """Whoever is not registered or did not sign leaves nothing behind in the replay memory."""
    stranger = ASystem("nobody")
    door.ask_token(stranger.form(door.now), None, stranger)
    door.ask_token(door.system.form(door.now), "not a proof")
    door.ask_token(door.system.form(door.now, "a.b.c"), None)

    assert door.replay.seen == set()


def test_a_stolen_token_is_worth_nothing(door: Doorway) -> None:
    """Without the key it is bound to, a token opens nothing: not as bearer, not with another key, not in the query."""
    token = door.token()
    thief = ASystem()

    assert door.knock(token, thief.proof(door.now, ASK, token=token)).status_code == 401
    assert door.client.post("/v1/exchange", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    bearer = {"Authorization": f"Bearer {token}", "DPoP": door.system.proof(door.now, ASK, token=token)}
    assert door.client.post("/v1/exchange", headers=bearer).status_code == 401
    proof = {"DPoP": door.system.proof(door.now, ASK, token=token)}
    assert door.client.post(f"/v1/exchange?access_token={token}", headers=proof).status_code == 401
    assert door.client.post("/v1/exchange", headers={"Authorization": f"DPoP {token}"}).status_code == 401


ASK_PROOF_LIES: dict[str, dict[str, Any]] = {
    "without the token's hash": {"ath": None},
    "with another token's hash": {"ath": base64.urlsafe_b64encode(hashlib.sha256(b"x").digest()).decode().rstrip("=")},
    "for another path": {"htu": f"{ISSUER}/v1/views"},
    "for a longer path": {"htu": f"{ASK}/"},
    "for another method": {"htm": "GET"},
    "too old": {"iat": -61},
    "from the future": {"iat": 6},
}


@pytest.mark.parametrize("lie", ASK_PROOF_LIES)
def test_a_proof_for_something_else_opens_nothing(door: Doorway, lie: str) -> None:
    """A proof for another token, address, method or time is refused at the gate."""
    token = door.token()
    at = int(door.now.timestamp())
    claims: dict[str, Any] = {
        name: at + value if isinstance(value, int) else value for name, value in ASK_PROOF_LIES[lie].items()
    }

    answer = door.knock(token, door.system.proof(door.now, ASK, token=token, **claims))

    assert (answer.status_code, answer.json()) == (401, {"what": "invalid_dpop_proof"})


def test_a_replayed_ask_is_refused(door: Doorway) -> None:
    """An ask caught on the wire cannot be sent again."""
    token = door.token()
    proof = door.system.proof(door.now, ASK, token=token)

    assert door.knock(token, proof).status_code == 200
    assert door.knock(token, proof).status_code == 401


def test_the_host_header_has_no_say(door: Doorway) -> None:
    """A proof made for a thief's host does not hold, whatever Host or forwarding headers claim."""
    token = door.token()
    proof = door.system.proof(door.now, "https://thief.example/v1/exchange", token=token)
    lies = {"Host": "thief.example", "X-Forwarded-Host": "thief.example", "Forwarded": "host=thief.example"}

    assert door.knock(token, proof, **lies).status_code == 401


def test_after_a_crash_of_the_memory_old_proofs_are_refused(door: Doorway) -> None:
    """When the replay memory began anew, whatever was issued before is refused, used or not."""
    token = door.token()
    proof = door.system.proof(door.now, ASK, token=token)
    form = door.system.form(door.now)
    door.replay.since = door.now + SECOND

    assert door.knock(token, proof).status_code == 401
    assert refused(door.ask_token(form, None), "invalid_client")
    door.clock.at += 2 * SECOND
    assert door.knock(token).status_code == 200


def test_a_removed_system_s_tokens_open_nothing(door: Doorway) -> None:
    """Who is no longer registered, or whose employer is not, is refused at once, though the token still lives."""
    from broker.web.oauth.access import read_access

    claims = door.tokens.read(door.token(), door.now)
    nobody = Registrations.of([], [door.employer.registration])
    unemployed = Registrations.of([door.system.registration], [])

    from broker.domain.errors import NotAuthenticated

    for registrations in (nobody, unemployed):
        with pytest.raises(NotAuthenticated):
            read_access(claims, registrations)


def test_a_taken_over_caseworker_is_stopped() -> None:
    """Past the ceiling every further ask is refused, and the ceiling is counted after the proof."""
    door = Doorway(ceilings=FakeCeilings({"caseworker": 2}))
    token = door.token()
    proof = door.system.proof(door.now, ASK, token=token)
    assert [door.knock(token, proof).status_code for _ in range(4)] == [200, 401, 401, 401]

    assert [door.knock(token).status_code for _ in range(3)] == [200, 429, 429]


@pytest.mark.parametrize(
    "key",
    [
        OctKey.generate_key(256).as_dict(),
        ECKey.generate_key("P-384").as_dict(private=False),
        ECKey.generate_key("secp256k1").as_dict(private=False),
        a_key().as_dict(private=True),
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "EC", "crv": "P-256"},
        {"kty": ["EC"]},
        {},
    ],
)
def test_bad_keys_are_not_registered(key: dict[str, Any]) -> None:
    """Shared secrets, other curves, private keys and broken keys are refused, without repeating them."""
    with pytest.raises(BadKey):
        public_key(key)


def test_short_rsa_keys_are_not_registered() -> None:
    """An RSA key under 2048 bits is refused."""
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

    modulus = generate_private_key(65537, 1024).public_key().public_numbers().n.to_bytes(128, "big")
    for padding in (b"", b"\0" * 128):
        n = base64.urlsafe_b64encode(padding + modulus).rstrip(b"=").decode()
        with pytest.raises(BadKey, match="2048"):
            public_key({"kty": "RSA", "n": n, "e": "AQAB"})


@pytest.mark.parametrize(
    "jwks",
    [
        {},
        {"keys": []},
        {"keys": ["x"]},
        {"keys": [public(a_key(), kid="a"), public(a_key(), kid="a")]},
        {"keys": [public(a_key(), alg="ES384")]},
        {"keys": [public(a_key()), public(a_key("Ed25519"))]},
    ],
)
def test_bad_key_sets_are_not_registered(jwks: dict[str, Any]) -> None:
    """No keys, two of one name, or keys for different algorithms: refused."""
    with pytest.raises(BadKey):
        PublicKeys.from_jwks(jwks)


def test_one_key_has_one_owner() -> None:
    """The same key for a system and an employer, or for two systems, is found whatever it is called."""
    key = a_key()
    system, employer = ASystem(key=key), AnEmployer(key=key)

    assert same_key(public(key, kid="a", use="sig"), public(key, kid="b"))
    assert not same_key(public(key), public(a_key()))
    assert key_faults([system.registration], [employer.registration])
    assert key_faults([system.registration, ASystem("other", key=key).registration], [])
    assert key_faults([ASystem().registration, ASystem().registration], [])
    assert not key_faults([ASystem().registration], [AnEmployer().registration])
    with pytest.raises(BadKey, match="same key"):
        Registrations.of([system.registration], [employer.registration])


def test_of_many_replays_at_once_one_passes(door: Doorway) -> None:
    """A hundred copies of one proof at the same moment let one ask in."""
    replay, now = FakeReplay(), door.now

    async def many() -> int:
        uses = (replay.first_use(b"x", issued_at=now, keep_until=now + SECOND) for _ in range(100))
        return sum(await asyncio.gather(*uses))

    assert asyncio.run(many()) == 1
