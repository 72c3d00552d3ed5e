"""How an answer was taken, as it is kept beside it: short sentences in the language of the text that was read."""

from __future__ import annotations

from broker.web.pages.forms import Sent

# The consent's own record says who recorded it and when, by the server's clock.
PAPER_WORDS = {
    "da": ("Svaret er givet på papir.", "Papiret ligger her: {}.", "Dagen på papiret, som det står der: {}."),
    "en": ("The answer was given on paper.", "The paper is kept here: {}.", "The day on the paper, as written: {}."),
}
ORAL_WORDS = {
    "da": ("Teksten er læst højt, og borgeren har sagt den igen.", "Tolk og sprog: {}.", "Vidne: {}."),
    "en": ("The text was read aloud, and the citizen said it back.", "Interpreter and language: {}.", "Witness: {}."),
}


def paper_words(form: Sent, language: str) -> str:
    """Tell where the paper is kept and which day stands on it: a claim, never when the yes begins."""
    return _told(PAPER_WORDS[language], form.one("reference"), form.one("paper_date"))


def oral_words(form: Sent, language: str) -> str:
    """Tell that the text was read aloud and said back, and who interpreted or was a witness."""
    return _told(ORAL_WORDS[language], form.one("interpreter"), form.one("witness"))


def _told(words: tuple[str, str, str], *values: str) -> str:
    """Leave out what was not filled in."""
    first, *rest = words
    return " ".join([first, *(sentence.format(value) for sentence, value in zip(rest, values, strict=True) if value)])
