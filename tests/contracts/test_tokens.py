"""What access tokens promise, with the broker's own keys."""

import time
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from broker.adapters.tokens_jwt import MOST_REMEMBERED, JwtTokens
from broker.domain.errors import NotAuthenticated
from broker.web.doors import Tokens
from tests.actors import ISSUER, a_key

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CLAIMS = {"sub": "lene", "client_id": "jobcentre", "exp": int(NOW.timestamp()) + 300}


def private(key: Any) -> dict[str, Any]:
    """Give a key as a private JWK."""
    return dict(key.as_dict(private=True))


class TokensContract:
    """A token is ours, whole and alive, or it is nothing."""

    def test_what_was_minted_is_read(self, tokens: Tokens) -> None:
        """A live token gives its claims back, as often as it is shown."""
        token = tokens.mint(CLAIMS)

        for _ in range(2):
            assert {**tokens.read(token, NOW)}.items() >= CLAIMS.items()

    def test_private_claims_are_for_us_alone(self, tokens: Tokens) -> None:
        """What is private comes back when we read the token, and cannot be read in it."""
        token = tokens.mint(CLAIMS, {"cpr": "0102030405"})

        assert tokens.read(token, NOW)["cpr"] == "0102030405"
        readable = b"".join(urlsafe_b64decode(part + "==") for part in token.split("."))
        assert b"0102030405" not in readable

    def test_a_token_ends(self, tokens: Tokens) -> None:
        """At its end a token is nothing, though it was read before."""
        token = tokens.mint(CLAIMS)
        tokens.read(token, NOW)

        with pytest.raises(NotAuthenticated):
            tokens.read(token, NOW + timedelta(seconds=300))

    @pytest.mark.parametrize("place", [0, 10, -1, -30])
    def test_a_changed_token_is_nothing(self, tokens: Tokens, place: int) -> None:
        """A token with one letter changed does not open."""
        token = tokens.mint(CLAIMS)
        letters = list(token)
        # The last letter of base64url holds unused bits: change one that counts.
        letters[place] = "A" if letters[place] not in "ABCD" else "z"

        with pytest.raises(NotAuthenticated):
            tokens.read("".join(letters), NOW)

    @pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "é.é.é", "x" * 10_000, "bnVsbA.bnVsbA.bnVsbA"])
    def test_what_is_no_token_is_refused(self, tokens: Tokens, token: str) -> None:
        """Whatever bytes come, the answer is the same refusal."""
        with pytest.raises(NotAuthenticated):
            tokens.read(token, NOW)


@pytest.mark.parametrize("alg", ["ES256", "Ed25519"])
class TestJwtTokens(TokensContract):
    @pytest.fixture
    def tokens(self, alg: str) -> Tokens:
        """Give tokens signed with a key of each kind."""
        return JwtTokens([private(a_key(alg))], ISSUER)


def test_an_old_key_still_reads() -> None:
    """After a change of keys, tokens of the key before are good until they end, and new ones have the new key."""
    old, new = a_key(), a_key("Ed25519")
    before = JwtTokens([private(old)], ISSUER)
    after = JwtTokens([private(new), private(old)], ISSUER)

    assert after.read(before.mint(CLAIMS), NOW)["sub"] == "lene"
    with pytest.raises(NotAuthenticated):
        before.read(after.mint(CLAIMS), NOW)
    assert len(after.public_jwks()["keys"]) == 2


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        ({"typ": "JWT"}, {}),
        ({"typ": None}, {}),
        ({}, {"aud": "https://other.example"}),
        ({}, {"iss": "https://other.example"}),
        ({}, {"exp": None}),
        ({}, {"exp": "soon"}),
    ],
)
def test_another_kind_of_jwt_is_no_access_token(header: dict[str, Any], claims: dict[str, Any]) -> None:
    """Only what was minted as an access token, by us and for us, is one, though our key signed it."""
    key = a_key()
    tokens = JwtTokens([private(key)], ISSUER)
    kid = tokens.public_jwks()["keys"][0]["kid"]
    head = {"typ": "at+jwt", "alg": "ES256", "kid": kid} | header
    said = {**CLAIMS, "iss": ISSUER, "aud": ISSUER} | claims
    token = jwt.encode(
        {k: v for k, v in head.items() if v}, {k: v for k, v in said.items() if v}, key, default_type=None
    )

    with pytest.raises(NotAuthenticated):
        tokens.read(token, NOW)


@pytest.mark.parametrize("kind", ["secret", "rsa", "p384", "public", "none"])
def test_the_broker_signs_with_good_keys_alone(kind: str) -> None:
    """A shared secret, RSA, another curve, a public key or no key at all: the house does not open."""
    keys = {
        "secret": [OctKey.generate_key(256).as_dict()],
        "rsa": [private(RSAKey.generate_key(2048))],
        "p384": [private(ECKey.generate_key("P-384"))],
        "public": [OKPKey.generate_key("Ed25519").as_dict(private=False)],
        "none": [],
    }

    with pytest.raises(ValueError, match=r"sign"):
        JwtTokens(keys[kind], ISSUER)


def test_the_memory_of_good_tokens_is_bounded() -> None:
    """However many tokens are shown, only so many are remembered; the forgotten ones still hold."""
    tokens = JwtTokens([private(a_key())], ISSUER)
    minted = [tokens.mint({**CLAIMS, "jti": str(number)}) for number in range(MOST_REMEMBERED // 64)]
    for token in minted:
        tokens.read(token, NOW)

    assert len(tokens._remembered) <= MOST_REMEMBERED
    assert all(tokens.read(token, NOW) for token in minted)


def test_a_known_token_costs_no_second_signature_check() -> None:
    """A token that held is read again in a fraction of the time of a fresh one."""
    tokens = JwtTokens([private(a_key())], ISSUER)
    minted = [tokens.mint({**CLAIMS, "jti": str(number)}) for number in range(50)]

    def seconds() -> float:
        begun = time.perf_counter()
        for token in minted:
            tokens.read(token, NOW)
        return time.perf_counter() - begun

    first, second = seconds(), min(seconds() for _ in range(3))

    assert second < first / 5
