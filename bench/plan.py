"""What is compared, how long and how often: a plan for figures worth quoting, and one that only shows that it runs."""

from __future__ import annotations

from dataclasses import dataclass

from bench.large import COUNTRY, PROVINCE, Size

SLOW_MS = 20
REGISTERS_MS = 10
TLS_FLOOR, TLS_BROKER, COUNTRY_BROKER = "floor behind TLS", "broker behind TLS", "broker, large registry"
# Many callers share the machine, so each waits longer, and a round must see each answered more than once.
CROWD, CROWD_TIMES = 64, 1.6
# The source alone answers thousands a second; it needs less time for as many answers.
DIRECT_TIMES = 0.4


@dataclass(frozen=True, slots=True)
class Case:
    """One comparison: how long source and registers wait, how many callers, and who is asked."""

    source_ms: int
    registers_ms: int
    callers: int
    targets: tuple[str, ...]

    @property
    def waits(self) -> str:
        """Say what waits how long."""
        source = f"source of {self.source_ms} ms" if self.source_ms else "source at once"
        return f"{source}, registers of {self.registers_ms} ms" if self.registers_ms else f"{source}, registers at once"

    @property
    def name(self) -> str:
        """Name the case in figures."""
        return f"{self.waits}, {self.callers} at once"

    @property
    def direct(self) -> str:
        """Name the case in which the source is asked directly under the same wait."""
        return Case(self.source_ms, 0, self.callers, ()).name


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how often; no round begins after `most_seconds`, so that a busy machine is not kept for ever.

    With a `warm_up` of 0 there is no round before the first that counts.
    """

    rounds: int
    seconds: float
    warm_up: float
    appends: int
    decisions: int
    reads: int
    most_seconds: float
    watching: float
    size: Size
    withdrawals: int
    heads: int = 0
    callers: tuple[int, ...] = (1, 16, CROWD)
    waits: tuple[tuple[int, int], ...] = ((0, 0), (0, REGISTERS_MS), (SLOW_MS, 0), (SLOW_MS, REGISTERS_MS))

    def lasts(self, target: str, callers: int, *, warming: bool) -> float:
        """Give how many seconds a target is asked in one round."""
        seconds = self.warm_up if warming else self.seconds
        return seconds * (DIRECT_TIMES if target == "direct" else CROWD_TIMES if callers >= CROWD else 1.0)


FULL = Plan(
    rounds=5,
    seconds=0.8,
    warm_up=0.25,
    appends=120,
    decisions=30,
    reads=8,
    most_seconds=150,
    watching=6.0,
    size=COUNTRY,
    withdrawals=10,
    heads=6,
)
QUICK = Plan(
    rounds=1, seconds=0.12, warm_up=0.0, appends=10, decisions=4, reads=1, most_seconds=8, watching=0.6, size=PROVINCE,
    withdrawals=1, heads=1, waits=((0, 0), (SLOW_MS, REGISTERS_MS)),
)  # fmt: skip


def cases_of(plan: Plan, brokers: tuple[str, ...], *, tls: bool) -> tuple[Case, ...]:
    """List what is compared: every engine and the proxy where nothing waits, less elsewhere."""
    return tuple(
        Case(source, registers, callers, _targets(source, registers, brokers, tls=tls))
        for source, registers in plan.waits
        for callers in plan.callers
    )


def _targets(source_ms: int, registers_ms: int, brokers: tuple[str, ...], *, tls: bool) -> tuple[str, ...]:
    if registers_ms:
        # The direct call asks no register: it stands beside the case where none waits.
        return ("floor", brokers[0])
    behind = (TLS_FLOOR, TLS_BROKER) if tls else ()
    return ("direct", "floor", *(brokers if not source_ms else brokers[:1]), *behind)
