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
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

from broker.policy_tables import Rules, refuse_bad_tables, revision


def write_bundle(folder: Path, rules: Rules, tables: Mapping[str, Any]) -> str:
    """Lay out the bundle in an empty folder and give its revision; raise `PolicyFaults` for tables that are no use."""
    refuse_bad_tables(tables)
    name = revision(rules, tables)
    manifest = json.loads((rules.folder / ".manifest").read_text("utf-8")) | {"revision": name}
    (folder / "tables").mkdir()
    (folder / "tables" / "data.json").write_text(json.dumps(dict(tables)), "utf-8")
    (folder / ".manifest").write_text(json.dumps(manifest), "utf-8")
    for module, text in rules.modules.items():
        (folder / module).write_text(text, "utf-8")
    return name


ALGORITHM = "ES256"
SIGNATURES = ".signatures.json"
# OPA hashes what it parses by its content, everything else by its bytes (openpolicyagent.org, "Bundle signing").
PARSED = (".json", ".manifest")


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
        {"name": file.relative_to(folder).as_posix(), "hash": _digest(file), "algorithm": "SHA-256"}
        for file in _files(folder)
    ]
    header = {"alg": ALGORITHM, "kid": key_id}
    signed = jwt.encode(header, {"files": files, "keyid": key_id}, key, algorithms=[ALGORITHM])
    return json.dumps({"signatures": [signed]})


def _files(folder: Path) -> Iterator[Path]:
    yield from sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SIGNATURES)


def _digest(file: Path) -> str:
    content = file.read_bytes()
    if file.name.endswith(PARSED):
        parsed = json.loads(content)
        content = json.dumps(parsed, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return hashlib.sha256(content).hexdigest()


def _packed(folder: Path) -> bytes:
    """Pack every file in order, without owner and time."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as squeezed, tarfile.open(fileobj=squeezed, mode="w") as tar:
        for file in (*_files(folder), folder / SIGNATURES):
            entry = tarfile.TarInfo("/" + file.relative_to(folder).as_posix())
            entry.size, entry.mode = file.stat().st_size, 0o444
            tar.addfile(entry, io.BytesIO(file.read_bytes()))
    return packed.getvalue()
