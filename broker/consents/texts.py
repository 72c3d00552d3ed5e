"""Exactly what a giver reads before saying yes, in Danish or English; its version and digest go on the log. Pure.

It names the recipient, the purpose, each source and category, the days, what happens after a no (RSL § 11 b), that a
yes can be taken back at any time, and where to complain (RSL § 12, GDPR arts 7(3) and 13). No names of persons.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from broker.domain.consents import RequestLine
from broker.domain.days import NO_BEGINNING, NO_END, day_of
from broker.domain.directory import Directory
from broker.domain.limits import Limit
from broker.domain.periods import Period

TEXT_VERSION = "samtykke-4"
LANGUAGES = ("da", "en")

_WORDS = {
    "da": {
        "head": "{unit} beder om lov til at hente oplysninger om dig.",
        "purpose": "Det skal bruges til: {purpose}.",
        "lines": "Du siger ja til, at disse oplysninger må hentes:",
        "line": "- {category}, fra {source}",
        "child": "- {category}, om dit barn, fra {source}",
        "other": "- {category}, om en du handler for, fra {source}",
        "somewhere": "en enhed i kommunen",
        "between": "{line}. Kun det, der ligger fra {first} til og med {last}",
        "since": "{line}. Kun det, der ligger fra og med {first}",
        "until": "{line}. Kun det, der ligger til og med {last}",
        "days": "Dit ja gælder fra {from_day} til og med {to_day}.",
        "once": "De må kun kigge én gang. Så er dit ja brugt op.",
        "monthly_one": "De må højst kigge 1 gang om måneden.",
        "monthly": "De må højst kigge {times} gange om måneden.",
        "refuse": "Du kan sige nej til alt eller noget. Din sag afgøres så ud fra det, kommunen ved.",
        "withdraw": "Du kan tage dit ja tilbage når som helst. Så må oplysningerne ikke hentes mere.",
        "seen": "Hver gang nogen kigger, bliver det skrevet ned, og du kan se det.",
        "complain": "Du kan klage til kommunen, til kommunens databeskyttelsesrådgiver eller til Datatilsynet.",
    },
    "en": {
        "head": "{unit} asks for permission to fetch information about you.",
        "purpose": "It will be used for: {purpose}.",
        "lines": "You say yes to this information being fetched:",
        "line": "- {category}, from {source}",
        "child": "- {category}, about your child, from {source}",
        "other": "- {category}, about someone you act for, from {source}",
        "somewhere": "a unit of the municipality",
        "between": "{line}. Only what lies from {first} up to and including {last}",
        "since": "{line}. Only what lies from {first} on",
        "until": "{line}. Only what lies up to and including {last}",
        "days": "Your yes holds from {from_day} up to and including {to_day}.",
        "once": "They may look only once. Then your yes is used up.",
        "monthly_one": "They may look at most 1 time a month.",
        "monthly": "They may look at most {times} times a month.",
        "refuse": "You may say no to all or some of it. Your case is then decided on what the municipality knows.",
        "withdraw": "You may take your yes back at any time. Then the information may no longer be fetched.",
        "seen": "Every time somebody looks, it is written down, and you can see it.",
        "complain": "You may complain to the municipality, its data protection officer or Datatilsynet.",
    },
}


def consent_text(
    unit: str,
    purpose: str,
    lines: Iterable[RequestLine],
    days: tuple[int, int],
    language: str,
    directory: Directory,
    limit: Limit | None = None,
) -> str:
    """Write the text of one giver's lines; `days` are the first and last (YYYYMMDD), `limit` how often they may look.

    Same input, same bytes.
    """
    words = _WORDS[language]
    da = language == "da"
    receiver, aim = directory.units[unit], directory.purposes[purpose]
    rows = [_line(line, words, directory, da=da) for line in sorted(lines)]
    parts = [
        words["head"].format(unit=receiver.name_da if da else receiver.name_en),
        words["purpose"].format(purpose=aim.name_da if da else aim.name_en),
        words["lines"],
        *rows,
        words["days"].format(from_day=_day(days[0], da=da), to_day=_day(days[1], da=da)),
        *([] if limit is None else [_often(limit, words)]),
        words["refuse"],
        words["withdraw"],
        words["seen"],
        words["complain"],
    ]
    return "\n".join(parts) + "\n"


def text_digest(text: str) -> str:
    """Give the SHA-256 of exactly what was shown, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def _line(line: RequestLine, words: dict[str, str], directory: Directory, *, da: bool) -> str:
    category, source = directory.categories[line.category], directory.sources[line.source]
    form = {"self": "line", "custody_holder": "child"}.get(line.capacity, "other")
    named = (source.name_da if da else source.name_en) if line.tells_source_to(line.giver) else words["somewhere"]
    told = words[form].format(category=category.name_da if da else category.name_en, source=named)
    return _bounded(told, line.period, words, da=da)


def _bounded(told: str, period: Period, words: dict[str, str], *, da: bool) -> str:
    """Add the days of the data, where some are named."""
    if not period.named:
        return told
    since, until = period.from_day > NO_BEGINNING, period.to_day < NO_END
    return words["between" if since and until else "since" if since else "until"].format(
        line=told,
        first=_day(period.from_day, da=da) if since else "",
        last=_day(period.to_day, da=da) if until else "",
    )


def _often(limit: Limit, words: dict[str, str]) -> str:
    if not limit.monthly:
        return words["once"]
    return words["monthly_one" if limit.times == 1 else "monthly"].format(times=limit.times)


def _day(number: int, *, da: bool) -> str:
    day = day_of(number)
    return f"{day.day}.{day.month}.{day.year}" if da else day.isoformat()
