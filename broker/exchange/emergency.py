"""What an ask in an emergency needs beside the road of every ask: the request it rests on, and paper where no log is.

The request is read from the broker's own database by the id that the ask names; whose it is, and whether it still
holds, the rules judge (`policies/emergency.rego`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from broker.domain.errors import LogUnavailable, NotFound, StoreUnavailable
from broker.domain.facts import Facts
from broker.domain.receipts import Recorded
from broker.ports import Emergencies


async def with_request(facts: Facts, recorded: Recorded, emergencies: Emergencies) -> Facts:
    """Add the request the ask names, as it stands now; an ask that names none stays as it is.

    Read after the consents and their versions: an answer that comes later gives the citizen another version, and the
    release sees it (P3). Raises `StoreUnavailable`.
    """
    if recorded.ask.emergency is None:
        return facts
    try:
        found = await emergencies.by_id(recorded.ask.emergency, recorded.caller.municipality)
    except NotFound:
        return replace(facts, break_glass=None)
    return replace(facts, break_glass=found)


@contextmanager
def on_paper_without_log(*, emergency: bool) -> Iterator[None]:
    """Let what could not be written down in an emergency say that the paper procedure is to be followed (P2)."""
    try:
        yield
    except (LogUnavailable, StoreUnavailable):
        if not emergency:
            raise
        raise LogUnavailable(paper=True) from None
