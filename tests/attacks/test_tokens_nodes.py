"""What was used at one node is dead at every other, also when both are asked at once, and after a restart (P11)."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey, OKPKey

from broker.web.oauth.token_endpoint import CLIENT_CREDENTIALS
from demo.postgres import PrivatePostgres
from tests.actors import ISSUER, AnEmployer, ASystem, a_key, public, signed
from tests.attacks.test_tokens import bare, claims_in, hmac_signed
from tests.nodes import EXCHANGE, PUBLIC, TOKEN, Node, Town, open_town

CPR = "7102740022"


@pytest.fixture
async def town(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Town]:
    """Open a town with two nodes, two systems, and an employer and a system of a neighbour."""
    neighbour = ASystem("skovlund", "norrestrand", units=frozenset({"far-social-centre"}))
    school = ASystem("school", units=frozenset({"school-office"}))
    employers = (AnEmployer("https://login.norrestrand.example", "norrestrand"),)
    async with open_town(postgres, tmp_path, others=(school, neighbour), employers=employers) as town:
        yield town


@pytest.fixture
def ask(town: Town) -> dict[str, str]:
    """Give an ask that the law permits."""
    return town.open_case("S-1", CPR)


def error_of(answer: Any) -> Any:
    """Give the one word a token request was refused with, and see that there is no other."""
    assert answer.status_code in {400, 401}, answer.text
    assert set(answer.json()) == {"error"}
    return answer.json()["error"]


async def entered(
    town: Town, node: Node, ask: dict[str, str], token: str, proof: str | None = None, **more: Any
) -> bool:
    """Ask, and tell whether the node let it in; who stays outside leaves nothing on the log and reads nothing."""
    before, read = await town.entries(), len(town.source.asked)
    answer = await town.ask(node, ask, token, proof, **more)
    if answer.status_code == 200:
        assert await town.entries() == before + 2
        return True
    assert answer.status_code == 401, answer.text
    assert answer.json()["type"] == "urn:borgerbro:problem:not-authenticated"
    assert token not in answer.text + str(answer.headers)
    assert (await town.entries(), len(town.source.asked)) == (before, read)
    return False


async def test_a_proof_used_at_one_node_is_dead_at_the_other(town: Town, ask: dict[str, str]) -> None:
    """An ask caught on the wire cannot be sent again, to whichever node."""
    a, b = town.nodes
    token = await town.token(a)
    proof = town.system.proof(town.now, EXCHANGE, token=token)

    assert await entered(town, a, ask, token, proof)
    assert not await entered(town, b, ask, token, proof)
    assert not await entered(town, a, ask, token, proof)
    assert await entered(town, b, ask, token)


@pytest.mark.parametrize("again", ["client_assertion", "subject_token", "proof"])
async def test_what_got_a_token_at_one_node_gets_none_at_the_other(town: Town, again: str) -> None:
    """The system's assertion, the employer's word and the proof are each used once over all nodes."""
    a, b = town.nodes
    first, proof = town.form(), town.system.proof(town.now)
    assert (await town.ask_token(a, first, proof)).status_code == 200

    second = town.form() | ({again: first[again]} if again != "proof" else {})
    answer = await town.ask_token(b, second, proof if again == "proof" else None)

    expected = {"client_assertion": "invalid_client", "subject_token": "invalid_grant", "proof": "invalid_dpop_proof"}
    assert error_of(answer) == expected[again]
    assert (await town.ask_token(b, town.form())).status_code == 200


async def test_of_a_race_between_nodes_one_wins(town: Town, ask: dict[str, str]) -> None:
    """The same proof at both nodes at the same moment, many times over: each proof lets one ask in, no more."""
    token = await town.token(town.nodes[0])
    proofs = [town.system.proof(town.now, EXCHANGE, token=token) for _ in range(12)]

    asked = [town.ask(node, ask, token, proof) for proof in proofs for node in town.nodes * 3]
    answers = [answer.status_code for answer in await asyncio.gather(*asked)]

    assert answers.count(200) == len(proofs)
    assert answers.count(401) == len(answers) - len(proofs)
    assert await town.entries() == 2 * len(proofs)


async def test_of_a_race_for_tokens_one_wins(town: Town) -> None:
    """The employer's word at both nodes at once, each time with fresh proofs of its own, gives one token."""
    words = [town.word() for _ in range(8)]

    asked = [town.ask_token(node, town.form(word=word)) for word in words for node in town.nodes * 2]
    answers = await asyncio.gather(*asked)

    assert sum(answer.status_code == 200 for answer in answers) == len(words)
    assert {error_of(answer) for answer in answers if answer.status_code != 200} == {"invalid_grant"}


async def test_after_a_restart_nothing_used_is_usable_again(town: Town, ask: dict[str, str]) -> None:
    """A node that comes up anew remembers every proof and assertion; a token that still lives goes on living."""
    a, b = town.nodes
    form, proof = town.form(), town.system.proof(town.now)
    token = str((await town.ask_token(a, form, proof)).json()["access_token"])
    used = town.system.proof(town.now, EXCHANGE, token=token)
    assert await entered(town, a, ask, token, used)

    await town.stop(b)
    again = await town.restart(a)

    assert not await entered(town, again, ask, token, used)
    assert error_of(await town.ask_token(again, form, proof)) == "invalid_client"
    assert error_of(await town.ask_token(again, town.form(), proof)) == "invalid_dpop_proof"
    assert error_of(await town.ask_token(again, town.form(word=form["subject_token"]))) == "invalid_grant"
    assert await entered(town, again, ask, token)


async def test_no_clearing_up_makes_a_used_proof_good_again(town: Town, ask: dict[str, str]) -> None:
    """Restarts, and what a node clears away first of all, leave a used proof dead until it is too old."""
    a, _ = town.nodes
    token = await town.token(a)
    proof = town.system.proof(town.now, EXCHANGE, token=token)
    assert await entered(town, a, ask, token, proof)
    for _ in range(3):
        town.clock.at += timedelta(seconds=29)
        fresh = await town.restart(town.nodes[0])
        assert await entered(town, fresh, ask, token)
        assert [await entered(town, node, ask, token, proof) for node in town.nodes] == [False, False]


async def test_a_token_needs_its_own_key_at_every_node(town: Town, ask: dict[str, str]) -> None:
    """A token made by one node works at another with the key it is bound to, and with no other: no re-binding."""
    a, b = town.nodes
    token = await town.token(a)
    thief = ASystem("momentum", key=town.system.key)
    school = town.others[0]

    assert await entered(town, b, ask, token)
    for stranger in (thief, school):
        assert not await entered(town, b, ask, token, stranger.proof(town.now, EXCHANGE, token=token))
    other = await town.token(a, sub="somebody-else")
    swapped = town.system.proof(town.now, EXCHANGE, token=other)
    assert not await entered(town, b, ask, token, swapped)


async def test_a_token_of_another_house_opens_nothing(town: Town, ask: dict[str, str]) -> None:
    """A node with another signing key takes none of ours and we none of its, though it goes by our name."""
    stranger = await town.start(signing=a_key())
    ours, theirs = await town.token(town.nodes[0]), await town.token(stranger)

    assert not await entered(town, stranger, ask, ours)
    assert not await entered(town, town.nodes[1], ask, theirs)
    assert await entered(town, stranger, ask, theirs)


async def test_a_token_ends_at_every_node(town: Town, ask: dict[str, str]) -> None:
    """After five minutes a token is dead where it was made, where it is remembered, and where it was never seen."""
    a, b = town.nodes
    token = await town.token(a)
    assert await entered(town, a, ask, token)
    town.clock.at += timedelta(minutes=5)
    c = await town.start()

    assert [await entered(town, node, ask, token) for node in (a, b, c)] == [False] * 3


async def test_a_changed_token_opens_nothing(town: Town, ask: dict[str, str]) -> None:
    """Other claims under our signature, our claims under a thief's, and every trick with the algorithm: refused."""
    node = town.nodes[1]
    token = await town.token(town.nodes[0])
    header = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    claims, signature = claims_in(token), token.split(".")[2]
    richer = claims | {"sub": "chief", "roles": [*claims["roles"], {"name": "dpo", "kle": ["*"], "sensitivity": 4}]}
    thief = a_key()
    kid = {"kid": header["kid"], "typ": "at+jwt"}
    spki = ECKey.import_key(public(town.signing)).as_pem(private=False)
    tries = {
        "claims changed": ".".join([token.split(".")[0], bare({}, richer).split(".")[1], signature]),
        "no algorithm": bare({**kid, "alg": "none"}, claims),
        "none with our signature": bare({**kid, "alg": "None"}, claims, b"x" * 64),
        "signature cut": token.rsplit(".", 1)[0] + ".",
        "zeros": bare({**kid, "alg": "ES256"}, claims, b"\0" * 64),
        "a DER signature": bare({**kid, "alg": "ES256"}, claims, b"0\x06\x02\x01\x00\x02\x01\x00"),
        "a thief's key": signed(thief, claims, **kid),
        "a thief's key brought along": signed(thief, claims, **kid, jwk=public(thief)),
        "a thief's key set": signed(thief, claims, **kid, jku="https://thief.example/jwks"),
        "no key id": signed(town.signing, claims, typ="at+jwt"),
        "an unknown key id": signed(town.signing, claims, typ="at+jwt", kid="../../etc/passwd"),
        "another type": signed(town.signing, claims, kid=kid["kid"], typ="JWT"),
        "no type": signed(town.signing, claims, kid=kid["kid"]),
        "the public key as secret": hmac_signed(spki, claims, **kid),
        "another family": signed(OKPKey.generate_key("Ed25519"), claims, "Ed25519", **kid),
        "EdDSA by its old name": bare({**kid, "alg": "EdDSA"}, claims, b"x" * 64),
        "RSA": signed(a_key("PS256"), claims, "RS256", **kid),
        "another issuer": signed(town.signing, claims | {"iss": "https://other.example"}, **kid),
        "for another": signed(town.signing, claims | {"aud": "https://other.example"}, **kid),
        "for us and another": signed(town.signing, claims | {"aud": [ISSUER, "https://other.example"]}, **kid),
        "without end": signed(town.signing, {**claims, "exp": None}, **kid),
        "end as text": signed(town.signing, claims | {"exp": "9999999999"}, **kid),
        "five parts": token + ".a.b",
        "JSON": json.dumps({"payload": token.split(".")[1], "signatures": []}),
        "spaces": token.replace(".", " . "),
        "twice": f"{token}, DPoP {token}",
        "endless": token + "A" * 9000,
    }
    for what, changed in tries.items():
        assert not await entered(town, node, ask, changed, town.system.proof(town.now, EXCHANGE, token=changed)), what
    assert await entered(town, node, ask, token)


async def test_our_other_signatures_are_no_tokens(town: Town, ask: dict[str, str]) -> None:
    """The system's assertion, the employer's word, a proof and a token for the system alone open no citizen."""
    node, form = town.nodes[1], town.form()
    alone = {**town.system.form(town.now), "grant_type": CLIENT_CREDENTIALS}
    answer = await town.ask_token(node, alone)
    for token in (form["client_assertion"], form["subject_token"], town.system.proof(town.now)):
        assert not await entered(town, node, ask, token)

    answer = await town.ask(node, ask, answer.json()["access_token"])

    assert (answer.status_code, answer.json()["type"]) == (403, "urn:borgerbro:problem:not-allowed")
    assert await town.entries() == 0


async def test_a_word_for_another_client_or_municipality_is_worth_nothing_anywhere(town: Town) -> None:
    """An employer's word counts for the client it names, from that client's municipality, at every node."""
    school, neighbour = town.others
    theirs = town.employers[0].assertion(town.now, "momentum")
    for node in town.nodes:
        tries = {
            "another client's": town.form(word=town.word("school")),
            "taken by another client": school.form(town.now, town.word()),
            "a neighbour's employer": town.form(word=theirs),
            "ours, brought by a neighbour": neighbour.form(town.now, town.word("skovlund")),
            "a neighbour's, for their own client": town.form(word=town.employers[0].assertion(town.now, "skovlund")),
        }
        for what, form in tries.items():
            assert error_of(await town.ask_token(node, form)) == "invalid_grant", what


async def test_a_refused_word_is_not_used_up(town: Town) -> None:
    """Who steals an assertion and is refused with it leaves it good for its owner, and fills no memory."""
    a, b = town.nodes
    word = town.word()
    thief, school = ASystem("momentum"), town.others[0]

    assert error_of(await town.ask_token(a, thief.form(town.now, word))) == "invalid_client"
    assert error_of(await town.ask_token(a, school.form(town.now, word))) == "invalid_grant"
    assert error_of(await town.ask_token(a, town.form(word=word), "no proof")) == "invalid_dpop_proof"
    assert await town.databases.pool.fetchval("SELECT count(*) FROM web.replay") == 0
    assert (await town.ask_token(b, town.form(word=word))).status_code == 200


@pytest.mark.parametrize(
    "address",
    [f"{PUBLIC}/v1/EXCHANGE", f"{PUBLIC}/v1//exchange", f"{PUBLIC}/v1/./exchange", f"{PUBLIC}/v1/x/../exchange",
     f"{PUBLIC}/v1/exchange/", f"{PUBLIC}/v1/exchang%65", f"{PUBLIC}:8443/v1/exchange", "https://BROKER.example.evil/v1/exchange",
     f"{PUBLIC}/v1/views", TOKEN, "/v1/exchange", "", "https://broker.example\\@evil/v1/exchange"],
)  # fmt: skip
async def test_a_proof_for_another_address_is_dead_at_every_node(town: Town, ask: dict[str, str], address: str) -> None:
    """An address that only resembles ours is not ours; the same proof is refused at both nodes."""
    token = await town.token(town.nodes[0])
    proof = town.system.proof(town.now, address, token=token)

    assert [await entered(town, node, ask, token, proof) for node in town.nodes] == [False, False]


async def test_a_session_lives_at_every_node_and_after_a_restart(town: Town) -> None:
    """A citizen who logged in at one node is known at the other and after a restart; a restart ends nobody's hour."""
    a, b = town.nodes
    browser = town.browser()
    await town.log_in(browser, a, **{"dk.cpr": CPR})

    assert (await browser.at(b).get("/v1/me/session")).status_code == 200
    again = await town.restart(a)
    assert (await browser.at(again).get("/v1/me/session")).status_code == 200
    for _ in range(5):
        town.clock.at += timedelta(minutes=12)
        answer = await browser.at(await town.start()).get("/v1/me/session")
    assert answer.status_code == 401


async def test_a_logout_at_one_node_holds_at_all(town: Town) -> None:
    """Who logs out at one node is out at the other and after a restart, also with a kept copy of the cookie."""
    a, b = town.nodes
    browser, thief = town.browser(), town.browser()
    await town.log_in(browser, a)
    csrf = (await browser.at(b).get("/v1/me/session")).json()["csrf"]
    cookie = {"Cookie": f"__Host-citizen={browser.http.cookies['__Host-citizen']}"}
    assert (await thief.at(a).get("/v1/me/session", headers=cookie)).status_code == 200

    assert (await browser.at(a).post("/logout/citizen", headers={"X-CSRF-Token": csrf})).status_code == 303

    for node in (a, b, await town.start()):
        assert (await thief.at(node).get("/v1/me/session", headers=cookie)).status_code == 401
        answer = await thief.at(node).post(
            "/v1/me/blocks", json={"source": "job"}, headers=cookie | {"X-CSRF-Token": csrf}
        )
        assert answer.status_code == 401
    assert await town.entries() == 0


async def test_a_callback_serves_one_log_in_over_all_nodes(town: Town) -> None:
    """What the provider sent back opens one session: at the other node, raced, or after a restart it opens none."""
    a, b = town.nodes
    browser = town.browser()
    told = await town.begin(browser, a)
    cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in browser.http.cookies.items())}

    async def come_back(node: Node) -> int:
        async with node.client() as http:
            answer = await http.get("/login/citizen/callback", params=told, headers=cookies)
            assert ("__Host-citizen=" in str(answer.headers)) == (answer.status_code == 303)
            return answer.status_code

    raced = await asyncio.gather(*(come_back(node) for node in (a, b) * 4))

    assert sorted(raced) == [303] + [401] * 7
    assert await come_back(await town.restart(a)) == 401
    assert await come_back(b) == 401


async def test_a_session_of_one_kind_or_house_is_none_of_another(town: Town) -> None:
    """A citizen's id as an officer's or caseworker's, and a row sealed with another house's key, open nothing."""
    a, b = town.nodes
    browser, thief = town.browser(), town.browser()
    await town.log_in(browser, a)
    stolen = browser.http.cookies["__Host-citizen"]
    for kind, page in (("officer", "/v1/accesses/session"), ("caseworker", "/case")):
        answer = await thief.at(b).get(page, headers={"Cookie": f"__Host-{kind}={stolen}"})
        assert answer.status_code == 401, kind

    town.session_key = secrets.token_bytes(32)
    other = await town.start()
    assert (await browser.at(other).get("/v1/me/session")).status_code == 401
