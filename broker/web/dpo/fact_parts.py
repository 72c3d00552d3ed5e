"""The facts of one municipality in words of one language, laid out in parts that the page and the paper share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from broker.domain.days import day_of
from broker.domain.directory import Directory, Unit
from broker.domain.laws import LawRow
from broker.oversight.fact_sheets import NOT_REGISTERED, TASKS, TO_JUDGE, FactSheet, Flow, Running
from broker.oversight.record import Activity
from broker.view.phrases import Language
from broker.web.dpo.fact_words import (
    ADVICE,
    JUDGE_WORDS,
    MATTER,
    MISSING_WORDS,
    NATURE,
    SAFEGUARDS,
    SERVICE_WORDS,
    TASK_WORDS,
    WHO_WORDS,
)
from broker.web.dpo.record_words import kept_rows
from broker.web.pages.dates import day_words
from broker.web.pages.words import Words, marked

Rows = tuple[tuple[str, tuple[str, ...]], ...]
MISSING, UNCHECKED = marked("Not registered"), marked("Nobody has checked this row yet.")


class Named(Protocol):
    """What has a name in both languages."""

    @property
    def name_da(self) -> str:
        """Give the Danish name."""

    @property
    def name_en(self) -> str:
        """Give the English name."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the sheet: its heading, what it says first, and rows of what and what is known of it."""

    title: str
    says: tuple[str, ...] = ()
    rows: Rows = ()


class Sheet:
    """The facts of one municipality, to be read."""

    def __init__(
        self,
        facts: FactSheet,
        running: Running,
        directory: Directory,
        words: Words,
        language: Language,
        made_at: datetime,
    ) -> None:
        """Take the facts and the language they are told in."""
        self._facts, self._running, self._directory = facts, running, directory
        self._words, self._language, self._made_at = words, language, made_at
        self.home = facts.record.controller

    def parts(self) -> Iterator[Part]:
        """Give every part in the order it is read."""
        yield self._in_short()
        for one in self._facts.record.activities:
            yield Part(self._name(one.purpose), (self._plain(one),), self._activity(one))
        yield self._part(marked("How long it is kept here"), tuple(kept_rows(self._facts.record, self._words)))
        safe = marked(
            "Each promise stands in SECURITY.md with its known limits below it. The defence stands in docs/defences.md."
        )
        yield self._part(marked("How it is kept safe"), tuple(self._safe()), safe)
        judge = marked("This sheet has facts alone. The municipality itself must judge:")
        yield self._part(marked("What is left to judge"), (), judge, *(JUDGE_WORDS[one] for one in TO_JUDGE))
        yield from self._between()
        yield self._part(marked("Who works for the municipality"), tuple(self._processor()))
        missing = tuple((self._say(MISSING_WORDS[one]), (self._say(MISSING),)) for one in NOT_REGISTERED)
        asked = marked("The registry has no place for this. Write it in yourself.")
        yield self._part(marked("What Borgerbro does not know"), missing, asked)

    def _in_short(self) -> Part:
        record, running = self._facts.record, self._running
        special = tuple(self._name(one.purpose) for one in record.activities if one.special)
        children = tuple(self._name(one.purpose) for one in record.activities if one.children)
        unread = tuple(row.paragraph for row in self._facts.unverified)
        rows = (
            (marked("Who answers for it"), (f"{self.home.name}, CVR {self.home.cvr}",)),
            (marked("Made"), (day_words(self._made_at.date(), self._language),)),
            (marked("Registry (SHA-256)"), (record.revision,)),
            (marked("Version"), (running.version,)),
            (marked("Health is looked at for"), special or (self._say(marked("Nothing")),)),
            (marked("Children's data is looked at for"), children or (self._say(marked("Nothing")),)),
            (marked("Law that nobody has checked yet"), unread or (self._say(marked("None")),)),
            (marked("What a machine decides"), (self._say(ADVICE),)),
            (marked("Sent out of the EU"), (self._say(marked("Nothing")),)),
            (marked("A log-in ends, in minutes"), (self._log_in(),)),
        )
        return Part(self._say(marked("In short")), (), self._told(rows))

    def _activity(self, one: Activity) -> Rows:
        who = [marked("Citizens with a case"), *([marked("children")] if one.children else [])]
        who.append(marked("employees who look up"))
        rows = (
            (marked("Whom it is about"), (", ".join(self._say(text) for text in who),)),
            (marked("Kinds of information"), tuple(f"{c.id} {self._name(c)}" for c in one.categories)),
            (marked("Where it comes from"), tuple(self._name(s) for s in one.sources)
             or (self._say(marked("Nowhere yet")),)),
            (marked("Who gets it"), tuple(self._name(unit) for unit in one.recipients)),
            (marked("Law"), tuple(self._law(row) for row in one.laws)),
        )  # fmt: skip
        return self._told(rows)

    def _law(self, row: LawRow) -> str:
        yes = any(row.id == known.id for known in self._directory.consent_laws)
        how = self._say(marked("with the citizen's yes") if yes else marked("without a yes"))
        told = f"{row.paragraph} ({how}); {row.gdpr_basis}"
        return told if row.verified else f"{told}. {self._say(UNCHECKED)}"

    def _safe(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        for text, proof in SAFEGUARDS:
            yield self._say(text), (f"{proof.promise}, {proof.place}", f"docs/defences.md: {proof.defence}", proof.test)

    def _between(self) -> Iterator[Part]:
        tasks = tuple((self._say(WHO_WORDS[who]), (self._say(TASK_WORDS[task]),)) for who, task in TASKS)
        told = marked("Where a unit of one municipality asks the source of another, both have a part in it.")
        yield self._part(marked("Between municipalities"), tasks, told)
        flows = tuple((self._heading(one), self._flow(one)) for one in self._facts.flows)
        none = () if flows else (marked("Nothing passes between this municipality and others."),)
        yield self._part(marked("What may pass between them"), flows, *none)
        yield self._part(marked("Who acts for whom"), tuple(self._delegations()),
                         *(() if self._facts.delegations else (marked("Nobody acts for another."),)))  # fmt: skip
        yield self._part(marked("Whom to reach"), tuple((self._name(u), (self._phone(u),)) for u in self._facts.units))

    def _heading(self, flow: Flow) -> str:
        giver = self._directory.municipalities[flow.source.municipality].name
        return f"{self._name(flow.source)} ({giver}) → {flow.to.name}: {self._name(flow.purpose)}"

    def _flow(self, flow: Flow) -> tuple[str, ...]:
        kinds = ", ".join(f"{c.id} {self._name(c)}" for c in flow.categories)
        return (", ".join(self._name(unit) for unit in flow.units), kinds, *(self._law(row) for row in flow.laws))

    def _delegations(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        known = self._directory.municipalities
        for row in self._facts.delegations:
            names = [known[one].name if one in known else one for one in (row.from_municipality, row.to_municipality)]
            days = [day_words(day_of(day), self._language) for day in (row.from_day, row.to_day)]
            yield " → ".join(names), (f"KLE {', '.join(row.kle)}", " – ".join(days))

    def _phone(self, unit: Unit) -> str:
        return unit.phone or self._say(MISSING)

    def _processor(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        nobody = (self._say(MISSING),)
        activities = self._facts.record.activities
        people = [
            marked("Citizens with a case"),
            *([marked("children")] if any(a.children for a in activities) else []),
        ]
        people.append(marked("employees who look up"))
        yield from self._told((
            (marked("Who it is"), nobody),
            (marked("What the work is"), (self._say(MATTER),)),
            (marked("How it is done"), (self._say(NATURE),)),
            (marked("How long it lasts"), nobody),
            (marked("What for"), tuple(self._name(one.purpose) for one in activities)),
            (marked("Kinds of information"), tuple(f"{c.id} {self._name(c)}" for c in self._facts.categories)),
            (marked("Whom it is about"), (", ".join(self._say(text) for text in people),)),
            (marked("Who helps them"), nobody),
        ))  # fmt: skip
        for kind, address in self._running.services:
            yield self._say(SERVICE_WORDS[kind]) if kind in SERVICE_WORDS else kind, (address,)

    def _log_in(self) -> str:
        idle, longest = (int(time / timedelta(minutes=1)) for time in (self._running.idle, self._running.longest))
        unused, at_most = self._say(marked("unused")), self._say(marked("at most"))
        return f"{unused}: {idle}; {at_most}: {longest}"

    def _part(self, title: str, rows: Rows, *says: str) -> Part:
        return Part(self._say(title), tuple(self._say(text) for text in says), rows)

    def _told(self, rows: Rows) -> Rows:
        return tuple((self._say(head), told) for head, told in rows)

    def _plain(self, one: Activity) -> str:
        return one.purpose.plain_da if self._language == "da" else one.purpose.plain_en

    def _name(self, one: Named) -> str:
        return one.name_da if self._language == "da" else one.name_en

    def _say(self, text: str) -> str:
        return self._words.gettext(text)
