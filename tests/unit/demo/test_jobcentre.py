"""The jobcentre answers as such a system does: token, key, find by body, one paged path a category."""

from __future__ import annotations

import base64
from typing import Any

import pytest

ANNETTE = "7102740022"


@pytest.fixture(scope="module")
def jobcentre(start: Any, records: Any) -> Any:
    """The jobcentre over scenario 1, one record a page."""
    return start("systems.jobcentre", records["jobcentre"], "--page-size", "1")


@pytest.fixture(scope="module")
def access(jobcentre: Any) -> dict[str, str]:
    """A fresh token and the key."""
    form = "grant_type=client_credentials&client_id=client-a&client_secret=secret-b"
    answer = jobcentre.call("/oauth2/token", form, {"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.json["expires_in"] == 300
    return {"Authorization": f"Bearer {answer.json['access_token']}", "apikey": "key-c"}


def test_a_citizen_is_found_by_a_number_in_the_body(jobcentre: Any, access: Any) -> None:
    """With or without hyphen the number leads to the system's own id, and to nothing else."""
    for number in (ANNETTE, "710274-0022"):
        assert jobcentre.call("/api/citizens/find", {"cpr": number}, access).json == {"id": "b-4f21"}
    assert jobcentre.call("/api/citizens/find", {"cpr": "0101010000"}, access).status == 404


def test_a_list_comes_page_by_page(jobcentre: Any, access: Any) -> None:
    """Each page names the next one; the last names none; nothing is lost or told twice."""
    first = jobcentre.call("/api/citizens/b-4f21/activities", None, access).json
    second = jobcentre.call(f"/api/citizens/b-4f21/activities?page={first['nextPage']}", None, access).json

    assert [row["id"] for page in (first, second) for row in page["data"]] == ["J1", "J2"]
    assert (first["totalPages"], second["nextPage"]) == (2, None)
    assert "borgerId" not in first["data"][0]


@pytest.mark.parametrize("page", ["0", "-1", "x", "²"])
def test_a_page_that_is_none_is_refused(jobcentre: Any, access: Any, page: str) -> None:
    """A page number that is no whole number from 1 gives 400."""
    quoted = page.replace("²", "%C2%B2")
    assert jobcentre.call(f"/api/citizens/b-4f21/plans?page={quoted}", None, access).status == 400


def test_a_path_tells_its_own_category_alone(jobcentre: Any, access: Any) -> None:
    """Plans are plans only: whoever asks for one category is told no other."""
    plans = jobcentre.call("/api/citizens/b-4f21/plans", None, access).json["data"]
    assert [row["id"] for row in plans] == ["J3"]
    assert jobcentre.call("/api/citizens/b-4f21/absence", None, access).json["data"] == []


def test_basic_authentication_gives_a_token_too(jobcentre: Any) -> None:
    """The client may name itself in the header instead of the form."""
    basic = base64.b64encode(b"client-a:secret-b").decode()
    headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
    assert jobcentre.call("/oauth2/token", "grant_type=client_credentials", headers).status == 200


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ("grant_type=client_credentials&client_id=client-a&client_secret=wrong", 401),
        ("grant_type=client_credentials", 401),
        ("grant_type=password&client_id=client-a&client_secret=secret-b", 400),
    ],
)
def test_no_token_without_the_right_credentials(jobcentre: Any, form: str, status: int) -> None:
    """A wrong secret, none, or another grant gives no token."""
    answer = jobcentre.call("/oauth2/token", form, {"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status == status
    assert "access_token" not in answer.json


@pytest.mark.parametrize("missing", ["Authorization", "apikey"])
def test_both_token_and_key_are_needed(jobcentre: Any, access: Any, missing: str) -> None:
    """One of the two alone opens nothing."""
    headers = {name: value for name, value in access.items() if name != missing}
    assert jobcentre.call("/api/citizens/b-4f21/plans", None, headers).status == 401


def test_calls_are_seen_in_order_without_personal_values(jobcentre: Any, access: Any) -> None:
    """The engine learns method, template and category of each call, and no id or number."""
    jobcentre.control("/reset", {})
    jobcentre.call("/api/citizens/find", {"cpr": ANNETTE}, access)
    jobcentre.call("/api/citizens/b-4f21/plans", None, access)
    jobcentre.call("/api/citizens/b-4f21/none-such", None, access)

    assert jobcentre.calls() == [
        ("POST", "/api/citizens/find", None),
        ("GET", "/api/citizens/{id}/plans", "B01"),
        ("GET", "(unknown)", None),
    ]


def test_a_broken_body_is_refused_without_an_echo(jobcentre: Any, access: Any) -> None:
    """What is no JSON object gives 400, and nothing of it comes back."""
    for body in ("{7102740022", "[1]"):
        answer = jobcentre.call("/api/citizens/find", body, access)
        assert answer.status == 400
        assert ANNETTE.encode() not in answer.raw


def test_a_leaking_system_tells_every_kind(jobcentre: Any, access: Any) -> None:
    """Told to leak, the path of one category answers with the records of all."""
    jobcentre.control("", {"leak": True})
    answer = jobcentre.call("/api/citizens/b-4f21/absence", None, access)
    jobcentre.control("/reset", {})
    assert answer.json["totalPages"] == 5
