"""Sources with a JSON interface of their own, with or without a first call that finds their own id of the person."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

import orjson

from broker.domain.errors import SourceFailed
from connectors.guard import Connector, Dropped, Errand, Limits
from connectors.mapping import Read, SettingsUnusable, check_settings, expression
from connectors.wire import JSON_TYPE, Wire

# What a source may call a person for us to put it into a path: no slashes, no dots first.
_OWN_ID = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,127}")
_LONGEST_PAGE_TOKEN = 512


class RestJson(Connector):
    """A REST system. Settings: `rest_json` in `mapping.schema.json`; secrets as its `auth` needs them."""

    kind = "rest_json"

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
        self._finder = settings.get("find")
        self._own_id = expression(self._finder["id"], "settings.find.id") if self._finder else None
        posts = {read.ask["path"] for read in self._reads if read.ask["method"] == "POST"}
        if any("{id}" in path for path in posts):
            raise SettingsUnusable("reads: `{id}` may stand in a path of GET only; a POST has it in its body")
        if self._finder is None and any("{id}" in read.ask["path"] for read in self._reads):
            raise SettingsUnusable("settings.find: is missing, and a path has `{id}`")
        finds = {self._finder["path"]} if self._finder else set()
        self._wire = Wire(name, settings, secrets, frozenset(posts | finds))

    async def open(self) -> None:
        """Open the session; nothing is sent yet."""
        await self._wire.open()

    async def close(self) -> None:
        """Close the session."""
        await self._wire.close()

    async def _find(self, errand: Errand) -> str | None:
        if self._finder is None or self._own_id is None:
            return errand.cpr
        answer = await self._post(errand, errand.cpr, self._finder)
        own_id = self._own_id(answer)
        if own_id is None:
            return None
        if not isinstance(own_id, str | int) or _OWN_ID.fullmatch(str(own_id)) is None:
            raise SourceFailed(self.name, "unreadable")
        return str(own_id)

    async def _read(self, errand: Errand, own_id: str, read: Read) -> list[Any]:
        pages = read.ask.get("pages")
        next_in = expression(pages["next"], f"reads.{read.category}.ask.pages.next") if pages else None
        answer = await self._first(errand, own_id, read.ask, {})
        records: list[Any] = []
        while answer is not None:
            records += self._records(read, answer)
            following = next_in(answer) if next_in else None
            if following is None:
                break
            answer = await self._next(errand, own_id, read.ask, following)
        return records

    def _records(self, read: Read, answer: Any) -> list[Any]:
        found = read.records.of(answer) if read.records else None
        if found is None:
            return []
        if not isinstance(found, list):
            raise SourceFailed(self.name, "unreadable")
        return found

    async def _first(self, errand: Errand, own_id: str, ask: Mapping[str, Any], more: Mapping[str, str]) -> Any:
        if ask["method"] == "POST":
            return await self._post(errand, own_id, ask, more)
        path = ask["path"].replace("{id}", quote(own_id, safe=""))
        query = {name: str(value) for name, value in ask.get("query", {}).items()} | {**more}
        return await self._wire.get(errand, path, query, errand.fill(ask.get("headers", {}), own_id))

    async def _next(self, errand: Errand, own_id: str, ask: Mapping[str, Any], following: Any) -> Any:
        """Ask for the next page: a number or token in the parameter that the mapping names, or a link."""
        if not isinstance(following, str | int) or len(str(following)) > _LONGEST_PAGE_TOKEN:
            raise SourceFailed(self.name, "unreadable")
        parameter = ask["pages"].get("parameter")
        if parameter is None:
            return await self._wire.follow(errand, str(following))
        return await self._first(errand, own_id, ask, {parameter: str(following)})

    async def _post(
        self, errand: Errand, own_id: str, ask: Mapping[str, Any], more: Mapping[str, str] | None = None
    ) -> Any:
        body = {**errand.fill(ask["body"], own_id), **(more or {})}
        headers = errand.fill(ask.get("headers", {}), own_id)
        return await self._wire.query(errand, ask["path"], orjson.dumps(body), JSON_TYPE, headers)
