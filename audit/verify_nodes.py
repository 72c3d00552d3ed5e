"""Check the roots of subtrees that lie beside a log: each is what its entries give, and none is missing."""

from audit import postgres
from audit.faults import Fault, Faults
from audit.growing import Growing, Made
from audit.merkle import leaf_hash
from audit.postgres import Connection
from audit.subtrees import BITS
from audit.tiles import WIDTH


class NodeCheck:
    """Hears every entry of one log in order, from the bundle on in which `start` lies; `signed` is its last checkpoint.

    Nodes over entries of before, or over an entry that is missing, are not looked at.
    """

    def __init__(self, connection: Connection, log_id: int, start: int, signed: int) -> None:
        self._connection = connection
        self._log_id = log_id
        self._signed = signed
        # Nothing is known of the entries before; a bundle that began before them gives no node.
        self._next = start - start % WIDTH
        self._growing = Growing(self._next)
        self._faults = Faults()

    async def take(self, index: int, leaf: bytes | None) -> None:
        """Hear an entry; those that were passed over are missing."""
        while self._next < index:
            await self._add(None)
        if index == self._next:
            await self._add(None if leaf is None else leaf_hash(leaf))

    async def finish(self) -> Faults:
        """Compare what is left at the edge; give all that is wrong."""
        for made in self._growing.rest():
            await self._compare(made)
        return self._faults

    async def _add(self, value: bytes | None) -> None:
        self._next += 1
        for made in self._growing.add(value):
            await self._compare(made)

    async def _compare(self, made: Made) -> None:
        level = made.tile.level or 0
        if not level:
            return
        start = made.tile.number * WIDTH
        rows = await postgres.numbered_nodes(self._connection, self._log_id, level, start, start + len(made.hashes))
        for index, value in enumerate(made.hashes, start):
            if value is None:
                continue
            if index in rows and rows[index] != value:
                self._faults.add(Fault(f"node {level}/{index}", "is not the root of its entries"))
            elif index not in rows and (index + 1) << (BITS * level) <= self._signed:
                self._faults.add(Fault(f"node {level}/{index}", "is missing"))
