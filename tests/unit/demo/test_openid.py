"""The demo's log-in provider keeps to OpenID Connect with PKCE, and signs for employers with other keys."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import stat
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from signxml.verifier import XMLVerifier

PERSONS = json.loads((Path(__file__).parent / "persons_scenario1.json").read_text("utf-8"))
CALLBACK = "http://127.0.0.1:8080/citizen/login/callback"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
NSIS = "https://data.gov.dk/concept/core/nsis/"
LENE = "6f1de0f2-9f0e-4a3c-8a4a-1d0a4b7a0001"
CLIENT_KEY = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)


class _Stay(urllib.request.HTTPRedirectHandler):
    """Does not follow a redirect, so that a test can read it."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


@pytest.fixture(scope="module", autouse=True)
def _no_redirects() -> Any:
    urllib.request.install_opener(urllib.request.build_opener(_Stay))
    yield
    urllib.request.install_opener(urllib.request.build_opener())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the keys live."""
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="module")
def provider(start: Any, folder: Path) -> Any:
    """The provider, with one client more that signs its assertions."""
    signing = {
        "client_id": "signer",
        "jwks": {"keys": [CLIENT_KEY.as_dict(private=False)]},
        "redirect_uris": [CALLBACK],
    }
    persons = {**PERSONS, "clients": [*PERSONS["clients"], signing]}
    return start("openid", persons, "--folder", str(folder), option="--persons")


@pytest.fixture(autouse=True)
def _clock_runs(provider: Any) -> Any:
    yield
    provider.control("/reset", {})


def request(**changed: str) -> dict[str, str]:
    """Give the parameters of a good authorization request, with some changed; an empty one is left out."""
    wanted = {
        "response_type": "code",
        "client_id": "borgerbro-borger",
        "redirect_uri": CALLBACK,
        "scope": "openid mitid ssn",
        "state": "s-1",
        "nonce": "n-1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **changed,
    }
    return {name: value for name, value in wanted.items() if value}


def begin(provider: Any, **changed: str) -> Any:
    """Open the log-in page."""
    return provider.call("/authorize?" + urlencode(request(**changed)))


def choose(provider: Any, page: Any, **form: str) -> dict[str, str]:
    """Press a button of the page, and read what the redirect tells the client."""
    ticket = re.search(r'name="ticket" value="([^"]+)"', page.raw.decode())
    assert ticket
    answer = provider.call("/authorize", urlencode({"ticket": ticket[1], **form}), FORM)
    assert answer.status == 303
    assert answer.headers["location"].startswith(CALLBACK.split("/citizen", maxsplit=1)[0])
    return told(answer)


def told(answer: Any) -> dict[str, str]:
    """Read the query of a redirect."""
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def basic(client_id: str = "borgerbro-borger", secret: str = "demo-secret-citizen") -> dict[str, str]:
    """Give the header of `client_secret_basic`."""
    return FORM | {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


def redeem(provider: Any, code: str, headers: dict[str, str] | None = None, **changed: str) -> Any:
    """Redeem a code."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
        **changed,
    }
    return provider.call("/token", urlencode(form), headers or basic())


def read(provider: Any, token: str) -> dict[str, Any]:
    """Check a token against the provider's published keys and give its claims."""
    keys = KeySet.import_key_set(provider.call("/jwks").json)
    return dict(jwt.decode(token, keys, algorithms=["ES256"]).claims)


def log_in(provider: Any, person: str, **changed: str) -> Any:
    """Log somebody in and give the token answer."""
    return redeem(provider, choose(provider, begin(provider, **changed), person=person)["code"]).json


def test_a_citizen_logs_in_with_the_brokers_claims(provider: Any) -> None:
    """The id token names the citizen as the MitID brokers do: CPR number, level, who vouches, when."""
    answer = log_in(provider, "annette")
    claims = read(provider, answer["id_token"])

    assert (claims["iss"], claims["aud"], claims["nonce"]) == (provider.url, "borgerbro-borger", "n-1")
    assert claims["dk.cpr"] == "7102740022"
    assert claims["mitid.uuid"] == claims["sub"] == "0d5f2a3e-0001-4a5e-9c1b-6d7e8f900001"
    assert claims["loa"] == claims["acr"] == NSIS + "Substantial"
    assert (claims["idp"], claims["identity_type"]) == ("mitid", "private")
    assert claims["auth_time"] <= claims["iat"] < claims["exp"]


def test_userinfo_says_the_same_person(provider: Any) -> None:
    """The access token opens the same claims; another token opens nothing."""
    answer = log_in(provider, "annette")
    info = provider.call("/userinfo", None, {"Authorization": f"Bearer {answer['access_token']}"})

    assert info.json["sub"] == read(provider, answer["id_token"])["sub"]
    assert info.json["dk.cpr"] == "7102740022"
    assert provider.call("/userinfo", None, {"Authorization": "Bearer x"}).status == 401


def test_the_number_comes_only_when_asked_for(provider: Any) -> None:
    """Without the scope `ssn`, or for a citizen without a number, there is no CPR claim."""
    assert "dk.cpr" not in read(provider, log_in(provider, "annette", scope="openid mitid")["id_token"])
    without = read(provider, log_in(provider, "uden-cpr")["id_token"])
    assert "dk.cpr" not in without
    assert (without["mitid.has_cpr"], without["loa"]) == (False, NSIS + "Low")


def test_an_officer_has_an_employer_and_no_number(provider: Any) -> None:
    """The DPO is named by employer, professional id and privilege, never by CPR number."""
    claims = read(provider, log_in(provider, "dpo-korsbaek", scope="openid nemlogin")["id_token"])

    assert claims["nemlogin.cvr"] == "11111111"
    assert claims["nemlogin.persistent_professional_id"] == claims["sub"]
    assert claims["nemlogin.privileges"] == [{"cvr": "11111111", "privilege": "dpo"}]
    assert not [name for name in claims if "cpr" in name]


def test_a_caseworker_has_unit_and_roles(provider: Any) -> None:
    """A caseworker's log-in carries unit and roles with their limits."""
    claims = read(provider, log_in(provider, "lene", scope="openid nemlogin")["id_token"])

    assert (claims["sub"], claims["unit"]) == (LENE, "jobcenter-korsbaek")
    assert claims["roles"][0]["kle"] == ["15.*"]


@pytest.mark.parametrize(
    ("scope", "offered", "not_offered"),
    [("openid mitid ssn", b"annette", b"lene"), ("openid nemlogin", b"lene", b"annette")],
)
def test_only_fitting_people_are_offered(provider: Any, scope: str, offered: bytes, not_offered: bytes) -> None:
    """A citizens' log-in offers citizens, a professional one professionals; others cannot be chosen either."""
    page = begin(provider, scope=scope)
    assert b'value="' + offered in page.raw
    assert b'value="' + not_offered not in page.raw
    assert choose(provider, page, person=not_offered.decode())["error"] == "access_denied"


def test_the_page_needs_no_script_and_speaks_two_languages(provider: Any) -> None:
    """The page has no script, a strict policy that lets the form lead back, and is there in English."""
    page = begin(provider)
    policy = page.headers["content-security-policy"]

    assert b"<script" not in page.raw
    assert b'lang="da"' in page.raw
    assert "default-src 'none'" in policy
    assert "form-action 'self' http://127.0.0.1:8080;" in policy
    assert b"Choose a test person" in begin(provider, ui_locales="en").raw


def test_the_answer_names_state_and_issuer(provider: Any) -> None:
    """The redirect carries the client's state and who answers (RFC 9207), also when the person says no."""
    assert {"state": "s-1", "iss": provider.url}.items() <= choose(provider, begin(provider), person="annette").items()
    assert choose(provider, begin(provider), cancel="1") == {
        "error": "access_denied",
        "state": "s-1",
        "iss": provider.url,
    }


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "mitid"}, "invalid_scope"),
        ({"prompt": "none"}, "login_required"),
        ({"request": "x"}, "request_not_supported"),
    ],
)
def test_a_request_that_will_not_do_is_told_to_the_client(provider: Any, changed: Any, error: str) -> None:
    """A wrong request leads back to the client with the error's code; above all one without PKCE S256."""
    assert told(begin(provider, **changed))["error"] == error


@pytest.mark.parametrize("changed", [{"client_id": "none"}, {"redirect_uri": CALLBACK + "/x"}, {"redirect_uri": ""}])
def test_nobody_is_sent_to_an_unknown_address(provider: Any, changed: Any) -> None:
    """An unknown client or address gives a page, not a redirect."""
    answer = begin(provider, **changed)
    assert answer.status == 400
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    "changed",
    [{"code_verifier": "w" * 43}, {"code_verifier": ""}, {"redirect_uri": CALLBACK + "/x"}, {"code": "none"}],
)
def test_a_code_is_for_its_own_request(provider: Any, changed: dict[str, str]) -> None:
    """Another verifier or address redeems nothing, and burns the code."""
    code = choose(provider, begin(provider), person="annette")["code"]
    wanted = {"code": code, **changed}
    answer = redeem(provider, wanted.pop("code"), None, **wanted)
    assert (answer.status, answer.json) == (400, {"error": "invalid_grant"})


def test_a_code_works_once_and_for_its_own_client(provider: Any) -> None:
    """A second redemption fails, and so does one by another client."""
    code = choose(provider, begin(provider), person="annette")["code"]
    assert redeem(provider, code).status == 200
    assert redeem(provider, code).status == 400
    code = choose(provider, begin(provider), person="annette")["code"]
    assert redeem(provider, code, basic("borgerbro-dpo", "demo-secret-officer")).status == 400


@pytest.mark.parametrize("headers", [basic(secret="wrong"), basic("none"), FORM])
def test_a_client_must_prove_itself(provider: Any, headers: dict[str, str]) -> None:
    """A wrong secret, an unknown client or none gives 401 and leaves the code usable."""
    code = choose(provider, begin(provider), person="annette")["code"]
    assert redeem(provider, code, headers).status == 401
    assert redeem(provider, code).status == 200


def signed_assertion(provider: Any, jti: str = "j-1", **changed: Any) -> dict[str, str]:
    """Give the form fields of `private_key_jwt`."""
    claims = {"iss": "signer", "sub": "signer", "aud": provider.url, "exp": 2**31, "jti": jti, **changed}
    assertion = jwt.encode({"alg": "ES256", "kid": CLIENT_KEY.kid}, claims, CLIENT_KEY, algorithms=["ES256"])
    return {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion,
    }


def test_a_client_may_sign_instead_of_a_secret(provider: Any) -> None:
    """A signed assertion proves the client, once."""
    assertion = signed_assertion(provider)
    code = choose(provider, begin(provider, client_id="signer"), person="annette")["code"]
    assert redeem(provider, code, FORM, **assertion).status == 200
    assert redeem(provider, code, FORM, **assertion).status == 401


@pytest.mark.parametrize("changed", [{"aud": "http://other"}, {"exp": 1}, {"sub": "x"}, {"iss": "x"}, {"jti": None}])
def test_a_wrong_assertion_proves_nothing(provider: Any, changed: Any) -> None:
    """For another audience, run out, from another, or without an id: no."""
    assertion = signed_assertion(provider, **({"jti": "j-2"} | changed))
    assert redeem(provider, "x", FORM, **assertion).status == 401


def test_logging_out_leads_back(provider: Any) -> None:
    """With a hint of ours the citizen is led to the registered address; otherwise a page of ours says it."""
    hint = log_in(provider, "annette")["id_token"]
    wanted = {"id_token_hint": hint, "post_logout_redirect_uri": "http://127.0.0.1:8080/citizen", "state": "x"}
    answer = provider.call("/end_session?" + urlencode(wanted))

    assert answer.headers["location"] == "http://127.0.0.1:8080/citizen?state=x"
    elsewhere = wanted | {"post_logout_redirect_uri": "http://elsewhere.example/"}
    assert provider.call("/end_session?" + urlencode(elsewhere)).status == 200
    assert "Du er logget ud" in provider.call("/end_session").raw.decode()


def test_discovery_names_what_is_there(provider: Any) -> None:
    """Every endpoint that discovery names answers."""
    found = provider.call("/.well-known/openid-configuration").json
    assert found["issuer"] == provider.url
    for name in ("authorization", "token", "userinfo", "end_session"):
        address = found[f"{name}_endpoint"]
        body = "" if name == "token" else None
        assert provider.call(address.removeprefix(provider.url), body, FORM).status != 404


def assertion_of(provider: Any, **body: Any) -> Any:
    """Ask the employer for an assertion."""
    wanted = {"caseworker": "lene", "client_id": "jobcenter-system", **body}
    return provider.call("/employer/assertion", wanted, {"Authorization": "Bearer demo-employer-key"})


def test_the_employer_vouches_for_a_caseworker(provider: Any, folder: Path) -> None:
    """The assertion names issuer, audience, client, person, unit, roles and level, and lives five minutes."""
    assertion = assertion_of(provider).json["assertion"]
    published = json.loads((folder / "employer-11111111.jwks.json").read_text("utf-8"))
    told = jwt.decode(assertion, KeySet.import_key_set(published), algorithms=["ES256"])
    claims = told.claims

    assert told.header["typ"] == "caseworker-assertion+jwt"
    assert provider.call("/employer/11111111/jwks").json == published
    assert (claims["iss"], claims["aud"]) == ("https://medarbejder.korsbaek.example", "http://127.0.0.1:8080")
    assert (claims["client_id"], claims["sub"]) == ("jobcenter-system", LENE)
    assert (claims["unit"], claims["nsis"]) == ("jobcenter-korsbaek", "Substantial")
    assert claims["roles"][0] == {
        "name": "koordinerende_sagsbehandler",
        "kle": ["15.*"],
        "sensitivity": 3,
        "attested_on": 20190115,
    }
    assert claims["exp"] - claims["iat"] == 300
    assert not [name for name in claims if "cpr" in name]


def test_each_assertion_is_another(provider: Any, folder: Path) -> None:
    """No two assertions have the same id, and none is signed with the log-in's key."""
    keys = KeySet.import_key_set(json.loads((folder / "employer-11111111.jwks.json").read_text("utf-8")))
    ids = {
        jwt.decode(assertion_of(provider, caseworker=LENE).json["assertion"], keys, algorithms=["ES256"]).claims["jti"]
        for _ in range(3)
    }
    assert len(ids) == 3
    login = provider.call("/jwks").json["keys"][0]["kid"]
    assert login not in {key.kid for key in keys.keys}


@pytest.mark.parametrize("body", [{"caseworker": "annette"}, {"caseworker": "none"}, {"client_id": None}])
def test_the_employer_vouches_for_caseworkers_alone(provider: Any, body: Any) -> None:
    """For a citizen, an unknown person, or no client there is no assertion."""
    assert assertion_of(provider, **body).status == 400


def test_the_employer_asks_for_its_key(provider: Any) -> None:
    """Without the shared key there is no assertion."""
    wanted = {"caseworker": "lene", "client_id": "jobcenter-system"}
    assert provider.call("/employer/assertion", wanted).status == 401
    assert provider.call("/employer/assertion", wanted, {"Authorization": "Bearer x"}).status == 401


def test_private_keys_are_for_their_owner(folder: Path, provider: Any) -> None:
    """Private keys stand in files of mode 0600; public sets hold no private part."""
    assert provider.url
    for name in ("login", "employer-11111111"):
        assert stat.S_IMODE((folder / f"{name}.json").stat().st_mode) == 0o600
        assert '"d"' not in (folder / f"{name}.jwks.json").read_text("utf-8")


def test_the_clock_stands_still_when_told(provider: Any) -> None:
    """Tokens and assertions say the scenario's time while it stands, and real time after a reset."""
    moment = 1551690000
    provider.control("/clock", {"at": "2019-03-04T10:00:00+01:00"})
    claims = read(provider, log_in(provider, "annette")["id_token"])

    assert (claims["iat"], claims["auth_time"], claims["exp"]) == (moment, moment, moment + 300)
    assert provider.refused_control("/clock", {"at": "2019-03-04T10:00:00"}).status == 400
    provider.control("/reset", {})
    assert read(provider, log_in(provider, "annette")["id_token"])["iat"] > moment


def test_people_are_known_from_earlier_unless_asked_anew(provider: Any) -> None:
    """A log-in tells when the person proved who they are: before, or now where the client wants that."""
    provider.control("/known", {"seconds": 900})
    known = read(provider, log_in(provider, "annette")["id_token"])
    anew = [
        read(provider, log_in(provider, "annette", **how)["id_token"])
        for how in ({"prompt": "login"}, {"max_age": "0"})
    ]

    assert known["iat"] - known["auth_time"] >= 900
    assert all(claims["iat"] - claims["auth_time"] < 900 for claims in anew)
    assert provider.refused_control("/known", {"seconds": -1}).status == 400
    assert provider.refused_control("/known", {}).status == 400
    provider.control("/reset", {})
    claims = read(provider, log_in(provider, "annette")["id_token"])
    assert claims["iat"] - claims["auth_time"] < 900


def test_other_people_can_be_put_in_place(provider: Any) -> None:
    """People replaced at run time are who can log in; people without what their kind needs are refused."""
    changed = [one | {"name": "Annette Ny Test"} if one["id"] == "annette" else one for one in PERSONS["persons"]]
    provider.control("/records", {**PERSONS, "persons": changed})
    assert b"Annette Ny Test" in begin(provider).raw

    broken = {**PERSONS, "persons": [{"id": "x", "kind": "caseworker", "name": "X"}]}
    assert provider.refused_control("/records", broken).status == 400


def test_an_employer_that_speaks_saml_signs_what_its_row_names(tmp_path: Path, start: Any) -> None:
    """The assertion holds by the published certificate, names one system, and states units, roles and limits."""
    said = {
        "entity_id": "https://adfs.example", "units": {"jobcenter-korsbaek": "u-1"}, "cvr": {},
        "privileges": {"koordinerende_sagsbehandler": "urn:p"}, "constraints": {"attested_on": "urn:attested"},
    }  # fmt: skip
    employers = [row | {"saml": said} for row in PERSONS["employers"]]
    provider = start("openid", PERSONS | {"employers": employers}, "--folder", str(tmp_path), option="--persons")

    told = assertion_of(provider, caseworker=LENE, form="saml").json["assertion"]

    content = base64.urlsafe_b64decode(told + "=" * (-len(told) % 4))
    certificate = (tmp_path / "employer-11111111.saml.crt").read_text("utf-8")
    signed = XMLVerifier().verify(content, x509_cert=certificate)
    assert not isinstance(signed, list)
    text = signed.signed_data.decode()
    privileges = base64.b64decode(text.split("privilegesIntermediate")[1].split(">")[2].split("<")[0]).decode()
    assert "/saml/jobcenter-system</saml:Audience>" in text
    assert f"urn:uuid:{LENE}<" in text
    assert "urn:dk:gov:saml:cvrNumberIdentifier:11111111" in privileges
    for limit in ('constraints/orgenhed/1">u-1<', 'constraints/KLE/1">15.*<', 'urn:attested">2019-01-15<', ">urn:p<"):
        assert limit in privileges, limit
    assert stat.S_IMODE((tmp_path / "employer-11111111.saml.pem").stat().st_mode) == 0o600


@pytest.mark.parametrize("form", ["saml", "paper"])
def test_an_employer_signs_in_no_form_that_it_does_not_speak(provider: Any, form: str) -> None:
    """Without certificate and names of its own, an employer signs no SAML; nobody signs in an unknown form."""
    assert assertion_of(provider, caseworker=LENE, form=form).status == 400
