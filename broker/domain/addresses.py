"""Which addresses of other systems can be used at all, whoever wrote them into a registry or answered with them.

Rules kept here:
- http or https, a host, and nothing hidden: no user or password, no query or fragment, no odd letters.
- Never link-local: there a cloud's machines keep their own secrets (RFC 3927, RFC 4291 section 2.5.6). Private
  addresses are where department systems live, and loopback is where a neighbour on the machine is; both are usual.
- Numbers in one form: what only some readers take for an address (octal, hexadecimal, one long number) is none.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

_PLAIN = re.compile(r"[!-~]+")
_HOST = re.compile(r"[A-Za-z0-9._:-]+")
_NUMBERS = re.compile(r"(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+))*\.?", re.IGNORECASE)


def address_fault(address: str, *, query: bool = False) -> str | None:
    """Say what is wrong with an address, without repeating it; None when it can be used. Some may have a query."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is no address"
    if parts.scheme not in {"http", "https"} or not host or _PLAIN.fullmatch(address) is None or "\\" in address:
        return "must be an http or https address"
    if "@" in parts.netloc:
        return "must hold no user or password"
    if (parts.query and not query) or parts.fragment or address.endswith(("?", "#")):
        return "must have no query and no fragment"
    return host_fault(host)


def host_fault(host: str) -> str | None:
    """Say what is wrong with a host, without repeating it; None when it can be used."""
    if _HOST.fullmatch(host) is None:
        return "must name a host"
    try:
        number = ipaddress.ip_address(host)
    except ValueError:
        return "must write a numeric host in its plain form" if _NUMBERS.fullmatch(host) else None
    inner = getattr(number, "ipv4_mapped", None) or getattr(number, "sixtofour", None) or number
    if number.is_loopback:
        return None
    if inner.is_link_local or inner.is_multicast or inner.is_unspecified or inner.is_reserved:
        return "must not be link-local, multicast, reserved or unspecified"
    return None
