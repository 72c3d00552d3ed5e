"""The key that signs the logs' heads, made and read through `audit`."""

from __future__ import annotations

from audit.note import SigningKey


def new_log_key(name: str) -> tuple[str, str]:
    """Draw a new signing key; give its private and its public text (C2SP signed-note)."""
    key = SigningKey.generate(name)
    return key.secret_text(), str(key.verify_key)
