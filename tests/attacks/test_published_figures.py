"""What leaves the house in numbers: made once, by the overseers alone, and nobody to be made out of two files."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from broker.adapters.clock_system import FixedClock
from broker.domain.days import DANISH_TIME
from broker.domain.decisions import Verdict
from broker.domain.entries import EVERYTHING as EVERY
from broker.domain.errors import BadAsk, Conflict, NotAllowed, NotFound
from broker.domain.events import OutcomeReached
from broker.domain.personal import Personal
from broker.oversight.publication import Press, months_of, publish, quarter_before
from broker.oversight.samples import month_of
from broker.web.dpo.figures import _refusals
from broker.web.spreadsheet import spreadsheet
from demo.postgres import PrivatePostgres
from tests.archives import open_archive_house
from tests.attacks.test_figures import desk_of
from tests.log_events import an_outcome
from tests.sampling import APRIL, Sampling, an_officer, open_sampling

DPO, QUARTER = an_officer("dorte", "dpo"), "2019-Q1"


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Sampling]:
    """Give a house in April, whose first quarter has refusals of two reasons, some of them few."""
    async with open_sampling(postgres, tmp_path) as made:
        for month, few, many in ((1, 3, 9), (2, 7, 12), (3, 8, 20)):
            await refusals(made, month, "ROLE_KLE", few)
            await refusals(made, month, "NSIS_TOO_LOW", many)
        made.to(APRIL)
        yield made


async def refusals(house: Sampling, month: int, reason: str, count: int) -> None:
    """Put asks that a reason held back on the log, each about a citizen of its own."""
    numbers = [Personal(f"01010100{number:02}") for number in range(count)]
    citizens = await house.house.databases.vault.citizens(numbers)
    asks = [refused(house, citizen, month, reason, number) for number, citizen in enumerate(citizens)]
    await house.house.databases.log.append(asks)


def refused(house: Sampling, citizen: str, month: int, reason: str, number: int) -> OutcomeReached:
    """Make the outcome of one such ask."""
    made = an_outcome(citizen, house.actor, at=datetime(2019, month, 8, 10, tzinfo=DANISH_TIME), outcome="refused")
    verdict = Verdict(made.verdicts[0].key, "withhold", reasons=(reason,), shown=(reason,))
    return replace(made, ask=f"{reason}-{month}-{number}", verdicts=(verdict,))


def press_of(house: Sampling, at: datetime = APRIL) -> Press:
    """Give the doors of publication."""
    return Press(desk_of(house, clock=FixedClock(at)), house.house.databases.reader)


async def entries(house: Sampling, kind: str) -> list[Any]:
    """Give the entries of a kind."""
    page = await house.house.databases.reader.search(["korsbaek", "norrestrand"], replace(EVERY, kind=kind))
    return list(page.entries)


async def test_a_small_number_goes_with_its_shields(house: Sampling) -> None:
    """Three asks in January are withheld, and with them what their difference could be had from; the sums are told."""
    found = await publish("korsbaek", QUARTER, DPO, press_of(house))
    assert found.months == ("2019-01", "2019-02", "2019-03")
    rows = {reason: (asks, total) for reason, asks, total in found.rows}
    assert rows["ROLE_KLE"] == ((None, None, 8), 18)
    assert rows["NSIS_TOO_LOW"] == ((None, None, 20), 41)
    assert (found.columns, found.total) == ((12, 19, 28), 59)


async def test_one_citizen_who_was_refused_often_is_one(house: Sampling) -> None:
    """Seven noes to one citizen are one citizen, and as such withheld: seven would be told, and be of one person."""
    (citizen,) = await house.house.databases.vault.citizens([Personal("0202020002")])
    asks = [refused(house, citizen, 2, "BLOCKED_BY_CITIZEN", number) for number in range(7)]
    await house.house.databases.log.append(asks)

    found = await publish("korsbaek", QUARTER, DPO, press_of(house))

    (row,) = [row for row in found.rows if row[0] == "BLOCKED_BY_CITIZEN"]
    assert (row[1][1], row[2]) == (None, None)
    inside = await press_of(house).figures.counts.of("korsbaek", *month_of("2019-02"))
    assert (dict(inside.reasons)["BLOCKED_BY_CITIZEN"], dict(inside.refused)["BLOCKED_BY_CITIZEN"]) == (7, 1)


async def test_what_went_out_stays_what_it_was(house: Sampling) -> None:
    """When citizens are erased, or the time is long over, the same numbers come out: two files have no difference."""
    first = await publish("korsbaek", QUARTER, DPO, press_of(house))
    owner = await asyncpg.connect(house.house.databases.admin)
    await owner.execute("SET session_replication_role = replica")
    gone = await owner.execute("DELETE FROM log.index WHERE kind = 'outcome' AND idx % 3 = 0")
    await owner.close()
    assert gone != "DELETE 0"
    assert await publish("korsbaek", QUARTER, DPO, press_of(house)) == first
    assert len(await entries(house, "figures.published")) == 1
    later = datetime(2021, 1, 5, tzinfo=DANISH_TIME)
    assert await publish("korsbaek", QUARTER, an_officer("k", "logkontrollant"), press_of(house, later)) == first
    assert len(await entries(house, "figures.published")) == 1
    assert [entry.index["month"] for entry in await entries(house, "figures.read")] == [QUARTER, QUARTER]


async def test_of_two_at_once_both_get_the_first(house: Sampling) -> None:
    """Two officers at the same moment get the same numbers, and so does everybody after them."""
    both = await asyncio.gather(*(publish("korsbaek", QUARTER, DPO, press_of(house)) for _ in range(2)))
    await refusals(house, 1, "ROLE_KLE", 40)
    assert {await publish("korsbaek", QUARTER, DPO, press_of(house)), *both} == {both[0]}


@pytest.mark.parametrize(("officer", "municipality", "quarter", "error"), [
    (DPO, "korsbaek", "2019-Q2", Conflict), (DPO, "korsbaek", "2018-Q4", Conflict),
    (DPO, "korsbaek", "9999-Q4", Conflict),
    (DPO, "korsbaek", "2019-Q5", BadAsk), (DPO, "korsbaek", "", BadAsk), (DPO, "korsbaek", "２０１９-Q1", BadAsk),
    (DPO, "korsbaek", "2019-Q1\x00", BadAsk), (DPO, "norrestrand", QUARTER, NotFound), (DPO, "x", QUARTER, NotFound),
    (an_officer("l", "teamleder", "korsbaek", "jobcentre"), "korsbaek", QUARTER, NotAllowed),
])  # fmt: skip
async def test_nothing_else_is_made_ready(
    house: Sampling, officer: Any, municipality: str, quarter: str, error: Any
) -> None:
    """Not a quarter that runs or is long over, not another's, and no month or year: nothing is on the log."""
    with pytest.raises(error):
        await publish(municipality, quarter, officer, press_of(house))
    assert await entries(house, "figures.published") + await entries(house, "figures.read") == []


async def test_an_entry_that_was_changed_gives_nothing(house: Sampling) -> None:
    """Who bends the line that holds the numbers gets no second file out of it: it is told that it cannot be opened."""
    await publish("korsbaek", QUARTER, DPO, press_of(house))
    owner = await asyncpg.connect(house.house.databases.admin)
    await owner.execute("SET session_replication_role = replica")
    (place,) = [entry.receipt.index for entry in await entries(house, "figures.published")]
    await owner.execute("UPDATE log.body SET ciphertext = ciphertext || 'x' WHERE idx = $1", place)
    await owner.close()
    with pytest.raises(Conflict, match="entry_gone"):
        await publish("korsbaek", QUARTER, DPO, press_of(house))


async def test_the_form_and_its_twin(house: Sampling) -> None:
    """The files hold what the log holds; without the token, or as anybody else, nothing is made ready."""
    clock = house.house.clock
    dpo = await house.house.officer()
    page = await dpo.get("/dpo/figures?lang=da")
    assert "Tal til andre" in page.text
    late = await dpo.post("/dpo/figures/published", municipality="korsbaek", quarter="2017-Q1", form="csv")
    assert (late.status_code, "Nobody made that quarter" in late.text or "Ingen gjorde" in late.text) == (400, True)
    forged = await dpo.post("/dpo/figures/published", csrf="x", municipality="korsbaek", quarter="2018-Q4")
    assert forged.status_code == 403
    for reader in (await house.house.citizen(), house.house.stranger()):
        assert (await reader.post("/dpo/figures/published", municipality="korsbaek")).status_code in {303, 401, 403}
    assert await entries(house, "figures.published") == []
    quarter = quarter_before(clock.now().astimezone(DANISH_TIME).date())
    made = await dpo.post("/dpo/figures/published", municipality="korsbaek", quarter=quarter, form="csv")
    assert made.headers["content-disposition"].endswith(f'filename="refusals-korsbaek-{quarter}.csv"')
    rows = list(csv.reader(io.StringIO(made.text.removeprefix("\ufeff")), delimiter=";"))
    assert rows[0][2:5] == list(months_of(quarter))
    held = {"X-CSRF-Token": dpo.csrf}
    body = {"municipality": "korsbaek", "quarter": quarter}
    twin = await dpo.http.post("/v1/figures/published", json=body, headers=held)
    assert (twin.json()["quarter"], twin.json()["sum"]) == (quarter, 0)
    assert (await dpo.http.post("/v1/figures/published", json=body)).status_code == 403
    assert len(await entries(house, "figures.published")) == 1


async def test_the_spreadsheet_says_what_is_withheld(house: Sampling) -> None:
    """A withheld number is a word in the reader's language, in cells and sums; the law stands by each reason."""

    class Room:
        """The part of the overseer's room that the file is made with."""

        ports = house.house.ports

    found = await publish("korsbaek", QUARTER, DPO, press_of(house))
    text = _refusals(found, Room, "da").decode()  # type: ignore[arg-type]  # only its names are read
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";"))
    assert [row[1] for row in rows[1:]] == ["databeskyttelsesforordningen art. 32", "FVL § 32", ""]
    assert [row[2:] for row in rows[1:]] == [
        ["ikke vist", "ikke vist", "20", "41"], ["ikke vist", "ikke vist", "8", "18"], ["12", "19", "28", "59"]
    ]  # fmt: skip


def test_no_cell_is_a_formula() -> None:
    """Whatever a text begins with, a spreadsheet reads it as text; a count stays a count."""
    table = spreadsheet(["=1+1"], [["+1", "-1", "@x", "\tx", "\rx", "a", -1]]).decode()
    cells = next(iter(csv.reader(io.StringIO(table.split("\r\n", 1)[1], newline=""), delimiter=";")))
    assert cells == ["'+1", "'-1", "'@x", "'\tx", "'\rx", "a", "-1"]
    assert "'=1+1" in table


async def test_the_command_gives_the_same(postgres: PrivatePostgres, tmp_path: Path) -> None:
    """A citizen counts once, however often refused; half past midnight on the first in Denmark is the new month."""
    async with open_archive_house(postgres, tmp_path) as archive:
        outcome = await archive.outcome()
        refused = Verdict(outcome.verdicts[0].key, "withhold", reasons=("ROLE_KLE",), shown=("ROLE_KLE",))
        before = datetime.fromisoformat("2019-02-28T22:30:00+00:00")
        after = datetime.fromisoformat("2019-02-28T23:30:00+00:00")
        for number in range(13):
            one = replace(
                outcome, ask=f"ask-{number}", at=before if number < 6 else after, verdicts=(refused,), outcome="refused"
            )
            (other,) = await archive.vault.citizens([Personal(f"01010100{number:02}")])
            again = replace(one, subject=other)
            await archive.log.append([again, replace(again, ask=f"again-{number}")])
        archive.environ = archive.environ | {"BROKER_FIXED_CLOCK": "2019-04-01T12:00:00+02:00"}
        code, told, _ = archive.policy("denials", "--municipality", "korsbaek", "--json")
        refusal, _, said = archive.policy("denials", "--municipality", "korsbaek", "--quarter", "2018-Q1")
    (row,) = [row for row in told["reasons"] if row["reason"] == "ROLE_KLE"]
    assert (code, told["quarter"], row["citizens"], row["sum"]) == (0, QUARTER, [0, 6, 7], 13)
    assert refusal != 0
    assert "made that quarter ready" in said
