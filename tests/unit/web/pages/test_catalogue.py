"""The words of the pages: every sentence has its Danish, in plain language, and nothing is left over."""

import re
from collections import Counter
from pathlib import Path

import pytest

from broker.adapters.notices_memo import LABEL, TEXT
from broker.consents.texts import _WORDS
from broker.view import phrases
from broker.web.pages.errors import LOGIN_WORDS, WORDS
from broker.web.pages.words import words_of
from broker.web.problems import TABLE
from tests.unit.web.pages.sentences import ROOMS, WEB, said

DANISH = words_of("da")
PLACE = re.compile(r"%\((\w+)\)s")
MOST_LIX = 40
# The scripts of all pages: they check proofs and warn before a log-in ends, and come from our own address.
OUR_SCRIPTS = re.compile(r'<script type="module" src="/static/borgerbro/(whole|session|tables|leave)\.mjs"></script>')
LONG_WORD = 6
# Bound to a value of ours, never to what was sent or read: the sentence of an error, a fault, a menu, a kind.
VARIABLE_SENTENCES = {"_(heading)", "_(advice)", "_(text)", "_(words[code])", "_(may_not_open)"}


def lix(texts: list[str]) -> float:
    """Measure how hard texts are to read: words a sentence, and the share of words of more than six letters."""
    whole = [text.rstrip(":") if text.endswith((".", "?", "!", ":")) else "" for text in texts]
    sentences = [one for text in whole for one in re.split(r"[.?!:;]", PLACE.sub("ord", text)) if one.strip()]
    words = [word for one in sentences for word in re.findall(r"[\wæøåÆØÅ-]+", one)]
    return len(words) / len(sentences) + 100 * sum(len(word) > LONG_WORD for word in words) / len(words)


def danish(*rooms: str) -> list[str]:
    """Give the Danish of what these rooms say."""
    texts: list[str] = []
    for sentence in said(*rooms):
        found = (DANISH.plural[sentence[0]]) if isinstance(sentence, tuple) else (DANISH.plain[sentence],)
        texts += found
    return texts


def test_every_sentence_has_its_danish() -> None:
    """Nothing that a page can say is left in English."""
    known = set(DANISH.plain) | set(DANISH.plural)
    assert {one if isinstance(one, str) else one[0] for one in said()} - known == set()
    assert all(text.strip() for text in DANISH.plain.values())
    assert all(text.strip() for pair in DANISH.plural.values() for text in pair)


def test_no_translation_is_left_over() -> None:
    """What no page says any more leaves the catalogue."""
    assert (set(DANISH.plain) | set(DANISH.plural)) - {
        one if isinstance(one, str) else one[0] for one in said()
    } == set()


def test_no_sentence_stands_twice_in_the_catalogue() -> None:
    """Each sentence has one place, so that whoever mends its Danish mends all of it."""
    catalogue = (WEB / "pages" / "catalogues" / "da" / "LC_MESSAGES" / "messages.po").read_text("utf-8")
    sentences = Counter(re.findall(r'^msgid ("(?:.+)"(?:\n".*")*)', catalogue, re.MULTILINE))

    assert [sentence for sentence, times in sentences.items() if times > 1] == []


def test_both_languages_have_the_same_places() -> None:
    """A value that the English sentence shows stands in the Danish one too."""
    pairs = [*DANISH.plain.items(), *((one, text) for one, pair in DANISH.plural.items() for text in pair)]
    assert [english for english, text in pairs if set(PLACE.findall(english)) != set(PLACE.findall(text))] == []


@pytest.mark.parametrize("room", ["citizen", *ROOMS, "all"])
def test_the_danish_is_plain(room: str) -> None:
    """The Danish of each room, and of all together, is at most 40 by LIX (`domain.md` 5.5)."""
    texts = danish() if room == "all" else danish(room)
    assert lix(texts) <= MOST_LIX


def test_what_is_read_beside_the_pages_own_words_is_plain() -> None:
    """So are the text of a consent, findings and suggestions, and the letter that there is something new."""
    consent = [text for name, text in _WORDS["da"].items() if name not in {"line", "child", "other"}]
    seen = [pair[0] for pair in (*phrases.SENTENCES.values(), *phrases.SUGGESTIONS.values())]
    assert lix(consent) <= MOST_LIX
    assert lix(seen) <= MOST_LIX
    assert lix([LABEL, *TEXT.partition("----")[0].split("\n\n")]) <= MOST_LIX


def test_hard_danish_is_noticed() -> None:
    """The measure sees a sentence from an office."""
    hard = "Kommunalbestyrelsen iværksætter databeskyttelsesretlige foranstaltninger vedrørende videregivelsen."
    assert lix([hard]) > MOST_LIX


def test_no_page_speaks_of_excess() -> None:
    """Pages say who comes when, never that it is too much (`design.md` 6b p)."""
    texts = [*danish(), *map(str, said())]
    assert [text for text in texts if re.search(r"overskyd|excess|overflød", text, re.IGNORECASE)] == []


def test_no_heading_holds_a_paragraph_of_law() -> None:
    """No law number stands in a heading of a template or in any sentence of the catalogue."""
    headings = [
        heading
        for room in ROOMS
        for file in (WEB / room / "templates").glob("*.html")
        for heading in re.findall(r"<h[1-6].*?</h[1-6]>", file.read_text("utf-8"), re.DOTALL)
    ]
    assert headings
    assert [heading for heading in headings if "§" in heading or "laws(" in heading] == []
    assert [text for text in danish() if "§" in text] == []


def test_every_error_has_words_for_people() -> None:
    """Each error that has a status has a heading and an advice."""
    assert set(WORDS) == set(TABLE)
    assert all(heading and advice for heading, advice in (*WORDS.values(), *LOGIN_WORDS.values()))


def templates() -> list[Path]:
    """Give every template."""
    return [file for room in ROOMS for file in sorted((WEB / room / "templates").glob("*.html"))]


@pytest.mark.parametrize("file", templates(), ids=lambda file: f"{file.parent.parent.name}/{file.name}")
def test_a_template_escapes_and_runs_nothing(file: Path) -> None:
    """No template marks a value as safe, writes script or style, or translates what it did not write itself."""
    text = file.read_text("utf-8")
    text = OUR_SCRIPTS.sub("", text)
    assert not re.search(r"\|\s*safe|Markup|autoescape|<script|<style|\sstyle=|\son[a-z]+=|javascript:", text)
    variable = set(re.findall(r"\b_\([^\"'][^)]*\)", text))
    assert variable <= VARIABLE_SENTENCES


def test_translated_text_holds_no_markup() -> None:
    """A translation is text: what it would bring as markup is not escaped, so it may bring none."""
    texts = [*danish(), *(part for one in said() for part in (one if isinstance(one, tuple) else (one,)))]
    assert [text for text in texts if re.search(r"[<>]|&\w+;", text)] == []
