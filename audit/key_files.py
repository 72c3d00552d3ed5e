"""Key files: private keys, one a line, newest first, for their owner alone; as text, or named in a PKCS#11 token.

Several lines are several keys that sign side by side, which is how a key is changed without a gap (docs/witness.md).
"""

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from audit.cosignature import ED25519 as COSIGNATURE
from audit.cosignature import ML_DSA_44, Cosigner, CosignerKey
from audit.durable_file import replace_file
from audit.errors import Malformed
from audit.note import ED25519, SigningKey, VerifyKey, kind_of
from audit.token_key import TokenCosigner, TokenSigner, from_line
from audit.token_module import module_at
from audit.token_uri import OTHERS, SCHEME

LogKey: TypeAlias = SigningKey | TokenSigner
WitnessKey: TypeAlias = Cosigner | TokenCosigner
PrivateKey: TypeAlias = LogKey | WitnessKey
PublicKey: TypeAlias = VerifyKey | CosignerKey


def new_keys(name: str, *, witness: bool = False, ml_dsa: bool = False) -> list[PrivateKey]:
    """Draw a log's key, or a witness's, with one of ML-DSA-44 beside it if wanted; raise Malformed for a bad name."""
    if not witness:
        return [SigningKey.generate(name)]
    return [Cosigner.generate(name, kind) for kind in ((COSIGNATURE, ML_DSA_44) if ml_dsa else (COSIGNATURE,))]


def public_of(key: PrivateKey) -> PublicKey:
    """Give a key's public half."""
    return key.verify_key if isinstance(key, LogKey) else key.key


def find_modules(keys: Sequence[PrivateKey]) -> None:
    """Load what keys in tokens are reached through; raise SignerUnavailable where it is not here at all."""
    for key in keys:
        if isinstance(key, TokenSigner | TokenCosigner):
            module_at(key.uri.module)


def write_new(path: Path, keys: Sequence[PrivateKey]) -> None:
    """Write a private key file; raise FileExistsError rather than replace one."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(_text(keys))
        file.flush()
        os.fsync(file.fileno())


def replace(path: Path, keys: Sequence[PrivateKey]) -> None:
    """Write a private key file anew, whole or not at all."""
    replace_file(path, _text(keys).encode())


def read_signing(path: Path) -> list[LogKey]:
    """Read a log's private keys; raise Malformed where one is not, or others may read the file."""
    keys = read_private(path)
    if not all(isinstance(key, LogKey) for key in keys):
        raise Malformed(f"{path}: these are not keys of a log")
    return [key for key in keys if isinstance(key, LogKey)]


def read_cosigners(path: Path) -> list[WitnessKey]:
    """Read a witness's private keys; raise Malformed where one is not, or others may read the file."""
    keys = read_private(path)
    if not all(isinstance(key, WitnessKey) for key in keys):
        raise Malformed(f"{path}: these are not keys of a witness")
    return [key for key in keys if isinstance(key, WitnessKey)]


def read_private(path: Path) -> list[PrivateKey]:
    """Read private keys; raise Malformed where there is none or others may read the file, or OSError."""
    with path.open(encoding="utf-8") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_mode & OTHERS:
            raise Malformed(f"{path}: a key file is a plain file that only its owner may read (mode 0600)")
        lines = _lines(file.read())
    try:
        keys = [_read_line(line) for line in lines]
    except Malformed as fault:
        raise Malformed(f"{path}: {fault}") from None
    if not keys:
        raise Malformed(f"{path}: the file holds no key")
    return keys


def read_public(path: Path) -> list[VerifyKey]:
    """Read a log's public keys, present and former, one a line; raise Malformed or OSError."""
    return [VerifyKey.from_text(line) for line in _lines(path.read_text(encoding="utf-8"))]


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _read_line(line: str) -> PrivateKey:
    if SCHEME in line:
        return from_line(line)
    return SigningKey.from_text(line) if kind_of(line) == ED25519 else Cosigner.from_text(line)


def _text(keys: Sequence[PrivateKey]) -> str:
    lines = (str(key) if isinstance(key, TokenSigner | TokenCosigner) else key.secret_text() for key in keys)
    return "".join(f"{line}\n" for line in lines)
