"""The CPR register, the case look-up and the school answer what they hold, to callers with the key."""

from __future__ import annotations

from typing import Any

import pytest

LENE = "6f1de0f2-9f0e-4a3c-8a4a-1d0a4b7a0001"
VIKTOR = "800906-4011"


@pytest.fixture(scope="module")
def people(start: Any, records: Any) -> Any:
    """The CPR register over scenario 1."""
    return start("systems.people", records["people"])


@pytest.fixture(scope="module")
def cases(start: Any, records: Any) -> Any:
    """The jobcentre's case system over scenario 1."""
    return start("systems.cases", records["cases"])


@pytest.fixture(scope="module")
def school(start: Any, records: Any) -> Any:
    """The school over scenario 1."""
    return start("systems.school", records["school"])


KEY = {"X-Api-Key": "key-c"}


def test_the_register_tells_custody(people: Any) -> None:
    """A child's record names who holds custody: type 3 is the mother."""
    child = people.call("/cpr/person", {"personnummer": VIKTOR}, KEY).json

    assert child["foraeldremyndighed"][0]["type"] == 3
    assert child["foraeldremyndighed"][0]["relationPersonnummer"] == "7102740022"
    assert child["gaeldendePersonnummer"] == "8009064011"


def test_the_register_says_what_is_unremarkable_too(people: Any) -> None:
    """Status, protection and guardianship are always told, also when nothing special holds."""
    person = people.call("/cpr/person", {"personnummer": "710274-0022"}, KEY).json

    assert person["status"] == "01"
    assert person["adressebeskyttelse"]["beskyttet"] is False
    assert person["umyndiggoerelse"] is None


@pytest.mark.parametrize(("number", "status"), [("0101010000", 404), ("123", 400), ("", 400), (None, 400)])
def test_the_register_refuses_what_it_does_not_know(people: Any, number: Any, status: int) -> None:
    """Unknown numbers are 404, malformed ones 400."""
    assert people.call("/cpr/person", {"personnummer": number}, KEY).status == status


@pytest.mark.parametrize("path", ["/cpr/person"])
def test_the_register_needs_its_key(people: Any, path: str) -> None:
    """Without the key nothing is told."""
    assert people.call(path, {"personnummer": VIKTOR}, {"X-Api-Key": "wrong"}).status == 401


def test_the_case_of_this_citizen(cases: Any) -> None:
    """An open case of this citizen says so, with whose it is and its KLE."""
    asked = {"sagsnummer": "JC-2019-0417", "cpr": "710274-0022", "medarbejder": LENE}
    case = cases.call("/sager/opslag", asked, KEY).json

    assert (case["findes"], case["aaben"], case["vedroererBorger"]) == (True, True, True)
    assert case["sagsbehandlere"] == [LENE]
    assert (case["team"], case["kle"], case["enhed"]) == (["koordinerende-team"], "15.00.00", "jobcenter-korsbaek")
    assert "cpr" not in case


def test_another_citizens_case(cases: Any) -> None:
    """A case that exists but is another citizen's is told as such, without naming that citizen."""
    answer = cases.call("/sager/opslag", {"sagsnummer": "JC-2019-0999", "cpr": "7102740022"}, KEY)

    assert (answer.json["findes"], answer.json["vedroererBorger"]) == (True, False)
    assert b"6501800011" not in answer.raw


def test_a_case_that_is_not_there(cases: Any) -> None:
    """An unknown case number is answered, with no to everything."""
    case = cases.call("/sager/opslag", {"sagsnummer": "none", "cpr": "7102740022"}, KEY).json
    assert (case["findes"], case["aaben"], case["vedroererBorger"], case["kle"]) == (False, False, False, None)


def test_employment_is_told(cases: Any) -> None:
    """An employee's unit, teams and days of employment are told; an unknown one is not found."""
    lene = cases.call("/sager/opslag", {"medarbejder": LENE}, KEY).json["medarbejder"]
    assert lene == {
        "navn": "Lene Krogh",
        "ansatFra": "2015-08-01",
        "ansatTil": None,
        "enhed": "jobcenter-korsbaek",
        "teams": ["koordinerende-team"],
    }
    assert cases.call("/sager/opslag", {"medarbejder": "nobody"}, KEY).json["medarbejder"] is None


def test_who_left_the_team_is_gone_at_once(cases: Any, records: Any) -> None:
    """Records replaced while the system runs are what the next look-up tells; reset brings the first back."""
    employees = [{**row, "teams": []} for row in records["cases"]["medarbejdere"]]
    cases.control("/records", {**records["cases"], "medarbejdere": employees})
    assert cases.call("/sager/opslag", {"medarbejder": LENE}, KEY).json["medarbejder"]["teams"] == []

    cases.control("/reset", {})
    assert cases.call("/sager/opslag", {"medarbejder": LENE}, KEY).json["medarbejder"]["teams"] == [
        "koordinerende-team"
    ]


def test_the_school_tells_absence_alone(school: Any) -> None:
    """Absence is told without the pupil's number; well-being and support are separate questions."""
    answer = school.call("/elev/fravaer", {"cpr": VIKTOR}, {"X-Api-Noegle": "key-c"})

    assert answer.json["fravaer"][0]["fravaersprocent"] == 18
    assert set(answer.json) == {"elev", "fravaer"}
    assert b"8009064011" not in answer.raw


def test_the_school_knows_no_other_pupil(school: Any) -> None:
    """An unknown number gives an empty answer."""
    answer = school.call("/elev/trivsel", {"cpr": "0101010000"}, {"X-Api-Noegle": "key-c"})
    assert answer.json == {"elev": None, "trivsel": []}


def test_the_school_needs_its_key(school: Any) -> None:
    """Without the key nothing is told."""
    assert school.call("/elev/fravaer", {"cpr": VIKTOR}).status == 401
