"""The invented people who can log in, and the claims that name them as the Danish brokers do.

A citizen carries a CPR number; an officer (DPO) and a caseworker carry their employer and no CPR number.
"""

from __future__ import annotations

from typing import Any

from demo.systems.records import Row

NSIS = "https://data.gov.dk/concept/core/nsis/"
CITIZEN = "citizen"
TODAY = "today"
# Which people a client can ask for, by scope: private people, or people at work.
KINDS_BY_SCOPE = {"mitid": {CITIZEN}, "nemlogin": {"officer", "caseworker"}}


def may_choose(person: Row, scopes: set[str]) -> bool:
    """Tell whether a client that asks for these scopes is offered this person; without either scope it is all."""
    asked = [kinds for scope, kinds in KINDS_BY_SCOPE.items() if scope in scopes]
    return not asked or any(person["kind"] in kinds for kinds in asked)


def subject(person: Row) -> str:
    """Give the identifier under which a person is known to clients: never a CPR number."""
    return str(person["mitid_uuid"] if person["kind"] == CITIZEN else person["professional_id"])


def claims(person: Row, scopes: set[str], day: int) -> dict[str, Any]:
    """Give the claims of a person that the scopes allow (`mitid`, `ssn`, `nemlogin`), as of a day (YYYYMMDD)."""
    level = NSIS + person.get("loa", "Substantial")
    told: dict[str, Any] = {
        "sub": subject(person),
        "acr": level,
        "loa": level,
        "ial": level,
        "aal": level,
        "amr": ["code_app"],
    }
    if person["kind"] == CITIZEN:
        return told | {"idp": "mitid", "identity_type": "private"} | _private(person, scopes)
    return told | {"idp": "mitid_erhverv", "identity_type": "professional"} | _professional(person, scopes, day)


def roles_on(person: Row, day: int) -> list[Row]:
    """Give the roles as the employer states them on a day (YYYYMMDD); one attested `today` is attested every day."""
    return [role | ({"attested_on": day} if role.get("attested_on") == TODAY else {}) for role in person["roles"]]


def _private(person: Row, scopes: set[str]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    cpr = person.get("cpr")
    if "mitid" in scopes:
        told |= {
            "mitid.uuid": person["mitid_uuid"],
            "mitid.identity_name": person["name"],
            "mitid.has_cpr": cpr is not None,
        }
        told |= {"mitid.date_of_birth": person["birthdate"]} if "birthdate" in person else {}
    if "ssn" in scopes and cpr is not None:
        told["dk.cpr"] = cpr
    return told


def _professional(person: Row, scopes: set[str], day: int) -> dict[str, Any]:
    if "nemlogin" not in scopes:
        return {}
    told: dict[str, Any] = {
        "nemlogin.cvr": person["cvr"],
        "nemlogin.name": person["name"],
        "nemlogin.persistent_professional_id": person["professional_id"],
        "nemlogin.privileges": person.get("privileges", []),
    }
    if person["kind"] == "caseworker":
        told |= {"unit": person["unit"], "roles": roles_on(person, day)}
        told |= {"nemlogin.cpr": person["cpr"]} if "cpr" in person else {}
    return told
