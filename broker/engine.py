"""The policy of a node: which engine answers, and what must be so before it may.

Rules kept here:
- Production uses no law that nobody verified, and no embedded engine, unless they are named on purpose.
- It gives every golden decision that OPA gave (`policies/vectors`), or nothing is served; a server that did not
  answer at the start gives them before its first decision counts.
- The revision of rules and tables is on record before the first question is answered from it (P10).
"""

from __future__ import annotations

import asyncio
import shutil
from contextlib import AsyncExitStack
from pathlib import Path

import structlog

from broker.adapters.database import Pool
from broker.adapters.policy_batch import EmbeddedRules, RuleSet
from broker.adapters.policy_embedded import EmbeddedPolicy
from broker.adapters.policy_opa import OpaPolicy
from broker.adapters.policy_opa_spawned import SpawnedOpaPolicy
from broker.adapters.policy_shadow import ShadowedPolicy
from broker.adapters.revisions_sql import RevisionsSql
from broker.domain.errors import PolicyBroken, PolicyUnavailable
from broker.policy_tables import PolicyFaults, Rules, load_rules, unverified
from broker.policy_vectors import read_vectors, refuse_differing
from broker.registry import Registry
from broker.settings import Settings

log = structlog.get_logger()
# How long a server that did not answer is left in peace before it is asked for its golden decisions again.
PAUSE_SECONDS = 1.0
# The longest one that decides otherwise is left in peace: its bundle may be an old one that is on its way out.
LONGEST_PAUSE_SECONDS = 60.0
AnyPolicy = OpaPolicy | SpawnedOpaPolicy | EmbeddedPolicy
Opened = AnyPolicy | ShadowedPolicy


class EngineNotNamed(ValueError):
    """Production found no OPA and the embedded engine was not named: nothing is served."""

    def __init__(self) -> None:
        super().__init__("no OPA found; name BROKER_OPA_URL, or BROKER_POLICY_ENGINE=embedded on purpose")


async def open_policy(settings: Settings, registry: Registry, pool: Pool, stack: AsyncExitStack) -> Opened:
    """Open the engine of a node. Raises `PolicyFaults`, `EngineNotNamed`, `PolicyUnavailable`, `StoreUnavailable`."""
    if settings.profile == "production":
        refuse_unverified(registry, settings)
    rules = load_rules(settings.policies)
    policy = await _chosen(settings, registry, rules)
    stack.push_async_callback(policy.close)
    if not await hold_to_vectors(policy, rules):
        log.warning("policy_vectors_not_held", engine=policy.mark.engine)
        later = asyncio.create_task(hold_when_it_answers(policy, rules))
        stack.callback(later.cancel)
    await RevisionsSql(pool).keep(rules, registry.tables)
    log.info("policy", engine=policy.mark.engine, revision=policy.mark.revision)
    if isinstance(policy, EmbeddedPolicy) or not settings.policy_shadow_share:
        return policy
    ours = RuleSet(rules.modules, registry.tables, rules.folder)
    shadowed = ShadowedPolicy(policy, ours, share=settings.policy_shadow_share)
    stack.callback(shadowed.shadow.end)
    return shadowed


async def _chosen(settings: Settings, registry: Registry, rules: Rules) -> AnyPolicy:
    """Choose the engine: a server if one is named, else an opa on PATH, else the embedded one (`design.md` 6.3)."""
    opa = shutil.which("opa")
    engine = settings.policy_engine or ("server" if settings.opa_url else "spawned" if opa else "embedded")
    if engine == "server" and settings.opa_url:
        return await OpaPolicy.open(settings.opa_url, rules, registry.tables, token=settings.opa_token)
    if engine == "spawned" and opa:
        return await SpawnedOpaPolicy.open(Path(opa), rules, registry.tables)
    if settings.profile == "production" and settings.policy_engine != "embedded":
        raise EngineNotNamed
    return await EmbeddedPolicy.open(rules, registry.tables)


async def hold_to_vectors(policy: AnyPolicy, rules: Rules) -> bool:
    """Raise `PolicyFaults` unless the engine that is to answer gives every golden decision.

    False for a server that does not answer yet. That is no fault, since withdrawals must not wait for it: it is held
    back, and every ask is refused, until it gave them (`hold_when_it_answers`).
    """
    vectors = read_vectors(rules)
    if isinstance(policy, EmbeddedPolicy):
        refuse_differing(
            vectors, EmbeddedRules(RuleSet(rules.modules, vectors.tables, rules.folder)).raw(vectors.questions)
        )
        return True
    policy.vouched.by_vectors = False
    try:
        client = policy.client if isinstance(policy, SpawnedOpaPolicy) else policy
        answers = await client.golden(len(vectors.questions))
    except PolicyUnavailable:
        return False
    except PolicyBroken:
        answers = []
    refuse_differing(vectors, answers)
    policy.vouched.by_vectors = True
    return True


async def hold_when_it_answers(policy: AnyPolicy, rules: Rules, *, pause_seconds: float = PAUSE_SECONDS) -> None:
    """Ask again until the engine gives its golden decisions; one that differs stays held back, and it is said once.

    It is asked on, ever more seldom: the server may take up the right bundle later.
    """
    said, held = "", False
    while not held:
        try:
            held, fault = await hold_to_vectors(policy, rules), ""
        except PolicyFaults as faults:
            fault = str(faults)
        if fault:
            pause_seconds = min(2 * pause_seconds, LONGEST_PAUSE_SECONDS)
            if fault != said:
                log.error("policy_vectors_differ", engine=policy.mark.engine, why=fault)
                said = fault
        if not held:
            await asyncio.sleep(pause_seconds)
    log.info("policy_vectors_held", engine=policy.mark.engine)


def refuse_unverified(registry: Registry, settings: Settings) -> None:
    """Refuse law rows that nobody has verified, unless the settings name them (`design.md` 6b r)."""
    named = {name.strip() for name in settings.unverified_law.split(",")}
    rows = [row for row in unverified(registry.tables) if not {row, f"{row.partition('/')[0]}/*"} & named]
    if rows:
        raise PolicyFaults(
            [f"{row}: nobody has verified this law row (BROKER_UNVERIFIED_LAW names what may be used)" for row in rows]
        )
