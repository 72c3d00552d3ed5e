"""Questions made pair by pair: every value of every factor of a decision meets every value of every other one.

Random questions meet the common together often and the rare together hardly ever; here each pair is met for sure.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.model.questions import ANNETTE, BO, VIKTOR, block, child, days, key, line, person, question, role

Row = dict[str, str]
CITIZENS = {
    "grown up": {},
    "of 17": {"born": 20020305},
    "of 15 today": {"born": 20040304},
    "of 14 until tomorrow": {"born": 20040305},
    "18 today": {"born": 20010304},
    "of unknown age": {"born": None},
    "dead since today": {"dead_on": 20190304},
    "dead tomorrow": {"dead_on": 20190305},
    "not known": {"known": False},
}
FACTORS: Mapping[str, Sequence[str]] = {
    "asked": ("S01", "F01 of the child", "H01", "H01 of the child", "B01 of the own unit", "Y01", "B04"),
    "purpose": ("helhedsorienteret_plan", "sygedagpengeopfoelgning", "boernefaglig_undersoegelse", "ssd_moede", "?"),
    "citizen": tuple(CITIZENS),
    "child": ("of 12", "of 15 today", "18 today", "dead", "none"),
    "custody": ("hers", "shared", "ended yesterday", "ends today", "nobody's"),
    "protected": ("no", "yes", "not told"),
    "home": ("here", "there", "far away", "not told"),
    "roles": ("covering", "of level 2", "of another subject", "lapsed", "confirmed a year ago", "none"),
    "nsis": ("Substantial", "High", "Low"),
    "employed": ("yes", "no"),
    "case": ("in order", "closed", "somebody else's", "not theirs", "of another unit", "without KLE"),
    "said by": ("her", "him", "the subject", "both", "nobody"),
    "line": ("granted", "paused", "withdrawn", "from today", "from tomorrow", "until today", "until yesterday"),
    "days": ("every", "in common", "apart"),
    "wanted": ("every", "of a year"),
    "named": ("all of it", "another source", "another category", "another case", "another unit"),
    "block": ("none", "of all", "of another source", "of this unit"),
    "registers": ("answer", "silent"),
    "related": ("no", "yes"),
}  # fmt: skip


def pairwise(factors: Mapping[str, Sequence[str]]) -> list[Row]:
    """Make a row for every pair of values of two factors, all else as it is in order (the first value of each).

    A covering array would be shorter, but its rows are wrong in many ways at once, and the first stage ends them all.
    """
    plain = {name: values[0] for name, values in factors.items()}
    rows = {
        tuple({**plain, one: a, other: b}.items())
        for one, other in itertools.combinations(factors, 2)
        for a in factors[one]
        for b in factors[other]
    }
    return [dict(row) for row in sorted(rows)]


def of_row(row: Row) -> dict[str, Any]:
    """Make the question that a row describes."""
    category, _, of_child = row["asked"].partition(" of the ")
    subject = VIKTOR if of_child == "child" else ANNETTE
    source = {"S": "socialcenter", "F": "familiecenter", "H": "sundhed", "B": "jobcenter", "Y": "ydelse"}[category[0]]
    case = {
        "closed": {"open": False},
        "somebody else's": {"concerns_citizen": False},
        "not theirs": {"caseworker_on_case": False},
        "of another unit": {"unit": "ydelse"},
        "without KLE": {"kle": None},
    }.get(row["case"], {})
    return question(
        key(source, category, subject),
        ask={"purpose": row["purpose"], **(days(20180101, 20181231) if row["wanted"] == "of a year" else {})},
        caller={"roles": _roles(row["roles"]), "nsis": row["nsis"], "employed": row["employed"] == "yes"},
        case={"kle": _KLE.get(row["purpose"], "15.20.04")} | case,
        subjects=_people(row),
        consents=[*_lines(row, source, category, subject)],
        blocks=_BLOCKS[row["block"]](subject),
        failed_registers=["cpr"] if row["registers"] == "silent" else [],
        related=row["related"] == "yes",
    )


_KLE = {"boernefaglig_undersoegelse": "27.24.03", "ssd_moede": "27.24.00", "sygedagpengeopfoelgning": "15.25.00"}
_BLOCKS = {
    "none": lambda _: [],
    "of all": lambda subject: [block(subject)],
    "of another source": lambda subject: [block(subject, source="skole")],
    "of this unit": lambda subject: [block(subject, unit="jobcenter")],
}


def _roles(how: str) -> list[dict[str, Any]]:
    wide = {"kle": ["15.*", "27.*"]}
    return {
        "covering": [role(**wide)],
        "of level 2": [role(**wide, sensitivity=2)],
        "of another subject": [role(kle=["32.*"])],
        "lapsed": [role(**wide, attested_on=20180303)],
        "confirmed a year ago": [role(**wide, attested_on=20180304)],
        "none": [],
    }[how]


def _people(row: Row) -> list[dict[str, Any]]:
    told = {"no": False, "yes": True, "not told": None}[row["protected"]]
    home = {"here": "korsbaek", "there": "norrestrand", "far away": "dragsholm", "not told": None}[row["home"]]
    citizen = person(ANNETTE, **{"protected": told, "municipality": home, **CITIZENS[row["citizen"]]})
    if row["child"] == "none":
        return [citizen]
    holders = {"shared": (ANNETTE, BO), "nobody's": ()}.get(row["custody"], (ANNETTE,))
    until = {"ended yesterday": 20190303, "ends today": 20190304}.get(row["custody"], 99991231)
    custody = [{"holder": holder, "from": 20060920, "to": until} for holder in holders]
    ages = {"of 15 today": {"born": 20040304}, "18 today": {"born": 20010304}, "dead": {"dead_on": 20190101}}
    return [citizen, child(VIKTOR, **{"custody": custody, **ages.get(row["child"], {})})]


def _lines(row: Row, source: str, category: str, subject: str) -> Iterator[dict[str, Any]]:
    givers = {"her": [ANNETTE], "him": [BO], "the subject": [subject], "both": [ANNETTE, BO], "nobody": []}
    state = row["line"] if row["line"] in {"paused", "withdrawn"} else "granted"
    window = {
        "from today": {"from": 20190304},
        "from tomorrow": {"from": 20190305},
        "until today": {"to": 20190304},
        "until yesterday": {"to": 20190303},
    }.get(row["line"], {})
    window |= {"in common": days(20181231, 20190304), "apart": days(20190101, 20190304)}.get(row["days"], {})
    named = {"another case": {"case": "c-999"}, "another unit": {"recipient": "ydelse"}}.get(row["named"], {})
    if row["named"] == "another source":
        source = "skole"
    if row["named"] == "another category":
        category = "S02"
    for number, giver in enumerate(givers[row["said by"]]):
        said = {"purpose": row["purpose"], "state": state, **window, **named}
        yield {**line(source, category, subject, giver), **said, "id": f"l{number}"}
