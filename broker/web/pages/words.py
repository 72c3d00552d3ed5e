"""The words of the pages: English in the templates, Danish in a catalogue that is read at start (gettext .po).

No build step: `catalogues/da/LC_MESSAGES/messages.po` is edited by hand, and a test holds it against the templates.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

from broker.view.phrases import Language

CATALOGUES = Path(__file__).parent / "catalogues"
LANGUAGES: tuple[Language, ...] = ("da", "en")


@dataclass(frozen=True, slots=True)
class Words:
    """The sentences of one language; what has no translation stays English, which a test forbids."""

    plain: dict[str, str]
    plural: dict[str, tuple[str, str]]

    def gettext(self, text: str) -> str:
        """Say one sentence."""
        return self.plain.get(text, text)

    def ngettext(self, one: str, many: str, count: int) -> str:
        """Say a sentence for one or for many, as Danish and English tell them apart."""
        return self.plural.get(one, (one, many))[0 if count == 1 else 1]


def marked(text: str) -> str:
    """Mark a sentence that is translated later, so that the test of the catalogue finds it."""
    return text


@cache
def words_of(language: Language) -> Words:
    """Read a language's catalogue, once a process: it takes a tenth of a second. English stands in the templates."""
    if language == "en":
        return Words({}, {})
    plain: dict[str, str] = {}
    plural: dict[str, tuple[str, str]] = {}
    with (CATALOGUES / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        for message in read_po(file, locale=language):
            if isinstance(message.id, tuple) and isinstance(message.string, tuple):
                plural[message.id[0]] = (message.string[0], message.string[1])
            elif isinstance(message.id, str) and message.id:
                plain[message.id] = str(message.string)
    return Words(plain, plural)
