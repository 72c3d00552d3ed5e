"""What is wrong with a log: each fault says where, and the first of a kind stand for all that are like them.

A log may be bent in every entry. Whoever checks it must come to the end all the same, so of each kind a fixed number is
kept and the others are counted.
"""

from dataclasses import dataclass, field

# Who reads a thousand faults of one kind has read enough; what counts is that there are more, and how many.
MOST_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where, which entry if it is one, and what."""

    where: str
    what: str
    index: int | None = None

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.where}: {self.what}"


@dataclass(slots=True)
class Faults:
    """The first faults of one kind, and how many there were."""

    kept: list[Fault] = field(default_factory=list)
    count: int = 0

    def add(self, fault: Fault) -> None:
        """Count a fault; keep it if it is one of the first."""
        self.count += 1
        if len(self.kept) < MOST_KEPT:
            self.kept.append(fault)

    @property
    def unnamed(self) -> int:
        """Count those that were not kept."""
        return self.count - len(self.kept)
