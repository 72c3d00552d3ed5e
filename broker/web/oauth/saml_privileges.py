"""Read OIO-BPP: the privileges an employer states of a caseworker, as roles of ours.

Rules kept here:
- A group's scope is a CVR number. The employer's own counts; another's counts as delegated from that municipality if
  it is registered; any other scope gives nothing.
- A constraint limits what its group gives. One that is not understood may limit anything, so its group gives nothing.
- No KLE constraint: no KLE. No sensitivity constraint: what the registry says the privilege reaches, which no
  constraint widens. A privilege that the registry does not name gives nothing.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from lxml import etree

from broker.saml_trust import ATTESTED_ON, KLE, SENSITIVITY, UNIT, SamlTrust
from broker.web.oauth.xml import plain_xml, read_xml

LONGEST_LIST = 16_384
SCOPE = "urn:dk:gov:saml:cvrNumberIdentifier:"
# Version 1.1 and 1.2 of the profile; an identity provider may qualify what is inside the list, or not.
_NAMESPACES = ("http://itst.dk/oiosaml/basic_privilege_profile", "http://digst.dk/oiosaml/basic_privilege_profile")
_KLE = re.compile(r"[0-9]{2}(\.[0-9]{2}){0,2}(\.\*)?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# The levels as KOMBIT's standards name them, lowest first, or as numbers.
_LEVELS = ("IKKE_FORTROLIGE_DATA", "FORTROLIGE_PERSONOPLYSNINGER", "FOELSOMME_PERSONOPLYSNINGER", "VIP_SAGER")
_LEVEL = {name: level for level, name in enumerate(_LEVELS, 1)} | {str(level): level for level in range(1, 5)}


class BadPrivileges(ValueError):
    """The list cannot be read at all; says nothing of what stood there."""


@dataclass(frozen=True, slots=True)
class Granted:
    """One role that a privilege gives, as claims of ours say it; `units` when it holds in these of our units alone."""

    role: Mapping[str, Any]
    units: frozenset[str] | None


@dataclass(slots=True)
class _Limits:
    """What a group's constraints leave."""

    kle: tuple[str, ...] = ()
    units: frozenset[str] | None = None
    sensitivity: int = 4
    attested_on: int | None = None
    seen: set[str] = field(default_factory=set)


class _GivesNothing(Exception):
    """A group says something that is not understood."""


def granted(text: str, trust: SamlTrust) -> tuple[Granted, ...]:
    """Read a privilege list (base64 of XML) as roles. Raises `BadPrivileges` when it is none."""
    try:
        content = b64decode("".join(text.split()), validate=True)
        root = read_xml(plain_xml(content, most_bytes=LONGEST_LIST))
    except (NotBase64, ValueError):
        raise BadPrivileges("unreadable") from None
    qualified = [f"{{{namespace}}}PrivilegeList" for namespace in _NAMESPACES]
    inside = [f"{{{etree.QName(root).namespace}}}PrivilegeGroup", "PrivilegeGroup"]
    if root.tag not in qualified or any(group.tag not in inside for group in root):
        raise BadPrivileges("not a privilege list")
    return tuple(one for group in root for one in _of_group(group, trust))


def _of_group(group: etree._Element, trust: SamlTrust) -> list[Granted]:
    try:
        delegated_from = _delegated_from(group, trust)
        limits = _Limits()
        privileges = []
        for part in group:
            match etree.QName(part).localname if not len(part) else "":
                case "Privilege" if not part.attrib:
                    privileges.append((part.text or "").strip())
                case "Constraint" if list(part.attrib) == ["Name"]:
                    _limit(limits, part.get("Name"), part.text or "", trust)
                case _:
                    return []
    except _GivesNothing:
        return []
    given = [trust.privileges[name] for name in privileges if name in trust.privileges]
    return [
        Granted(
            {
                "name": one.role,
                "kle": list(limits.kle),
                "sensitivity": min(one.sensitivity, limits.sensitivity),
                "attested_on": limits.attested_on,
                "delegated_from": delegated_from,
            },
            limits.units,
        )
        for one in given
    ]


def _delegated_from(group: etree._Element, trust: SamlTrust) -> str | None:
    scope = group.get("Scope", "")
    cvr = scope.removeprefix(SCOPE)
    if list(group.attrib) != ["Scope"] or not scope.startswith(SCOPE):
        raise _GivesNothing
    if cvr == trust.cvr:
        return None
    if cvr not in trust.municipalities:
        raise _GivesNothing
    return trust.municipalities[cvr]


def _limit(limits: _Limits, name: str, text: str, trust: SamlTrust) -> None:
    """Apply one constraint; an unknown one, a second of a kind, or an unreadable value gives nothing."""
    what = trust.constraints.get(name)
    if what is None or what in limits.seen:
        raise _GivesNothing
    limits.seen.add(what)
    values = [value.strip() for value in text.split(",")]
    if what == KLE and all(_KLE.fullmatch(value) for value in values):
        limits.kle = tuple(values)
    elif what == UNIT:
        limits.units = frozenset(trust.units[value] for value in values if value in trust.units)
    elif what == SENSITIVITY and text.strip() in _LEVEL:
        limits.sensitivity = _LEVEL[text.strip()]
    elif what == ATTESTED_ON and _DAY.fullmatch(text.strip()):
        limits.attested_on = _day(text.strip())
    else:
        raise _GivesNothing


def _day(text: str) -> int:
    try:
        return int(date.fromisoformat(text).strftime("%Y%m%d"))
    except ValueError:
        raise _GivesNothing from None
