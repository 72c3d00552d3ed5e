"""Sources of every kind, read-only, and the client by which a department system asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from connectors.fhir import Fhir
from connectors.guard import Connector, Dropped, Limits
from connectors.mapping import SettingsUnusable
from connectors.odata import OData
from connectors.rest_json import RestJson
from connectors.sql_view import SqlView

KINDS: Final[Mapping[str, type[RestJson | OData | Fhir | SqlView]]] = {
    kind.kind: kind for kind in (RestJson, OData, Fhir, SqlView)
}


def build(
    kind: str,
    name: str,
    settings: Mapping[str, Any],
    reads: Mapping[str, Any],
    secrets: Mapping[str, str],
    limits: Limits,
    *,
    now: Callable[[], datetime],
    report: Callable[[Dropped], None] | None = None,
) -> Connector:
    """Make the connector of a source from the registry's plain values; open it before use.

    Raises `SettingsUnusable` with where and what is wrong, before anything is asked.
    """
    if kind not in KINDS:
        raise SettingsUnusable(f"kind: there is no {kind}")
    return KINDS[kind](name, settings, reads, secrets, limits, now=now, report=report)


__all__ = ["KINDS", "Connector", "Dropped", "Limits", "SettingsUnusable", "build"]
