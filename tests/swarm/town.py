"""The invented town that is played in: citizens who change their minds, caseworkers who ask, what the sources hold."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from demo.world.casting import Cast
from demo.world.children import ROOT
from demo.world.template import Template, merged, read_template

REGISTRY = ROOT / "demo" / "registry" / "demo.yaml"
CLOCK = datetime.fromisoformat("2019-05-06T10:05:00+02:00")
LAST_DAY = "2020-05-05"
HOME, UNIT, DESK = "korsbaek", "korsbaek-jobcentre", "korsbaek-citizen-service"
PURPOSE, CASES = "jobplan", "korsbaek-jobcentre-cases"
OWN = (UNIT, "B03")
# What a citizen's consent opens: two sources of the municipality, one of another.
LINES = (
    ("korsbaek-social", "S01"),
    ("korsbaek-social", "S02"),
    ("korsbaek-health", "H01"),
    ("noerrestrand-health", "H01"),
)
CASEWORKERS = ("lene", "mona", "karl")
DESK_CLERK = "dorte"
# Systems of the demo's registry that nobody here asks, and that need not be started.
IDLE = (
    "korsbaek-family", "korsbaek-school", "noerrestrand-jobcentre", "noerrestrand-social", "noerrestrand-family",
)  # fmt: skip

# Nothing here is about speed: sources and registers have time also on a machine that does much else.
SECONDS_TO_TELL = 10

Row = dict[str, Any]


def template() -> Template:
    """Give the demo's registry without the sources that nobody asks, and with one case register for all units."""
    read = read_template(REGISTRY)
    patient = {"limits": {"deadline_seconds": SECONDS_TO_TELL}}
    changes = {
        "sources": dict.fromkeys(read.sources, patient) | dict.fromkeys(IDLE),
        "registers": {
            "people": patient,
            "cases": {name: patient if name == CASES else None for name in read.case_registers},
        },
        "units": {name: {"cases": CASES} for name in read.raw["units"]},
    }
    return Template(merged(read.raw, changes), read.folder)


def names(count: int) -> tuple[str, ...]:
    """Name so many citizens."""
    return tuple(f"borger-{n:02}" for n in range(1, count + 1))


def case_of(citizen: str) -> str:
    """Give the number of a citizen's case."""
    return f"JC-2019-{citizen[-2:]}"


def cast(citizens: tuple[str, ...]) -> Cast:
    """Cast these citizens, each with a case at the jobcentre that every caseworker there is on."""
    people = {name: _person(name) for name in citizens}
    roles = [{"name": "sagsbehandler", "kle": ["15.*"], "sensitivity": 3, "attested_on": "2019-01-02"}]
    desk = [{"name": "borgerservice", "kle": ["23.*"], "sensitivity": 2, "attested_on": "2019-01-02"}]
    caseworkers: Row = {n: {"name": f"{n.title()} Krogh Test", "unit": UNIT, "roles": roles} for n in CASEWORKERS}
    caseworkers[DESK_CLERK] = {"name": "Dorte Skranke Test", "unit": DESK, "roles": desk}
    cases = {
        case_of(name): {"unit": UNIT, "citizen": name, "kle": "15.00.00", "caseworkers": [*CASEWORKERS]}
        for name in citizens
    }
    return Cast(people, caseworkers, cases)


def _person(name: str) -> Row:
    day = int(name[-2:]) % 28 + 1
    # Day + 60: no living person can have this number.
    cpr = f"{day + 60}0180{1000 + int(name[-2:]):04}"
    return {"cpr": cpr, "name": f"{name.title()} Test", "born": f"1980-01-{day:02}", "municipality": HOME}


def records(town: Cast) -> dict[str, Any]:
    """Write what the sources hold: one piece of help, one plan and one limitation for each citizen, and their own."""
    social: dict[str, list[Row]] = {
        name: [] for name in ("borgere", "sager", "indsatser", "besoegstider", "planer", "planmaal")
    }
    jobcentre: dict[str, list[Row]] = {"borgere": [], "aktiviteter": []}
    health: dict[str, list[Row]] = {"korsbaek-health": [], "noerrestrand-health": []}
    for name in town.people:
        cpr, number = town.cpr(name), name[-2:]
        dashed = f"{cpr[:6]}-{cpr[6:]}"
        _add_social(social, dashed, number)
        jobcentre["borgere"].append({"id": f"b-{number}", "cpr": dashed, "navn": f"Borger {number} Test"})
        jobcentre["aktiviteter"].append(_activity(number))
        for source, resources in health.items():
            resources.extend(_limitation(dashed, number, source))
    return {"korsbaek-social": social, "korsbaek-jobcentre": jobcentre, **health}


def _add_social(social: dict[str, list[Row]], cpr: str, number: str) -> None:
    case, help_, plan = f"SC-{number}", f"S1-{number}", f"S2-{number}"
    social["borgere"].append({"cpr": cpr, "navn": f"Borger {number} Test"})
    social["sager"].append(
        {"sagsnr": case, "cpr": cpr, "overskrift": "Bostøtte", "enhed": "Socialcenter Korsbæk",
         "sagsbehandler": "Ulla Bak Test", "telefon": "43 00 00 20", "aabnet": "2018-12-01", "afsluttet": None}
    )  # fmt: skip
    social["indsatser"].append(
        {"indsatsnr": help_, "sagsnr": case, "ydelse": "Bostøtte", "formaal": "struktur i hverdagen",
         "afgoerelsesnr": f"SO-{number}", "lov": "SEL", "paragraf": "§ 85", "kle": "27.36.12",
         "startdato": "2019-01-07", "slutdato": None, "status": "bevilget", "medarbejder": "Hanne Vejleder Test"}
    )  # fmt: skip
    social["besoegstider"].append({"indsatsnr": help_, "ugedage": [1, 4], "fra": "09:00", "til": "10:00"})
    social["planer"].append(
        {"plannr": plan, "sagsnr": case, "plantype": "handleplan_voksen", "titel": "Handleplan", "lov": "SEL",
         "paragraf": "§ 141", "kle": "27.12.12", "startdato": "2019-01-15", "slutdato": None,
         "opfoelgning": "2019-07-15", "status": "aktiv"}
    )  # fmt: skip
    social["planmaal"].append({"plannr": plan, "nr": 1, "maal": "egen bolig", "behov": "bolig"})


def _activity(number: str) -> Row:
    return {
        "borgerId": f"b-{number}", "id": f"J-{number}", "aktivitetstype": "mentor", "titel": "Mentor",
        "formaal": {"kode": "STRUKTUR", "tekst": "struktur i hverdagen"}, "krav": [], "timerPrUge": 1,
        "afgoerelse": f"JC-{number}", "lov": "LAB", "paragraf": "§ 31 b", "kle": "15.20.36", "startdato": "2019-02-01",
        "slutdato": None, "ugeplan": [{"ugedag": 2, "start": "09:00", "slut": "10:00"}], "status": "igang",
        "enhed": "Jobcenter Korsbæk", "udfoerer": "Mona Mentor Test",
    }  # fmt: skip


def _limitation(cpr: str, number: str, source: str) -> list[Row]:
    system = "https://sundhed.korsbaek.example/kodesystem/oplysning"
    patient = {
        "resourceType": "Patient", "id": f"pt-{number}", "birthDate": "1980-01-01",
        "name": [{"text": f"Borger {number} Test"}],
        "identifier": [{"system": "urn:oid:1.2.208.176.1.2", "value": cpr}],
    }  # fmt: skip
    observation = {
        "resourceType": "Observation", "id": f"H-{number}-{source}", "status": "final",
        "category": [{"coding": [{"system": system, "code": "funktion"}]}],
        "code": {"text": "Må ikke stå længe", "coding": [{"system": "http://hl7.org/fhir/sid/icf", "code": "d415"}]},
        "subject": {"reference": f"Patient/pt-{number}"}, "effectiveDateTime": "2019-01-10",
        "performer": [{"display": "Center for Sundhed"}],
    }  # fmt: skip
    return [patient, observation]
