"""Whoever lets another's paused yes hold again, or makes it hold longer than its giver said."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broker.domain.personal import Personal
from demo.postgres import PrivatePostgres
from tests.attacks.test_desk import STRANGERS, TAKEN_BACK, a_consent, of
from tests.builders import CASE, CITIZEN, STRANGER, a_caller
from tests.front import Front, open_front


@pytest.fixture
async def front(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Front]:
    """Open the faces over real databases."""
    async with open_front(postgres, tmp_path) as made:
        yield made


async def states(front: Front) -> set[str]:
    """Give the states of the citizen's lines."""
    given = (await front.get("/v1/me/consents")).json()["consents"]
    return {line["state"] for consent in given for line in consent["lines"]}


@pytest.mark.parametrize("way", ["pause", "resumption"])
@pytest.mark.parametrize("who", STRANGERS)
async def test_no_stranger_pauses_or_resumes_at_a_desk(front: Front, who: str, way: str) -> None:
    """Who knows a consent's id and its giver's number still changes nothing that was not given to them."""
    consent = await a_consent(front)
    if way == "resumption":
        await front.post(f"/v1/me/consents/{consent}/pause", {})
    before = await states(front)

    front.caller = STRANGERS[who]
    answer = await front.post(f"/v1/consents/{consent}/{way}", TAKEN_BACK)

    assert answer.status_code == 404
    assert await states(front) == before


async def test_the_unit_that_would_see_it_never_lets_it_hold_again(front: Front) -> None:
    """It may record that the citizen paused; that they let it hold again it may not, not even as a desk."""
    consent = await a_consent(front)
    paused = await front.post(f"/v1/consents/{consent}/pause", TAKEN_BACK)

    tries = []
    for caller in (a_caller(), of("jobcentre", "korsbaek", "borgerservice")):
        front.caller = caller
        tries.append((await front.post(f"/v1/consents/{consent}/resumption", TAKEN_BACK)).status_code)
    refused = await states(front)
    front.caller = of("social-centre", "korsbaek", "borgerservice")
    by_the_desk = await front.post(f"/v1/consents/{consent}/resumption", TAKEN_BACK)

    assert (paused.status_code, tries, refused) == (200, [404, 404], {"paused"})
    assert (by_the_desk.status_code, await states(front)) == (200, {"live"})


async def test_another_citizen_changes_nothing(front: Front) -> None:
    """With the id of another's consent one finds nothing, the same as with an id that is none."""
    consent = await a_consent(front)
    front.citizen = STRANGER
    answers = [
        await front.post(f"/v1/me/consents/{one}/{way}", {})
        for one in (consent, "00000000-0000-0000-0000-000000000000")
        for way in ("pause", "resume")
    ]

    front.citizen = CITIZEN
    assert {(answer.status_code, answer.text) for answer in answers} == {(404, answers[0].text)}
    assert await states(front) == {"live"}


async def test_a_replay_changes_nothing(front: Front) -> None:
    """The same resumption sent again after a new pause by the giver is a new act; after none it is a conflict."""
    consent = await a_consent(front)
    await front.post(f"/v1/me/consents/{consent}/pause", {})
    first = await front.post(f"/v1/me/consents/{consent}/resume", {})
    again = await front.post(f"/v1/me/consents/{consent}/resume", {})
    await front.post(f"/v1/me/consents/{consent}/withdraw", {})
    after = await front.post(f"/v1/me/consents/{consent}/resume", {})

    assert (first.status_code, again.status_code, after.status_code) == (200, 409, 409)
    assert again.json()["what"] == after.json()["what"] == "nothing_is_paused"
    assert await states(front) == {"withdrawn"}


@pytest.mark.parametrize("field", ["at", "from", "to", "state"])
async def test_nobody_says_when(front: Front, field: str) -> None:
    """A change takes no day and no state of the caller's: the server's moment is the moment."""
    consent = await a_consent(front)

    answer = await front.post(f"/v1/me/consents/{consent}/pause", {field: "2019-01-01"})

    assert answer.status_code == 400
    assert await states(front) == {"live"}


async def test_a_pause_ends_a_release_under_way(front: Front) -> None:
    """An ask decided before the pause is judged again behind it, as after a withdrawal (P3)."""
    consent = await a_consent(front)
    (line,) = (await front.get("/v1/me/consents")).json()["consents"][0]["lines"]
    (citizen,) = await front.databases.vault.citizens([CITIZEN])
    case = await front.databases.vault.case("jobcentre", Personal(CASE))
    facts = await front.databases.consents.facts("korsbaek", "jobcentre", "helhedsorienteret_plan", case, [citizen])

    await front.post(f"/v1/me/consents/{consent}/pause", {"lines": [line["id"]]})
    now = await front.databases.consents.facts("korsbaek", "jobcentre", "helhedsorienteret_plan", case, [citizen])

    assert [row.state for row in facts.lines] == ["granted"]
    assert [row.state for row in now.lines] == ["paused"]
    assert now.versions != facts.versions
