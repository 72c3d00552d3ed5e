"""The arms that call the broker's ranking: they tell it what registers would answer, of then and not of later."""

from collections.abc import Iterator
from functools import cache

from bench.year.ranked import AskedOfRegisters, ByRanking, KnownFromTheLog
from bench.year.size import Size
from bench.year.trial import play
from bench.year.year import Year
from broker.domain.accesses import Access
from broker.domain.relations import Relation

SEED = 4
SMALL = Size(citizens=3_000, staff=30, units=8, snoopers=24, days=45)


def told() -> Iterator[tuple[str, Access, Relation, Relation]]:
    """Play a year; give each access with why it was made, what registers tell of it, and what the log does."""
    year = Year(SEED, SMALL)
    asked, known = AskedOfRegisters(year.registers), KnownFromTheLog(year.registers)
    for played in year.days():
        for access, why in list(zip(played.accesses, played.key.why, strict=True)):
            if access.entry in played.key.snoopers or access.entry % 20 == 0:
                place = (access.actor, access.citizen, access.at, year.registers.now)
                yield why, access, asked.between(*place), known.between(*place)


@cache
def everything() -> tuple[tuple[str, Access, Relation, Relation], ...]:
    """Play it once."""
    return tuple(told())


def test_own_work_is_named_work() -> None:
    """Registers and log agree that who works on an own case is named on it; few are not yet recorded."""
    own = [(access, asked, known) for why, access, asked, known in everything() if why == "own_case"]
    named = [asked.named_at(access.at) and known.named_at(access.at) for access, asked, known in own]

    assert len(own) > 500
    assert sum(named) / len(own) > 0.9


def test_the_log_knows_no_kin() -> None:
    """Of what the broker writes down nothing tells of kin, names, addresses or employment: that is unknown, not no."""
    for _, _, _, known in everything():
        assert {known.family, known.same_surname, known.same_address, known.colleague, known.covering} == {None}


def test_registers_tell_of_kin() -> None:
    """A former spouse, a brother or sister is family, a colleague is one: of honest looks few are of either."""
    kinds = {
        "ex-spouse": "family",
        "ex-client": "family",
        "colleague-client": "colleague",
        "sick-colleague": "colleague",
    }
    of_kind = [(kinds[why], asked) for why, _, asked, _ in everything() if why in kinds]
    honest = [asked for why, _, asked, _ in everything() if why == "own_case"]

    assert len(of_kind) > 5
    assert all(getattr(asked, name) for name, asked in of_kind)
    assert sum(bool(asked.family or asked.colleague) for asked in honest) / len(honest) < 0.1


def test_what_ends_later_had_not_ended_then() -> None:
    """An end that lies after the moment of asking is not told: the tie is one that still holds."""
    assert all(asked.named_to <= 0 or asked.named_to <= access.at + 5 * 86_400 for _, access, asked, _ in everything())


def test_the_ranking_is_called_for_every_day() -> None:
    """The arm has at most its budget reviewed of each day, from the accesses it was given, and finds somebody."""
    year = Year(SEED, SMALL)
    (tally,) = play(year, [ByRanking("rank", AskedOfRegisters(year.registers))], 1.0, SEED, 20, lambda _: None)

    assert tally.days == SMALL.days
    assert 0 < tally.reviews <= 20 * SMALL.days
    assert any(one.found is not None for one in tally.hunted)
