"""The token endpoint gives what it promises to those who prove themselves."""

import json
from base64 import urlsafe_b64decode
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from joserfc import jws
from joserfc.jwk import KeySet
from starlette.testclient import TestClient

from broker.domain.personal import Personal
from broker.web.oauth.access import read_access
from broker.web.oauth.token_endpoint import LONGEST_FORM
from tests.actors import ISSUER, TOKEN_ENDPOINT, AnEmployer, ASystem, a_key
from tests.doorway import ASK, Doorway


@pytest.fixture
def door() -> Doorway:
    """Give a door with one system and one employer."""
    return Doorway()


def claims_of(door: Doorway, token: str) -> dict[str, object]:
    """Read a token as anyone may, with the published keys."""
    keys = KeySet.import_key_set(door.client.get("/oauth2/jwks").json())
    found = jws.deserialize_compact(token, keys, algorithms=["ES256"])
    assert found.protected["typ"] == "at+jwt"
    return dict(json.loads(found.payload or b""))


def test_a_system_gets_a_bound_token(door: Doorway) -> None:
    """Key and proof give a DPoP token of five minutes, bound to the proof's key and kept by nobody."""
    answer = door.ask_token(door.system.form(door.now), None)

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert {name: answer.json()[name] for name in ("token_type", "expires_in")} == {
        "token_type": "DPoP",
        "expires_in": 300,
    }
    claims = claims_of(door, answer.json()["access_token"])
    assert claims["cnf"] == {"jkt": door.system.proof_key.thumbprint()}
    assert (claims["iss"], claims["aud"], claims["sub"]) == (ISSUER, ISSUER, door.system.client_id)
    assert "act" not in claims


def test_an_exchange_names_the_caseworker(door: Doorway) -> None:
    """The employer's assertion becomes a token that says who acts for whom, without a name."""
    answer = door.ask_token(door.system.form(door.now, door.employer.assertion(door.now, name="Lene Krogh")), None)

    assert answer.status_code == 200
    assert answer.json()["issued_token_type"] == "urn:ietf:params:oauth:token-type:access_token"
    claims = claims_of(door, answer.json()["access_token"])
    assert claims["sub"] == "lene.krogh"
    assert claims["act"] == {"sub": door.system.client_id}
    assert "Lene" not in str(claims)


def test_a_caseworker_s_number_reaches_us_and_nobody_else(door: Doorway) -> None:
    """The CPR number that an employer states comes to the gate; whoever reads the token cannot find it."""
    token = door.token(cpr="010203-0405")

    access = read_access(door.tokens.read(token, door.now), door.registrations)

    assert access.caseworker is not None
    assert access.caseworker.cpr == Personal("0102030405")
    readable = b"".join(urlsafe_b64decode(part + "==") for part in token.split("."))
    assert b"0102030405" not in readable
    assert "cpr" not in claims_of(door, token)


def test_the_caseworker_is_the_one_vouched_for(door: Doorway) -> None:
    """The gate makes the caller of exactly what the employer said."""
    answer = door.knock(door.token())

    assert answer.status_code == 200
    assert answer.json() == {"system": "korsbaek-jobcentre", "who": "lene.krogh", "unit": "korsbaek-job"}


def test_a_token_serves_many_asks_while_it_lives(door: Doorway) -> None:
    """With a fresh proof each time the token opens the door until it ends, not after."""
    token = door.token()
    assert [door.knock(token).status_code for _ in range(3)] == [200, 200, 200]

    door.clock.at += timedelta(seconds=301)

    answer = door.knock(token)
    assert (answer.status_code, answer.json()["what"]) == (401, "invalid_token")
    assert answer.headers["www-authenticate"] == 'DPoP error="invalid_token", algs="ES256 Ed25519"'


@pytest.mark.parametrize("alg", ["ES256", "Ed25519", "PS256"])
def test_each_accepted_algorithm_proves_a_system(alg: str) -> None:
    """Systems may sign with ES256, Ed25519 or PS256, whichever their registered key is for."""
    door = Doorway(system=ASystem(alg=alg, key=a_key(alg)))

    assert door.ask_token(door.system.form(door.now), None).status_code == 200


def test_a_proof_may_be_of_ed25519(door: Doorway) -> None:
    """DPoP proofs may be signed with Ed25519 as well."""
    door.system.proof_key = a_key("Ed25519")

    proof = door.system.proof(door.now, header={"alg": "Ed25519"})

    assert door.ask_token(door.system.form(door.now), proof).status_code == 200


@pytest.mark.parametrize("audience", [ISSUER, TOKEN_ENDPOINT, [ISSUER]])
def test_the_issuer_or_the_endpoint_is_the_audience(door: Doorway, audience: object) -> None:
    """An assertion may name us by issuer or by token endpoint (RFC 7523 section 3)."""
    form = door.system.form(door.now) | {"client_assertion": door.system.assertion(door.now, aud=audience)}

    assert door.ask_token(form, None).status_code == 200


def test_the_query_of_an_address_does_not_count(door: Doorway) -> None:
    """A proof is for the address without its query (RFC 9449 section 4.2); host case and default port are no matter."""
    token = door.token()

    for address in (f"{ASK}?weeks=2", "https://BROKER.example:443/v1/exchange"):
        assert door.knock(token, door.system.proof(door.now, address, token=token)).status_code == 200


def test_an_employer_listed_by_the_client_counts() -> None:
    """Another municipality's employer is heard when the client's registration lists it."""
    neighbour = AnEmployer("https://login.skovlund.example", "skovlund")
    door = Doorway(system=ASystem(employers=frozenset({neighbour.issuer})), employers=(neighbour,))

    answer = door.ask_token(door.system.form(door.now, neighbour.assertion(door.now)), None)

    assert answer.status_code == 200


def test_a_system_alone_does_not_pass_for_a_caseworker(door: Doorway) -> None:
    """A token without a caseworker opens only what needs none."""
    token = door.token(for_caseworker=False)

    assert door.knock(token).status_code == 403
    alone = door.system.proof(door.now, f"{ISSUER}/v1/evaluation", token=token)
    headers = {"Authorization": f"DPoP {token}", "DPoP": alone}
    assert door.client.post("/v1/evaluation", headers=headers).json() == {"system": "korsbaek-jobcentre"}


def test_the_metadata_says_what_is_accepted(door: Doorway) -> None:
    """The metadata names the addresses, grants, methods and algorithms (RFC 8414)."""
    told = door.client.get("/.well-known/oauth-authorization-server").json()

    assert told["issuer"] == ISSUER
    assert told["token_endpoint"] == TOKEN_ENDPOINT
    assert told["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    assert "none" not in str(told)


def test_the_published_keys_are_public(door: Doorway) -> None:
    """No private part of a key is published."""
    (key,) = door.client.get("/oauth2/jwks").json()["keys"]

    assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, "unsupported_grant_type"),
        ({"client_assertion_type": "other"}, "invalid_client"),
        ({"client_secret": "hunter2"}, "invalid_client"),
        ({"client_id": "someone-else"}, "invalid_client"),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange"}, "invalid_request"),
    ],
)
def test_a_wrong_form_is_named(door: Doorway, change: dict[str, str], error: str) -> None:
    """Each wrong form has its OAuth error code, and nothing else is said."""
    answer = door.ask_token(door.system.form(door.now) | change, None)

    assert answer.status_code == (401 if error == "invalid_client" else 400)
    assert answer.json() == {"error": error}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, "invalid_request"),
        ({"actor_token": "x"}, "invalid_request"),
        ({"audience": "https://other.example"}, "invalid_target"),
        ({"resource": "https://other.example"}, "invalid_target"),
    ],
)
def test_a_wrong_exchange_is_named(door: Doorway, change: dict[str, str], error: str) -> None:
    """Token exchange takes a JWT and gives an access token for us, nothing else."""
    form = door.system.form(door.now, door.employer.assertion(door.now)) | change

    answer = door.ask_token(form, None)

    assert (answer.status_code, answer.json()) == (400, {"error": error})


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"grant_type=a&grant_type=b", "application/x-www-form-urlencoded"),
        (b"x" * 40_000, "application/x-www-form-urlencoded"),
        ("grant_type=é".encode(), "application/x-www-form-urlencoded"),
        (b"a=1&" * 40, "application/x-www-form-urlencoded"),
        (b'{"grant_type": "client_credentials"}', "application/json"),
        (b"", "application/x-www-form-urlencoded"),
    ],
)
def test_what_is_no_form_is_refused(door: Doorway, content: bytes, kind: str) -> None:
    """Doubled names, too much, wrong letters, another type: an error, and no echo."""
    client: TestClient = door.client

    answer = client.post("/oauth2/token", content=content, headers={"Content-Type": kind})

    assert answer.status_code in {400, 401}
    assert answer.json() in ({"error": "invalid_request"}, {"error": "invalid_client"})


def test_a_field_that_stands_twice_refuses_the_form(door: Doorway) -> None:
    """A good request in which one more field stands twice is none: two readers could read two requests."""
    good = door.system.form(door.now)
    kind = {"Content-Type": "application/x-www-form-urlencoded", "DPoP": door.system.proof(door.now)}

    doubled = urlencode([*good.items(), ("scope", "a"), ("scope", "b")])
    answer = door.client.post("/oauth2/token", content=doubled, headers=kind)

    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_request"})
    assert door.client.post("/oauth2/token", content=urlencode(good), headers=kind).status_code == 200


def test_a_form_beyond_the_bound_is_refused(door: Doorway) -> None:
    """A good request that goes on and on is none."""
    good = door.system.form(door.now) | {"scope": "x" * LONGEST_FORM}

    answer = door.ask_token(good, None)

    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_request"})
