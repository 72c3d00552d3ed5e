"""OPA as it is deployed: it takes no bundle but ours, answers nobody but the broker, and nothing but the decision.

The server is real and reads `deploy/opa/config.yaml`.
"""

import gzip
import io
import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from joserfc.jwk import ECKey

from broker.adapters.policy_opa import OpaPolicy
from broker.policy_bundle import (
    MOST_BYTES,
    SIGNATURES,
    BundleRefused,
    read_signed_bundle,
    signatures,
    write_bundle,
)
from broker.policy_tables import revision
from demo.world.children import WorldBroken
from demo.world.opa import KEY_ID, OpaServer
from tests.contracts.test_policy import ASKED
from tests.model.engines import RULES, TABLES

DECISION = "/v1/data/broker/share/decision"
SOON = 5.0


@pytest.fixture
def server(tmp_path: Path, opa_program: Path) -> Iterator[OpaServer]:
    """Give a server that is not started yet, its bundle published."""
    with OpaServer(tmp_path, opa_program) as made:
        made.publish(RULES, TABLES)
        yield made


def unpacked(bundle: Path) -> dict[str, bytes]:
    """Read every file of a bundle."""
    with tarfile.open(bundle) as tar:
        return {name: tar.extractfile(name).read() for name in tar.getnames()}  # type: ignore[union-attr]  # All are files.


def packed(bundle: Path, files: dict[str, bytes]) -> None:
    """Write files as the bundle."""
    told = io.BytesIO()
    with gzip.GzipFile(fileobj=told, mode="wb") as squeezed, tarfile.open(fileobj=squeezed, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    bundle.write_bytes(told.getvalue())


async def test_the_signed_bundle_answers(server: OpaServer) -> None:
    """With the bundle that was signed, the server gives the decision under the revision the node knows."""
    server.start()
    policy = await OpaPolicy.open(server.address, RULES, TABLES, token=server.token, deadline_seconds=10)
    try:
        decision = await policy.decide(ASKED)
    finally:
        await policy.close()

    assert decision.verdicts
    assert decision.mark.engine == "opa server"


def test_equal_rules_give_equal_files(server: OpaServer) -> None:
    """Publishing again changes no byte but the signature's."""
    first = unpacked(server.bundle)
    server.publish(RULES, TABLES)
    second = unpacked(server.bundle)

    assert {name for name in first if first[name] != second[name]} <= {f"/{SIGNATURES}", SIGNATURES}


def _unsigned(files: dict[str, bytes], _folder: Path) -> None:
    del files[f"/{SIGNATURES}"]


def _no_signature_in_it(files: dict[str, bytes], _folder: Path) -> None:
    files[f"/{SIGNATURES}"] = b'{"signatures": []}'


def _other_rule(files: dict[str, bytes], _folder: Path) -> None:
    files["/decision.rego"] += b"\n# one more line"


def _other_table(files: dict[str, bytes], _folder: Path) -> None:
    tables = json.loads(files["/tables/data.json"])
    tables["statutes"]["OWN_CASE"]["from"] = 0
    files["/tables/data.json"] = json.dumps(tables).encode()


def _one_file_more(files: dict[str, bytes], _folder: Path) -> None:
    files["/more.rego"] = b"package system.authz\n\ndefault allow := true\n"


def _one_file_less(files: dict[str, bytes], _folder: Path) -> None:
    del files["/person.rego"]


def _another_key(files: dict[str, bytes], folder: Path) -> None:
    place = folder / "forged"
    place.mkdir()
    write_bundle(place, RULES, TABLES)
    files[f"/{SIGNATURES}"] = signatures(place, ECKey.generate_key("P-256"), KEY_ID).encode()


def _no_algorithm(files: dict[str, bytes], _folder: Path) -> None:
    (signed,) = json.loads(files[f"/{SIGNATURES}"])["signatures"]
    body = signed.split(".")[1]
    files[f"/{SIGNATURES}"] = json.dumps({"signatures": [f"eyJhbGciOiJub25lIn0.{body}."]}).encode()


@pytest.mark.parametrize(
    "tamper",
    [
        _unsigned,
        _no_signature_in_it,
        _other_rule,
        _other_table,
        _one_file_more,
        _one_file_less,
        _another_key,
        _no_algorithm,
    ],
)
def test_a_bundle_that_is_not_ours_is_not_taken(
    server: OpaServer, tmp_path: Path, tamper: Callable[[dict[str, bytes], Path], None]
) -> None:
    """Unsigned (GHSA-g2pf-6v5v-qcc8), changed, signed by another or by nobody: the server decides nothing.

    Nor does our own check of a bundle take it.
    """
    files = unpacked(server.bundle)
    tamper(files, tmp_path)
    packed(server.bundle, files)

    with pytest.raises(BundleRefused):
        read_signed_bundle(server.bundle, server.key, KEY_ID)
    with pytest.raises(WorldBroken):
        server.start(seconds=SOON)
    assert server.status(DECISION, token=server.token, body=b'{"input":{}}') != 200


def test_what_was_repacked_and_not_changed_is_taken(server: OpaServer) -> None:
    """The tampering above is what is refused, not the packing."""
    packed(server.bundle, unpacked(server.bundle))
    server.start()

    assert read_signed_bundle(server.bundle, server.key, KEY_ID) == revision(RULES, TABLES)


def _as_before(_files: dict[str, bytes], _folder: Path) -> None:
    """Change nothing."""


def _with_a_bomb(files: dict[str, bytes], _folder: Path) -> None:
    files["/zeros.rego"] = bytes(MOST_BYTES)


def _another_revision(files: dict[str, bytes], _folder: Path) -> None:
    files["/.manifest"] = json.dumps(json.loads(files["/.manifest"]) | {"revision": "sha256:" + "0" * 64}).encode()


@pytest.mark.parametrize(("tamper", "key_id"), [(_as_before, "another"), (_with_a_bomb, KEY_ID)])
def test_our_own_check_names_the_key_and_bounds_the_size(
    server: OpaServer, tmp_path: Path, tamper: Callable[[dict[str, bytes], Path], None], key_id: str
) -> None:
    """A bundle is checked against a key that is named, and one that unpacks without end is put away unread."""
    files = unpacked(server.bundle)
    tamper(files, tmp_path)
    packed(server.bundle, files)

    with pytest.raises(BundleRefused):
        read_signed_bundle(server.bundle, server.key, key_id)


def test_a_revision_is_what_it_names(server: OpaServer, tmp_path: Path) -> None:
    """A bundle that is signed but says it is another revision than it holds is refused: a node would believe it."""
    files = unpacked(server.bundle)
    _another_revision(files, tmp_path)
    place = tmp_path / "signed"
    for name, content in files.items():
        if SIGNATURES not in name:
            (place / name[1:]).parent.mkdir(parents=True, exist_ok=True)
            (place / name[1:]).write_bytes(content)
    files[f"/{SIGNATURES}"] = signatures(place, server.key, KEY_ID).encode()
    packed(server.bundle, files)

    with pytest.raises(BundleRefused, match="revision"):
        read_signed_bundle(server.bundle, server.key, KEY_ID)


@pytest.mark.parametrize("junk", [
    pytest.param(b"", id="nothing"),
    pytest.param(b"no bundle", id="no bundle"),
    # What is squeezed carries its second: as a name of the test it would differ from one process to the next.
    pytest.param(gzip.compress(b"no archive"), id="no archive"),
    pytest.param(gzip.compress(bytes(2048))[:-9], id="half an archive"),
])  # fmt: skip
def test_what_is_no_bundle_is_said_to_be_none(tmp_path: Path, junk: bytes) -> None:
    """Whatever the bytes are, the answer is a refusal."""
    file = tmp_path / "bundle.tar.gz"
    file.write_bytes(junk)

    with pytest.raises(BundleRefused):
        read_signed_bundle(file, ECKey.generate_key("P-256"), KEY_ID)


@pytest.mark.parametrize(
    ("method", "path", "token"),
    [
        ("POST", DECISION, ""), ("POST", DECISION, "guessed"), ("GET", DECISION, "ours"), ("GET", "/metrics", "ours"),
        ("PUT", "/v1/policies/x", "ours"), ("PUT", "/v1/data/tables", "ours"), ("PATCH", "/v1/data/tables", "ours"),
        ("POST", "/v1/query", "ours"), ("POST", "/v1/compile", "ours"), ("GET", "/v1/config", "ours"),
        ("POST", "/v1/data", "ours"), ("POST", "/", "ours"), ("POST", "/v1/data/tables", "ours"),
        ("GET", "/v1/policies", "ours"),
    ],
)  # fmt: skip
def test_the_server_says_nothing_else(server: OpaServer, method: str, path: str, token: str) -> None:
    """No token, another token, or another question than the decision: refused; the tables are told to nobody."""
    server.start()
    body = b'{"input":{}}' if method != "GET" else None
    told = server.status(path, token={"ours": server.token, "": None}.get(token, token), body=body, method=method)

    assert told in {401, 403}, told
