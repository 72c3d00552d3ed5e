"""Policies of witnesses (C2SP tlog-policy): which logs, which witnesses, and how many of them make a quorum.

Rules kept here:
- A policy says exactly one quorum; what it names stands on a line before. Anything else is refused with its line.
- A name is a member of one group at most, and no key stands twice, so that no witness counts twice.
- A log's key stands for the origin it is named by and, because a house has one log for each municipality and year,
  for every origin below that name.
- Without a quorum of cosignatures that hold, and are neither too old nor of the future, a checkpoint is not believed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from audit import cosignature, note
from audit.checkpoint import Checkpoint, open_checkpoint
from audit.cosignature import CosignerKey
from audit.errors import Malformed, NotVerified, PolicyRefused
from audit.note import VerifyKey

NONE = "none"
MAX_BYTES = 1_000_000
# A witness's clock may be this much ahead of ours.
SECONDS_AHEAD = 60


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness as a policy names it; `url` is where checkpoints are submitted to."""

    name: str
    key: CosignerKey
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Log:
    """A log's key as a policy names it."""

    key: VerifyKey
    url: str | None = None

    def stands_for(self, origin: str) -> bool:
        """Tell whether this key may sign for an origin."""
        return origin == self.key.name or origin.startswith(self.key.name + "/")


@dataclass(frozen=True, slots=True)
class Group:
    """Names of witnesses and groups, and how many of them must have seen a checkpoint."""

    least: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """Logs, witnesses, groups and the quorum, as a file says them."""

    logs: tuple[Log, ...]
    witnesses: Mapping[str, Witness]
    groups: Mapping[str, Group]
    quorum: str

    def to_text(self) -> str:
        """Write the policy in its shortest form: no comments, no addresses."""
        logs = [f"log {log.key}" for log in self.logs]
        witnesses = [f"witness {witness.name} {witness.key}" for witness in self.witnesses.values()]
        groups = [f"group {name} {group.least} {' '.join(group.members)}" for name, group in self.groups.items()]
        return "".join(f"{line}\n" for line in (*logs, *witnesses, *groups, f"quorum {self.quorum}"))

    def of_witnesses(self) -> tuple[Mapping[str, CosignerKey], Mapping[str, Group], str]:
        """Give what it says of witnesses: their keys, the groups, the quorum."""
        return {name: witness.key for name, witness in self.witnesses.items()}, self.groups, self.quorum

    def has_quorum(self, names: Iterable[str]) -> bool:
        """Tell whether these witnesses are enough."""
        seen = set(names)
        if self.quorum == NONE:
            return True
        for name, group in self.groups.items():  # Each names only what stands before it.
            if sum(member in seen for member in group.members) >= group.least:
                seen.add(name)
            else:
                seen.discard(name)
        return self.quorum in seen

    def cosigned(self, signed: str, *, now: int | None = None, oldest: int | None = None) -> dict[str, int]:
        """Give the witnesses whose cosignature below a checkpoint holds, each with its time (POSIX seconds).

        With `now` those from the future do not count, and with `oldest`, seconds, those made longer ago. A bad
        cosignature counts for nothing and takes nobody else's with it: whoever keeps a note could add one.
        """
        read = note.read(signed)
        found: dict[str, int] = {}
        for witness in self.witnesses.values():
            for line in read.signatures:
                if (line.name, line.key_id) != (witness.key.name, witness.key.key_id):
                    continue
                at = cosignature.time_of(line.signature)
                if _in_time(at, now, oldest) and witness.key.verifies(read.text.encode(), line.signature):
                    found[witness.name] = max(at, found.get(witness.name, 0))
        return found

    def open(self, signed: str, origin: str, *, now: int | None = None, oldest: int | None = None) -> Checkpoint:
        """Read a checkpoint of an origin that one of the policy's logs signed and a quorum cosigned.

        Raises Malformed, or NotVerified where a signature is missing or bad, or the quorum is short.
        """
        keys = [log.key for log in self.logs if log.stands_for(origin)]
        checkpoint = open_checkpoint(signed, origin, keys)
        if not self.has_quorum(self.cosigned(signed, now=now, oldest=oldest)):
            raise NotVerified("the checkpoint has no quorum of witnesses")
        return checkpoint


NO_WITNESSES = Policy((), {}, {}, NONE)


def read_policy(path: Path) -> Policy:
    """Read a policy file; raise PolicyRefused with what is wrong, or OSError."""
    try:
        return parse(path.read_bytes())
    except PolicyRefused as refused:
        raise PolicyRefused(f"{path}: {refused}") from None


def parse(content: bytes) -> Policy:
    """Read a policy from its bytes; raise PolicyRefused with the line that is wrong."""
    if len(content) > MAX_BYTES or any((byte < 0x20 and byte not in b"\t\n") or byte == 0x7F for byte in content):
        raise PolicyRefused("a policy is text without control characters, of at most a million bytes")
    reading = _Reading()
    for number, line in enumerate(content.decode("utf-8", "surrogateescape").split("\n"), start=1):
        words = [word for word in line.replace("\t", " ").split(" ") if word]
        if not words or words[0].startswith("#"):
            continue
        try:
            reading.line(words)
        except (Malformed, PolicyRefused) as fault:
            raise PolicyRefused(f"line {number}: {fault}") from None
    return reading.policy()


class _Reading:
    """Takes a policy's lines, one after the other."""

    def __init__(self) -> None:
        self._logs: list[Log] = []
        self._witnesses: dict[str, Witness] = {}
        self._groups: dict[str, Group] = {}
        self._quorum: str | None = None
        self._members: set[str] = set()
        self._keys: set[bytes] = set()

    def line(self, words: Sequence[str]) -> None:
        """Take one line's words."""
        kind, *rest = words
        if kind == "log" and len(rest) in (1, 2):
            key = VerifyKey.from_text(rest[0])
            self._once(b"log" + key.public)
            self._logs.append(Log(key, *rest[1:]))
        elif kind == "witness" and len(rest) in (2, 3):
            self._witness(*rest)
        elif kind == "group" and len(rest) > 2:
            self._group(rest[0], rest[1], rest[2:])
        elif kind == "quorum" and len(rest) == 1:
            self._set_quorum(rest[0])
        else:
            raise PolicyRefused("not a line of log, witness, group or quorum")

    def policy(self) -> Policy:
        """Give the whole."""
        if self._quorum is None:
            raise PolicyRefused("the policy says no quorum")
        return Policy(tuple(self._logs), self._witnesses, self._groups, self._quorum)

    def _witness(self, name: str, vkey: str, url: str | None = None) -> None:
        self._new(name)
        key = CosignerKey.from_text(vkey)
        self._once(b"witness" + key.public)
        self._witnesses[name] = Witness(name, key, url)

    def _group(self, name: str, least: str, members: Sequence[str]) -> None:
        self._new(name)
        for member in members:
            self._defined(member)
            if member in self._members:
                raise PolicyRefused("a name is a member of one group, once")
            self._members.add(member)
        self._groups[name] = Group(_least(least, len(members)), tuple(members))

    def _set_quorum(self, name: str) -> None:
        if self._quorum is not None:
            raise PolicyRefused("a policy says one quorum")
        if name != NONE:
            self._defined(name)
        self._quorum = name

    def _new(self, name: str) -> None:
        if name == NONE or name in self._witnesses or name in self._groups:
            raise PolicyRefused("the name is taken")

    def _defined(self, name: str) -> None:
        if name not in self._witnesses and name not in self._groups:
            raise PolicyRefused("a name that no line before defines")

    def _once(self, key: bytes) -> None:
        if key in self._keys:
            raise PolicyRefused("the key stands there already")
        self._keys.add(key)


def _least(written: str, members: int) -> int:
    if written in ("any", "all"):
        return 1 if written == "any" else members
    if not (written.isascii() and written.isdigit()) or len(written) > 6 or not 1 <= int(written) <= members:
        raise PolicyRefused("a group needs any, all, or a number from 1 to its members")
    return int(written)


def _in_time(at: int, now: int | None, oldest: int | None) -> bool:
    if now is None:
        return True
    return at <= now + SECONDS_AHEAD and (oldest is None or at >= now - oldest)
