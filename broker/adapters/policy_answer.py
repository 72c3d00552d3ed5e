"""An engine's raw answer → a decision. One parser for all engines, so that none can be believed more than another.

Rules kept here:
- The answer has the shape of `policies/decision.schema.json` and exactly one verdict for each key asked.
- Every reason stands in the reasons table, and what is shown to the asker is none that only the log may hold. What
  the rules show instead is theirs to say (`policies/shown.rego`); here it is only refused where it tells too much (P6).
- Anything else is no decision: `PolicyBroken`, and the road refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from broker.domain.asks import Key
from broker.domain.decisions import Basis, Decision, Missing, PolicyMark, Verdict
from broker.domain.errors import BadAsk, PolicyBroken
from broker.domain.periods import Period
from broker.policy_shape import Check, shape
from broker.policy_tables import Rules, refuse_bad_tables, revision


@dataclass(frozen=True, slots=True)
class Contract:
    """What every engine keeps: the shapes of question and answer, who may see which reason, and the revision."""

    is_question: Check
    is_answer: Check
    seen_by_asker: Mapping[str, bool]
    revision: str

    def refuse_bad(self, question: Mapping[str, Any]) -> None:
        """Pass a well-formed question; raise `PolicyBroken` for any other, before an engine sees it."""
        if not self.is_question(question):
            raise PolicyBroken

    def decision(self, raw: object, question: Mapping[str, Any], mark: PolicyMark) -> Decision:
        """Read an engine's answer; raise `PolicyBroken` unless it is one, about exactly the keys asked."""
        if not self.is_answer(raw) or not isinstance(raw, dict):
            raise PolicyBroken
        rows = sorted(raw["verdicts"], key=_names)
        asked = sorted(map(_names, question["keys"]))
        if list(map(_names, rows)) != asked or len(set(asked)) != len(asked):
            raise PolicyBroken
        return Decision(tuple(self._verdict(row) for row in rows), mark)

    def _verdict(self, row: Mapping[str, Any]) -> Verdict:
        reasons, shown = tuple(sorted(row["reasons"])), tuple(sorted(row["shown"]))
        if bool(shown) != bool(reasons):
            raise PolicyBroken
        if not self.seen_by_asker.keys() >= set(reasons) or not all(self.seen_by_asker.get(code) for code in shown):
            raise PolicyBroken
        return Verdict(
            key=Key(*_names(row)),
            outcome=row["outcome"],
            basis=tuple(sorted(Basis(one["kind"], one["id"], str(one["version"]), one["law"]) for one in row["basis"])),
            reasons=reasons,
            shown=shown,
            masks=tuple(sorted(row["masks"])),
            missing=tuple(sorted(Missing(one["source"], one["category"], one["giver"]) for one in row["missing"])),
            own=row["own"],
            periods=tuple(sorted(map(_periods, row["periods"]))),
        )


def _periods(told: Sequence[Mapping[str, int]]) -> tuple[Period, ...]:
    """Read one giver's periods; raise `PolicyBroken` where one is none."""
    try:
        return tuple(sorted(Period(days["from"], days["to"]) for days in told))
    except BadAsk:
        raise PolicyBroken from None


def contract(rules: Rules, tables: Mapping[str, Any]) -> Contract:
    """Make the contract of one revision; raise `PolicyFaults` when the tables cannot be used."""
    refuse_bad_tables(tables)
    return Contract(
        is_question=shape(rules.folder / "question.schema.json"),
        is_answer=shape(rules.folder / "decision.schema.json"),
        seen_by_asker={code: row["caller"] for code, row in tables["reasons"].items()},
        revision=revision(rules, tables),
    )


# What names a key, in the order that keys are sorted by.
_names: Callable[[Mapping[str, Any]], tuple[str, str, str]] = itemgetter("source", "category", "subject")
