"""The doors that samples are drawn through, put together for a node and for the command line alike."""

from __future__ import annotations

from broker.adapters.accesses_sql import AccessesSql
from broker.adapters.audit_log import AuditLogPostgres
from broker.adapters.audit_reader import LogReaderPostgres
from broker.adapters.database import Pool
from broker.adapters.handles_vault import HandlesVault
from broker.adapters.house_keys import KeyFolder
from broker.adapters.past_decisions import PastDecisionsPostgres
from broker.adapters.relations_recorded import RelationsRecorded
from broker.adapters.samples_sql import SamplesSql
from broker.domain.directory import Directory
from broker.oversight.samples import Desk
from broker.oversight.signs import load_rules
from broker.ports import Clock


def drawing_desk(
    pool: Pool, log: AuditLogPostgres, vault: HandlesVault, keys: KeyFolder, directory: Directory, clock: Clock
) -> Desk:
    """Put the doors of the draw together."""
    return Desk(
        clock=clock,
        accesses=AccessesSql(pool, tuple(keys.log_public)),
        relations=RelationsRecorded(PastDecisionsPostgres(pool, vault)),
        samples=SamplesSql(pool, log, vault),
        reader=LogReaderPostgres(pool, vault, keys.log_public),
        rules=load_rules(directory),
    )
