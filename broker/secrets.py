"""Secrets where the registry says they lie: a file for its owner alone, or an environment variable."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path

from broker.registry import Secret

OTHERS = 0o077


class SecretMissing(ValueError):
    """A secret is not where the registry says; names the place, never the secret."""


def resolve(secrets: Mapping[str, Secret], environ: Mapping[str, str]) -> dict[str, str]:
    """Read each secret; raise `SecretMissing` for one that is absent or readable by others."""
    return {name: read_secret(where, environ) for name, where in secrets.items()}


def read_secret(where: Secret, environ: Mapping[str, str]) -> str:
    """Read one secret."""
    if where.file is not None:
        return _from_file(where.file)
    value = environ.get(where.env or "")
    if not value:
        raise SecretMissing(f"environment variable {where.env} is not set")
    return value


def _from_file(path: Path) -> str:
    try:
        if path.stat().st_mode & OTHERS or not stat.S_ISREG(path.stat().st_mode):
            raise SecretMissing(f"{path.name} must be a plain file that only its owner may read (mode 0600)")
        return path.read_text("utf-8").strip()
    except OSError as error:
        raise SecretMissing(f"{path.name} cannot be read: {error.strerror}") from None
