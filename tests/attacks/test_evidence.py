"""A bent evidence package, field by field and byte by byte; and whoever would take one out and may not."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from audit.__main__ import main
from audit.errors import LogError, Malformed, NotVerified
from audit.evidence import MAX_BYTES, Evidence, unpack, verify
from broker.domain.entries import EVERYTHING
from broker.domain.errors import LogUnavailable
from broker.domain.personal import Personal
from demo.postgres import PrivatePostgres
from tests.databases import BASE
from tests.evidence_house import ANOTHER, LOG_KEY, WITNESSES, Made, a_policy, made
from tests.log_events import an_ask, an_outcome
from tests.pages_house import LOG_KEY as HOUSE_KEY
from tests.pages_house import PagesHouse, Reader, open_pages
from tests.signing import signing

MINE, THEIRS = f"{BASE}/korsbaek/2019", f"{BASE}/norrestrand/2019"
WHOLE = made()
POLICY = a_policy(LOG_KEY)
OTHER = made(ANOTHER)
Bend = Callable[[Evidence], Evidence]


def flipped(value: bytes) -> bytes:
    """Turn one bit in the middle of a value."""
    middle = len(value) // 2
    return value[:middle] + bytes((value[middle] ^ 1,)) + value[middle + 1 :]


def row(evidence: Evidence, **changes: Any) -> bytes:
    """Write the index row with other values."""
    return json.dumps(json.loads(evidence.index_bytes) | changes, sort_keys=True, separators=(",", ":")).encode()


BENT: dict[str, Bend] = {
    "another origin": lambda e: replace(e, origin=e.origin.replace("2019", "2018")),
    "another index": lambda e: replace(e, index=e.index + 1),
    "another leaf": lambda e: replace(e, leaf=flipped(e.leaf)),
    "another kind": lambda e: replace(e, leaf=e.leaf[:2] + b"\x01" + e.leaf[3:]),
    "a leaf cut short": lambda e: replace(e, leaf=e.leaf[:-1]),
    "another index row": lambda e: replace(e, index_bytes=row(e, municipality="norrestrand")),
    "another time": lambda e: replace(e, index_bytes=row(e, at=1)),
    "an index row in another form": lambda e: replace(e, index_bytes=e.index_bytes + b" "),
    "another salt": lambda e: replace(e, body_salt=flipped(e.body_salt)),
    "a salt cut short": lambda e: replace(e, body_salt=e.body_salt[:-1]),
    "another body": lambda e: replace(e, ciphertext_digest=flipped(e.ciphertext_digest)),
    "other words shown": lambda e: replace(e, shown=(e.shown or b"").replace(b"released", b"refused.")),
    "another salt of what is shown": lambda e: replace(e, shown_salt=flipped(e.shown_salt or b"")),
    "shown without a salt": lambda e: replace(e, shown_salt=None),
    "a salt and nothing shown": lambda e: replace(e, shown=None),
    "nobody's key": lambda e: replace(e, keys=()),
    "another key": lambda e: replace(e, keys=(str(ANOTHER.verify_key),)),
    "one key more": lambda e: replace(e, keys=(*e.keys, str(ANOTHER.verify_key))),
    "another proof": lambda e: replace(e, proof=OTHER.evidence.proof),
    "a hash less": lambda e: replace(e, proof=without_hash(e.proof)),
    "a proof of another place": lambda e: replace(e, proof=e.proof.replace("\nindex 5\n", "\nindex 4\n")),
    "no signature": lambda e: replace(e, proof=e.proof.replace(f"— {LOG_KEY.name} ", "— x.example ")),
    "a witness less": lambda e: replace(e, proof=without_line(e.proof, WITNESSES[1].name)),
    "another root": lambda e: replace(e, proof=e.proof.replace("\n12\n", "\n13\n")),
    "a policy of nobody": lambda e: replace(e, policy=f"log {LOG_KEY.verify_key}\nquorum none\n"),
    "a policy of one": lambda e: replace(e, policy=a_policy(LOG_KEY, least=1).to_text()),
    "a policy of another log": lambda e: replace(e, policy=a_policy(ANOTHER).to_text()),
    "a policy with a remark": lambda e: replace(e, policy="# trust me\n" + e.policy),
    "no policy": lambda e: replace(e, policy=""),
    "all of another's": lambda _: OTHER.evidence,
}


def without_hash(proof: str) -> str:
    """Take the first hash out of a proof."""
    head, place, rest = proof.partition("\nindex 5\n")
    return head + place + rest.split("\n", 1)[1]


def without_line(proof: str, name: str) -> str:
    """Take a signature's line out of a proof's checkpoint."""
    return "\n".join(line for line in proof.split("\n") if not line.startswith(f"— {name} "))


def test_a_whole_package_is_believed() -> None:
    """With the policy from elsewhere it proves entry, words, signature and both witnesses; with the key less."""
    content = WHOLE.evidence.pack()
    with_policy = verify(unpack(content), [], POLICY)
    with_key = verify(unpack(content), [LOG_KEY.verify_key])

    assert (with_policy.checkpoint.size, with_policy.witnesses, with_policy.policy_brought) == (12, ("a", "b"), True)
    assert with_key.policy_brought is False


def test_one_of_an_erased_citizen_proves_the_rest() -> None:
    """Without what is shown, the line and its place are proved all the same."""
    erased = replace(WHOLE.evidence, shown=None, shown_salt=None)
    assert verify(unpack(erased.pack()), [], POLICY).leaf.kind == 2


@pytest.mark.parametrize("what", BENT)
def test_a_bent_package_is_refused(what: str) -> None:
    """Each field that says something else than was logged, signed or agreed on is refused, packed anew as it may be."""
    with pytest.raises((Malformed, NotVerified)):
        verify(unpack(BENT[what](WHOLE.evidence).pack()), [], POLICY)


def test_with_the_key_alone_only_the_policy_can_be_bent() -> None:
    """Whoever brings no policy is told of everything but a weaker quorum; that it was not compared is said."""
    weaker = {"a policy of nobody", "a policy of one"}
    believed = set()
    for what, bend in BENT.items():
        try:
            told = verify(unpack(bend(WHOLE.evidence).pack()), [LOG_KEY.verify_key])
        except (Malformed, NotVerified):
            continue
        believed.add(what)
        assert not told.policy_brought
    assert believed == weaker


def test_no_byte_of_the_file_is_free() -> None:
    """Whatever byte of the file is changed, added or left out, READMEs and what no program reads too, it is refused."""
    content, chance = WHOLE.evidence.pack(), random.Random(7)
    places = [*range(0, len(content), 97), *(chance.randrange(len(content)) for _ in range(150)), len(content) - 1]
    for place in places:
        bent = content[:place] + bytes((content[place] ^ (1 << chance.randrange(8)),)) + content[place + 1 :]
        with pytest.raises(LogError):
            verify(unpack(bent), [], POLICY)
    for bent in (content[:-1], content + b"\0", b"x" + content, b"", b"PK\5\6" + bytes(18)):
        with pytest.raises(Malformed):
            unpack(bent)


def packed(files: dict[str, bytes], *, how: int = zipfile.ZIP_STORED) -> bytes:
    """Write a ZIP file of one's own."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", how) as out:
        for name, value in files.items():
            out.writestr(name, value)
    return sink.getvalue()


def test_a_hostile_file_costs_nothing() -> None:
    """A bomb, names that lead elsewhere, names that stand twice and endless JSON are refused before they are read."""
    files = WHOLE.evidence.files()
    deep = b"[" * 100_000
    twice = io.BytesIO(packed(files))
    with zipfile.ZipFile(twice, "a") as out, pytest.warns(UserWarning, match="Duplicate"):
        out.writestr("keys", b"x")
    for content in (
        packed(files | {"index.json": bytes(5_000_000)}, how=zipfile.ZIP_DEFLATED),
        packed(files | {"../../etc/passwd": b"x"}),
        packed(files | {"/keys": b"x"}),
        twice.getvalue(),
        packed({name: value for name, value in files.items() if name != "README.txt"}),
        packed(files | {"opening.json": deep}),
        packed(files | {"opening.json": b"null"}),
        packed(files | {"opening.json": b"\xff"}),
        bytes(MAX_BYTES + 1),
    ):
        with pytest.raises(Malformed):
            unpack(content)


def test_the_words_of_the_readmes_are_the_formats() -> None:
    """A README with other words makes another package, which is refused; so old ones stay readable as they were."""
    files = WHOLE.evidence.files()
    for name in ("README.txt", "LAESMIG.txt"):
        with pytest.raises(Malformed):
            unpack(packed(files | {name: files[name].replace(b"trusted", b"keysfil")}))


def typed(folder: Path, package: Made, *words: str) -> int:
    """Run the one command in a folder."""
    (folder / "package.zip").write_bytes(package.evidence.pack())
    (folder / "trusted").write_text(f"{LOG_KEY.verify_key}\n", "utf-8")
    (folder / "policy").write_text(POLICY.to_text(), "utf-8")
    named = [str(folder / word[1:]) if word.startswith("@") else word for word in words]
    return main(["verify", "--evidence", str(folder / "package.zip"), *named])


def test_the_one_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It ends with 0 for a whole package, with 1 for another's, and with 2 where nobody brought a key."""
    assert typed(tmp_path, WHOLE, "--vkey-file", "@trusted") == 0
    assert "the package's own policy, not compared" in capsys.readouterr().out
    assert typed(tmp_path, WHOLE, "--policy", "@policy", "--json") == 0
    assert json.loads(capsys.readouterr().out)["witnesses"] == ["a", "b"]
    assert typed(tmp_path, OTHER, "--vkey-file", "@trusted") == 1
    assert typed(tmp_path, OTHER, "--policy", "@policy") == 1
    assert typed(tmp_path, WHOLE) == 2
    (tmp_path / "bent.zip").write_bytes(WHOLE.evidence.pack()[:-1])
    assert main(["verify", "--evidence", str(tmp_path / "bent.zip"), "--vkey-file", str(tmp_path / "trusted")]) == 1


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Open a house with two signed entries, one of them another municipality's, and one that nobody signed."""
    async with open_pages(postgres, tmp_path) as opened:
        anna, kim = await opened.databases.vault.citizens([Personal("0000000001"), Personal("0000000002")])
        await opened.databases.log.append([an_outcome(anna, kim), an_ask(anna, kim, municipality="norrestrand")])
        async with signing(opened.databases.at.checkpointer, HOUSE_KEY, tmp_path / "signer") as rounds:
            await rounds.once()
        await opened.databases.log.append([an_outcome(anna, kim)])
        yield opened


async def csrf(reader: Reader) -> dict[str, str]:
    """Give the header that an overseer's changes carry."""
    return {"X-CSRF-Token": (await reader.http.get("/v1/accesses/session")).json()["csrf"]}


async def kinds(house: PagesHouse) -> list[str]:
    """Give the kinds of what stands on the log, in order."""
    superuser = await asyncpg.connect(house.databases.admin)
    try:
        rows = await superuser.fetch("SELECT kind FROM log.index WHERE tenant = 'korsbaek' ORDER BY idx")
    finally:
        await superuser.close()
    return [row["kind"] for row in rows]


async def test_page_and_json_hand_out_what_the_command_believes(house: PagesHouse) -> None:
    """Both doors give the package, each time with an entry that names its SHA-256; no name, number or key is in it."""
    dorte = await house.officer()
    assert 'href="/dpo/evidence/korsbaek/2019/0"' in (await dorte.get("/dpo")).text
    assert (await dorte.get("/dpo/evidence/korsbaek/2019/0")).status_code == 200
    page = await dorte.post("/dpo/evidence/korsbaek/2019/0")
    json_ = await dorte.http.post("/v1/evidence", json={"log": MINE, "index": 0}, headers=await csrf(dorte))

    assert (page.status_code, page.headers["content-type"]) == (200, "application/zip")
    assert page.headers["content-disposition"] == 'attachment; filename="evidence-korsbaek-2019-0.zip"'
    assert page.content == json_.content
    believed = verify(unpack(page.content), [HOUSE_KEY.verify_key])
    assert (believed.checkpoint.origin, believed.leaf.kind) == (MINE, 2)
    shown = json.loads(unpack(page.content).shown or b"{}")
    assert (shown["event"], shown["purpose"], "actor" in shown) == ("outcome", "jobplan", False)
    assert [kind for kind in await kinds(house) if kind == "evidence.made"] == ["evidence.made"] * 2
    (anna,) = await house.databases.vault.citizens([Personal("0000000001")])
    key = (await house.databases.vault.held_keys({(anna, "korsbaek")}))[anna, "korsbaek"]
    for word in (b"0000000001", key, b"Dorte"):
        assert word not in page.content


async def test_the_citizen_sees_that_evidence_was_taken_out(house: PagesHouse) -> None:
    """Whom the line is about finds it in their own list, in words of their own."""
    dorte, anna = await house.officer(), await house.citizen(Personal("0000000001"))
    await dorte.get("/dpo/evidence/korsbaek/2019/0")
    assert (await dorte.post("/dpo/evidence/korsbaek/2019/0")).status_code == 200
    assert "Kommunens kontrol har hentet beviset for en linje om dig" in (await anna.get("/mine/accesses")).text
    bo = await house.citizen(Personal("0000000002"))
    assert "hentet beviset" not in (await bo.get("/mine/accesses")).text


async def test_what_may_not_be_had_is_not_there(house: PagesHouse) -> None:
    """Another municipality's line, one that does not exist, and a name that is no log's get the same answer."""
    dorte = await house.officer()
    token, before = await csrf(dorte), await kinds(house)
    wanted = ((THEIRS, 0), (THEIRS, 9), (MINE, 99), (f"{BASE}/nowhere/2019", 0), ("x", 0), ("'OR", 2**63 - 1))
    answers = [
        await dorte.http.post("/v1/evidence", json={"log": log, "index": index}, headers=token) for log, index in wanted
    ]
    assert {(answer.status_code, answer.content) for answer in answers} == {(404, answers[0].content)}
    places = ("norrestrand/2019/0", "norrestrand/2019/9", "korsbaek/2019/99", "nowhere/2019/0")
    assert [(await dorte.post(f"/dpo/evidence/{one}", csrf=token["X-CSRF-Token"])).status_code for one in places] == [
        404
    ] * 4
    assert await kinds(house) == before


NO_WISHES: list[Any] = [
    {},
    [],
    {"log": "\0", "index": 0},
    {"log": MINE, "index": -1},
    {"log": MINE, "index": 2**63},
    {"log": "x" * 301, "index": 0},
    {"log": MINE, "index": 0, "more": 1},
]


@pytest.mark.parametrize("body", NO_WISHES)
async def test_a_broken_wish_is_refused(house: PagesHouse, body: Any) -> None:
    """What can be no place on a log is refused, and nothing is written."""
    dorte, before = await house.officer(), await kinds(house)
    answer = await dorte.http.post("/v1/evidence", json=body, headers=await csrf(dorte))
    assert (answer.status_code, await kinds(house)) == (400, before)


async def test_nobody_else_takes_any_out(house: PagesHouse) -> None:
    """A citizen, a caseworker, the desk, a leader and a request from elsewhere get none, and no entry is written."""
    before = await kinds(house)
    for reader in (await house.citizen(), await house.caseworker(), await house.desk(), house.stranger()):
        assert (await reader.http.post("/v1/evidence", json={"log": MINE, "index": 0})).status_code == 401
        assert (await reader.get("/dpo/evidence/korsbaek/2019/0")).status_code in {303, 401}
    leader = await house.officer(role="teamleder")
    token = await csrf(leader)
    assert (await leader.http.post("/v1/evidence", json={"log": MINE, "index": 0}, headers=token)).status_code == 403
    assert (await leader.get("/dpo/evidence/korsbaek/2019/0")).status_code == 403
    dorte = await house.officer()
    assert (await dorte.http.post("/v1/evidence", json={"log": MINE, "index": 0})).status_code == 403
    assert (await dorte.post("/dpo/evidence/korsbaek/2019/0", csrf="x")).status_code == 403
    assert await kinds(house) == before


async def test_what_cannot_be_proved_says_why(house: PagesHouse) -> None:
    """A line that is not signed yet, and one that was changed, get a page in plain words and no package."""
    dorte = await house.officer()
    token = await csrf(dorte)
    await dorte.get("/dpo/evidence/korsbaek/2019/1")
    early = await dorte.post("/dpo/evidence/korsbaek/2019/1")
    superuser = await asyncpg.connect(house.databases.admin)
    await superuser.execute("UPDATE log.index SET index_bytes = replace(index_bytes, 'job', 'tax') WHERE idx = 0")
    await superuser.close()
    changed = await dorte.post("/dpo/evidence/korsbaek/2019/0")

    assert (early.status_code, "Prøv igen om et minut." in early.text) == (409, True)
    assert (changed.status_code, "Linjen er ændret" in changed.text) == (409, True)
    assert (await dorte.http.post("/v1/evidence", json={"log": MINE, "index": 0}, headers=token)).status_code in {
        403,
        409,
    }
    assert "evidence.made" not in await kinds(house)


async def test_without_the_log_no_package_goes_out(house: PagesHouse) -> None:
    """Whoever cannot be written down as having it does not have it (P2)."""
    dorte = await house.officer()
    token = await csrf(dorte)

    async def down(*_: Any, **__: Any) -> Any:
        raise LogUnavailable

    house.databases.log.append = down  # type: ignore[method-assign]  # the log is down
    answer = await dorte.http.post("/v1/evidence", json={"log": MINE, "index": 0}, headers=token)
    assert (answer.status_code, b"PK" in answer.content) == (503, False)


async def test_of_an_erased_citizen_only_the_line_is_proved(house: PagesHouse) -> None:
    """With the key gone nothing of the body is in the package, and what is left holds."""
    owner = await asyncpg.connect(house.databases.at.vault_owner)
    await owner.execute("DELETE FROM vault.subject_key")
    await owner.close()
    dorte = await house.officer()
    answer = await dorte.http.post("/v1/evidence", json={"log": MINE, "index": 0}, headers=await csrf(dorte))

    assert answer.status_code == 200
    assert unpack(answer.content).shown is None
    assert verify(unpack(answer.content), [HOUSE_KEY.verify_key]).leaf.kind == 2


async def test_what_a_package_tells_beside_its_entry(house: PagesHouse) -> None:
    """Known: the index row is whole, and holds the citizen's key in the map, by which two packages can be tied."""
    dorte = await house.officer()
    answer = await dorte.http.post("/v1/evidence", json={"log": MINE, "index": 0}, headers=await csrf(dorte))
    whole = json.loads(unpack(answer.content).index_bytes)
    listed = await house.databases.reader.search(["korsbaek"], EVERYTHING)
    assert whole.keys() - listed.entries[-1].index.keys() == {"map", "shown"}
    anna, _ = await house.databases.vault.citizens([Personal("0000000001"), Personal("0000000002")])
    keys = await house.databases.vault.held_keys([(anna, "korsbaek")])
    assert not any(key in answer.content or key.hex().encode() in answer.content for key in keys.values())
