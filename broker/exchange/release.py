"""Step 7: one transaction: is it still live? and the outcome, durable on every log concerned (P2, P3).

The outcome stands on the requester's log for each subject touched, and on the log of every municipality whose source
was read or that delegated the task; there only what concerns that municipality is told (`design.md` 6.5). If a
consent changed since the decision, the affected verdicts are judged again on fresh facts, never wider. What was read
by then stays read: it is on record also where nothing of it leaves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from broker.domain.asks import EVALUATION
from broker.domain.decisions import WITHHOLD, Verdict
from broker.domain.directory import Directory
from broker.domain.errors import FactsChanged, LogUnwitnessed, PolicyBroken, PolicyUnavailable, StoreUnavailable
from broker.domain.events import EVALUATED, OutcomeReached
from broker.domain.items import Found, Item
from broker.domain.kept import canonical, decided, digest, packed
from broker.domain.limits import Use
from broker.domain.question import question
from broker.domain.receipts import Permit, Released
from broker.exchange.count import handed_on, uses_of
from broker.exchange.decide import narrow
from broker.exchange.emergency import with_request
from broker.exchange.first_fetch import letters_of
from broker.exchange.keep import keep_permitted
from broker.exchange.look_up import look_again
from broker.ports import AuditLog, Consents, Emergencies, Policy

# A citizen who changes their mind again and again while one ask runs ends that ask, not the loop's patience.
MOST_TRIES = 5
# Tells whether the items kept show too few areas at work, on a day, for a whole-person view (`broker/view`).
IsReduced = Callable[[tuple[Item, ...], int], bool]
NO_JUDGEMENT = "POLICY_ERROR"


async def release(
    kept: Found,
    permit: Permit,
    log: AuditLog,
    consents: Consents,
    policy: Policy,
    directory: Directory,
    emergencies: Emergencies,
    is_reduced: IsReduced | None = None,
) -> Released:
    """Write the outcome and give what leaves; raise `LogUnavailable` when it cannot be written.

    Raises `FactsChanged` when consents change faster than they can be judged, what the policy or the store raises at
    the second judgement, and `LogUnwitnessed`; that nothing was handed out of what was read is then on record. Gives a
    `Released` with no items when nothing (or nothing more) is permitted: a refusal is an outcome too.
    """
    first = permit
    for _ in range(MOST_TRIES):
        uses, told = uses_of(kept, permit), letters_of(kept, permit, directory)
        versions, handed = permit.facts.consents.versions, handed_on(kept, permit)
        events = _outcomes(kept, permit, first, directory, _view(kept, permit, is_reduced), uses)
        try:
            receipts = await log.append(events, versions=versions, uses=uses, tell=told, handed=handed)
        except FactsChanged:
            try:
                permit = await _judge_again(permit, consents, policy, emergencies)
            except (PolicyUnavailable, PolicyBroken, StoreUnavailable):
                await _write_down_nothing(kept, permit, first, log, directory)
                raise
            kept = keep_permitted(kept, permit, directory)
            continue
        except LogUnwitnessed:
            # Its witnesses were missed since the ask, or it is the log of a municipality whose source was read.
            await _write_down_nothing(kept, permit, first, log, directory)
            raise
        return Released(permit, kept, receipts)
    await _write_down_nothing(kept, permit, first, log, directory)
    raise FactsChanged


async def _write_down_nothing(kept: Found, permit: Permit, first: Permit, log: AuditLog, directory: Directory) -> None:
    """Put on record that sources were read and nothing was handed out: unjudged anew, or without witnesses of the log.

    No consent is relied on, so none is held against its version.
    """
    refused = tuple(
        Verdict(verdict.key, WITHHOLD, reasons=(NO_JUDGEMENT,), shown=(NO_JUDGEMENT,), own=verdict.own)
        for verdict in permit.decision.verdicts
    )
    judged = permit.again or permit.decision
    nothing = replace(permit, decision=replace(judged, verdicts=refused), keys=frozenset(), again=judged)
    await log.append(_outcomes(keep_permitted(kept, nothing, directory), nothing, first, directory))


async def _judge_again(permit: Permit, consents: Consents, policy: Policy, emergencies: Emergencies) -> Permit:
    """Read what may change (consents, blocks, a holder's answer) anew, and judge the same keys at the same moment."""
    facts = replace(permit.facts, consents=await look_again(permit.facts, permit.recorded, consents))
    facts = await with_request(facts, permit.recorded, emergencies)
    keys = [verdict.key for verdict in permit.decision.verdicts]
    asked = question(permit.recorded.ask, permit.recorded.caller, facts, keys)
    return narrow(permit, facts, asked, await policy.decide(asked))


def _outcomes(
    kept: Found,
    permit: Permit,
    first: Permit,
    directory: Directory,
    view: str = "",
    uses: tuple[Use, ...] = (),
) -> list[OutcomeReached]:
    """Make the entries: the requester's log first, the citizen first in it. `first` is the permit that was read by.

    `view` says what became of a whole-person view; `uses` what was used of limited yeses.
    """
    recorded = permit.recorded
    home = recorded.caller.municipality
    touched = sorted({v.key.subject for v in permit.decision.verdicts} - {recorded.citizen})
    subjects = [recorded.citizen, *touched]
    read = {key.source for key in first.keys}
    elsewhere = {directory.sources[source].municipality for source in read} | _delegators(first, directory)
    asked = _asked(permit)
    events = [
        _met(_counted(_outcome(kept, permit, first, asked, home, subject, None), uses), permit, directory)
        for subject in subjects
    ]
    events[0] = replace(events[0], question_packed=packed(asked.question), decided=asked.answer, view=view)
    for municipality in sorted(elsewhere - {home}):
        theirs = frozenset(s for s in read if directory.sources[s].municipality == municipality)
        concerned = sorted({key.subject for key in first.keys if key.source in theirs}) or [recorded.citizen]
        events += [_outcome(kept, permit, first, asked, municipality, subject, theirs) for subject in concerned]
    return events


def _view(kept: Found, permit: Permit, is_reduced: IsReduced | None) -> str:
    """Say what became of a whole-person view; nothing where none was asked for or nothing goes out."""
    if is_reduced is None or not permit.keys:
        return ""
    return "reduced" if is_reduced(kept.items, permit.facts.today) else "whole"


def _delegators(permit: Permit, directory: Directory) -> set[str]:
    """Name the municipality whose delegation this ask rests on: the citizen's own, when it is another than ours."""
    home = permit.facts.subjects[0].municipality
    if home is None or not permit.keys or home == permit.recorded.caller.municipality:
        return set()
    return {home} & set(directory.municipalities)


def _outcome(
    kept: Found,
    permit: Permit,
    first: Permit,
    asked: _Asked,
    municipality: str,
    subject: str,
    sources: frozenset[str] | None,
) -> OutcomeReached:
    """Tell the outcome about one subject on one log; `sources` of None means all (the requester's own log).

    The question's hash is the same on every log.
    """
    recorded, decision, facts = permit.recorded, permit.decision, permit.facts
    verdicts = tuple(v for v in decision.verdicts if v.key.subject == subject and _told(v, sources))
    items = tuple(item for item in kept.items if item.subject == subject and _heard(item.source, sources))
    # Where a child was asked about, and the citizen not, is the child's to know (SUL § 17, stk. 3).
    touched = {key for key in first.keys if key.subject == subject}
    read = tuple(sorted({key.source for key in touched if _heard(key.source, sources)}))
    own_items = _count_own(items, verdicts)
    return OutcomeReached(
        municipality=municipality,
        subject=subject,
        actor=recorded.actor,
        at=recorded.at,
        ask=recorded.ask.id,
        requester=recorded.caller.municipality,
        unit=recorded.caller.unit,
        purpose=recorded.ask.purpose,
        case=recorded.case,
        outcome=_word(verdicts, permit),
        verdicts=verdicts,
        mark=decision.mark,
        question=asked.digest,
        registers=facts.registers,
        failed_registers=facts.failed_registers,
        sources_read=read,
        silent=tuple(row for row in kept.silent if row.source in read),
        dropped=kept.dropped,
        own_items=own_items,
        shared_items=len(items) - own_items,
        kept=items,
        break_glass=recorded.ask.emergency or "",
        judged_again=permit is not first,
    )


def _count_own(items: tuple[Item, ...], verdicts: tuple[Verdict, ...]) -> int:
    own = {verdict.key for verdict in verdicts if verdict.own}
    return sum(item.key in own for item in items)


def _counted(event: OutcomeReached, uses: tuple[Use, ...]) -> OutcomeReached:
    """Let the entry about each person say which limited yeses that open their data were used."""
    ids = {basis.id for verdict in event.verdicts for basis in verdict.basis}
    return replace(event, counted=tuple(use.consent for use in uses if use.consent in ids)) if uses else event


def _met(event: OutcomeReached, permit: Permit, directory: Directory) -> OutcomeReached:
    """Let the requester's log remember the day where something goes out on a law that counts meetings."""
    laws = {basis.law for v in event.verdicts if v.key in permit.keys for basis in v.basis}
    counted = any(directory.laws[law].counts_meetings for law in laws if law in directory.laws)
    return replace(event, meeting=True) if counted and permit.recorded.aim != EVALUATION else event


def _heard(source: str, sources: frozenset[str] | None) -> bool:
    return sources is None or source in sources


def _told(verdict: Verdict, sources: frozenset[str] | None) -> bool:
    """Say whether a log hears of a verdict: the requester's of all, another's of what was released from its sources."""
    return sources is None or (verdict.released and verdict.key.source in sources)


def _word(verdicts: tuple[Verdict, ...], permit: Permit) -> str:
    if permit.recorded.aim == EVALUATION:
        return EVALUATED
    released = [verdict.key in permit.keys for verdict in verdicts]
    if not any(released):
        return "refused"
    return "released" if all(released) else "partly"


@dataclass(frozen=True, slots=True)
class _Asked:
    """The question a decision answers, canonically, its hash, and the hash of what the policy answered (P10)."""

    question: bytes
    digest: str
    answer: str


def _asked(permit: Permit) -> _Asked:
    """Lay out once what the entries keep of the question, so that a replay can be held against it."""
    asked = canonical(permit.question)
    return _Asked(asked, digest(asked), decided((permit.again or permit.decision).verdicts))
