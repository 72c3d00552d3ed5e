"""A node that does not look again before it releases: what the judge must find. `python -m tests.swarm.careless serve`.

It is the broker, but for one thing: no outcome is held against the versions of the consents it rests on.
"""

from __future__ import annotations

import runpy
from collections.abc import Sequence
from typing import Any

from broker.adapters.audit_log import AuditLogPostgres
from broker.domain.events import AuditEvent
from broker.domain.receipts import Receipt

_append = AuditLogPostgres.append


async def _append_whatever_changed(
    self: AuditLogPostgres, events: Sequence[AuditEvent], *, versions: Sequence[tuple[str, int]] = (), **rest: Any
) -> tuple[Receipt, ...]:
    return await _append(self, events, **rest)


if __name__ == "__main__":
    setattr(AuditLogPostgres, "append", _append_whatever_changed)  # noqa: B010 -- mypy refuses the plain form
    runpy.run_module("broker", run_name="__main__", alter_sys=True)
