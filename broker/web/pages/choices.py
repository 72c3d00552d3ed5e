"""What a list of the log can be filtered on, by name, and what happened in words, for citizens and overseers."""

from __future__ import annotations

from collections.abc import Mapping

from broker.domain.catalogue import CATALOGUE
from broker.domain.directory import Directory
from broker.view.phrases import Language
from broker.web.pages.show import Named
from broker.web.pages.words import marked

KINDS = {
    "ask": marked("asked about a citizen"),
    "outcome": marked("got an answer"),
    "consent.requested": marked("asked a citizen for a yes"),
    "consent.granted": marked("a yes was given"),
    "consent.refused": marked("a no was given"),
    "consent.withdrawn": marked("a yes was taken back"),
    "consent.paused": marked("a yes was paused"),
    "consent.resumed": marked("a paused yes holds again"),
    "consent.unanswered": marked("a request was not answered in time"),
    "stop.received": marked("a unit received that a yes holds no more"),
    "block.changed": marked("a standing no was set or lifted"),
    "break_glass.requested": marked("asked for a yes, for danger to life"),
    "break_glass.read": marked("read why life was in danger"),
    "break_glass.decided": marked("a yes or a no for danger to life"),
    "log.searched": marked("the log was searched"),
    "entry.opened": marked("a line was opened"),
    "employee.named": marked("a name and a code of an employee were put together"),
    "search.saved": marked("a search was kept"),
    "search.removed": marked("a kept search was taken away"),
    "log.verified": marked("the log was checked"),
    "decisions.replayed": marked("past decisions were tried again"),
    "registry.loaded": marked("a registry was taken into use"),
    "deferral.asked": marked("asked that lines be kept back from a citizen for a time"),
    "deferral.approved": marked("approved that lines be kept back for a time"),
    "deferral.ended": marked("ended that lines are kept back"),
    "erasure.requested": marked("asked that a citizen be erased"),
    "erasure.approved": marked("approved that a citizen be erased"),
    "erasure.examined": marked("looked what would be erased"),
    "citizen.erased": marked("a citizen was erased"),
    "retention.applied": marked("content that had been kept long enough was deleted"),
    "hold.changed": marked("deletion was held up, or let go on"),
    "archive.received": marked("an archive confirmed what it has"),
    "own.asked": marked("a citizen asked to see their own information"),
    "own.shown": marked("a citizen saw their own information"),
    "own.seen_for_another": marked("a parent or a representative saw what is shared, or tried to"),
    "notice.sent": marked("a notice was sent to a citizen"),
    "notices.chosen": marked("a citizen chose how they are written to"),
    "inquiry.sent": marked("a citizen asked the DPO about a line"),
    "inquiry.read": marked("the DPO read what a citizen asked"),
    "inquiry.answered": marked("the DPO answered a citizen"),
    "inquiry.passed_on": marked("the DPO passed on what a citizen wants"),
    "package.made": marked("the DPO made the file that a citizen may have"),
    "recipients.seen": marked("the DPO saw who got what about a citizen"),
    "desk.looked": marked("the desk saw what a citizen has said yes and no to"),
    "sample.seeded": marked("fixed what the next sample goes by"),
    "sample.drawn": marked("drew a sample"),
    "sample.read": marked("opened a sample"),
    "sample.explained": marked("explained a sample"),
    "sample.closed": marked("closed a sample"),
    "sample.reopened": marked("opened a sample again"),
    "breach.opened": marked("opened a file of a breach"),
    "breach.read": marked("read a file of a breach"),
    "breach.noted": marked("wrote in a file of a breach"),
    "breach.counted": marked("counted whom a breach touches"),
    "breach.listed": marked("saw whom a breach touches, without names"),
    "breach.letters_prepared": marked("prepared letters to those a breach touches"),
    "breach.named": marked("named a citizen whom a breach may touch"),
    "breach.letters_withdrawn": marked("took back the letters of a breach"),
    "breach.letters_released": marked("let the letters of a breach go"),
    "breach.exported": marked("took out a file of a breach"),
    "figures.read": marked("read a month in numbers"),
    "what_if.begun": marked("had other rules tried on a month"),
    "what_if.ended": marked("other rules were tried on a month"),
    "what_if.seen": marked("saw what other rules would have changed"),
    "integrity.seen": marked("looked how the logs stand"),
    "log.check_begun": marked("had a check of the log begin"),
    "evidence.made": marked("took out the evidence of a line"),
    "figures.published": marked("made numbers ready for others"),
    "after_check.read": marked("opened an after-check of danger to life"),
    "after_check.explained": marked("explained why danger to life was named"),
    "after_check.closed": marked("closed an after-check of danger to life"),
    "after_check.closed_unexplained": marked("closed an after-check of danger to life without the leader's words"),
    "after_check.escalated": marked("an after-check of danger to life was late, and the DPO was told"),
    "after_check.reopened": marked("opened an after-check of danger to life again"),
    "employee.disclosed": marked("was told who an employee is"),
}
OUTCOMES = {
    "released": marked("all was shown"),
    "partly": marked("some was shown"),
    "refused": marked("nothing was shown"),
    "yes": marked("they said yes"),
    "no": marked("they said no"),
    "evaluated": marked("asked whether they may; nothing was handed out"),
    "shown": marked("shown to the citizen"),
}
BASES = {"consent": marked("consent"), "statute": marked("law"), "own_case": marked("own case")}
Choices = list[tuple[str, str]]


def choices(directory: Directory, language: Language) -> dict[str, Choices]:
    """List what each select offers, by name in the reader's language."""
    danish = language == "da"

    def named(rows: Mapping[str, Named]) -> Choices:
        return sorted(((key, row.name_da if danish else row.name_en) for key, row in rows.items()), key=lambda r: r[1])

    reasons = [(code, text.da if danish else text.en) for code, text in directory.reasons.items()]
    holders = {source.municipality for source in directory.sources.values()}
    everywhere = directory.municipalities
    return {
        "holders": sorted((home, everywhere[home].name) for home in holders if home in everywhere),
        "units": named(directory.units),
        "purposes": named(directory.purposes),
        "sources": named(directory.sources),
        "reasons": sorted(reasons, key=lambda row: row[1]),
    }


if {event.name for event in CATALOGUE} != KINDS.keys():
    raise RuntimeError("every kind of event has its words")
