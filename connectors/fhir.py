"""FHIR R4 sources, asked by `POST …/_search` so that no number enters a URL (FHIR R4 3.1.0.3).

A patient is found by identifier first; every further search names the server's own id of them, so that the server's
next links hold no number either, and each resource can be held against the patient it refers to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from broker.domain.errors import SourceFailed
from connectors.guard import Connector, Dropped, Errand, Limits
from connectors.mapping import Read, check_settings
from connectors.wire import FORM_TYPE, Wire

_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
CPR_SYSTEM = "urn:oid:1.2.208.176.1.2"  # HL7 Denmark core: the CPR number.


class Fhir(Connector):
    """A FHIR R4 server. Settings: `fhir` in `mapping.schema.json`; secrets as its `auth` needs them."""

    kind = "fhir"

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
        self._identifier = f"{settings.get('identifier_system', CPR_SYSTEM)}|{settings.get('identifier', '{cpr}')}"
        types = {read.ask["type"] for read in self._reads} | {"Patient"}
        settings = {**settings, "headers": {"Accept": "application/fhir+json", **settings.get("headers", {})}}
        self._wire = Wire(name, settings, secrets, frozenset(f"/{one}/_search" for one in types))

    async def open(self) -> None:
        """Open the session; nothing is sent yet."""
        await self._wire.open()

    async def close(self) -> None:
        """Close the session."""
        await self._wire.close()

    async def _find(self, errand: Errand) -> str | None:
        answer = await self._search(errand, "Patient", {"identifier": errand.fill(self._identifier)})
        patients = _resources(answer, "Patient", self.name)
        if not patients:
            return None
        own_id = patients[0].get("id") if len(patients) == 1 else None
        if not isinstance(own_id, str) or _ID.fullmatch(own_id) is None:
            # Two patients with one number: whose records are they? An id with a comma would name two as well.
            raise SourceFailed(self.name, "unreadable")
        return f"Patient/{own_id}"

    async def _read(self, errand: Errand, own_id: str, read: Read) -> list[Any]:
        ask = read.ask
        form = {name: str(value) for name, value in ask.get("parameters", {}).items()}
        answer = await self._search(errand, ask["type"], form | {ask.get("patient", "patient"): own_id})
        records: list[Any] = []
        while answer is not None:
            records += _resources(answer, ask["type"], self.name)
            link = _next_link(answer)
            answer = None if link is None else await self._wire.follow(errand, link)
        return records

    async def _search(self, errand: Errand, resource_type: str, form: Mapping[str, str]) -> Any:
        path = f"/{resource_type}/_search"
        answer = await self._wire.query(errand, path, urlencode(form).encode(), FORM_TYPE, {})
        if answer is None:
            # A search that finds nothing is an empty Bundle; 404 is a wrong address.
            raise SourceFailed(self.name, "refused")
        return answer


def _resources(bundle: Any, resource_type: str, source: str) -> list[dict[str, Any]]:
    """Give the resources of the wanted type in a Bundle; outcomes and included others are passed over."""
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise SourceFailed(source, "unreadable")
    found = [entry.get("resource") for entry in bundle.get("entry", []) if isinstance(entry, dict)]
    return [one for one in found if isinstance(one, dict) and one.get("resourceType") == resource_type]


def _next_link(bundle: Mapping[str, Any]) -> str | None:
    links = [one for one in bundle.get("link", []) if isinstance(one, dict) and one.get("relation") == "next"]
    return str(links[0].get("url")) if links else None
