"""The question as sent to the policy: an ask and its facts as plain JSON (`policies/question.schema.json`).

Pure: the same ask and facts give the same question, byte for byte once canonical (P10). It holds handles, codes and
numbers only, so it can be kept for replay without holding a name or a CPR number.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from broker.domain.asks import Ask, Key
from broker.domain.break_glass import BreakGlass
from broker.domain.days import danish_day
from broker.domain.facts import Block, ConsentFacts, ConsentLine, Facts, Subject
from broker.domain.identity import Caller


def question(ask: Ask, caller: Caller, facts: Facts, keys: Iterable[Key]) -> dict[str, Any]:
    """Lay out one question for all keys. Lists are in a fixed order, so that equal facts give equal bytes."""
    return {
        "version": 1,
        "at": int(facts.at.timestamp()),
        "today": facts.today,
        "ask": {
            "id": ask.id,
            "purpose": ask.purpose,
            "case": facts.case_handle,
            "citizen": facts.citizen,
            "emergency": ask.emergency,
            "follow_up": ask.follow_up,
            "data_from": ask.period.from_day,
            "data_to": ask.period.to_day,
        },
        "caller": _caller(caller, facts),
        "case": {
            "exists": facts.case.exists,
            "open": facts.case.open,
            "concerns_citizen": facts.case.concerns_citizen,
            "caseworker_on_case": facts.case.caseworker_on_case,
            "unit": facts.case.unit,
            "kle": facts.case.kle,
            "caseworker_named": facts.case.caseworker_named,
            "vip": facts.case.vip,
            "consent_tried": facts.case.consent_tried or facts.consents.consent_was_tried(facts.today),
        },
        "subjects": [_subject(subject, facts.consents) for subject in facts.subjects],
        "consents": [_line(line) for line in sorted(facts.consents.lines, key=lambda line: line.id)],
        "blocks": [_block(block) for block in sorted(facts.consents.blocks, key=lambda block: block.id)],
        "emergency": [] if facts.break_glass is None else [_break_glass(facts.break_glass)],
        "failed_registers": sorted(facts.failed_registers),
        "related": facts.related,
        "keys": [{"source": key.source, "category": key.category, "subject": key.subject} for key in sorted(set(keys))],
    }


def _caller(caller: Caller, facts: Facts) -> dict[str, Any]:
    return {
        "handle": facts.actor,
        "municipality": caller.municipality,
        "unit": caller.unit,
        "system_units": sorted(caller.system.units),
        "employed": facts.employment.employed and facts.employment.unit == caller.unit,
        "nsis": caller.caseworker.nsis,
        "authenticated_on": danish_day(caller.caseworker.authenticated_at),
        "roles": [
            {
                "name": role.name,
                "kle": sorted(role.kle),
                "sensitivity": role.sensitivity,
                "attested_on": role.attested_on,
                "delegated_from": role.delegated_from,
            }
            for role in caller.caseworker.roles
        ],
    }


def _subject(subject: Subject, told: ConsentFacts) -> dict[str, Any]:
    return {
        "handle": subject.handle,
        "known": subject.known,
        "child_of_citizen": subject.child_of_citizen,
        "born": subject.born,
        "dead_on": subject.dead_on,
        "municipality": subject.municipality,
        "protected": subject.protected,
        "moved_number": subject.moved_number,
        "representatives": [
            {"holder": row.holder, "kind": row.kind, "scope": sorted(row.scope), "from": row.from_day, "to": row.to_day}
            for row in subject.representatives
        ],
        "custody": [
            {"holder": holder.holder, "from": holder.from_day, "to": holder.to_day} for holder in subject.custody
        ],
        "meetings": sorted({day for handle, day in told.meetings if handle == subject.handle}),
    }


def _line(line: ConsentLine) -> dict[str, Any]:
    return {
        "id": line.id,
        "consent": line.consent,
        "version": line.version,
        "subject": line.subject,
        "giver": line.giver,
        "capacity": line.capacity,
        "source": line.source,
        "category": line.category,
        "recipient": line.recipient,
        "purpose": line.purpose,
        "case": line.case,
        "from": line.from_day,
        "to": line.to_day,
        "state": line.state,
        "data_from": line.data_from,
        "data_to": line.data_to,
    }


def _block(block: Block) -> dict[str, Any]:
    return {
        "id": block.id,
        "subject": block.subject,
        "source": block.source,
        "unit": block.unit,
        "category": block.category,
    }


def _break_glass(request: BreakGlass) -> dict[str, Any]:
    return {
        "id": request.id,
        "citizen": request.citizen,
        "unit": request.unit,
        "caseworker": request.caseworker,
        "case": request.case,
        "reason": request.reason,
        "requested_at": int(request.requested_at.timestamp()),
        "sources": sorted(request.sources),
        "answers": [
            {"unit": answer.unit, "said": answer.said, "by": answer.by, "at": int(answer.at.timestamp())}
            for answer in sorted(request.answers, key=lambda answer: (answer.at, answer.unit, answer.said))
        ],
    }
