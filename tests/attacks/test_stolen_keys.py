"""A thief with a system's key, an employer's key, or both: counted, who is lost before the ceilings stop it.

| the thief holds | lost |
|---|---|
| a system's key | nobody |
| an employer's key | nobody |
| both | the least of: the cases they know, the caseworkers' ceilings, the systems', the municipality's |

`docs/stolen-keys.md` has the numbers for the default ceilings.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from demo.postgres import PrivatePostgres
from tests.actors import AnEmployer, ASystem
from tests.nodes import UNIT
from tests.thieves import DEFAULTS, PAGE, Ceilings, Prey, guessed, invented, open_prey, rob

SMALL = Ceilings(3, 8, 14)


async def untouched(prey: Prey) -> bool:
    """Tell whether nothing was asked of anybody, and nothing is on a log."""
    return await prey.town.entries() == 0 and prey.town.source.asked == []


async def test_a_systems_key_alone_loses_nobody(postgres: PrivatePostgres, tmp_path: Path) -> None:
    """Without an employer's word there is a token for the system, and no citizen behind it; nor can it vouch itself."""
    async with open_prey(postgres, tmp_path, SMALL, caseworkers=2, cases=3) as prey:
        alone = await rob(prey, prey.systems, None, prey.asks)
        itself = AnEmployer(prey.town.employer.issuer, key=prey.town.system.key)
        vouched = await rob(prey, prey.systems, itself, prey.asks)

        assert (alone.lost, dict(alone.ends)) == (0, {"403": 6})
        assert (vouched.lost, dict(vouched.ends)) == (0, {"invalid_grant": 2})
        assert await untouched(prey)


async def test_an_employers_key_alone_loses_nobody(postgres: PrivatePostgres, tmp_path: Path) -> None:
    """Whom an employer vouches for gets no token without a registered system's key."""
    async with open_prey(postgres, tmp_path, SMALL, caseworkers=2, cases=3) as prey:
        for system in (ASystem("momentum"), ASystem("momentum", key=prey.town.employer.key), ASystem("of-my-own")):
            loot = await rob(prey, [system], prey.town.employer, prey.asks)
            assert (loot.lost, dict(loot.ends)) == (0, {"invalid_client": 2})
        assert await untouched(prey)


# Ceilings; caseworkers, cases of each, systems stolen; citizens lost.
PLAYS = [
    (Ceilings(3, 8, 14), (1, 2, 1), 2),
    (Ceilings(3, 8, 14), (1, 9, 1), 3),
    (Ceilings(3, 8, 14), (2, 9, 1), 6),
    (Ceilings(3, 8, 14), (6, 4, 1), 8),
    (Ceilings(3, 8, 14), (9, 4, 3), 14),
    (Ceilings(5, 7, 99), (9, 4, 3), 21),
    (Ceilings(1, 99, 99), (9, 4, 3), 9),
    (Ceilings(9, 99, 5), (9, 4, 3), 5),
]


@pytest.mark.parametrize(("ceilings", "size", "lost"), PLAYS)
async def test_both_keys_lose_the_least_of_four_numbers(
    postgres: PrivatePostgres, tmp_path: Path, ceilings: Ceilings, size: tuple[int, int, int], lost: int
) -> None:
    """A thief who knows every open case, at two nodes at once, sees this many citizens and not one more."""
    caseworkers, cases, systems = size
    assert lost == min(caseworkers * min(cases, ceilings.caseworker), systems * ceilings.system, ceilings.municipality)
    async with open_prey(postgres, tmp_path, ceilings, caseworkers=caseworkers, cases=cases, systems=systems) as prey:
        loot = await rob(prey, prey.systems, prey.town.employer, prey.asks)
        citizens = set(loot.citizens)
        assert loot.ends["200"] + loot.ends["429"] == caseworkers * cases

        # Fresh tokens, other systems for the same caseworkers, a restart of every node: the sum stays the same.
        for turn in range(2):
            for node in list(prey.town.nodes):
                await prey.town.restart(node)
            systems_now = prey.systems[turn:] + prey.systems[:turn]
            left = {
                name: [ask for ask in wanted if ask["citizen"] not in citizens] for name, wanted in prey.asks.items()
            }
            citizens |= (await rob(prey, systems_now, prey.town.employer, left)).citizens
        assert len(citizens) == lost
        assert await prey.town.entries() == 2 * lost


async def test_invented_caseworkers_gain_nothing(postgres: PrivatePostgres, tmp_path: Path) -> None:
    """Names that nobody employs pass by the caseworkers' ceiling, see nobody, and stop at the system's."""
    async with open_prey(postgres, tmp_path, SMALL, caseworkers=2, cases=3) as prey:
        loot = await rob(prey, prey.systems, prey.town.employer, invented(prey.asks, 20))

        assert (loot.lost, dict(loot.ends)) == (0, {"403": 8, "429": 12})
        assert prey.town.source.asked == []
        assert (await rob(prey, prey.systems, prey.town.employer, prey.asks)).lost == 0


async def test_guessed_cases_show_nobody_and_count(postgres: PrivatePostgres, tmp_path: Path) -> None:
    """A colleague's case opens no citizen, stands on the log, and the refused ask counts towards the ceilings."""
    async with open_prey(postgres, tmp_path, SMALL, caseworkers=2, cases=4) as prey:
        loot = await rob(prey, prey.systems, prey.town.employer, guessed(prey.asks))

        assert (loot.lost, dict(loot.ends)) == (0, {"403": 6, "429": 2})
        assert await prey.town.entries() == 12
        assert prey.town.source.asked == []


@pytest.mark.parametrize("written", ["CASEWORKER-0", "Caseworker-0", "\uff43aseworker-0", "caseworker-\u2070"])
async def test_one_name_written_in_many_ways_is_one_name(
    postgres: PrivatePostgres, tmp_path: Path, written: str
) -> None:
    """Case systems that overlook capitals and wide letters do not give a thief a second ceiling."""
    async with open_prey(postgres, tmp_path, SMALL, caseworkers=1, cases=9) as prey:
        first = await rob(prey, prey.systems, prey.town.employer, prey.asks)
        again = await rob(prey, prey.systems, prey.town.employer, {written: prey.asks["caseworker-0"]})

        assert first.lost == SMALL.caseworker
        assert dict(again.ends) in ({"429": 9}, {"invalid_grant": 1})


@pytest.mark.parametrize(
    "written", [" lene", "lene ", "le  ne", "lene\u00a0", "\u200blene", "le\u00adne", "lene\u0301\u0301\u0301x" * 50]
)
async def test_a_name_that_hides_letters_is_no_name(postgres: PrivatePostgres, tmp_path: Path, written: str) -> None:
    """Spaces around a name, and letters nobody sees, make no second person."""
    async with open_prey(postgres, tmp_path, SMALL, caseworkers=1, cases=1) as prey:
        loot = await rob(prey, prey.systems, prey.town.employer, {written: prey.asks["caseworker-0"]})

        assert dict(loot.ends) == {"invalid_grant": 1}


async def test_one_who_runs_wild_stops_nobody_else(postgres: PrivatePostgres, tmp_path: Path) -> None:
    """What a caseworker asks past their own ceiling is not counted against colleagues, system or municipality."""
    async with open_prey(postgres, tmp_path, Ceilings(3, 8, 14), caseworkers=2, cases=40) as prey:
        wild, calm = prey.asks.items()
        loot = await rob(prey, prey.systems, prey.town.employer, dict([wild]))
        assert dict(loot.ends) == {"200": 3, "429": 37}

        assert (await rob(prey, prey.systems, prey.town.employer, {calm[0]: calm[1][:3]})).lost == 3


async def test_a_key_taken_out_of_the_registry_is_dead_after_a_restart(
    postgres: PrivatePostgres, tmp_path: Path
) -> None:
    """A new key in its place gives the old one no token; an entry taken out kills the tokens that live as well."""
    async with open_prey(postgres, tmp_path, SMALL, caseworkers=1, cases=3, systems=2) as prey:
        town, old = prey.town, prey.town.others[0]
        (name, asks) = next(iter(prey.asks.items()))
        token = await town.token(town.nodes[0], old, sub=name)
        town.others = (ASystem("system-1", units=frozenset({UNIT})),)
        rotated = await town.restart(town.nodes[0])

        assert (await town.ask_token(rotated, town.form(old, town.word("system-1")), old.proof(town.now))).json() == {
            "error": "invalid_client"
        }
        assert (await town.ask(rotated, asks[0], token, system=old)).status_code == 200
        town.others = ()
        removed = await town.restart(rotated)
        assert (await town.ask(removed, asks[0], token, system=old)).status_code == 401


def test_the_page_tells_of_the_settings_that_are() -> None:
    """The page was played with today's default ceilings; a row with all systems stolen ends at the municipality's."""
    text = PAGE.read_text("utf-8")
    lost = [int(number) for number in re.findall(r"\*\*(\d+)\*\* \|$", text, re.MULTILINE)]

    assert f"{DEFAULTS.caseworker} asks an hour for a caseworker, {DEFAULTS.system} for a system" in text
    assert lost[:6] == [0, 0, DEFAULTS.caseworker, DEFAULTS.system, 0, 0]
    assert lost[6:] in ([], [DEFAULTS.municipality])
