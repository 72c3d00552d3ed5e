"""What the policy answered: one verdict for each key asked, with a basis or a reason, never neither.

Rules kept here:
- No verdict, an unknown verdict, a release without a basis or a refusal without a reason: the whole answer is void
  (`PolicyBroken`), and the road refuses (P1, fail closed in one place).
- A permit never names a key that was not asked.
- Judging again can take away, never add (`narrowed`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from broker.domain.asks import Key
from broker.domain.errors import PolicyBroken
from broker.domain.periods import Period

RELEASE, MASK, WITHHOLD = "release", "mask", "withhold"


@dataclass(frozen=True, slots=True, order=True)
class Basis:
    """Why something may go out: `kind` consent, statute or own_case; its id (consent id or statute row); version.

    `law` names the row of law it rests on: of a statute itself, of a consent the row that held on the day.
    """

    kind: str
    id: str
    version: str
    law: str


@dataclass(frozen=True, slots=True, order=True)
class Missing:
    """One consent line that, if given, would help turn a refusal; `giver` is `citizen` or `custody_holder`."""

    source: str
    category: str
    giver: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one key. `reasons` are what the log holds, `shown` what the asker may see (P6).

    `periods` are those of each giver who named some days of the data: what goes out touches one of every giver's.
    """

    key: Key
    outcome: str
    basis: tuple[Basis, ...] = ()
    reasons: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    masks: tuple[str, ...] = ()
    missing: tuple[Missing, ...] = ()
    own: bool = False
    periods: tuple[tuple[Period, ...], ...] = ()

    @property
    def released(self) -> bool:
        """Whether items of this key may go out, masked or not."""
        return self.outcome in (RELEASE, MASK)

    def __post_init__(self) -> None:
        if self.outcome not in (RELEASE, MASK, WITHHOLD):
            raise PolicyBroken
        if self.released and (not self.basis or self.reasons):
            raise PolicyBroken
        # A mask that hides nothing, or one beside a release, is two answers at once.
        if (self.outcome == MASK) != bool(self.masks):
            raise PolicyBroken
        if not self.released and (not self.reasons or not self.shown or self.periods):
            raise PolicyBroken


@dataclass(frozen=True, slots=True)
class PolicyMark:
    """Which engine and which rules answered: kind, version, and the revision (hash) of rules and tables."""

    engine: str
    engine_version: str
    revision: str


@dataclass(frozen=True, slots=True)
class Decision:
    """All verdicts of one ask, in key order, and the mark of the policy that gave them."""

    verdicts: tuple[Verdict, ...]
    mark: PolicyMark

    @property
    def permitted(self) -> frozenset[Key]:
        """The keys that may be fetched and shown."""
        if not self.shares and not self.only_own_asked:
            # No shared category permitted: own data is then not fetched either (`design.md` 5, 403).
            return frozenset()
        return frozenset(verdict.key for verdict in self.verdicts if verdict.released)

    @property
    def shares(self) -> bool:
        """Whether anything of another unit is released."""
        return any(verdict.released and not verdict.own for verdict in self.verdicts)

    @property
    def only_own_asked(self) -> bool:
        """Whether nothing but the unit's own data was asked for and all of it may be seen."""
        return bool(self.verdicts) and all(v.own and v.released for v in self.verdicts)

    @property
    def refused(self) -> bool:
        """Whether nothing at all goes out."""
        return not self.permitted

    def reasons(self, *, shown: bool) -> tuple[str, ...]:
        """List every reason of the withheld keys once, sorted: as logged, or as the asker may see them."""
        codes = {code for v in self.verdicts for code in (v.shown if shown else v.reasons)}
        return tuple(sorted(codes))

    def narrowed(self, again: Decision) -> Decision:
        """Give what both decisions release: the later one's verdicts, but nothing wider than this one (P3)."""
        before = {verdict.key: verdict for verdict in self.verdicts}
        return replace(again, verdicts=tuple(_narrower(before[v.key], v) for v in again.verdicts))


def _narrower(before: Verdict, after: Verdict) -> Verdict:
    """Keep the stricter of two verdicts on the same key; masks add up, and periods."""
    if not before.released:
        return before
    if not after.released:
        return after
    masks = tuple(sorted({*before.masks, *after.masks}))
    periods = tuple(sorted({*before.periods, *after.periods}))
    return replace(after, masks=masks, outcome=MASK if masks else RELEASE, periods=periods)
