"""The people of a scenario as each register holds them: the CPR register, the case systems, the log-in provider.

Everybody is invented. A caseworker's id at their employer and a citizen's MitID id follow from their short names, so
that the same file always gives the same people.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from demo.openid.persons import TODAY
from demo.world.children import WorldBroken
from demo.world.template import Row, Template

CUSTODY_KINDS = {"mother": 3, "father": 4, "other": 5}
REPRESENTATIVE_KINDS = {
    "guardian": "vaerge_5",
    "fremtidsfuldmagt": "fremtidsfuldmagt",
    "power_of_attorney": "fuldmagt",
    "bisidder": "bisidder",
}
SCOPES = {
    "personal": "personlige_forhold",
    "economic": "oekonomiske_forhold",
    "data_sharing": "deling_af_oplysninger",
}
EMPLOYED_FROM = "2000-01-01"
# What a role reaches where the scenario does not say: sensitive personal data, never VIP cases.
DEFAULT_SENSITIVITY = 3
_NAMES = uuid.UUID("6f1de0f2-9f0e-4a3c-8a4a-1d0a4b7a0000")


@dataclass(frozen=True, slots=True)
class Cast:
    """Who takes part, by short name, as a scenario file says it; cases by number."""

    people: Mapping[str, Row]
    caseworkers: Mapping[str, Row] = field(default_factory=dict)
    cases: Mapping[str, Row] = field(default_factory=dict)

    def cpr(self, name: str) -> str:
        """Give a person's number as ten digits; raise `WorldBroken` for a name that is nobody's."""
        try:
            return str(self.people[name]["cpr"]).replace("-", "")
        except KeyError:
            raise WorldBroken(f"nobody in this scenario is called {name}") from None

    def caseworker(self, name: str) -> Row:
        """Give a caseworker; raise `WorldBroken` for a name that is nobody's."""
        try:
            return self.caseworkers[name]
        except KeyError:
            raise WorldBroken(f"no caseworker in this scenario is called {name}") from None


def employee_id(name: str) -> str:
    """Give a caseworker's id at their employer."""
    return str(uuid.uuid5(_NAMES, f"caseworker:{name}"))


def register_records(cast: Cast, template: Template, today: str) -> dict[str, list[Row]]:
    """Write the CPR register's records as they stand on a day (YYYY-MM-DD): protection ends by itself.

    A number that leads to another stands in that one's record too, whether the scenario names its holder or not.
    """
    known = [_person(name, row, cast, template, today) for name, row in cast.people.items()]
    by_number = {record["personnummer"]: record for record in known}
    moved = [record for record in known if "gaeldendePersonnummer" in record]
    for record in moved:
        now, before = record["gaeldendePersonnummer"], record["personnummer"]
        held = by_number.setdefault(now, {**record, "personnummer": now})
        held["tidligerePersonnumre"] = [*held.get("tidligerePersonnumre", ()), before]
    return {"personer": list(by_number.values())}


def _person(name: str, row: Row, cast: Cast, template: Template, today: str) -> Row:
    born = str(row["born"])
    children = [
        child for child, other in cast.people.items() if name in {h["holder"] for h in other.get("custody", [])}
    ]
    record: Row = {
        "personnummer": cast.cpr(name),
        "navn": row["name"],
        "foedselsdato": born,
        "status": "90" if "dead_on" in row else "01",
        "statusdato": row.get("dead_on"),
        "kommunekode": template.code_of(row["municipality"]),
        "foraeldremyndighed": [_holder(held, born, cast) for held in row.get("custody", [])],
        "boern": [{"personnummer": cast.cpr(child)} for child in children],
    }
    if row.get("protected") or "protected_until" in row:
        until = row.get("protected_until")
        protected = until is None or today <= until
        record["adressebeskyttelse"] = {"startdato": born, "slutdato": until, "beskyttet": protected}
    if "guardian" in row:
        guardian = cast.cpr(row["guardian"])
        record["umyndiggoerelse"] = {
            "startdato": born, "slutdato": None, "vaergeRelation": 1, "relationPersonnummer": guardian,
        }  # fmt: skip
    if "representatives" in row:
        record["repraesentanter"] = [_representative(told, born, cast) for told in row["representatives"]]
    if "household" in row:
        record["husstand"] = [{"personnummer": number.replace("-", "")} for number in row["household"]]
    if "current_cpr" in row:
        record["gaeldendePersonnummer"] = row["current_cpr"].replace("-", "")
    return record


def _holder(held: Row, born: str, cast: Cast) -> Row:
    return {
        "type": CUSTODY_KINDS[held.get("kind", "other")],
        "relationPersonnummer": cast.cpr(held["holder"]),
        "startdato": held.get("from_day", born),
        "slutdato": held.get("to_day"),
    }


def _representative(told: Row, born: str, cast: Cast) -> Row:
    return {
        "type": REPRESENTATIVE_KINDS[told["kind"]],
        "omfang": [SCOPES[scope] for scope in told["scope"]],
        "relationPersonnummer": cast.cpr(told["who"]),
        "startdato": told.get("from_day", born),
        "slutdato": told.get("to_day"),
    }


def case_records(register: str, cast: Cast, template: Template) -> dict[str, list[Row]]:
    """Write what one case register holds: the cases and the employees of the units it serves."""
    units = {name for name, row in template.raw["units"].items() if row.get("cases") == register}
    return {
        "sager": [_case(number, row, cast) for number, row in cast.cases.items() if row["unit"] in units],
        "medarbejdere": [
            _employee(name, row, cast)
            for name, row in cast.caseworkers.items()
            if row["unit"] in units and row.get("employed", True)
        ],
    }


def _case(number: str, row: Row, cast: Cast) -> Row:
    return {
        "sagsnummer": number,
        "cpr": cast.cpr(row["citizen"]),
        "status": "aaben" if row.get("open", True) else "lukket",
        "aabnet": EMPLOYED_FROM,
        "lukket": None,
        "kle": row["kle"],
        "enhed": row["unit"],
        "sagsbehandlere": [employee_id(name) for name in row.get("caseworkers", [])],
        "team": [_team(number)] if row.get("team") else [],
        "vip": row.get("vip", False),
        "samtykkeForsoegt": row.get("consent_tried", False),
        "maalgruppe": _stated(row["stated"]) if "stated" in row else None,
    }


def _stated(row: Row) -> Row:
    names = {"on": "opgjort", "age": "alder", "benefit": "ydelse", "child_ages": "boernsAlder"}
    return {names[name]: value for name, value in row.items()}


def _team(number: str) -> str:
    return f"team-{number}"


def _employee(name: str, row: Row, cast: Cast) -> Row:
    return {
        "medarbejder": employee_id(name),
        "navn": row["name"],
        "ansatFra": EMPLOYED_FROM,
        "ansatTil": None,
        "enhed": row["unit"],
        "teams": [_team(number) for number, case in cast.cases.items() if name in case.get("team", [])],
    }


def login_persons(cast: Cast, template: Template) -> list[Row]:
    """Write whom the log-in provider offers: citizens, caseworkers, and each municipality's overseers."""
    officers = [
        one
        for name, row in template.raw["municipalities"].items()
        for one in _officers(name, row, template.raw["units"])
    ]
    caseworkers = [_login_caseworker(name, row, template) for name, row in cast.caseworkers.items()]
    return [*(_login_citizen(name, row, cast) for name, row in cast.people.items()), *caseworkers, *officers]


def _login_citizen(name: str, row: Row, cast: Cast) -> Row:
    return {
        "id": name,
        "kind": "citizen",
        "name": row["name"],
        "mitid_uuid": str(uuid.uuid5(_NAMES, f"citizen:{name}")),
        "cpr": cast.cpr(name),
        "birthdate": str(row["born"]),
    }


def _login_caseworker(name: str, row: Row, template: Template) -> Row:
    cvr = template.employers[template.employer_of(row["unit"])]["cvr"]
    told: Row = {
        "id": name,
        "kind": "caseworker",
        "name": row["name"],
        "cvr": cvr,
        "professional_id": employee_id(name),
        "unit": row["unit"],
        "roles": [_role(role) for role in row.get("roles", [])],
        "loa": str(row.get("nsis", "substantial")).capitalize(),
    }
    return told | ({"cpr": row["cpr"].replace("-", "")} if "cpr" in row else {})


def _role(role: Row) -> Row:
    told = {
        "name": role["name"],
        "kle": role.get("kle", []),
        "sensitivity": role.get("sensitivity", DEFAULT_SENSITIVITY),
    }
    if "attested_on" not in role:
        told["attested_on"] = TODAY
    elif role["attested_on"] is not None:
        told["attested_on"] = int(str(role["attested_on"]).replace("-", ""))
    if "delegated_from" in role:
        told["delegated_from"] = role["delegated_from"]
    return told


def _officers(municipality: str, row: Any, units: Row) -> list[Row]:
    """Write a municipality's DPO, its log controller, and one leader of all its units."""
    led = [unit for unit, told in units.items() if told["municipality"] == municipality]
    return [
        _officer("dpo", "DPO", municipality, row, [{"privilege": "dpo"}]),
        _officer("kontrol", "Logkontrol", municipality, row, [{"privilege": "logkontrollant"}]),
        _officer("leder", "Leder", municipality, row, [{"privilege": "teamleder", "unit": unit} for unit in led]),
    ]


def _officer(role: str, title: str, municipality: str, row: Any, privileges: list[Row]) -> Row:
    return {
        "id": f"{role}-{municipality}",
        "kind": "officer",
        "name": f"{title}, {row['name']}",
        "cvr": row["cvr"],
        "professional_id": str(uuid.uuid5(_NAMES, f"{role}:{municipality}")),
        "privileges": [{**privilege, "cvr": row["cvr"]} for privilege in privileges],
    }
