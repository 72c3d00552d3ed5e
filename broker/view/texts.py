"""Findings and gaps as plain sentences in Danish or English, from their codes and figures alone.

Pages show units, names and decision numbers beside the sentence; here nothing personal is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby

from broker.domain.days import day_of
from broker.view.finding import Finding
from broker.view.gaps import Gap
from broker.view.overlap import Stretch
from broker.view.phrases import (
    DEMANDS,
    MONTHS,
    NEEDS,
    NUMBERS,
    OWN_SUGGESTIONS,
    PLANS,
    SENTENCES,
    SUGGESTIONS,
    WEEKDAYS,
    Language,
    Phrase,
)

_PLACE = {"da": 0, "en": 1}


def finding_text(finding: Finding, language: Language, *, own: bool = False) -> str:
    """Say what is seen, and from when if that day has not come. `own` speaks to the one it is about."""
    if own and finding.rules[0] == "O3":
        sentences = _own_conflict(finding, language)
    else:
        sentences = _TELLERS[finding.rules[0]](finding, language)
    if finding.future and finding.from_day is not None:
        sentences = [*sentences, _say("begins", language, day=day_text(finding.from_day, language))]
    elif finding.future:
        sentences = [*sentences, _say("no_start", language)]
    return " ".join(sentences)


def suggestion(finding: Finding, language: Language, *, own: bool = False) -> str:
    """Say what the finding suggests to talk about: advice, never a decision."""
    return _pick((OWN_SUGGESTIONS if own else SUGGESTIONS)[finding.rules[0]], language)


def gap_text(gap: Gap, language: Language) -> str:
    """Say what is missing. The name of a silent source stands beside it."""
    counts = {"held": str(gap.held), "needed": str(gap.needed)} if gap.needed is not None else {}
    return _say(gap.code, language, **counts)


def reduced_text(language: Language) -> str:
    """Say why there is no view across areas (C12)."""
    return _say("reduced", language)


def computed_without_text(language: Language) -> str:
    """Say that findings were made without every source."""
    return _say("computed_without", language)


def need_text(need: str | None, language: Language) -> str:
    """Say what help is for; a code we do not know is "the same need", never shown raw."""
    return _pick(NEEDS.get(need or "", SENTENCES["unknown_need"]), language)


def day_text(day: int, language: Language) -> str:
    """Write YYYYMMDD as people do: 11. marts 2019, 11 March 2019."""
    date = day_of(day)
    month = _pick(MONTHS[date.month - 1], language)
    return f"{date.day}. {month} {date.year}" if language == "da" else f"{date.day} {month} {date.year}"


def time_text(minute: int, language: Language) -> str:
    """Write minutes after midnight as people do: 7.30 in Danish, 7:30 in English."""
    return f"{minute // 60}{'.' if language == 'da' else ':'}{minute % 60:02d}"


def _helpers(finding: Finding, language: Language) -> list[str]:
    together = _joined(finding.stretches)
    return [
        _say("helpers", language, count=_number(count, language), when=_when(stretches, language))
        for count, stretches in _by_time(together)
    ]


def _needs(finding: Finding, language: Language) -> list[str]:
    opening = "interventions" if "O2" in finding.rules else "grants"
    told = [_say(opening, language, need=need_text(finding.codes[0], language))]
    return [*told, _say("two_laws", language)] if "O6" in finding.rules else told


def _conflict(finding: Finding, language: Language) -> list[str]:
    demands = [_pick(DEMANDS[code], language) for code in finding.codes if code in DEMANDS]
    told = finding.figures.get("limitation_day")
    limit = "limit" if told is None else "limit_day"
    day = "" if told is None else day_text(told, language)
    return [_say("demand", language, demand=_listed(demands, language)), _say(limit, language, day=day)]


def _own_conflict(finding: Finding, language: Language) -> list[str]:
    told = finding.figures.get("limitation_day")
    limit = "own_limit" if told is None else "own_limit_day"
    day = "" if told is None else day_text(told, language)
    return [_conflict(finding, language)[0], _say(limit, language, day=day)]


def _assessments(finding: Finding, language: Language) -> list[str]:
    return [_say("assessments", language), _say(f"open_{finding.figures['open']}", language)]


def _statements(finding: Finding, language: Language) -> list[str]:
    told = [_say("statements", language, count=_number(finding.figures["statements"], language))]
    return [*told, _say("requested", language)] if finding.figures["requested"] else told


def _meetings(finding: Finding, language: Language) -> list[str]:
    told = []
    if finding.figures["meetings"] > finding.figures["most"]:
        told = [_say("meetings", language, count=_number(finding.figures["meetings"], language))]
    return told + [
        _say("collision", language, when=_when(stretches, language))
        for _, stretches in _by_time(_joined(finding.stretches))
    ]


def _plans(finding: Finding, language: Language) -> list[str]:
    count = _number(finding.figures["plans"], language)
    if any(code not in PLANS for code in finding.codes):
        return [_say("plans", language, count=count)]
    named = _listed([_pick(PLANS[code], language) for code in finding.codes], language)
    return [_say("named_plans", language, count=count, plans=named)]


def _people(finding: Finding, language: Language) -> list[str]:
    return [_say("people", language, count=_number(finding.figures["people"], language))]


_TELLERS: dict[str, Callable[[Finding, Language], list[str]]] = {
    "O1": _helpers,
    "O2": _needs,
    "O3": _conflict,
    "O4": _assessments,
    "O5": _statements,
    "O6": _needs,
    "O7": _meetings,
    "O8": _plans,
    "O9": _people,
}


def _joined(stretches: tuple[Stretch, ...]) -> list[Stretch]:
    """Join stretches that follow one another with as many helpers, whoever they are."""
    joined: list[Stretch] = []
    for one in stretches:
        before = joined[-1] if joined else None
        if before and (before.weekday, before.end_minute, before.helpers) == (
            one.weekday,
            one.start_minute,
            one.helpers,
        ):
            joined[-1] = Stretch(one.weekday, before.start_minute, one.end_minute, one.helpers, before.items)
        else:
            joined.append(one)
    return joined


def _by_time(stretches: Iterable[Stretch]) -> list[tuple[int, list[Stretch]]]:
    """Gather stretches at the same clock time on several days; the most helpers first, then the earlier days."""
    ordered = sorted(stretches, key=lambda one: (-one.helpers, one.start_minute, one.end_minute, one.weekday))
    alike = groupby(ordered, key=lambda one: (-one.helpers, one.start_minute, one.end_minute))
    groups = [list(group) for _, group in alike]
    groups.sort(key=lambda group: (-group[0].helpers, group[0].weekday, group[0].start_minute))
    return [(group[0].helpers, group) for group in groups]


def _when(stretches: list[Stretch], language: Language) -> str:
    days = _days([one.weekday for one in stretches], language)
    start, end = stretches[0].start_minute, stretches[0].end_minute
    return _say("when", language, days=days, start=time_text(start, language), end=time_text(end, language))


def _days(weekdays: list[int], language: Language) -> str:
    return _listed([_pick(WEEKDAYS[weekday - 1], language) for weekday in weekdays], language)


def _listed(words: list[str], language: Language) -> str:
    """Write "a, b and c"."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {_say('and', language)} {words[-1]}"


def _number(count: int, language: Language) -> str:
    return _pick(NUMBERS[count], language) if count < len(NUMBERS) else str(count)


def _say(name: str, language: Language, **parts: str) -> str:
    told = _pick(SENTENCES[name], language).format(**parts)
    # A sentence that opens with a number word still begins with a capital.
    return told[0].upper() + told[1:] if told.endswith(".") else told


def _pick(phrase: Phrase, language: Language) -> str:
    return phrase[_PLACE[language]]
