"""The folder of a node's key files: made once by `broker keys new`, read at each start, for their owner alone.

| file | what it is |
| --- | --- |
| `house.json` | the vault's keys (`keys_file.py`) |
| `tokens.jwks.json` | private keys that sign access tokens, newest first |
| `receipts.jwks.json` | the private key that signs receipts, then the public halves of those before it |
| `session.key` | 32 bytes that seal page sessions |
| `log.vkey` | the public keys that sign the logs' checkpoints, for anyone who verifies |
| `deletion.skey` | signs what of the logs is lawfully deleted; for the job that erases, no node reads it |
| `deletion.vkey` | its public half, for anyone who verifies; an older folder may lack both |

The private half of the logs' key, `log.skey`, lies in a folder of the checkpointer's own: no node can sign a head.
"""

from __future__ import annotations

import json
import os
import secrets
import stat
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from joserfc.jwk import OKPKey

from broker.adapters.keys_file import HouseKeys, KeyFileRefused, new_house_keys, read_house_keys, write_house_keys
from broker.adapters.log_key import new_log_key

KEY_BYTES = 32
RECEIPTS = "receipts.jwks.json"
LOG_KEY, LOG_PUBLIC = "log.skey", "log.vkey"
OTHERS = 0o077


@dataclass(frozen=True, slots=True)
class KeyFolder:
    """All keys of one house. None shows itself in a `repr`."""

    house: HouseKeys
    tokens: Sequence[Mapping[str, Any]] = field(repr=False)
    session: bytes = field(repr=False)
    receipts: Sequence[Mapping[str, Any]] = field(repr=False)
    log_public: Sequence[str]
    deletions_public: tuple[str, ...] = ()


def make_key_folder(folder: Path, log_name: str, checkpointer: Path | None = None) -> None:
    """Make a node's folder and the checkpointer's (beside it), and every key that is not there yet.

    Keys that are there stay as they are, also where only their public half is here; a `log.skey` from the time when
    nodes signed goes to the checkpointer.
    """
    signers = checkpointer or folder.with_name("checkpointer")
    for place in (folder, signers):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (folder / "house.json").exists():
        write_house_keys(folder / "house.json", new_house_keys())
    if not (folder / "tokens.jwks.json").exists():
        _write(folder / "tokens.jwks.json", json.dumps({"keys": [_new_signer()]}))
    if not (folder / RECEIPTS).exists():
        _write(folder / RECEIPTS, json.dumps({"keys": [_new_signer()]}))
    if not (folder / "session.key").exists():
        _write(folder / "session.key", b64encode(secrets.token_bytes(KEY_BYTES)).decode())
    _make_log_key(folder, signers, log_name)
    # The public half tells that there is one: the private half is then with the job that erases, or where it stood.
    if not any((folder / name).exists() for name in ("deletion.skey", "deletion.vkey")):
        private, public = new_log_key(f"{log_name}/deletions")
        _write(folder / "deletion.skey", private)
        _write(folder / "deletion.vkey", public)


def rotate_receipt_key(folder: Path) -> str:
    """Draw a new key for receipts and give its id; of the one before, only the public half stays, for who verifies.

    Raises `KeyFileRefused`. A crash leaves the file as it was or as it shall be.
    """
    made = _new_signer()
    before = [{name: value for name, value in key.items() if name != "d"} for key in _key_set(folder / RECEIPTS)]
    beside = folder / f"{RECEIPTS}.new"
    beside.unlink(missing_ok=True)
    _write(beside, json.dumps({"keys": [made, *before]}))
    beside.replace(folder / RECEIPTS)
    return str(made["kid"])


def _new_signer() -> dict[str, Any]:
    key = OKPKey.generate_key("Ed25519", {"kid": secrets.token_hex(8), "alg": "Ed25519", "use": "sig"})
    return dict(key.as_dict(private=True))


def _make_log_key(folder: Path, signers: Path, log_name: str) -> None:
    """Draw the logs' key where neither half of one is there; bring one from before to the checkpointer, both halves."""
    if (folder / LOG_KEY).exists() and not (signers / LOG_KEY).exists():
        (folder / LOG_KEY).rename(signers / LOG_KEY)
    if not (signers / LOG_KEY).exists():
        if (folder / LOG_PUBLIC).exists():
            # The checkpointer has it elsewhere. A second key would sign what nobody takes.
            return
        private, public = new_log_key(log_name)
        _write(signers / LOG_KEY, private)
        for place in (signers, folder):
            _write(place / LOG_PUBLIC, public)
    if not (signers / LOG_PUBLIC).exists():
        _write(signers / LOG_PUBLIC, _read(folder / LOG_PUBLIC))


def read_key_folder(folder: Path) -> KeyFolder:
    """Read all keys; raise `KeyFileRefused` when one is missing, open to others, not whole, or not a node's to have."""
    if (folder / LOG_KEY).exists():
        raise KeyFileRefused(f"{LOG_KEY} is the checkpointer's alone: take it out of the nodes' folder")
    house = read_house_keys(folder / "house.json")
    try:
        session = b64decode(_read(folder / "session.key"), validate=True)
    except ValueError:
        raise KeyFileRefused("a key file is not what `broker keys new` writes") from None
    if len(session) != KEY_BYTES:
        raise KeyFileRefused("session.key does not hold 32 bytes")
    public = [line.strip() for line in _read(folder / LOG_PUBLIC).splitlines() if line.strip()]
    deletions = folder / "deletion.vkey"
    tokens, receipts = _key_set(folder / "tokens.jwks.json"), _key_set(folder / RECEIPTS)
    signed = tuple(_read(deletions).splitlines()) if deletions.exists() else ()
    return KeyFolder(house, tokens, session, receipts, public, signed)


def _key_set(file: Path) -> list[dict[str, Any]]:
    try:
        return list(json.loads(_read(file))["keys"])
    except (ValueError, KeyError, TypeError):
        raise KeyFileRefused("a key file is not what `broker keys new` writes") from None


def read_deletion_key(file: Path) -> str:
    """Read the key that signs what is deleted; raise `KeyFileRefused`."""
    return _read(file)


def _write(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_mode & OTHERS:
                raise KeyFileRefused(f"{path.name} must be a plain file that only its owner may read (mode 0600)")
            return file.read().strip()
    except OSError as error:
        raise KeyFileRefused(f"{path.name} cannot be read: {error.strerror}") from None
