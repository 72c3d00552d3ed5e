"""Questions to the policy: one that is plainly allowed, changed by the test that needs it; and many at random."""

import copy
import random
from pathlib import Path
from typing import Any

from broker.policy_tables import load_law_tables

POLICIES = Path(__file__).parents[2] / "policies"
TODAY = 20190304
NO_END = 99991231
AREAS = ("economic", "personal")
ANNETTE, VIKTOR, BO = "h-annette", "h-viktor", "h-bo"
LENE, GRETHE = "h-lene", "h-grethe"
NOW = 1551690000

_LAW = load_law_tables(POLICIES / "tables")
SOURCES = {
    "jobcenter": ("jobcenter", "korsbaek", "B01 B02 B03 B04 H04"),
    "socialcenter": ("socialcenter", "korsbaek", "P02 P04 S01 S02 S03 S04 S05"),
    "familiecenter": ("familiecenter", "korsbaek", "F01 F02 F03 F04"),
    "sundhed": ("sundhed", "korsbaek", "H01 H02 H03 H06 E01 P02 P03"),
    "skole": ("skole", "korsbaek", "K01 K02"),
    "ydelse": ("ydelse", "korsbaek", "Y01 Y02 P01"),
    "norre_social": ("norre_social", "norrestrand", "S01 S02 F01 F02 P01"),
}
# What kind of unit each is.
KINDS = {
    "jobcenter": "jobcentre",
    "socialcenter": "social_centre",
    "familiecenter": "family_centre",
    "sundhed": "health_centre",
    "skole": "school",
    "ydelse": "benefits",
    "norre_social": "social_centre",
}


def tables(**registry: Any) -> dict[str, Any]:
    """Give the law's tables with a small registry of three municipalities; name a table to put another in its place."""
    ours = {
        "municipalities": {
            # Keeps some of one purpose, and names beside it what the law never allows.
            "korsbaek": {"strict_kle": False, "purposes": {"jobplan": ["B01", "S01", "F04", "K01"]}},
            "norrestrand": {"strict_kle": False, "purposes": {"flytning": []}},
            "dragsholm": {"strict_kle": True, "purposes": {}},
        },
        "units": {unit: {"municipality": home, "kind": KINDS[unit]} for unit, home, _ in SOURCES.values()},
        "sources": {
            name: {"unit": unit, "municipality": home, "categories": held.split()}
            for name, (unit, home, held) in SOURCES.items()
        },
        "delegations": {
            "d-work": delegation(["15.*"]),
            "d-old": delegation(["27.*"], to_day=20181231),
        },
        "trials": {},
        "standing_approvals": {
            "s-1": {"unit": "sundhed", "to_units": ["familiecenter"], "from": 20190101, "to": TODAY},
        },
    }
    return _LAW | ours | registry


def delegation(kle: list[str], from_day: int = 20070101, to_day: int = 20211231) -> dict[str, Any]:
    """Let Korsbæk act for Nørrestrand."""
    ends = {"from_municipality": "norrestrand", "to_municipality": "korsbaek"}
    return {**ends, "kle": kle, "from": from_day, "to": to_day}


def role(**changes: Any) -> dict[str, Any]:
    """Make the role of a caseworker at a jobcentre."""
    plain = {"name": "sagsbehandler", "kle": ["15.*"], "sensitivity": 3, "attested_on": None}
    return {**plain, "delegated_from": None, **changes}


def person(handle: str, **changes: Any) -> dict[str, Any]:
    """Make a grown-up citizen of Korsbæk of whom nothing special is known."""
    plain = {"known": True, "child_of_citizen": False, "born": 19740210, "dead_on": None, "municipality": "korsbaek"}
    rest = {"protected": False, "moved_number": False, "representatives": [], "custody": [], "meetings": []}
    return {"handle": handle, **plain, **rest, **changes}


def child(handle: str = VIKTOR, *holders: str, **changes: Any) -> dict[str, Any]:
    """Make a child of the citizen, 12 years old, in the custody of those named (of Annette when nobody is)."""
    custody = [{"holder": holder, "from": 20060920, "to": NO_END} for holder in holders or (ANNETTE,)]
    return person(handle, **{"child_of_citizen": True, "born": 20060920, "custody": custody, **changes})


def representative(holder: str = BO, kind: str = "guardian_6", *scope: str, **changes: Any) -> dict[str, Any]:
    """Let somebody represent a person: for all areas where none is named, without end where no day is."""
    return {"holder": holder, "kind": kind, "scope": [*(scope or AREAS)], "from": 0, "to": NO_END, **changes}


def line(source: str, category: str, subject: str = ANNETTE, giver: str = ANNETTE, **changes: Any) -> dict[str, Any]:
    """Make a live line of consent C1 to the jobcentre."""
    what = {"source": source, "category": category, "subject": subject, "giver": giver}
    whom = {"recipient": "jobcenter", "purpose": "helhedsorienteret_plan", "case": "c-417", "capacity": "self"}
    when = {"from": 20190301, "to": 20200229, "state": "granted", **days()}
    name = f"l-{source}-{category}-{subject}-{giver}"
    return {"id": name, "consent": "C1", "version": 1, **what, **whom, **when, **changes}


def days(first: int = 0, last: int = NO_END) -> dict[str, int]:
    """Name a period of the data; every day where no day is named."""
    return {"data_from": first, "data_to": last}


def block(subject: str = ANNETTE, **changes: Any) -> dict[str, Any]:
    """Make a block of everything about someone; name what it is for."""
    return {"id": "b1", "subject": subject, "source": None, "unit": None, "category": None, **changes}


def key(source: str, category: str, subject: str = ANNETTE) -> dict[str, str]:
    """Make one key."""
    return {"source": source, "category": category, "subject": subject}


def question(*keys: dict[str, str], **parts: Any) -> dict[str, Any]:
    """Make a question that nothing stands against but want of consent.

    A part named changes members of an object (`case={"open": False}`) or puts another value in its place.
    """
    plain: dict[str, Any] = {
        "version": 1,
        "at": NOW,
        "today": TODAY,
        "ask": {
            "id": "a-1",
            "purpose": "helhedsorienteret_plan",
            "case": "c-417",
            "citizen": ANNETTE,
            "emergency": None,
            "follow_up": False,
            **days(),
        },
        "caller": {
            "handle": LENE,
            "municipality": "korsbaek",
            "unit": "jobcenter",
            "system_units": ["jobcenter"],
            "employed": True,
            "nsis": "Substantial",
            "authenticated_on": TODAY,
            "roles": [role()],
        },
        "case": {
            "exists": True,
            "open": True,
            "concerns_citizen": True,
            "caseworker_on_case": True,
            "caseworker_named": True,
            "vip": False,
            "unit": "jobcenter",
            "kle": "15.20.04",
            "consent_tried": False,
        },
        "subjects": [person(ANNETTE)],
        "consents": [],
        "blocks": [],
        "emergency": [],
        "failed_registers": [],
        "related": False,
        "keys": sorted(keys, key=lambda one: (one["source"], one["category"], one["subject"])),
    }
    for name, part in parts.items():
        plain[name] = {**plain[name], **part} if isinstance(part, dict) else part
    return plain


def random_question(chance: random.Random) -> dict[str, Any]:
    """Make a well-formed question near the borders of the rules: most of it is in order, little of it is not."""
    people = _random_people(chance)
    purpose = chance.choices([*_PURPOSES], weights=[12, 2, 2, 2, 2, 2, 1, 1, 5])[0]
    sources = list(SOURCES)
    unit = chance.choice(["jobcenter"] * 10 + ["familiecenter"])
    handles = [one["handle"] for one in people]
    keys = {_random_key(chance, purpose, handles) for _ in range(chance.randint(1, 8))}
    lines = [
        _random_line(chance, (unit, purpose), chance.choice(sorted(keys)), handles) for _ in range(chance.randint(0, 8))
    ]
    blocks = [_random_block(chance, handles, sources) for _ in range(chance.choice([0, 0, 0, 1, 2]))]
    ours = question(
        *(key(*one) for one in keys),
        today=chance.choice(
            [TODAY] * 20 + [20180615, 20181231, 20191231, 20200101, 20200229, 20200301, 20220103, 20240615]
        ),
        ask={
            "purpose": purpose if _rarely_not(chance) else "nysgerrighed",
            "follow_up": chance.random() < 0.3,
            **_random_days(chance, 0.2),
        },
        caller=_random_caller(chance, unit),
        case=_random_case(chance, purpose, unit),
        subjects=people,
        consents=[{**one, "id": f"l{n}"} for n, one in enumerate(lines)],
        blocks=[{**one, "id": f"b{n}"} for n, one in enumerate(blocks)],
        related=not _rarely_not(chance),
    )
    if not _rarely_not(chance):
        ours["failed_registers"] = ["cpr"]
    if chance.random() < (0.8 if purpose == "fare_for_liv" else 0.03):
        _turn_into_emergency(chance, ours)
    return ours


def broken(chance: random.Random, sound: dict[str, Any]) -> dict[str, Any]:
    """Damage one place of a question: a member gone, null, of another type, or one too many."""
    damaged = copy.deepcopy(sound)
    places = [*_places(damaged)]
    where, name = chance.choice(places)
    how = chance.choice(["gone", None, [], {}, "?", 0, True, -1.5, "extra"])
    if how == "gone":
        del where[name]
    elif how == "extra" and isinstance(where, dict):
        where["extra"] = 1
    elif type(where[name]) is type(how) or (isinstance(where, list) and how == "extra"):
        where[name] = [[None]]
    else:
        where[name] = how
    return damaged


_PURPOSES = {
    "helhedsorienteret_plan": "15.20.04",
    "jobplan": "15.20.04",
    "sygedagpengeopfoelgning": "15.25.00",
    "stoette_til_familien": "27.27.06",
    "oekonomisk_hjaelp": "32.24.04",
    "boernefaglig_undersoegelse": "27.24.03",
    "flytning": "27.12.04",
    "ssd_moede": "27.24.00",
    "fare_for_liv": "29.00.00",
}


def _rarely_not(chance: random.Random) -> bool:
    return chance.random() < 0.98


def _random_key(chance: random.Random, purpose: str, handles: list[str]) -> tuple[str, str, str]:
    source = chance.choice(list(SOURCES))
    held = SOURCES[source][2].split() if _rarely_not(chance) else ["H01", "X99"]
    fitting = [category for category in held if category in _LAW["purposes"][purpose]["categories"]]
    category = chance.choice(fitting if fitting and chance.random() < 0.9 else held)
    subject = chance.choice(handles if _rarely_not(chance) else ["h-nobody"])
    return source if _rarely_not(chance) else "nowhere", category, subject


def _random_people(chance: random.Random) -> list[dict[str, Any]]:
    borns = [19740210] * 8 + [20010304, 20010305, 20020115, 20040304, 20040305, 20080601, None]
    odd = {
        "known": _rarely_not(chance),
        "born": chance.choice(borns),
        "dead_on": chance.choice([None] * 40 + [20190303, 20190304, 20190305]),
        "municipality": chance.choice(["korsbaek"] * 30 + ["norrestrand"] * 5 + ["dragsholm", None]),
        "protected": chance.choice([False] * 10 + [True, None]),
        "representatives": _random_representatives(chance) if chance.random() < 0.2 else [],
        "custody": _random_custody(chance),
    }
    return [person(ANNETTE, **odd), *(_random_child(chance, n) for n in range(chance.choice([0, 1, 1, 2])))]


def _random_child(chance: random.Random, number: int) -> dict[str, Any]:
    return child(
        f"{VIKTOR}-{number}",
        known=_rarely_not(chance),
        born=chance.choice([20060920] * 4 + [20040304, 20040305, 20020601, 20010304, 20010305, 19990101, None]),
        dead_on=chance.choice([None] * 15 + [20180101]),
        municipality=chance.choice(["korsbaek"] * 5 + [None]),
        protected=chance.choice([False] * 10 + [True, None]),
        custody=_random_custody(chance),
        meetings=_random_meetings(chance),
    )


def _random_meetings(chance: random.Random) -> list[int]:
    """Days of earlier meetings: none, one, two; today's, one that still counts, one that no longer does."""
    return sorted(chance.sample([20180304, 20180305, 20190201, TODAY], chance.choice([0, 0, 0, 1, 1, 2])))


def _random_representatives(chance: random.Random) -> list[dict[str, Any]]:
    kinds = [*_LAW["settings"]["representation"]["kinds"], "nobody knows"]
    return [
        representative(
            chance.choice([BO, BO, ANNETTE]),
            chance.choice(kinds),
            *(scope for scope in ("data_sharing", *AREAS) if chance.random() < 0.7),
            to=chance.choice([NO_END] * 4 + [20190303, 20190304]),
        )
        for _ in range(chance.choice([1, 1, 2]))
    ]


def _random_custody(chance: random.Random) -> list[dict[str, Any]]:
    held = chance.choice([(ANNETTE,), (ANNETTE, BO), (ANNETTE, BO), (BO,), ()])
    ends = [NO_END] * 6 + [20190303, 20190304]
    return [{"holder": holder, "from": 20060920, "to": chance.choice(ends)} for holder in held]


def _random_caller(chance: random.Random, unit: str) -> dict[str, Any]:
    limits = [["15.*"], ["27.*", "15.20.04"], ["32.*", "29.*"], ["15.*", "27.*", "29.*", "32.*"], []]
    names = ["sagsbehandler"] * 16 + ["koordinerende_sagsbehandler"] * 4 + ["borgerservice", "dpo", "mentor_udfoerer"]
    names += ["sundhedsperson", "skoleperson", "vagt_akut"]
    roles = [
        role(
            name=chance.choice(names),
            kle=chance.choices(limits, weights=[3, 1, 1, 24, 1])[0],
            sensitivity=chance.choice([1, 2, *[3] * 6, *[4] * 12]),
            attested_on=chance.choice([*[None] * 20, *[20190101] * 9, 20180304, 20180303, 20190304, 20190305]),
            delegated_from=chance.choice([None] * 20 + ["norrestrand", "norrestrand", "korsbaek"]),
        )
        for _ in range(chance.choice([0] + [1] * 12 + [2] * 12))
    ]
    return {
        "unit": unit,
        "system_units": [unit] if _rarely_not(chance) else ["ydelse"],
        "employed": _rarely_not(chance),
        "nsis": chance.choice(["Substantial"] * 20 + ["High"] * 20 + ["Low"]),
        "roles": roles,
    }


def _random_case(chance: random.Random, purpose: str, unit: str) -> dict[str, Any]:
    facts = {name: _rarely_not(chance) for name in ("exists", "open", "concerns_citizen", "caseworker_on_case")}
    kle = chance.choice([_PURPOSES[purpose]] * 30 + ["27.36.12", "15", None])
    marked = {"caseworker_named": chance.random() < 0.5, "vip": not _rarely_not(chance)}
    tried = {"consent_tried": chance.random() < 0.8}
    return {**facts, **marked, **tried, "unit": chance.choice([unit] * 40 + ["ydelse", None]), "kle": kle}


def call_out(**changes: Any) -> dict[str, Any]:
    """Make the request behind an emergency: Lene asked an hour ago, and Grethe of the health unit said yes then."""
    what = {"id": "e-1", "citizen": ANNETTE, "unit": "jobcenter", "caseworker": LENE, "case": "c-417"}
    why = {"reason": "LIFE", "requested_at": NOW - 3600, "sources": ["sundhed"]}
    return {**what, **why, "answers": [said("yes")], **changes}


def said(answer: str, **changes: Any) -> dict[str, Any]:
    """Make the answer of a health person of the unit that holds the data, an hour ago."""
    return {"unit": "sundhed", "said": answer, "by": GRETHE, "at": NOW - 3600, **changes}


def emergency(*keys: dict[str, str], request: dict[str, Any] | None = None, **parts: Any) -> dict[str, Any]:
    """Make the question of an on-call caseworker whose request was granted; there is no case."""
    nothing = {"exists": False, "open": False, "concerns_citizen": False, "caseworker_on_case": False}
    plain = {
        "ask": {"purpose": "fare_for_liv", "emergency": "e-1"},
        "caller": {"roles": [role(name="vagt_akut", kle=["29.*"])]},
        "case": {**nothing, "unit": None, "kle": None},
        "emergency": [request or call_out()],
    }
    for name, part in parts.items():
        plain[name] = {**plain.get(name, {}), **part} if isinstance(part, dict) else part
    return question(*(keys or (key("sundhed", "E01"),)), **plain)


def _turn_into_emergency(chance: random.Random, ours: dict[str, Any]) -> None:
    """Let a question rest on a call-out that is in order most of the time, and here and there is not."""
    ours["ask"]["emergency"] = "e-1"
    if chance.random() < 0.9:
        ours["caller"]["roles"].append(role(name="vagt_akut", kle=["29.*"], sensitivity=chance.choice([3, 3, 3, 2])))
    if chance.random() < 0.8:
        ours["case"] = emergency()["case"]
    if chance.random() < 0.8:
        ours["keys"].append(key("sundhed", chance.choice(["E01", "H06", "P02", "P03"])))
        ours["keys"] = [dict(one) for one in sorted({tuple(one.items()) for one in ours["keys"]})]
    odd = {
        "id": "e-1" if _rarely_not(chance) else "e-2",
        "citizen": ANNETTE if _rarely_not(chance) else BO,
        "unit": ours["caller"]["unit"] if _rarely_not(chance) else "ydelse",
        "caseworker": LENE if _rarely_not(chance) else BO,
        "case": "c-417" if _rarely_not(chance) else "c-999",
        "reason": chance.choice(["LIFE", "LIFE_VISIT", "OTHERS_VISIT", "OTHERS_VISIT", "BORED"]),
        "requested_at": NOW - chance.choice([0, 0, 3600, 14399, 14400, -1]),
        "sources": chance.choice([["sundhed"]] * 8 + [["sundhed", "socialcenter"], ["norre_social"]]),
        "answers": [_random_answer(chance) for _ in range(chance.choice([0, 1, 1, 1, 2]))],
    }
    ours["emergency"] = [call_out(**odd)] if chance.random() < 0.95 else []


def _random_answer(chance: random.Random) -> dict[str, Any]:
    return said(
        chance.choice(["yes"] * 6 + ["no"]),
        unit=chance.choice(["sundhed"] * 6 + ["socialcenter", "jobcenter"]),
        by=GRETHE if _rarely_not(chance) else LENE,
        at=NOW - chance.choice([0, 3600, 3600, 14399, 14400, -1]),
    )


def _random_line(
    chance: random.Random, whom: tuple[str, str], near: tuple[str, str, str], handles: list[str]
) -> dict[str, Any]:
    source, category, subject = near
    given = line(
        source if chance.random() < 0.8 else chance.choice(list(SOURCES)),
        category if chance.random() < 0.8 else chance.choice(["S01", "F01", "H01", "K01"]),
        subject if chance.random() < 0.85 else chance.choice(handles),
        chance.choice([subject, ANNETTE, ANNETTE, BO]),
    )
    odd = {
        "consent": chance.choice(["C1", "C1", "C2"]),
        "version": chance.choice([1, 1, 2]),
        "purpose": whom[1] if _rarely_not(chance) else "jobplan",
        "recipient": whom[0] if chance.random() < 0.9 else "ydelse",
        "case": "c-417" if _rarely_not(chance) else "c-999",
        "from": chance.choice([20190301] * 6 + [20190304, 20190305, 20180304, 20180305]),
        "to": chance.choice([20200229] * 6 + [20190304, 20190303]),
        "state": chance.choice(["granted"] * 7 + ["paused", "withdrawn"]),
        **_random_days(chance, 0.3),
    }
    if chance.random() < 0.03:
        odd[chance.choice(["source", "category"])] = "*"
    return {**given, **odd}


def _random_days(chance: random.Random, often: float) -> dict[str, int]:
    """Name no period of the data most of the time; else one that ends or begins where others do."""
    if chance.random() >= often:
        return days()
    named = [(20180101, 20181231), (20181231, 20190304), (20190101, NO_END), (0, 20181230)]
    return days(*chance.choice(named))


def _random_block(chance: random.Random, handles: list[str], sources: list[str]) -> dict[str, Any]:
    return block(
        chance.choice(handles),
        source=chance.choice([None, chance.choice(sources)]),
        unit=chance.choice([None, "jobcenter", "ydelse"]),
        category=chance.choice([None, "S01", "F01", "H01"]),
    )


def _places(part: Any) -> Any:
    """Walk to every member of a question, as the container and the name or place in it."""
    members = part.items() if isinstance(part, dict) else enumerate(part)
    for name, value in members:
        yield part, name
        if isinstance(value, dict | list):
            yield from _places(value)
