"""Days, moments and clock times as Danish and English people write them, in Danish time."""

from __future__ import annotations

from datetime import date, datetime

from babel import Locale
from babel.dates import format_date, format_time

from broker.domain.days import DANISH_TIME, day_of
from broker.view.phrases import Language

# Not their names: those would be looked up again for every day on a page.
LOCALES: dict[Language, Locale] = {"da": Locale("da", "DK"), "en": Locale("en", "GB")}


def day_words(day: int | str | date, language: Language) -> str:
    """Write a day: 4. marts 2019, 4 March 2019. Takes YYYYMMDD, ISO 8601 or a date."""
    return format_date(_date(day), "long", locale=LOCALES[language])


def weekday_words(day: int | str | date, language: Language) -> str:
    """Write a day with its weekday: mandag den 4. marts 2019."""
    return format_date(_date(day), "full", locale=LOCALES[language])


def month_words(month: str, language: Language) -> str:
    """Write a month (YYYY-MM): marts 2019, March 2019."""
    return format_date(date.fromisoformat(f"{month}-01"), "LLLL y", locale=LOCALES[language])


def moment_words(at: datetime | str, language: Language) -> str:
    """Write a moment: 4. marts 2019 kl. 11.00."""
    local = danish(at)
    word = "kl." if language == "da" else "at"
    return f"{day_words(local.date(), language)} {word} {time_words(local, language)}"


def time_words(at: datetime | str, language: Language) -> str:
    """Write the time of day of a moment: 11.00, 11:00."""
    return format_time(danish(at).time(), "short", locale=LOCALES[language])


def clock_words(clock: str, language: Language) -> str:
    """Write a clock time such as 07:30 as people do: 7.30, 7:30."""
    hours, minutes = clock.split(":")
    return f"{int(hours)}{'.' if language == 'da' else ':'}{minutes}"


def danish(at: datetime | str) -> datetime:
    """Give a moment in Danish time."""
    return (datetime.fromisoformat(at) if isinstance(at, str) else at).astimezone(DANISH_TIME)


def _date(day: int | str | date) -> date:
    if isinstance(day, int):
        return day_of(day)
    return date.fromisoformat(day) if isinstance(day, str) else day
