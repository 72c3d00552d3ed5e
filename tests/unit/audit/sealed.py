"""Entries for the log's tests: say only what the test is about."""

from itertools import chain
from typing import Any

from audit import postgres
from audit.commitment import Party, SealedEntry, seal
from audit.contention import Line
from audit.postgres import NewEntry

ORIGIN = "log.example/101-2026"
OTHER = "log.example/147-2026"
CITIZEN = Party(b"citizen-handle-1", b"c" * 32)
ACTOR = Party(b"actor-handle-001", b"a" * 32)


def laid() -> list[str]:
    """List the statements that lay the log with its parts, for a superuser; deferral needs the house's own columns."""
    parts = [postgres.schema_statements(script=f"{part}.sql") for part in ("schema", "map", "nodes", "reader")]
    return [*chain.from_iterable(parts), *postgres.deletion_statements()]


def an_entry(
    number: int = 0, *, subject: Party = CITIZEN, body: bytes = b"body", index: dict[str, Any] | None = None
) -> SealedEntry:
    """Seal an entry whose id is made from a number."""
    return seal(
        eid=number.to_bytes(16, "big"),
        kind=1,
        subject=subject,
        actor=ACTOR,
        body=body,
        index=index or {"kind": "ask", "n": number},
    )


def new(number: int, origin: str = ORIGIN) -> NewEntry:
    """Make an entry for a log."""
    return NewEntry(origin, an_entry(number))


class Crowded(Line):
    """A line in which somebody always stands."""

    @property
    def crowded(self) -> bool:
        """Say yes."""
        return True


def mapped(number: int, subject: Party = CITIZEN, origin: str = ORIGIN, shown: bytes = b"shown") -> NewEntry:
    """Make an entry that stands in its log's map under its subject's key."""
    index = subject.placed({"kind": "ask", "n": number}, origin, number.to_bytes(16, "big"), shown)
    return NewEntry(origin, an_entry(number, subject=subject, index=index))
