"""OData v4 sources, asked by `POST …/$query` so that no number enters a URL (OData 4.01 URL Conventions 4.17)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from broker.domain.errors import SourceFailed
from connectors.guard import Connector, Dropped, Errand, Limits
from connectors.mapping import Read, check_settings
from connectors.wire import Wire

_NEXT = "@odata.nextLink"


class OData(Connector):
    """An OData v4 service. Settings: `odata` in `mapping.schema.json`; secrets as its `auth` needs them."""

    kind = "odata"

    def __init__(
        self,
        name: str,
        settings: Mapping[str, Any],
        reads: Mapping[str, Any],
        secrets: Mapping[str, str],
        limits: Limits,
        *,
        now: Callable[[], datetime],
        report: Callable[[Dropped], None] | None = None,
    ) -> None:
        super().__init__(name, reads, limits, now=now, report=report)
        check_settings(self.kind, settings, "settings")
        queries = frozenset(_query_path(read) for read in self._reads)
        self._wire = Wire(name, settings, secrets, queries)

    async def open(self) -> None:
        """Open the session; nothing is sent yet."""
        await self._wire.open()

    async def close(self) -> None:
        """Close the session."""
        await self._wire.close()

    async def _read(self, errand: Errand, own_id: str, read: Read) -> list[Any]:
        # The number is ten digits here (the guard saw to it); quoted as a literal all the same.
        literal = "'" + own_id.replace("'", "''") + "'"
        options = {"$filter": read.ask["filter"].replace("{cpr}", literal), "$select": ",".join(read.ask["select"])}
        body = "&".join(f"{name}={quote(value, safe='$,')}" for name, value in options.items()).encode()
        answer = await self._wire.query(errand, _query_path(read), body, "text/plain", {"OData-MaxVersion": "4.01"})
        records: list[Any] = []
        while answer is not None:
            if not isinstance(answer, dict) or not isinstance(answer.get("value"), list):
                raise SourceFailed(self.name, "unreadable")
            records += answer["value"]
            link = answer.get(_NEXT)
            if link is None:
                break
            if not isinstance(link, str):
                raise SourceFailed(self.name, "unreadable")
            answer = await self._wire.follow(errand, link)
        return records


def _query_path(read: Read) -> str:
    return f"/{read.ask['set']}/$query"
