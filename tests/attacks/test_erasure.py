"""Erasure under attack: one person alone, a hold, too early, faked, broken off; and what is left of the erased."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from audit.commitment import Party, SealedEntry, open_body
from audit.deletion import Deleted, Deletion
from audit.errors import LogError
from audit.note import SigningKey
from broker.adapters.erasures_sql import ErasuresSql
from broker.adapters.sealing import DoesNotOpen, derive, unseal
from broker.domain.entries import LogFilter
from broker.domain.erasure import (
    ARCHIVE,
    CASES,
    CONSENTS,
    HOLD,
    KEPT,
    NO_RETENTION,
    REQUESTS,
    Erasure,
    NotErasable,
    Obstacle,
)
from broker.domain.errors import BadAsk, Conflict, NotAllowed, NotFound, StoreUnavailable
from broker.domain.events import CitizenErased, ErasureExamined, ErasureRequested, HoldChanged, RetentionApplied
from broker.domain.personal import Personal
from broker.domain.retention import Retention
from broker.oversight.erasure import (
    OPERATOR,
    Named,
    approve,
    examine,
    lift_hold,
    record_archived,
    request,
    set_hold,
)
from demo.postgres import PrivatePostgres
from tests.builders import CITIZEN, NOON
from tests.consent_values import a_grant, a_line, a_request, granted, requested
from tests.erasures import ANNA, BO, DPO, HOME, KEY, KIM, LATER, LOG, NEXT, Years, open_years
from tests.pages_house import PagesHouse, open_pages

ERASED = LogFilter(kind=CitizenErased.name)
APPROVED_FROM_THE_START = (
    "INSERT INTO erasure.request (id, municipality, citizen, ground, requested_by, requested_at, expires_at,"
    " approved_by, approved_at) VALUES (gen_random_uuid(), 'korsbaek', 'c', 'g', 'a', now(), now(), 'b', now())"
)
UNKNOWN = Personal("0101010001")


@pytest.fixture
async def years(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Years]:
    """Give a house with lines about Anna and Bo of 2019, seven years later."""
    async with open_years(postgres, tmp_path) as made:
        await made.ask_about(made.anna, made.bo, made.anna)
        yield made


async def test_one_person_alone_erases_nobody(years: Years) -> None:
    """What was asked for is not carried out before somebody else has approved it."""
    made = await request(Named(ANNA), HOME, "art17_1_a", KIM, years.desk)
    with pytest.raises(Conflict, match="not_approved"):
        await years.carry_out(made)
    assert (await years.keep()) is not None

    assert await years.databases.vault.held_keys({(years.anna, HOME)})


@pytest.mark.parametrize("issuer", [KIM.issuer, DPO.issuer], ids=["at the machine again", "logged in as a DPO"])
async def test_the_same_person_twice_is_one_person(years: Years, issuer: str) -> None:
    """Whoever asked cannot approve: not at the machine, and not under the same id at the log-in."""
    made = await request(Named(ANNA), HOME, "art17_1_a", KIM, years.desk)
    officer = replace(DPO, id=KIM.id, issuer=issuer)
    with pytest.raises(Conflict, match="same_person"):
        await approve(made.id, ANNA, HOME, officer, years.desk)
    with pytest.raises(asyncpg.CheckViolationError):
        await years.superuser("UPDATE erasure.request SET approved_by = requested_by, approved_at = now()")


async def test_only_a_dpo_of_the_municipality_approves_and_names_the_citizen(years: Years) -> None:
    """Another role, another municipality's DPO, the id with another citizen, and an id of nowhere approve nothing."""
    made = await request(Named(ANNA), HOME, "art17_1_a", KIM, years.desk)
    for officer in (replace(DPO, role="logkontrollant"), replace(DPO, municipalities=frozenset({NEXT})),
                    replace(DPO, role=OPERATOR)):  # fmt: skip
        with pytest.raises(NotAllowed):
            await approve(made.id, ANNA, HOME, officer, years.desk)
    for erasure, citizen in ((made.id, BO), ("no-such-id", ANNA), (str(uuid4()), ANNA)):
        with pytest.raises(NotFound):
            await approve(erasure, citizen, HOME, DPO, years.desk)
    assert not (await years.desk.erasures.by_id(made.id, HOME)).approved_by


async def test_whom_a_dpo_names_by_mistake_gets_no_key(years: Years) -> None:
    """A number that the erasure is not about leaves nothing of it behind: no key in the municipality, no entry."""
    made = await request(Named(ANNA), HOME, "art17_1_a", KIM, years.desk)
    with pytest.raises(NotFound):
        await approve(made.id, UNKNOWN, HOME, DPO, years.desk)
    (stranger,) = await years.databases.vault.citizens([UNKNOWN])
    assert await years.databases.vault.held_keys({(stranger, HOME)}) == {}


async def test_what_was_approved_too_late_is_not_carried_out(years: Years) -> None:
    """An approval has its time, and so has carrying it out; afterwards it must be asked for again."""
    made = await request(Named(ANNA), HOME, "art17_1_a", KIM, years.desk)
    late = years.on(LATER + timedelta(days=14))
    with pytest.raises(Conflict, match="expired"):
        await approve(made.id, ANNA, HOME, DPO, late.desk)
    await approve(made.id, ANNA, HOME, DPO, years.desk)
    with pytest.raises(Conflict, match="expired"):
        await late.carry_out(made)


async def test_a_hold_stops_it_at_every_step(years: Years) -> None:
    """A hold set at the last moment stops what was approved; lifted, it goes on. The nightly job is stopped alike."""
    made = await request(Named(ANNA), HOME, "art17_1_a", KIM, years.desk)
    await approve(made.id, ANNA, HOME, DPO, years.desk)
    held = await set_hold(ANNA, HOME, "2026-31-0042", KIM, years.desk)

    with pytest.raises(NotErasable) as refused:
        await years.carry_out(made)
    assert Obstacle(HOLD, 1) in refused.value.obstacles
    kept = (await years.keep())[HOME]
    assert [obstacles for _, obstacles in kept.waiting] == [refused.value.obstacles]
    assert kept.deleted == {LOG: {"ask": 1, "outcome": 1}}, "Bo's lines go, Anna's are held"
    assert len((await years.reader.of_subject(years.anna)).entries) >= 4

    await lift_hold(held, HOME, KIM, years.desk)
    assert (await years.keep())[HOME].erased == 1
    with pytest.raises(NotFound):
        await lift_hold(held, HOME, KIM, years.desk)


async def test_a_hold_of_everybody_stops_everything(years: Years) -> None:
    """Where nothing may be deleted, nothing is: neither by erasure nor by the nightly job."""
    await set_hold(None, HOME, "kassationsstop/2026", KIM, years.desk)

    assert (await years.keep())[HOME].deleted == {}
    with pytest.raises(NotErasable):
        await request(Named(BO), HOME, "art17_1_a", KIM, years.desk)


@pytest.mark.parametrize("matter", ["", "a b", "070274-0022", "sag-0702740022", "x" * 65, "ja!"])
async def test_a_matter_is_a_number_and_no_person(years: Years, matter: str) -> None:
    """A hold's matter and an archive's receipt are numbers of theirs: no sentence, and no CPR number."""
    with pytest.raises(BadAsk):
        await set_hold(ANNA, HOME, matter, KIM, years.desk)
    with pytest.raises(BadAsk):
        await record_archived(LATER.date(), matter, HOME, KIM, years.desk)


async def test_what_must_be_kept_keeps_the_citizen(years: Years) -> None:
    """Young entries, a municipality that decided nothing, an archive that waits: each is named, with its last day."""
    at = datetime(2026, 5, 31, 12, tzinfo=UTC)
    await years.ask_about(years.anna, at=at)

    async def kept_by(house: Years) -> dict[str, Obstacle]:
        with pytest.raises(NotErasable) as refused:
            await request(Named(ANNA), HOME, "art17_1_a", KIM, house.desk)
        return {one.code: one for one in refused.value.obstacles}

    assert (await kept_by(years))[KEPT] == Obstacle(KEPT, 2, datetime(2026, 11, 30, tzinfo=UTC).date())
    assert NO_RETENTION in await kept_by(years.keeping(None))
    archive = years.keeping(Retention(archive=frozenset({"outcome"}))).on(LATER + timedelta(days=400))
    assert await kept_by(archive) == {ARCHIVE: Obstacle(ARCHIVE, 3)}
    await record_archived(datetime(2026, 6, 30, tzinfo=UTC).date(), "RA-2026/7", HOME, KIM, archive.desk)
    assert await request(Named(ANNA), HOME, "art17_1_a", KIM, archive.desk)


async def test_a_yes_in_force_and_an_open_request_keep_the_citizen(years: Years) -> None:
    """Nobody is erased whose yes somebody relies on, or who is still to answer; a yes that has ended does not count."""
    case = await years.databases.vault.case("jobcentre", Personal("JC-1"))
    store = years.databases.consents
    asked = a_request(years.anna, case, from_day=20260301, to_day=20270228, answer_by=20260630)
    await store.request(asked, requested(asked, years.kim))
    given = a_grant(years.bo, case, from_day=20260301, to_day=20270228)
    await store.grant(given, granted(given))

    for citizen, code in ((ANNA, REQUESTS), (BO, CONSENTS)):
        found = await examine(Named(citizen), HOME, KIM, years.desk)
        assert code in {one.code for one in found.obstacles}
    much_later = years.on(LATER + timedelta(days=4000))
    for citizen in (ANNA, BO):
        codes = {one.code for one in (await examine(Named(citizen), HOME, KIM, much_later.desk)).obstacles}
        assert codes == {CASES}


async def test_a_case_is_closed_when_its_own_register_says_so(years: Years) -> None:
    """A case that nobody names, that is open, or whose register is silent counts as open."""
    case = await years.databases.vault.case("jobcentre", Personal("JC-1"))
    given = a_grant(years.bo, case)
    await years.databases.consents.grant(given, granted(given))
    house = years.on(LATER + timedelta(days=3000))

    async def open_cases(named: Named) -> bool:
        return CASES in {one.code for one in (await examine(named, HOME, KIM, house.desk)).obstacles}

    mine = Named(BO, [("jobcentre", Personal("JC-1"))])
    assert await open_cases(Named(BO))
    assert await open_cases(mine)
    years.cases.known = (Personal("JC-2"), *years.cases.known[1:])
    assert not await open_cases(mine)
    assert await open_cases(Named(BO, [("jobcentre", Personal("JC-9"))]))
    years.cases.silent = True
    assert await open_cases(mine)
    with pytest.raises(BadAsk):
        await examine(Named(BO, [("far-social-centre", Personal("JC-1"))]), HOME, KIM, house.desk)


async def test_nothing_is_left_to_read_in_an_old_backup(years: Years) -> None:
    """Every sealed field about the erased, copied before, opens with no key that is left; everybody else's opens."""
    case = await years.databases.vault.case("jobcentre", Personal("JC-1"))
    for citizen in (years.anna, years.bo):
        given = a_grant(citizen, case)
        await years.databases.consents.grant(given, granted(given))
    house = years.on(LATER + timedelta(days=3000))
    years.cases.known = (Personal("JC-2"), *years.cases.known[1:])
    vault, pair = years.databases.vault, (years.anna, HOME)
    dump = await years.superuser(
        "SELECT i.citizen, i.index_bytes, e.leaf, b.ciphertext, b.body_salt FROM log.index i"
        " JOIN log.entry e USING (log_id, idx) JOIN log.body b USING (log_id, idx)"
    )
    texts = await years.superuser("SELECT id, giver, sealed_text FROM consents.consent")
    made = await request(Named(ANNA, [("jobcentre", Personal("JC-1"))]), HOME, "art17_1_a", KIM, house.desk)
    await approve(made.id, ANNA, HOME, DPO, house.desk)
    await house.carry_out(made)

    async def opens(owner: str) -> set[bool]:
        keys = await vault.held_keys({(owner, HOME), (years.bo, HOME), (years.kim, HOME)})
        told = set()
        for row in dump:
            sealed = SealedEntry(row["leaf"], row["ciphertext"], row["body_salt"], row["index_bytes"].encode())
            if row["citizen"] == owner:
                told |= {_opens(sealed, owner, key) for key in keys.values()}
        for row in texts:
            if row["giver"] == owner:
                told |= {_unseals(key, row["sealed_text"], str(row["id"])) for key in keys.values()}
        return told

    assert await opens(years.anna) == {False}
    assert True in await opens(years.bo)
    assert await vault.held_keys({pair}) == {}
    left = await years.superuser("SELECT * FROM vault.person WHERE handle = $1", years.anna, vault=True)
    assert left == []
    (anna_again,) = await vault.citizens([ANNA])
    assert anna_again != years.anna, "the number leads to a new name, and to nothing of before"


def _opens(sealed: SealedEntry, owner: str, key: bytes) -> bool:
    try:
        open_body(sealed, Party(owner.encode(), key))
    except LogError:
        return False
    return True


def _unseals(key: bytes, sealed: bytes, place: str) -> bool:
    try:
        unseal(derive(key, "consent text"), sealed, place)
    except DoesNotOpen:
        return False
    return True


async def test_the_log_says_that_it_was_done_and_names_nobody(years: Years) -> None:
    """One entry on each log that lost something, with counts, both persons and no citizen; every log is intact."""
    roots = [(report.origin, report.root) for report in await years.verified() if report.origin == LOG]
    made = await years.erase()

    entries = (await years.reader.search([HOME], ERASED)).entries
    assert {entry.receipt.log for entry in entries} == {LOG, LOG.replace("2019", "2026")}
    for entry in entries:
        told = await years.reader.entry(entry.receipt, municipalities=[HOME])
        assert told.body is not None
        assert (told.body["erasure"], told.body["requested_by"]) == (made.id, years.kim)
        assert told.body["approved_by"] not in ("", years.kim)
        assert years.anna not in str(entry.index) + str(told.body)
        assert dict(entry.index)["entries"]
    assert await years.faults() == []
    (report,) = [report for report in await years.verified() if report.origin == LOG]
    assert report.deleted == (Deleted(6, ((0, 1), (4, 5))),)
    assert roots[0][1] != report.root, "the entry that says so is on it"


async def test_an_erasure_is_not_faked_with_an_entry(years: Years) -> None:
    """A superuser who deletes lines and appends what an eraser would, without the key, is found."""
    stolen = SigningKey.generate(KEY.name)
    keys = await years.databases.vault.keys({(years.kim, HOME)})
    event = CitizenErased(
        municipality=HOME, subject=years.kim, actor=years.kim, at=LATER, log=LOG, entries=(("ask", 2),),
        deleted=Deletion(LOG, ((0, 1),)).signed_by(stolen), erasure="e", ground="art17_1_a",
        requested_by=years.kim, approved_by=years.bo,
    )  # fmt: skip
    connection = await asyncpg.connect(years.databases.admin)
    await years.databases.log.delete_within(connection, event, keys)
    await connection.close()

    assert await years.faults() == [
        f"{LOG}: entries 0 to 1: body and index row are missing",
        f"{LOG}: entry 6: its statement of deletion does not count: no known key has signed this note",
    ]


# What whoever rules the database, or stole the broker's own role, makes of a row that one person asked for.
PASSED_OFF = {
    "as approved": "UPDATE erasure.request SET approved_by = 'two', approved_at = now()",
    "as done": "UPDATE erasure.request SET approved_by = 'two', approved_at = now(), written_at = now()",
    "as another's": "UPDATE erasure.request SET citizen = '{bo}'",
    "as somebody else's wish": "UPDATE erasure.request SET requested_by = 'three'",
}


@pytest.mark.parametrize("statement", PASSED_OFF.values(), ids=PASSED_OFF.keys())
async def test_a_row_alone_erases_nobody(years: Years, statement: str) -> None:
    """What the log does not say, of this citizen and by these two, is not carried out: no line goes, and no key."""
    made = await request(Named(ANNA), HOME, "art17_1_a", KIM, years.desk)
    if "approved_by =" not in statement:
        await approve(made.id, ANNA, HOME, DPO, years.desk)
    await years.superuser(statement.format(bo=years.bo))
    with pytest.raises(Conflict, match="not_on_the_log"):
        await years.carry_out(made)
    assert (await years.keep())[HOME].erased == 0
    assert len(await years.databases.vault.held_keys({(years.anna, HOME), (years.bo, HOME)})) == 2
    assert await years.faults() == []


async def test_a_deletion_signed_by_a_stranger_ends_no_erasure(years: Years) -> None:
    """Said to be done, with an entry that says so under another key: nobody's key goes on that word."""
    made = await request(Named(ANNA), HOME, "art17_1_a", KIM, years.desk)
    keys = await years.databases.vault.keys({(years.kim, HOME)})
    event = CitizenErased(
        municipality=HOME, subject=years.kim, actor=years.kim, at=LATER, log=LOG, entries=(("ask", 2),),
        deleted=Deletion(LOG, ((0, 1),)).signed_by(SigningKey.generate(KEY.name)), erasure=made.id, ground="art17_1_a",
        requested_by=years.kim, approved_by=years.bo,
    )  # fmt: skip
    connection = await asyncpg.connect(years.databases.admin)
    await years.databases.log.append_within(connection, [event], keys)
    await connection.close()
    await years.superuser(PASSED_OFF["as done"])
    with pytest.raises(Conflict, match="not_on_the_log"):
        await years.carry_out(made)
    assert await years.databases.vault.held_keys({(years.anna, HOME)})


async def test_broken_off_before_the_key_is_gone_it_is_finished_next_time(years: Years) -> None:
    """The vault dies after the entry is durable: run again, the key goes, and nothing is written twice."""
    made = await request(Named(ANNA), HOME, "art17_1_a", KIM, years.desk)
    await approve(made.id, ANNA, HOME, DPO, years.desk)
    await years.superuser("ALTER FUNCTION vault.shred RENAME TO shred_away", vault=True)
    with pytest.raises(StoreUnavailable):
        await years.carry_out(made)
    assert await years.databases.vault.held_keys({(years.anna, HOME)})
    await years.superuser("ALTER FUNCTION vault.shred_away RENAME TO shred", vault=True)

    kept = (await years.on(LATER + timedelta(days=30)).keep())[HOME]
    assert (kept.erased, kept.waiting) == (1, ())
    assert await years.databases.vault.held_keys({(years.anna, HOME)}) == {}
    written = (await years.reader.search([HOME], ERASED)).entries
    assert len({entry.receipt for entry in written}) == len({entry.receipt.log for entry in written}) == 2
    assert await years.superuser("SELECT * FROM erasure.request") == []


async def test_who_was_asked_beside_the_erased_still_sees_what_they_answered(years: Years) -> None:
    """A request about somebody erased since is listed for its other giver, without its words: their page opens."""
    await see_what_was_asked_beside_the_erased(years, known_elsewhere=False)


async def test_nor_does_a_key_made_anew_open_words_of_before(years: Years) -> None:
    """The same where the name is kept by another municipality, and somebody has asked again since."""
    await see_what_was_asked_beside_the_erased(years, known_elsewhere=True)


async def see_what_was_asked_beside_the_erased(years: Years, *, known_elsewhere: bool) -> None:
    """Erase Anna, who was asked about together with Bo, and look at Bo's list."""
    store, case = years.databases.consents, await years.databases.vault.case("jobcentre", Personal("JC-1"))
    asked = a_request(years.anna, case, a_line(years.anna), a_line(years.anna, giver=years.bo))
    await store.request(asked, requested(asked, years.kim))
    (before,) = await store.requests_of(years.bo)
    assert before.why == asked.why
    if known_elsewhere:
        await years.ask_about(years.anna, home=NEXT)
    years.cases.known = (Personal("JC-2"), *years.cases.known[1:])
    made = await request(Named(ANNA, [("jobcentre", Personal("JC-1"))]), HOME, "art17_1_a", KIM, years.desk)
    await approve(made.id, ANNA, HOME, DPO, years.desk)
    await years.carry_out(made)
    if known_elsewhere:
        await years.ask_about(years.anna)

    (after,) = await store.requests_of(years.bo)
    assert (after.id, after.lines, after.why) == (asked.id, before.lines, None)
    assert (await store.request_by_id(asked.id, municipality=HOME)).why is None


async def test_what_was_kept_back_stays_its_term_once_it_shows(years: Years) -> None:
    """Retention and erasure count from the day the citizen could see an entry, not from one on which they could not."""
    began, over = datetime(2026, 9, 1, 8, tzinfo=UTC), datetime(2027, 3, 3, 23, tzinfo=UTC)
    named, pool = uuid4(), years.databases.pool
    whose = (named, HOME, years.anna, "korsbaek-job", "dbl22_2", bytes(32), years.kim)
    asked = "SELECT log.ask_deferral($1, $2, $3, $4, $5, $6, $7, $8, $9)"
    await pool.execute(asked, *whose, int(began.timestamp()), int(over.timestamp()))
    approved = "SELECT log.approve_deferral($1, $2, $3, $4)"
    assert await pool.fetchval(approved, named, HOME, years.bo, int(began.timestamp()))
    await years.ask_about(years.anna, years.bo, at=began)
    log = LOG.replace("2019", "2026")

    hidden = years.on(datetime(2027, 3, 2, 10, tzinfo=UTC))
    assert (await hidden.keep())[HOME].deleted[log] == {"ask": 1, "outcome": 1}, "Bo's alone"
    with pytest.raises(NotErasable) as refused:
        await request(Named(ANNA), HOME, "art17_1_a", KIM, years.on(datetime(2027, 9, 4, 10, tzinfo=UTC)).desk)
    assert refused.value.obstacles == (Obstacle(KEPT, 2, date(2027, 9, 4)),)
    assert (await years.on(datetime(2027, 9, 4, 10, tzinfo=UTC)).keep())[HOME].deleted == {}
    assert (await years.on(datetime(2027, 9, 5, 10, tzinfo=UTC)).keep())[HOME].deleted == {
        log: {"ask": 1, "outcome": 1}
    }


async def test_another_municipality_keeps_its_own(years: Years) -> None:
    """Each municipality erases its own: the other's lines stay and open, under the name that stays with them."""
    await years.ask_about(years.anna, home=NEXT)
    await years.erase()

    page = await years.reader.of_subject(years.anna)
    assert {(entry.municipality, entry.state) for entry in page.entries} == {(NEXT, "intact")}
    assert await years.databases.vault.citizens([ANNA]) == (years.anna,)


async def test_whoever_nobody_knows_is_erased_like_anybody(years: Years) -> None:
    """The answers about a number that nobody ever asked about have the same shape, and the log too."""
    found = await examine(Named(UNKNOWN), HOME, KIM, years.desk)
    known = await examine(Named(BO), HOME, KIM, years.desk)
    assert (found.obstacles, found.standing.lines) == (known.obstacles, ())
    await years.erase(UNKNOWN)

    erased = (await years.reader.search([HOME], ERASED)).entries
    assert len(erased) == 1
    assert await years.faults() == []


async def test_no_node_deletes_and_the_eraser_asks_for_nothing(years: Years) -> None:
    """The broker's role can neither delete nor shred nor mark as done; the eraser can neither ask nor approve."""
    made = await request(Named(ANNA), HOME, "art17_1_a", KIM, years.desk)
    app, eraser = years.databases.at.app, years.databases.at.eraser
    for dsn, statement in (
        (app, "DELETE FROM erasure.request"),
        (app, "UPDATE erasure.request SET written_at = now()"),
        (app, APPROVED_FROM_THE_START),
        (app, "DELETE FROM log.body"),
        (years.databases.at.vault, f"SELECT vault.shred('{years.anna}', 'korsbaek', '{{}}')"),
        (eraser, "UPDATE erasure.request SET approved_by = 'x', approved_at = now()"),
        (eraser, "INSERT INTO erasure.archived VALUES ('korsbaek', 20260101, 'r', 'x', now())"),
        (eraser, "UPDATE erasure.hold SET lifted_by = 'x', lifted_at = now()"),
        (eraser, "DELETE FROM log.index"),
        (years.databases.at.vault_eraser, "DELETE FROM vault.subject_key"),
        (years.databases.at.vault_eraser, "SELECT wrapped FROM vault.subject_key"),
    ):  # fmt: skip
        connection = await asyncpg.connect(dsn)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
        await connection.close()
    assert await years.desk.erasures.by_id(made.id, HOME)
    with pytest.raises(NotFound):
        await years.desk.erasures.by_id(made.id, NEXT)


async def asked_of_a_house(house: PagesHouse) -> tuple[ErasuresSql, Erasure, str]:
    """Let an operator ask that the citizen be erased; give the store, the erasure and the citizen's handle."""
    store = ErasuresSql(house.databases.pool, house.databases.log)
    (citizen,) = await house.databases.vault.citizens([CITIZEN])
    made = Erasure(str(uuid4()), HOME, citizen, "art17_1_a", "k" * 32, NOON, NOON + timedelta(days=14))
    kim = await house.databases.vault.officer(KIM)
    asked = ErasureRequested(
        municipality=HOME, subject=citizen, actor=kim, at=NOON, erasure=made.id, ground="art17_1_a", expires=20190318
    )
    await store.request(made, asked)
    return store, made, citizen


async def test_a_dpo_approves_on_the_page_and_names_the_citizen_again(
    postgres: PrivatePostgres, tmp_path: Path
) -> None:
    """The page shows what waits, without the citizen; a wrong number approves nothing, the right one once."""
    async with open_pages(postgres, tmp_path) as house:
        store, made, citizen = await asked_of_a_house(house)
        dorte = await house.officer()
        page = await dorte.get("/dpo/erasures")
        assert (page.status_code, made.id in page.text, citizen in page.text) == (200, True, False)

        place = f"/dpo/erasures/{made.id}"
        for wrong in ("0101010001", "710274-002", ""):
            answer = await dorte.post(place, citizen=wrong, municipality=HOME)
            assert (answer.status_code, wrong != "" and wrong in answer.text) == (400, False)
        assert (await dorte.post(place, citizen=CITIZEN.disclose(), municipality=NEXT)).status_code == 403
        assert not (await store.by_id(made.id, HOME)).approved_by
        done = await dorte.send(place, citizen=CITIZEN.disclose(), municipality=HOME)
        assert "badge-success" in done.text
        assert (await dorte.post(place, citizen=CITIZEN.disclose(), municipality=HOME)).status_code == 400
        approved = await store.by_id(made.id, HOME)
        assert approved.approved_by not in (None, made.requested_by)


async def test_a_dpo_approves_by_json_and_names_the_citizen_again(postgres: PrivatePostgres, tmp_path: Path) -> None:
    """The list names nobody; another number, municipality or role, no token and a second yes approve nothing."""
    async with open_pages(postgres, tmp_path) as house:
        store, made, citizen = await asked_of_a_house(house)
        dorte, kurt = await house.officer(), await house.officer(id="kurt", role="logkontrollant")
        told = await dorte.http.get("/v1/erasures")
        assert told.status_code == 200, told.text
        (row,) = told.json()["erasures"]
        assert (row["id"], row["ground"], row["approved"], row["municipality"]) == (made.id, "art17_1_a", False, HOME)
        assert citizen not in told.text
        place, body = f"/v1/erasures/{made.id}/approval", {"citizen": CITIZEN.disclose(), "municipality": HOME}
        for one, changes, status in (
            (dorte, {"citizen": UNKNOWN.disclose()}, {404}), (dorte, {"citizen": "710274-002"}, {400, 422}),
            (dorte, {"municipality": NEXT}, {403}), (dorte, {"municipality": None}, {400, 422}), (kurt, {}, {403}),
        ):  # fmt: skip
            token = {"X-CSRF-Token": (await one.http.get("/v1/accesses/session")).json()["csrf"]}
            answer = await one.http.post(place, json=body | changes, headers=token)
            assert answer.status_code in status, changes
            assert "710274" not in answer.text
        assert (await dorte.http.post(place, json=body)).status_code == 403
        assert not (await store.by_id(made.id, HOME)).approved_by
        token = {"X-CSRF-Token": (await dorte.http.get("/v1/accesses/session")).json()["csrf"]}
        done = await dorte.http.post(place, json=body, headers=token)
        assert (done.status_code, done.json()["erasure"]) == (200, made.id)
        again = await dorte.http.post(place, json=body, headers=token)
        assert (again.status_code, again.json()["what"]) == (409, "already_approved")
        (row,) = (await dorte.http.get("/v1/erasures")).json()["erasures"]
        assert row["approved"] is True
        for role in ("teamleder", "styregruppe"):
            assert (await (await house.officer(role=role)).http.get("/v1/erasures")).status_code == 403


@pytest.mark.parametrize("role", ["teamleder", "styregruppe", "systemforvalter"])
async def test_who_may_not_read_the_log_is_not_told_who_waits_to_be_erased(
    postgres: PrivatePostgres, tmp_path: Path, role: str
) -> None:
    """Of those who log in as officers, only who may look into the log sees that somebody is to be erased."""
    async with open_pages(postgres, tmp_path) as house:
        reader = await house.officer(role=role)
        assert (await reader.get("/dpo/erasures")).status_code == 403
        place = f"/dpo/erasures/{uuid4()}"
        for number in ("", CITIZEN.disclose()):
            assert (await reader.post(place, citizen=number, municipality=HOME)).status_code == 403


async def test_a_dpo_sees_which_lines_lost_their_content_under_which(postgres: PrivatePostgres, tmp_path: Path) -> None:
    """The line that says what was deleted lists the places; the citizen's page says what becomes of old lines."""
    async with open_pages(postgres, tmp_path) as house:
        kim = await house.databases.vault.officer(KIM)
        gone = RetentionApplied(
            municipality=HOME, subject=kim, actor=kim, at=NOON, log=LOG, entries=(("ask", 4),),
            deleted=Deletion(LOG, ((2, 4), (9, 9))).signed_by(KEY),
        )  # fmt: skip
        (citizen,) = await house.databases.vault.citizens([CITIZEN])
        looked = ErasureExamined(municipality=HOME, subject=citizen, actor=kim, at=NOON, entries=0)
        held = HoldChanged(
            municipality=HOME, subject=citizen, actor=kim, at=NOON, hold="h", ground="m", lifted=False, everybody=False
        )
        await house.databases.log.append([gone, looked, held])
        dorte, anna = await house.officer(), await house.citizen()

        page = await dorte.get("/dpo")
        assert (page.status_code, "2–4, 9" in page.text) == (200, True)
        mine = await anna.get("/mine/accesses")
        assert (mine.status_code, mine.text.count("bb-panel")) == (200, 2)
        assert "forsvinder linjen herfra" in mine.text or "the line goes from here" in mine.text
