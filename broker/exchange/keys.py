"""Which verdicts one ask is about: every (source, category, subject) it names or implies. Pure.

Rules kept here (`design.md` 6b f, P6):
- Sources left out mean those of the requester's municipality that hold a category of the purpose, plus those named in
  consents to this unit for this purpose or in its delegations; never by where the citizen lives.
- A child category is about the citizen's children that are not of age, and those who are where a consent names them:
  nobody grown up hears from their own log that a parent has a case. For a citizen with none it is about the citizen,
  so that the list shown to the asker has the same rows either way.
"""

from __future__ import annotations

from broker.domain.asks import Ask, Key
from broker.domain.directory import Category, Directory
from broker.domain.facts import ConsentLine, Facts, Subject
from broker.domain.identity import Caller

ADULT_AGE = 18


def keys_of(ask: Ask, caller: Caller, facts: Facts, directory: Directory) -> frozenset[Key]:
    """List every key this ask is about; empty when the purpose is unknown or nothing holds what is asked for."""
    categories = _categories(ask, directory, caller.municipality)
    sources = ask.sources if ask.sources is not None else _implied_sources(ask, caller, facts, directory, categories)
    return frozenset(
        Key(source, category, subject)
        for source in sources
        for category in categories & directory.sources[source].categories
        if ask.places is None or (source, category) in ask.places
        for subject in _subjects(directory.categories[category], ask, caller, facts)
    )


def asks_of_children(ask: Ask, directory: Directory) -> bool:
    """Tell whether a source that is asked, or any where none is named, holds a child's category that is asked for."""
    sources = directory.sources.values() if ask.sources is None else [directory.sources[name] for name in ask.sources]
    held = {category for source in sources for category in source.categories} & _categories(ask, directory)
    return any(directory.categories[category].child for category in held)


def _categories(ask: Ask, directory: Directory, municipality: str = "") -> frozenset[str]:
    """Give the categories that are meant: those named, else the purpose's as far as the municipality uses it."""
    return directory.bound(municipality, ask.purpose) if ask.categories is None else ask.categories


def _implied_sources(
    ask: Ask, caller: Caller, facts: Facts, directory: Directory, categories: frozenset[str]
) -> frozenset[str]:
    """Find the sources an ask means when it names none."""
    delegators = {
        delegation.from_municipality
        for delegation in directory.delegations.values()
        if delegation.to_municipality == caller.municipality and delegation.from_day <= facts.today <= delegation.to_day
    }
    near = {caller.municipality} | delegators
    named = {line.source for line in facts.consents.lines if _given_here(line, ask, caller)}
    return frozenset(
        source.id
        for source in directory.sources.values()
        if source.categories & categories and (source.municipality in near or source.id in named)
    )


def _given_here(line: ConsentLine, ask: Ask, caller: Caller) -> bool:
    return line.recipient == caller.unit and line.purpose == ask.purpose


def _subjects(category: Category, ask: Ask, caller: Caller, facts: Facts) -> tuple[str, ...]:
    """Say whom a category concerns: the citizen, or their children that are not of age or spoken of in a consent."""
    if not category.child or _is_minor(facts.subjects[0], facts.today):
        return (facts.citizen,)
    spoken_of = {line.subject for line in facts.consents.lines if _given_here(line, ask, caller)}
    children = tuple(
        subject.handle
        for subject in facts.subjects
        if subject.child_of_citizen and (subject.handle in spoken_of or not _is_of_age(subject, facts.today))
    )
    return children or (facts.citizen,)


def _is_minor(subject: Subject, today: int) -> bool:
    """Tell whether someone is below the age of majority. An unknown birth day is no minor here; the policy refuses."""
    return subject.born is not None and not _is_of_age(subject, today)


def _is_of_age(subject: Subject, today: int) -> bool:
    """Tell whether someone is known to be of age."""
    # Same arithmetic as the policy's: right on 29 February and in every engine (policy.md 4, rule 1).
    return subject.born is not None and (today - subject.born) // 10000 >= ADULT_AGE
