"""Keys that sign for the logs, made and used through `audit`: their heads, and what of them was lawfully deleted."""

from __future__ import annotations

from collections.abc import Collection

from audit.deletion import MAX_SPANS, Deletion, open_deletion, spans_of
from audit.errors import LogError
from audit.note import SigningKey


def new_log_key(name: str) -> tuple[str, str]:
    """Draw a new signing key; give its private and its public text (C2SP signed-note)."""
    key = SigningKey.generate(name)
    return key.secret_text(), str(key.verify_key)


def fitting(places: Collection[int]) -> list[int]:
    """Give the first of these places, in order: as many as one statement of deletion can name."""
    spans = spans_of(places)
    last = spans[:MAX_SPANS][-1][1] if spans else -1
    return [place for place in sorted(places) if place <= last]


def signed_deletion(private: str, log: str, places: Collection[int]) -> str:
    """Sign that these places of a log lose their content; raise `ValueError` for a key that is none."""
    return Deletion.of(log, places).signed_by(SigningKey.from_text(private))


def is_signed_deletion(private: str, log: str, statement: str) -> bool:
    """Tell whether a statement of deletion is signed with this key; raise `ValueError` for a key that is none."""
    try:
        open_deletion(statement, log, [SigningKey.from_text(private).verify_key])
    except LogError:
        return False
    return True
