"""A way to addresses in memory: notes the codes it was given, and takes none while it is broken."""

from __future__ import annotations

from dataclasses import dataclass, field

from broker.domain.errors import NoticeNotSent
from broker.domain.personal import Personal


@dataclass
class FakeMail:
    """The door `CodeMail`. `took` are addresses and codes, the oldest first."""

    broken: bool = False
    took: list[tuple[str, str]] = field(default_factory=list)

    async def send_code(self, address: Personal[str], code: Personal[str]) -> None:
        """Take a code."""
        if self.broken:
            raise NoticeNotSent
        self.took.append((address.disclose(), code.disclose()))
