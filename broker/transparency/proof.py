"""Is anything missing? The citizen's own list with the proof that it is whole, for themself alone.

Rules kept here:
- Only who is logged in as themself gets the proof. Nobody else's list carries one, a guardian's or a parent's neither:
  what they are shown may lawfully be less (`design.md` 1, P8).
"""

from __future__ import annotations

from datetime import datetime

from broker.domain.identity import CitizenLogin
from broker.ports import LogReader, Ports


async def my_bundle(login: CitizenLogin, ports: Ports, reader: LogReader, *, made_at: datetime) -> str:
    """Give my bundle (`log-bundle@v1`), judged by the machine's time. Raises `StoreUnavailable`."""
    (me,) = await ports.handles.citizens([login.cpr])
    return await reader.bundle(me, made_at=made_at)
