"""What is shown of an access to who leads the unit that asked: what the asker was shown of it, and no more (P6).

Rules kept here:
- Of the reasons for a no, those that the answer gave. What only the log may hold is for those who oversee it.
- Of the signs, those that look at how the unit works. What a register says of the citizen puts no sign before a leader,
  nor does its absence: that only such a sign, or chance, put an access forward is not told apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from broker.domain.answers import shown_reasons
from broker.domain.entries import LogEntry
from broker.domain.samples import RANKED, UNDISCLOSED, Sample

# Signs of the unit's own work: its cases, hours, habits and purposes. One that is not here is kept from the leader.
OF_THE_UNITS_WORK = frozenset(
    {
        "no_case", "case_ended", "case_after", "case_brief", "no_case_refused", "recorder_gains", "many_an_hour",
        "many_today", "many_unrelated", "again_alone", "more_than_usual", "first_alone", "one_case_for_many",
        "outside_hours", "foreign", "delegation_refused", "emergency", "denied_tries", "asked_only", "strange_unit",
        "strange_purpose",
    }
)  # fmt: skip
# What an index row says that the asker knows: they asked for it, or were answered it.
KNOWN_TO_THE_ASKER = ("purpose", "outcome", "basis", "categories", "emergency")


def led_sample(one: Sample) -> Sample:
    """Give a sample as the leader of its unit sees it."""
    signs = tuple(sign for sign in one.signs if sign in OF_THE_UNITS_WORK)
    explained = tuple((sign, why) for sign, why in one.explained if sign in OF_THE_UNITS_WORK)
    return replace(one, signs=signs, explained=explained, how=RANKED if signs else UNDISCLOSED)


def led_entry(entry: LogEntry) -> LogEntry:
    """Give an access's entry as the leader of its unit sees it; where its body cannot be read, without any reason."""
    told = {name: entry.index[name] for name in KNOWN_TO_THE_ASKER if name in entry.index}
    if entry.body is not None:
        verdicts = entry.body["verdicts"]
        given = {verdict["key"]["source"] for verdict in verdicts if verdict["outcome"] != "withhold"}
        told["sources"] = sorted(given.intersection(entry.index.get("sources", ())))
        told["reasons"] = _reasons(verdicts)
    return replace(entry, index=told, body=None)


def _reasons(verdicts: list[Mapping[str, Any]]) -> list[str]:
    """List what the answer said: nothing of a place of which something was given, one word of every other."""
    places: defaultdict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for verdict in verdicts:
        places[verdict["key"]["source"], verdict["key"]["category"]].append(verdict)
    held_back = [rows for rows in places.values() if all(row["outcome"] == "withhold" for row in rows)]
    words = (shown_reasons({code for row in rows for code in row["shown"]}) for rows in held_back)
    return sorted({code for codes in words for code in codes})
