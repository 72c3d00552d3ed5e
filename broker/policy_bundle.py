"""The bundle an OPA server loads: rules, tables and a manifest that names their revision, signed.

A server of ours loads no bundle but one whose every file stands, by its SHA-256, in a JWT signed with our key (OPA's
`.signatures.json`). Whoever can write where the bundle lies can thereby change nothing of what is allowed.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from broker.policy_tables import Rules, refuse_bad_tables, revision
from broker.policy_vectors import FOLDER, read_vectors


def write_bundle(folder: Path, rules: Rules, tables: Mapping[str, Any]) -> str:
    """Lay out the bundle in an empty folder and give its revision; raise `PolicyFaults` for tables that are no use."""
    refuse_bad_tables(tables)
    name = revision(rules, tables)
    manifest = json.loads((rules.folder / ".manifest").read_text("utf-8")) | {"revision": name}
    (folder / "tables").mkdir()
    (folder / "tables" / "data.json").write_text(json.dumps(dict(tables)), "utf-8")
    (folder / ".manifest").write_text(json.dumps(manifest), "utf-8")
    if (rules.folder / FOLDER).is_dir():
        vectors = read_vectors(rules)
        cases = [json.loads(question) for question in vectors.questions]
        (folder / FOLDER).mkdir()
        golden = {"tables": dict(vectors.tables), "cases": cases, "decisions": vectors.decisions}
        (folder / FOLDER / "data.json").write_text(json.dumps(golden), "utf-8")
    for module, text in rules.modules.items():
        (folder / module).write_text(text, "utf-8")
    return name


ALGORITHM = "ES256"
SIGNATURES = ".signatures.json"
# OPA hashes what it parses by its content, everything else by its bytes (openpolicyagent.org, "Bundle signing").
PARSED = (".json", ".manifest")
# A country's registry makes a bundle of two megabytes.
MOST_BYTES = 64 * 1024 * 1024


class BundleRefused(ValueError):
    """A bundle is not one that this key signed. The message says what is wrong with it."""


def write_signed_bundle(file: Path, rules: Rules, tables: Mapping[str, Any], key: ECKey, key_id: str) -> str:
    """Write the bundle with its signature into one archive, whole or not at all, and give its revision.

    Equal rules and tables give equal bytes but for the signature. Raises `PolicyFaults`, and `OSError` where the file
    cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="broker-bundle-") as name:
        folder = Path(name)
        told = write_bundle(folder, rules, tables)
        (folder / SIGNATURES).write_text(signatures(folder, key, key_id), "utf-8")
        fresh = file.with_name(file.name + ".new")
        fresh.write_bytes(_packed(folder))
        # A server that looks at this very moment finds the old bundle or the new one.
        fresh.rename(file)
    return told


def signatures(folder: Path, key: ECKey, key_id: str) -> str:
    """Sign the name and hash of every file of a bundle, as OPA reads it."""
    files = [
        {"name": name, "hash": _digest(name, file.read_bytes()), "algorithm": "SHA-256"}
        for name, file in ((file.relative_to(folder).as_posix(), file) for file in _files(folder))
    ]
    header = {"alg": ALGORITHM, "kid": key_id}
    signed = jwt.encode(header, {"files": files, "keyid": key_id}, key, algorithms=[ALGORITHM])
    return json.dumps({"signatures": [signed]})


def read_signed_bundle(file: Path, key: ECKey, key_id: str) -> str:
    """Give the revision of a bundle that is ours, file by file; raise `BundleRefused` of any other, `OSError` unread.

    The signature must be by this key and name it, every file must be signed and every signed file there, and the
    manifest's revision must be that of the rules and tables beside it (GHSA-g2pf-6v5v-qcc8: the key is always named).
    """
    held = _unpacked(file)
    try:
        signed = json.loads(held.pop(SIGNATURES))["signatures"]
        token = jwt.decode(signed[0], key, algorithms=[ALGORITHM])
        listed = {row["name"]: row["hash"] for row in token.claims["files"]}
        named = token.header.get("kid") == key_id == token.claims.get("keyid") and len(signed) == 1
    except (JoseError, KeyError, IndexError, TypeError, ValueError):
        raise BundleRefused("it bears no signature of this key") from None
    if not named:
        raise BundleRefused("its signature names another key")
    try:
        if listed != {name: _digest(name, content) for name, content in held.items()}:
            raise BundleRefused("its files are not those that were signed")
        modules = {name: held[name].decode() for name in sorted(held) if name.endswith(".rego")}
        told: str = json.loads(held[".manifest"])["revision"]
        tables = json.loads(held["tables/data.json"])
    except (KeyError, TypeError, ValueError):
        raise BundleRefused("a file in it cannot be read") from None
    if told != revision(Rules(file.parent, modules), tables):
        raise BundleRefused("its revision is not that of its rules and tables")
    return told


def _files(folder: Path) -> Iterator[Path]:
    yield from sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SIGNATURES)


def _digest(name: str, content: bytes) -> str:
    if name.endswith(PARSED):
        parsed = json.loads(content)
        content = json.dumps(parsed, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return hashlib.sha256(content).hexdigest()


def _unpacked(file: Path) -> dict[str, bytes]:
    """Read an archive's plain files by name, of a bundle's size at most; nothing is written anywhere."""
    held: dict[str, bytes] = {}
    room = MOST_BYTES
    try:
        with tarfile.open(file, mode="r|gz") as packed:
            for entry in packed:
                room -= entry.size
                name = entry.name.removeprefix("/")
                content = packed.extractfile(entry) if entry.isreg() and room >= 0 else None
                if content is None or name in held:
                    raise BundleRefused("it is not a bundle")
                held[name] = content.read()
    except (tarfile.TarError, zlib.error, EOFError):
        raise BundleRefused("it is not a bundle") from None
    return held


def _packed(folder: Path) -> bytes:
    """Pack every file in order, without owner and time."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as squeezed, tarfile.open(fileobj=squeezed, mode="w") as tar:
        for file in (*_files(folder), folder / SIGNATURES):
            entry = tarfile.TarInfo("/" + file.relative_to(folder).as_posix())
            entry.size, entry.mode = file.stat().st_size, 0o444
            tar.addfile(entry, io.BytesIO(file.read_bytes()))
    return packed.getvalue()
