"""The fixed sentences of the record of processing activities."""

from __future__ import annotations

from collections.abc import Iterator

from broker.oversight.record import FOR_GOOD, ITSELF, UNTIL_ERASED, Record
from broker.web.pages.words import Words, marked

KEPT_WORDS = {
    "log": marked("Who asked about whom, and what they got: no content"),
    "consents": marked("The citizens' yeses and noes, with receipts"),
    "emergencies": marked("Look-ups for danger to life"),
    "questions": marked("The citizens' questions to the DPO, and the answers"),
    "breaches": marked("Files of breaches of security"),
}
ITSELF_WORDS = {
    UNTIL_ERASED: marked("The matter itself stays until the citizen is erased."),
    FOR_GOOD: marked("The matter itself is not deleted."),
}
# What the twelve promises of SECURITY.md mean for who writes the record, in short (art. 32).
MEASURES = (
    marked("No rule, no data: each look-up rests on a dated row of law."),
    marked("Nothing is shown before the look-up stands in the log."),
    marked("A yes that is taken back stops at once."),
    marked("No copy of the content is kept; it is handed on and forgotten."),
    marked("Only what was allowed is fetched from a source."),
    marked("Nobody can change the log unseen; others sign it too."),
    marked("A citizen can check that nothing is missing in their own list."),
    marked("Each citizen's lines lie under a key of their own, and go with it."),
    marked("Each system and each caseworker proves who they are, each time."),
    marked("No CPR number stands in the log: people have random names there."),
)


def kept_rows(record: Record, words: Words) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Say how long a municipality keeps each thing here, and what becomes of the thing itself."""
    for what, months in record.months:
        undecided = words.gettext(marked("Not decided yet, so nothing is deleted"))
        lines = undecided if months is None else words.ngettext("%(num)s month", "%(num)s months", months)
        itself = (words.gettext(ITSELF_WORDS[ITSELF[what]]),) if what in ITSELF else ()
        yield words.gettext(KEPT_WORDS[what]), (lines % {"num": months}, *itself)
    yield words.gettext(marked("The content that is shown")), (words.gettext(marked("Not kept")),)
