"""How logs stand: sizes, witnesses, what does not fit, asks without an outcome; each alarm from its own cause alone."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from audit.cosignature import Cosigner
from audit.note import SigningKey
from broker.adapters.audit_standing import StandingsPostgres, WitnessPolicyRefused, public_policy, witness_policy
from broker.adapters.checks_sql import ChecksSql, Program
from broker.adapters.clock_system import FixedClock
from broker.adapters.deferrals_sql import DeferralsSql
from broker.domain.identity import OfficerLogin
from broker.domain.integrity import (
    BAD_SIGNATURE,
    BROKEN_OFF,
    CHECK_BROKEN_OFF,
    CHECK_FOUND,
    CHECK_OLD,
    CHECK_SILENT,
    ENDED,
    FORKED,
    LATE,
    LATE_SECONDS,
    LOOKED_BACK,
    MOST_SHOWN,
    NEVER_CHECKED,
    NEVER_SIGNED,
    NO_REPORT,
    NODE_ENDED,
    OPEN_ASKS,
    OUTCOME_WITHIN,
    REFUSING,
    ROLLED_BACK,
    RUNNING,
    SHORT_OF_WITNESSES,
    STILL_KEPT_BACK,
    TOO_LONG,
    Run,
    Standing,
)
from broker.domain.personal import Personal
from broker.oversight.deferral import Desk as DeferralDesk
from broker.oversight.deferral import Wish, approve, ask
from broker.oversight.integrity import Watch, with_runs
from broker.oversight.waiting import alarms_of
from demo.postgres import PrivatePostgres
from tests.builders import a_house
from tests.databases import BASE, Databases, opened
from tests.log_events import NOON, an_ask, an_outcome
from tests.signing import signing

KEY = SigningKey(BASE, b"k" * 32)
HOME = "korsbaek"
LIMIT = 900.0
LATER = NOON + timedelta(hours=1)
NEIGHBOUR, OTHER = Cosigner("witness.example/a", 4, b"a" * 32), Cosigner("witness.example/b", 4, b"b" * 32)


@dataclass
class House:
    """A signed log of three entries, and a node that looks at it."""

    databases: Databases
    standings: StandingsPostgres
    superuser: asyncpg.Connection[Any]
    sign: Any
    anna: str
    kim: str

    async def look(self, now: datetime = LATER) -> Standing:
        """Give how the log stands."""
        (found,) = await self.standings.of([HOME], now)
        return found


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[House]:
    """Give a log with an ask that has its outcome, and one more outcome."""
    async with opened(postgres) as made:
        anna, kim = await made.vault.citizens([Personal(f"{n:010d}") for n in range(2)])
        await made.log.append([an_ask(anna, kim), an_outcome(anna, kim), an_outcome(anna, kim)])
        superuser = await asyncpg.connect(made.admin)
        async with signing(made.at.checkpointer, KEY, tmp_path / "signer") as rounds:
            await rounds.once()
            yield House(
                made, StandingsPostgres(made.pool, [str(KEY.verify_key)], LIMIT), superuser, rounds.once, anna, kim
            )
        await superuser.close()


async def test_a_log_that_is_well(house: House) -> None:
    """A log at rest, signed, with every ask answered, has no alarm but that nobody ever checked it."""
    found = await house.look()

    assert found.alarms(LATER) == (NEVER_CHECKED,)
    assert (found.size, found.published_size, found.grown_at) == (3, 3, NOON)
    root = await house.superuser.fetchval("SELECT root FROM log.head")
    assert found.published_root == b64encode(root).decode()
    assert (found.signature_holds, found.shorter, found.bent, found.newest) == (True, False, False, True)
    assert found.waited_seconds is not None
    assert found.waited_seconds < LATE_SECONDS


async def test_a_log_that_was_put_back_and_one_that_forked(house: House) -> None:
    """What became shorter than was signed or seen, or goes on from something else, is told, however it came."""
    assert await house.look()
    await house.superuser.execute("UPDATE log.head SET size = 2")
    assert ROLLED_BACK in (await house.look()).alarms(LATER)
    await house.superuser.execute("DELETE FROM log.checkpoint")
    assert ROLLED_BACK in (await house.look()).alarms(LATER)
    await house.superuser.execute("UPDATE log.head SET size = 3, root = sha256('x')")
    assert FORKED not in (await house.look()).alarms(LATER)  # Nothing is on record to hold it against.


async def test_alarms_are_counted_by_municipality(house: House) -> None:
    """What the page tells the overseer, the operator can count: each alarm with its logs, checks among them."""
    clock, program = FixedClock(LATER), Program(house.databases.at.reader, ())
    checks = ChecksSql(house.databases.pool, house.databases.log, clock, program)

    async def counted() -> Mapping[tuple[str, str], int]:
        watch = Watch(house.standings, checks, None)  # type: ignore[arg-type]  # No evidence is asked for.
        return await alarms_of((HOME,), watch, clock)

    assert await counted() == {(HOME, NEVER_CHECKED): 1}
    await house.superuser.execute("UPDATE log.head SET root = sha256('x')")
    assert await counted() == {(HOME, NEVER_CHECKED): 1, (HOME, FORKED): 1}


async def test_a_head_that_is_not_the_signed_one(house: House) -> None:
    """A root that was changed beside its signed head is a fork; a note that was is a bad signature."""
    await house.superuser.execute("UPDATE log.head SET root = sha256('x')")
    assert FORKED in (await house.look()).alarms(LATER)
    await house.superuser.execute("UPDATE log.checkpoint SET note = replace(note, E'\\n3\\n', E'\\n4\\n')")
    assert BAD_SIGNATURE in (await house.look()).alarms(LATER)
    await house.superuser.execute("UPDATE log.checkpoint SET note = 'x'")
    assert BAD_SIGNATURE in (await house.look()).alarms(LATER)


async def test_another_history_of_the_same_length_is_seen(house: House, tmp_path: Path) -> None:
    """A log made anew behind the node's back, and signed with the stolen key, does not go on from what was seen."""
    await house.look()
    for table in ("entry", "body", "index", "checkpoint", "node"):
        await house.superuser.execute(f"TRUNCATE log.{table}")
    await house.superuser.execute("UPDATE log.head SET size = 0, root = sha256(''), frontier = ''")
    await house.databases.log.append([an_outcome(house.anna, house.kim)] * 4)
    async with signing(house.databases.at.checkpointer, KEY, tmp_path / "thief") as rounds:
        await rounds.once()
    found = await house.look()

    assert (found.signature_holds, FORKED in found.alarms(LATER)) == (True, True)
    assert FORKED in (await house.look()).alarms(LATER)  # It is not forgotten by having been told once.


async def test_a_log_that_grows_goes_on(house: House) -> None:
    """Honest growth, signed again and again, is no alarm at any step."""
    for _ in range(3):
        await house.databases.log.append([an_outcome(house.anna, house.kim)] * 300)
        await house.sign()
        assert (await house.look()).alarms(LATER) == (NEVER_CHECKED,)


async def test_late_witnesses_are_told_before_asks_are_refused(house: House) -> None:
    """After five minutes it is late, past the limit asks are refused, and one follows on the other."""
    for seconds, wanted in ((LATE_SECONDS + 9, LATE), (LIMIT + 9, REFUSING)):
        await house.superuser.execute(
            "UPDATE log.checkpoint SET published_at = clock_timestamp() - make_interval(secs => $1)", float(seconds)
        )
        assert set((await house.look()).alarms(LATER)) == {wanted, NEVER_CHECKED}


async def test_nothing_signed(house: House) -> None:
    """A log of which nothing was ever published says so."""
    await house.superuser.execute("UPDATE log.checkpoint SET published_at = NULL")
    assert NEVER_SIGNED in (await house.look()).alarms(LATER)


async def test_who_cosigned_is_held_against_the_policy(house: House, tmp_path: Path) -> None:
    """With the policy only signatures that hold count; without it names are read, and it says that nothing was held."""
    file = tmp_path / "policy"
    file.write_text(f"witness a {NEIGHBOUR.key}\nwitness b {OTHER.key}\ngroup g 2 a b\nquorum g\n", "utf-8")
    await house.superuser.execute("UPDATE log.checkpoint SET note = note || $1", _cosigned(await _text(house)))
    knowing = StandingsPostgres(house.databases.pool, [str(KEY.verify_key)], LIMIT, witness_policy(file))
    (known,), unknown = await knowing.of([HOME], LATER), await house.look()

    assert [(one.name, one.at is not None, one.judged) for one in known.witnesses] == [
        ("a", True, True),
        ("b", False, True),
    ]
    assert known.quorum is not None
    assert (known.quorum.least, known.quorum.members, known.quorum.met) == (2, 2, False)
    assert SHORT_OF_WITNESSES in known.alarms(LATER)
    assert [(one.name, one.judged) for one in unknown.witnesses] == [(NEIGHBOUR.name, False), (OTHER.name, False)]
    assert unknown.quorum is None


async def _text(house: House) -> str:
    note: str = await house.superuser.fetchval("SELECT note FROM log.checkpoint")
    return note.partition("\n\n")[0] + "\n"


def _cosigned(text: str) -> str:
    """Write a cosignature that holds, and one over another text."""
    return NEIGHBOUR.cosign(text, 1_551_438_000) + OTHER.cosign(text.replace("\n3\n", "\n4\n"), 1_551_438_000)


@pytest.mark.parametrize("content", ["", "quorum x\n", "witness a b\nquorum a\n"])
def test_a_policy_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    """A node does not open with a policy that it cannot read: it would show witnesses that nobody named."""
    file = tmp_path / "policy"
    file.write_text(content, "utf-8")
    with pytest.raises(WitnessPolicyRefused):
        witness_policy(file)
    with pytest.raises(WitnessPolicyRefused):
        witness_policy(tmp_path / "nothing")


def test_what_anybody_may_read_of_the_policy(tmp_path: Path) -> None:
    """The logs' own keys, the witnesses and the quorum, without addresses; nothing where no witness is asked for."""
    file = tmp_path / "policy"
    other = SigningKey("old.example", b"o" * 32).verify_key
    file.write_text(f"log {other} https://l\nwitness a {NEIGHBOUR.key} https://w.internal/\nquorum a\n", "utf-8")
    text = f"log {KEY.verify_key}\nwitness a {NEIGHBOUR.key}\nquorum a\n"
    assert public_policy(witness_policy(file), [str(KEY.verify_key)]) == text
    file.write_text(f"witness a {NEIGHBOUR.key}\nquorum none\n", "utf-8")
    assert public_policy(witness_policy(file), [str(KEY.verify_key)]) == public_policy(None, []) == ""


async def test_asks_without_an_outcome(house: House) -> None:
    """An ask counts once its time is over and until a week is; one with an outcome never does."""
    await house.databases.log.append([replace(an_ask(house.anna, house.kim), ask="ask-2", at=LATER)])
    for now, wanted in (
        (LATER + OUTCOME_WITHIN, 0),
        (LATER + OUTCOME_WITHIN + timedelta(seconds=1), 1),
        (LATER + LOOKED_BACK, 1),
        (LATER + LOOKED_BACK + timedelta(seconds=1), 0),
    ):
        found = await house.look(now)
        assert (found.open_count, OPEN_ASKS in found.alarms(now)) == (wanted, wanted == 1), now
        assert [one.receipt.index for one in found.open_asks] == [3] * wanted


async def test_very_many_are_counted_and_few_are_fetched(house: House) -> None:
    """A house that was down for a day has its page all the same: all are counted, the newest few are named."""
    many = [replace(an_ask(house.anna, house.kim), ask=f"many-{number}") for number in range(MOST_SHOWN + 9)]
    await house.databases.log.append(many)
    found = await house.look()

    assert (found.open_count, len(found.open_asks)) == (MOST_SHOWN + 9, MOST_SHOWN)
    assert found.open_asks[0].receipt.index == 2 + len(many)


async def test_only_ones_own_municipality(house: House) -> None:
    """Whoever oversees another municipality is told of no log and no ask of this one."""
    assert await house.standings.of(["norrestrand"], LATER) == ()
    assert await house.standings.of([], LATER) == ()


async def test_what_is_kept_back_past_its_time(house: House, tmp_path: Path) -> None:
    """A deferral in force is counted; once it is over nothing stays back, and a database that does so is told of."""
    small = await a_house(tmp_path)
    clock = type("Clock", (), {"now": lambda _: NOON})()
    desk = DeferralDesk(
        clock, house.databases.vault, small.ports, DeferralsSql(house.databases.pool, house.databases.log)
    )
    first = OfficerLogin(Personal("dorte"), "https://idp", "dpo", frozenset({HOME}), "Substantial", NOON)
    wish = Wish(Personal("0000000000"), "jobcentre", "dbl22_2", date(2019, 3, 10))
    made = await ask(wish, first, desk)
    await approve(made.id, wish.citizen, replace(first, id=Personal("kim")), desk)
    kept = replace(an_outcome(house.anna, house.kim, unit="jobcentre"), at=NOON + timedelta(minutes=1))
    await house.databases.log.append([kept])
    within, over = NOON + timedelta(days=1), datetime(2019, 3, 20, tzinfo=UTC)

    assert ((await house.look(within)).kept_back, (await house.look(within)).overdue) == (1, 0)
    assert ((await house.look(over)).kept_back, (await house.look(over)).overdue) == (0, 0)
    await house.superuser.execute(
        "CREATE OR REPLACE FUNCTION log.kept_back(p_citizen text, p_unit text, p_kind text, p_at bigint)"
        " RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT true'"
    )
    found = await house.look(over)
    assert found.overdue > 0
    assert STILL_KEPT_BACK in found.alarms(over)


def test_alarms_of_checks(house_of_none: Standing) -> None:
    """A check that found something, one that is old and one that was broken off are three alarms; a good one none."""
    good = Run("1", HOME, "log", "kim", "dpo", NOON, ENDED, size=3)
    for last, newest, wanted in (
        (good, good, ()),
        (replace(good, found=1), good, (CHECK_FOUND,)),
        (replace(good, begun_at=NOON - timedelta(days=32)), good, (CHECK_OLD,)),
        (good, replace(good, state=BROKEN_OFF), (CHECK_BROKEN_OFF,)),
        (good, replace(good, state=BROKEN_OFF, why=NODE_ENDED), (CHECK_BROKEN_OFF,)),
    ):
        assert replace(house_of_none, last=last, newest_run=newest).alarms(NOON) == wanted


def test_a_check_that_could_not_say_stands_until_one_can(house_of_none: Standing) -> None:
    """Neither one under way nor one that a node broke off takes the alarm away; only a check that came to its end."""
    good = Run("1", HOME, "log", "kim", "dpo", NOON, ENDED, size=3)
    for why in (NO_REPORT, TOO_LONG):
        silent = replace(good, state=BROKEN_OFF, why=why, size=None)
        going = replace(good, state=RUNNING, size=None)
        ended = replace(silent, why=NODE_ENDED)
        for runs, alarms in (
            ((silent, good), (CHECK_SILENT,)),
            ((going, ended, silent, good), (CHECK_SILENT,)),
            ((ended, silent), (CHECK_SILENT, NEVER_CHECKED)),
            ((good, silent), ()),
        ):
            assert with_runs(house_of_none, runs).alarms(NOON) == alarms


@pytest.fixture
def house_of_none() -> Standing:
    """Give a log of which nothing is wrong."""
    return Standing("log", HOME, 2019, True, 3, NOON, 3, NOON, 3, NOON, 1.0, LIMIT)
