"""The people of the town and some of the next one: households, surnames, addresses, kin. Numbers stand for people."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from random import Random

from bench.year.chance import chance, drawn, handle, weighted

HOME, NEXT = "korsbaek", "kalundby"
# The commonest Danish surnames and about how many in a hundred bear them, as they are commonly given; a third of all
# people have one of these, and the rest share some thousands.
COMMON = (
    ("Nielsen", 4.1), ("Jensen", 4.0), ("Hansen", 3.4), ("Andersen", 2.6), ("Pedersen", 2.5), ("Christensen", 2.0),
    ("Larsen", 1.9), ("Sørensen", 1.8), ("Rasmussen", 1.6), ("Jørgensen", 1.4), ("Petersen", 1.2), ("Madsen", 1.1),
    ("Kristensen", 1.0), ("Olsen", 0.8), ("Thomsen", 0.7), ("Christiansen", 0.6), ("Poulsen", 0.5), ("Møller", 0.5),
    ("Johansen", 0.5), ("Mortensen", 0.5),
)  # fmt: skip
RARE, RARE_SHARE = 4_000, 67.3
NAMES, NAME_WEIGHTS = weighted((*COMMON, *((f"Efternavn-{n}", RARE_SHARE / RARE) for n in range(RARE))))
# Adults and children of a household, and how common: about 2.1 people in each.
SHAPES, SHAPE_WEIGHTS = weighted((((1, 0), 38), ((2, 0), 30), ((2, 1), 9), ((2, 2), 12), ((2, 3), 4), ((1, 2), 7)))
HOUSES_A_STREET = 70
SAME_DOOR = 6
VIPS = 60
OUTSIDE = 0.05

Address = tuple[str, int, int]  # Street, house number, door.


@dataclass(slots=True)
class Town:
    """Everybody, by number: first those of the town, then those of the next."""

    inside: int
    handles: list[str] = field(default_factory=list)
    surnames: list[str] = field(default_factory=list)
    ages: list[int] = field(default_factory=list)
    households: list[int] = field(default_factory=list)
    members: list[tuple[int, ...]] = field(default_factory=list)
    addresses: list[Address] = field(default_factory=list)
    spouses: dict[int, int] = field(default_factory=dict)
    former: dict[int, int] = field(default_factory=dict)
    parents: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    children: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    vips: frozenset[int] = frozenset()
    news: dict[int, int] = field(default_factory=dict)  # Day to the person everybody talks of.

    @property
    def outside(self) -> int:
        """Count those of the next town."""
        return len(self.ages) - self.inside

    def home(self, person: int) -> str:
        """Name the municipality of residence."""
        return HOME if person < self.inside else NEXT

    def address(self, person: int) -> Address:
        """Give the address."""
        return self.addresses[self.households[person]]

    def household(self, person: int) -> tuple[int, ...]:
        """Give everybody of the household, the person too."""
        return self.members[self.households[person]]

    def close(self, person: int) -> set[int]:
        """Give those a caseworker may not handle: household, parents, children, and the person."""
        return {*self.household(person), *self.parents.get(person, ()), *self.children.get(person, ())}

    def siblings(self, person: int) -> set[int]:
        """Give those who share a parent and not the household."""
        shared = {child for parent in self.parents.get(person, ()) for child in self.children[parent]}
        return shared - set(self.household(person))

    def neighbours(self, person: int) -> list[int]:
        """Give the people of the nearest households of the street."""
        own = self.households[person]
        near = range(max(0, own - 2), min(len(self.members), own + 3))
        street = self.addresses[own][0]
        return [one for number in near if number != own and self.addresses[number][0] == street
                for one in self.members[number]]  # fmt: skip


def build_town(seed: int, citizens: int, days: int) -> Town:
    """Settle a town of so many, and some of the next one."""
    rng = chance(seed, "town")
    town = Town(citizens)
    total = citizens + int(citizens * OUTSIDE)
    while len(town.ages) < total:
        adults, children = rng.choices(SHAPES, cum_weights=SHAPE_WEIGHTS)[0]
        _settle(town, rng, min(adults, total - len(town.ages)), children if len(town.ages) + 4 < total else 0)
    town.handles = [handle(seed, "citizen", number) for number in range(total)]
    _kin(town, rng)
    _former_spouses(town, rng)
    grown = [person for person in range(citizens) if town.ages[person] >= 18]
    town.vips = frozenset(rng.sample(grown, min(VIPS, citizens // 100)))
    known = sorted(town.vips)
    for day in rng.sample(range(days), max(2, days // 30)):
        # Half of those in the news are known beforehand; the others were in an accident or a court.
        town.news[day] = known[int(rng.random() * len(known))] if rng.random() < 0.5 else rng.choice(grown)
    return town


def _settle(town: Town, rng: Random, adults: int, children: int) -> None:
    """Add one household at the next address."""
    number, first = len(town.members), len(town.ages)
    name = rng.choices(NAMES, cum_weights=NAME_WEIGHTS)[0]
    age = rng.randint(24, 50) if children else rng.randint(20, 88)
    for grown in range(adults):
        shares = grown == 0 or rng.random() < 0.55
        town.surnames.append(name if shares else rng.choices(NAMES, cum_weights=NAME_WEIGHTS)[0])
        town.ages.append(max(18, age + rng.randint(-4, 4)))
    for _ in range(children):
        town.surnames.append(name)
        town.ages.append(rng.randint(0, 17))
    everybody = tuple(range(first, first + adults + children))
    town.households.extend([number] * len(everybody))
    town.members.append(everybody)
    place = number % HOUSES_A_STREET
    flats = number // HOUSES_A_STREET % 3 == 0
    house, door = (place // SAME_DOOR + 1, place % SAME_DOOR + 1) if flats else (place + 1, 1)
    town.addresses.append((f"Gade {number // HOUSES_A_STREET}", house, door))
    if adults == 2:
        town.spouses[first], town.spouses[first + 1] = first + 1, first
    for child in everybody[adults:]:
        for parent in everybody[:adults]:
            _join(town, child, parent)


def _join(town: Town, child: int, parent: int) -> None:
    town.parents[child].append(parent)
    town.children[parent].append(child)


def _kin(town: Town, rng: Random) -> None:
    """Give half of the younger adults a parent in town, whose surname many of them bear."""
    elders: dict[int, list[int]] = defaultdict(list)
    for person, age in enumerate(town.ages):
        elders[age // 10].append(person)
    for person, age in enumerate(town.ages):
        if 18 <= age < 60 and rng.random() < 0.5 and (parent := drawn(rng, elders[age // 10 + 3])) is not None:
            _join(town, person, parent)
            if rng.random() < 0.5:
                town.surnames[person] = town.surnames[parent]


def _former_spouses(town: Town, rng: Random) -> None:
    """Pair a quarter of those who live alone, some with children in common."""
    alone = [one for everybody in town.members for one in everybody[:1]
             if one not in town.spouses and 25 <= town.ages[one] <= 62]  # fmt: skip
    rng.shuffle(alone)
    for one, other in zip(alone[: len(alone) // 8], alone[len(alone) // 8 : len(alone) // 4], strict=False):
        town.former[one], town.former[other] = other, one
        for child in town.children.get(one, ())[:2]:
            if town.ages[child] < 18:
                _join(town, child, other)
