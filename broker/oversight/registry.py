"""A registry goes into use: that it did is on the log of every municipality first, with its hash."""

from __future__ import annotations

from broker.domain.entries import INTACT, LogFilter
from broker.domain.events import RegistryLoaded
from broker.ports import LogReader, Ports


async def record_registry(node: str, ports: Ports, reader: LogReader) -> tuple[str, ...]:
    """Write the registry's revision on each log that does not name it last, all in one transaction; give those.

    A restart with the same registry writes nothing. What a log names last is read from the entry's own body: one that
    was changed behind our back, or cannot be opened, counts as none, so that the revision is written anew. Raises
    `LogUnavailable` or `StoreUnavailable`: then nothing may be served.
    """
    revision = ports.directory.revision
    last = {home: await _last(home, reader) for home in sorted(ports.directory.municipalities)}
    changed = tuple(home for home, told in last.items() if told != revision)
    if changed:
        actor = await ports.handles.node(node)
        at = ports.clock.now()
        await ports.log.append(
            [
                RegistryLoaded(
                    municipality=home,
                    subject=actor,
                    actor=actor,
                    at=at,
                    node=node,
                    revision=revision,
                    previous=last[home],
                    rules=ports.policy.mark.revision,
                )
                for home in changed
            ]
        )
    return changed


async def _last(municipality: str, reader: LogReader) -> str | None:
    """Give the revision that a municipality's log names last."""
    page = await reader.search([municipality], LogFilter(kind=RegistryLoaded.name), limit=1)
    for found in page.entries:
        entry = await reader.entry(found.receipt, municipalities=[municipality])
        if entry.state == INTACT and entry.body is not None:
            return str(entry.body["revision"])
    return None
