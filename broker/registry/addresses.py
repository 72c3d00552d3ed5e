"""Where the registry's addresses lead: over https outside a demo, and never twice to the same records.

These stop nobody from starting: they are what a careful reader would say of a registry (`broker registry check`).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from broker.registry.faults import Fault
from broker.registry.sheet import Row, Sheet


def address_faults(sheet: Sheet, *, demo: bool) -> Iterator[Fault]:
    """Yield every address that is not https where it should be, and every source that is registered twice."""
    if not demo:
        for section, field in (("providers", "issuer"), ("employers", "issuer"), ("consent_issuers", "issuer")):
            for row in sheet.rows(section):
                if (row.text(field) or "https://").partition("://")[0] != "https":
                    yield row.fault(field, "is not https", "write the https address; plain http is for a demo")
        people = sheet.row("registers", "people")
        for row in (*sheet.rows("sources"), *sheet.rows("registers", "cases"), *([people] if people else [])):
            yield from _plain(row)
    yield from told_twice(sheet)


def _plain(row: Row) -> Iterator[Fault]:
    """Find plain http to another machine; on this one it is a neighbour's ear at most (a proxy that speaks TLS)."""
    for path, address in _addresses((*row.path, "settings"), row.fields.get("settings")):
        if address.startswith("http://") and not _is_here(address):
            remedy = "write https, with tls: {ca_file: ...} where the authority is the department's own"
            yield row.sheet.fault(path, "goes over plain http to another machine", remedy)


def _addresses(path: tuple[str | int, ...], value: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for name, inner in value.items() if isinstance(value, dict) else ():
        if isinstance(inner, str) and name in ("base_url", "token_url"):
            yield (*path, name), inner
        yield from _addresses((*path, name), inner)


def _is_here(address: str) -> bool:
    try:
        host = urlsplit(address).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def told_twice(sheet: Sheet) -> Iterator[Fault]:
    """One system registered as two sources would tell everything twice, or tell one municipality for another."""
    first: dict[str, Row] = {}
    for row in sheet.rows("sources"):
        settings, held = row.fields.get("settings"), row.fields.get("secrets")
        if not isinstance(settings, dict) or not (settings or held):
            continue
        one = first.setdefault(_fingerprint(settings, held), row)
        if one is not row and _shared_categories(one, row):
            what = f"reaches the same system with the same secrets as sources.{one.name}, for categories of both"
            yield row.fault("settings", what, "give each source its own address or its own credentials")


def _fingerprint(*parts: Any) -> str:
    return repr([_sorted(part) for part in parts])


def _sorted(part: Any) -> Any:
    return (
        sorted(((name, _sorted(inner)) for name, inner in part.items()), key=repr) if isinstance(part, dict) else part
    )


def _shared_categories(one: Row, other: Row) -> bool:
    """Whether two sources tell of a category that both hold; mappings in files count as read by name."""
    files = one.text("reads_file"), other.text("reads_file")
    mine, theirs = (row.fields.get("reads") for row in (one, other))
    inline = isinstance(mine, dict) and isinstance(theirs, dict) and bool(mine.keys() & theirs.keys())
    return inline or (files[0] is not None and files[0] == files[1])
