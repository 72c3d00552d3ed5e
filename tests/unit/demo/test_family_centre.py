"""The family centre is a strict OData v4 service: it answers what it understands and refuses the rest."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any
from urllib.parse import quote

import pytest

VIKTOR = "8009064011"
BEARER = {"Authorization": "Bearer token-d"}
PLAIN = BEARER | {"Content-Type": "text/plain"}
EDM = "{http://docs.oasis-open.org/odata/ns/edm}"


@pytest.fixture(scope="module")
def centre(start: Any, records: Any) -> Any:
    """The family centre with three more interventions of Viktor's, two records a page."""
    own = records["family_centre"]
    more = [{**own["Indsats"][0], "Id": f"F1-{n}"} for n in range(3)]
    placed = {**own["Indsats"][0], "Id": "F9", "Kategori": "F04"}
    return start("systems.family_centre", {**own, "Indsats": [*own["Indsats"], *more, placed]}, "--page-size", "2")


def options(**given: str) -> str:
    """Write query options as a `$query` body."""
    return "&".join(f"${name}={quote(value)}" for name, value in given.items())


def ask(centre: Any, entity_set: str, **given: str) -> Any:
    """Query one set and give the answer."""
    return centre.call(f"/odata/{entity_set}/$query", options(**given), PLAIN)


def test_a_query_is_followed_to_its_end(centre: Any) -> None:
    """Next links lead through the whole result, and hold no CPR number."""
    answer = ask(centre, "Indsats", filter=f"Cpr eq '{VIKTOR}' and Kategori eq 'F01'").json
    told = [row["Id"] for row in answer["value"]]
    while following := answer.get("@odata.nextLink"):
        assert VIKTOR not in following
        answer = centre.call(following.removeprefix(centre.url), None, BEARER).json
        told += [row["Id"] for row in answer["value"]]

    assert told == ["F1", "F1-0", "F1-1", "F1-2"]


def test_category_and_person_narrow(centre: Any) -> None:
    """A filter by category tells that category alone, by parent what that parent receives."""
    placed = ask(centre, "Indsats", filter=f"Kategori eq 'F04' and Cpr eq '{VIKTOR}'").json["value"]
    mother = ask(centre, "BarnetsPlan", filter="KontaktCpr eq '710274-0022'").json["value"]
    nobody = ask(centre, "Underretning", filter="Cpr eq '0101010000'").json["value"]

    assert [row["Id"] for row in placed] == ["F9"]
    assert [row["Id"] for row in mother] == ["F2"]
    assert nobody == []


def test_only_selected_properties_come(centre: Any) -> None:
    """`$select`, `$top` and `$skip` mean what they mean in OData."""
    answer = ask(centre, "Indsats", filter=f"Cpr eq '{VIKTOR}'", select="Id,Besoegstider", top="1", skip="1").json

    assert [row["Id"] for row in answer["value"]] == ["F1-0"]
    assert set(answer["value"][0]) == {"Id", "Besoegstider"}
    assert answer["value"][0]["Besoegstider"][0] == {"Ugedag": 1, "Fra": "07:00", "Til": "08:00"}
    assert answer["@odata.context"].endswith("/odata/$metadata#Indsats")


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"filter": "Kategori eq 'F01'"},
        {"filter": f"Cpr ne '{VIKTOR}'"},
        {"filter": f"Cpr eq '{VIKTOR}' or Kategori eq 'F01'"},
        {"filter": f"Cpr eq '{VIKTOR}' and"},
        {"filter": f"Cpr eq '{VIKTOR}' and Cpr eq '{VIKTOR}'"},
        {"filter": f"BarnNavn eq 'x' and Cpr eq '{VIKTOR}'"},
        {"filter": f"startswith(Cpr,'{VIKTOR}')"},
        {"filter": f"Cpr eq '{VIKTOR}'", "expand": "Sag"},
        {"filter": f"Cpr eq '{VIKTOR}'", "orderby": "Id"},
        {"filter": f"Cpr eq '{VIKTOR}'", "select": "Id,Hemmeligt"},
        {"filter": f"Cpr eq '{VIKTOR}'", "top": "-1"},
        {"filter": f"Cpr eq '{VIKTOR}'", "skip": "x"},
    ],
)
def test_what_it_does_not_understand_is_refused(centre: Any, given: dict[str, str]) -> None:
    """A query beyond equalities of known properties is an OData error that repeats nothing."""
    answer = ask(centre, "Indsats", **given)
    assert answer.status == 400
    assert set(answer.json["error"]) == {"code", "message"}
    assert VIKTOR.encode() not in answer.raw


def test_a_number_in_a_url_is_refused(centre: Any) -> None:
    """Neither GET nor POST takes a filter from the URL."""
    filtered = "?$filter=" + quote(f"Cpr eq '{VIKTOR}'")
    assert centre.call("/odata/Sag" + filtered, None, BEARER).status == 400
    assert centre.call("/odata/Sag/$query" + filtered, "", PLAIN).status == 400


def test_a_form_body_is_read_too(centre: Any) -> None:
    """The second content type of the specification works, others do not."""
    form = "%24filter=" + quote(f"Cpr eq '{VIKTOR}'").replace("%20", "+")
    headers = BEARER | {"Content-Type": "application/x-www-form-urlencoded"}
    assert centre.call("/odata/BarnetsPlan/$query", form, headers).json["value"][0]["Id"] == "F2"
    assert centre.call("/odata/BarnetsPlan/$query", "{}", BEARER).status == 400


def test_the_metadata_names_every_property_told(centre: Any) -> None:
    """The entity model is well-formed CSDL and covers what the answers hold."""
    model = ET.fromstring(centre.call("/odata/$metadata", None, BEARER).raw)
    types = {kind.get("Name"): kind for kind in model.iter(f"{EDM}EntityType")}
    told = ask(centre, "Underretning", filter=f"Cpr eq '{VIKTOR}'").json["value"][0]

    assert {one.get("Name") for one in types["Underretning"].iter(f"{EDM}Property")} == set(told)
    served = {one["name"] for one in centre.call("/odata/", None, BEARER).json["value"]}
    assert served == set(types)


def test_nothing_without_the_token(centre: Any) -> None:
    """Every part of the service needs the bearer token."""
    for path in ("/odata/", "/odata/$metadata", "/odata/Sag"):
        assert centre.call(path).status == 401
    assert centre.call("/odata/Sag/$query", "", {"Content-Type": "text/plain"}).status == 401


def test_the_engine_sees_sets_and_categories(centre: Any) -> None:
    """A call is seen with its set and the category its filter names, pages included."""
    centre.control("/reset", {})
    first = ask(centre, "Indsats", filter=f"Cpr eq '{VIKTOR}'").json
    centre.call(first["@odata.nextLink"].removeprefix(centre.url), None, BEARER)
    ask(centre, "Indsats", filter=f"Cpr eq '{VIKTOR}' and Kategori eq 'F04'")

    assert centre.calls() == [
        ("POST", "/odata/Indsats/$query", "F01"),
        ("GET", "/odata/Indsats", "F01"),
        ("POST", "/odata/Indsats/$query", "F04"),
    ]


def test_a_leaking_service_ignores_the_category(centre: Any) -> None:
    """Told to leak, it answers with another category's records about the same child."""
    centre.control("", {"leak": True})
    answer = ask(centre, "Indsats", filter=f"Cpr eq '{VIKTOR}' and Kategori eq 'F04'", top="1").json["value"]
    centre.control("/reset", {})
    assert [row["Kategori"] for row in answer] == ["F01"]
