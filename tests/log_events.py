"""Audit events for tests: say only what the test is about."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from broker.domain.asks import Key
from broker.domain.decisions import Basis, PolicyMark, Verdict
from broker.domain.events import AskMade, OutcomeReached
from broker.domain.items import Item
from broker.domain.personal import Personal

NOON = datetime(2019, 3, 1, 11, tzinfo=UTC)


def an_ask(subject: str, actor: str, **given: Any) -> AskMade:
    """Make the event of an ask."""
    made = AskMade(
        municipality="korsbaek",
        subject=subject,
        actor=actor,
        at=NOON,
        ask="ask-1",
        requester="korsbaek",
        unit="korsbaek-job",
        system="jobcentre",
        roles=("caseworker",),
        nsis="Substantial",
        purpose="jobplan",
        case="c" * 32,
        categories=("S01",),
        sources=None,
    )
    return replace(made, **given)


def an_outcome(subject: str, actor: str, *kept: Item, **given: Any) -> OutcomeReached:
    """Make the event of an outcome that released what is given."""
    key = Key("social", "S01", subject)
    made = OutcomeReached(
        municipality="korsbaek",
        subject=subject,
        actor=actor,
        at=NOON,
        ask="ask-1",
        requester="korsbaek",
        unit="korsbaek-job",
        purpose="jobplan",
        case="c" * 32,
        outcome="released",
        verdicts=(Verdict(key, "release", basis=(Basis("consent", "c1", "1", "RSL-11a-1"),)),),
        mark=PolicyMark("embedded", "1", "r1"),
        question="00" * 32,
        registers=("cpr",),
        failed_registers=(),
        sources_read=("social",),
        silent=(),
        dropped=0,
        own_items=0,
        shared_items=len(kept),
        kept=kept,
    )
    return replace(made, **given)


def an_item(subject: str, title: str) -> Item:
    """Make an item with a title that nobody may find on the log."""
    return Item("social", "S01", subject, "plan", Personal("plan-17"), NOON, "social", title=Personal(title))
