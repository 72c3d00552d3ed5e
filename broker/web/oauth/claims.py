"""The claims that name a caseworker, in an employer's assertion and in our access tokens alike.

| claim | meaning |
|---|---|
| `sub` | the employer's id of the person |
| `unit` | the unit they act for |
| `roles` | list of `{name, kle[], sensitivity, attested_on?, delegated_from?}` |
| `nsis` | `Low`, `Substantial` or `High`, bare or as the NSIS URI |
| `auth_time` | when they logged in at the employer |
| `cpr` | optional: their CPR number, so that nobody asks about themself or their family; sealed in our tokens |
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from broker.domain.errors import NotAuthenticated
from broker.domain.identity import Caseworker, Role
from broker.domain.personal import Personal
from broker.web.oauth.signed import LONGEST_ID, moment

CASEWORKER_TYPE = "caseworker-assertion+jwt"
CPR = re.compile(r"[0-9]{6}-?[0-9]{4}")
NSIS_LEVELS = ("Low", "Substantial", "High")
_NSIS_URI = "https://data.gov.dk/concept/core/nsis/"
_MOST_ROLES = 50
_MOST_KLE = 200


def nsis_level(value: object) -> str | None:
    """Read an NSIS level, bare or with its URI before it (`loa/` or not); None when it is not one."""
    if not isinstance(value, str):
        return None
    bare = value.removeprefix(_NSIS_URI).removeprefix("loa/")
    return bare if bare in NSIS_LEVELS else None


def caseworker_from(claims: Mapping[str, Any], *, issuer: str, municipality: str, refusal: str) -> Caseworker:
    """Make the caseworker of the claims, or raise `NotAuthenticated(refusal)` when one is missing or misshapen."""
    nsis = nsis_level(claims.get("nsis"))
    roles = claims.get("roles")
    if nsis is None or not isinstance(roles, list) or len(roles) > _MOST_ROLES:
        raise NotAuthenticated(refusal)
    # An account that several people use names nobody (P11, domain.md 1.4 C37); only an outright no is none.
    if claims.get("shared_account", False) is not False:
        raise NotAuthenticated(refusal)
    cpr = claims.get("cpr")
    if cpr is not None and (not isinstance(cpr, str) or not CPR.fullmatch(cpr)):
        raise NotAuthenticated(refusal)
    return Caseworker(
        id=Personal(_text(claims.get("sub"), refusal)),
        issuer=issuer,
        municipality=municipality,
        unit=_text(claims.get("unit"), refusal),
        roles=tuple(_role(role, refusal) for role in roles),
        nsis=nsis,
        authenticated_at=moment(claims, "auth_time", refusal=refusal),
        cpr=None if cpr is None else Personal(cpr.replace("-", "")),
    )


def caseworker_claims(caseworker: Caseworker) -> dict[str, Any]:
    """Lay a caseworker out as claims that may be seen: the reverse of `caseworker_from` with `private_claims`."""
    return {
        "sub": caseworker.id.disclose(),
        "unit": caseworker.unit,
        "roles": [
            {"name": role.name, "kle": list(role.kle), "sensitivity": role.sensitivity}
            | ({} if role.attested_on is None else {"attested_on": role.attested_on})
            | ({} if role.delegated_from is None else {"delegated_from": role.delegated_from})
            for role in caseworker.roles
        ],
        "nsis": caseworker.nsis,
        "auth_time": caseworker.authenticated_at.timestamp(),
    }


def private_claims(caseworker: Caseworker) -> dict[str, Any]:
    """Give the claims of a caseworker that nobody but us may read."""
    return {} if caseworker.cpr is None else {"cpr": caseworker.cpr.disclose()}


def _role(value: object, refusal: str) -> Role:
    if not isinstance(value, dict):
        raise NotAuthenticated(refusal)
    kle = value.get("kle", [])
    sensitivity = value.get("sensitivity")
    attested_on = value.get("attested_on")
    delegated_from = value.get("delegated_from")
    if not isinstance(kle, list) or len(kle) > _MOST_KLE:
        raise NotAuthenticated(refusal)
    # `type` and not `isinstance`: true is an int to Python, and no level to us.
    if type(sensitivity) is not int or not 1 <= sensitivity <= 4:
        raise NotAuthenticated(refusal)
    if attested_on is not None and (type(attested_on) is not int or not 19000101 <= attested_on <= 99991231):
        raise NotAuthenticated(refusal)
    return Role(
        name=_text(value.get("name"), refusal),
        kle=tuple(_text(number, refusal) for number in kle),
        sensitivity=sensitivity,
        attested_on=attested_on,
        delegated_from=None if delegated_from is None else _text(delegated_from, refusal),
    )


def _text(value: object, refusal: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_ID or not value.isprintable():
        raise NotAuthenticated(refusal)
    # Spaces that a case system overlooks would make a second person of one.
    if value != " ".join(value.split()):
        raise NotAuthenticated(refusal)
    return value
