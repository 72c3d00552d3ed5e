"""A citizen's standing no for a source, a unit or a category; it beats every consent, at its commit, everywhere."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from broker.consents.own import own_blocks
from broker.domain.directory import Directory
from broker.domain.errors import BadAsk, NotFound
from broker.domain.events import BlockChanged
from broker.domain.facts import Block
from broker.domain.identity import CitizenLogin
from broker.domain.receipts import Receipt
from broker.exchange.numbers import own_handles
from broker.ports import Ports


@dataclass(frozen=True, slots=True)
class BlockWish:
    """What to say no to; at least one is named."""

    source: str | None
    unit: str | None
    category: str | None


async def set_block(wish: BlockWish, login: CitizenLogin, ports: Ports) -> tuple[Block, Receipt]:
    """Set a standing no; raise `BadAsk` when it names nothing, or something that is not registered."""
    home = _home(wish, ports.directory)
    (citizen,) = await ports.handles.citizens([login.cpr])
    block = Block(str(uuid.uuid4()), citizen, wish.source, wish.unit, wish.category)
    return block, await ports.consents.block(block, _event(block, home, ports, lifted=False))


async def lift_block(block_id: str, login: CitizenLogin, ports: Ports) -> Receipt:
    """Lift a standing no; raise `NotFound` where it is not theirs or no longer in force."""
    handles = await own_handles(login.cpr, ports.handles, ports.people)
    block = next((row for row in await own_blocks(handles, ports.consents) if row.id == block_id), None)
    if block is None:
        raise NotFound
    home = _home(BlockWish(block.source, block.unit, block.category), ports.directory)
    return await ports.consents.unblock(block_id, _event(block, home, ports, lifted=True))


def _home(wish: BlockWish, directory: Directory) -> str:
    """Find on whose log the change stands: the municipality of what is named, else the first that is registered."""
    named = [
        (wish.source, directory.sources, "/source"),
        (wish.unit, directory.units, "/unit"),
        (wish.category, directory.categories, "/category"),
    ]
    if all(name is None for name, _, _ in named):
        raise BadAsk("/", "names_nothing")
    for name, known, pointer in named:
        if name is not None and name not in known:
            raise BadAsk(pointer, "unknown")
    if wish.source is not None:
        return directory.sources[wish.source].municipality
    if wish.unit is not None:
        return directory.units[wish.unit].municipality
    return min(directory.municipalities)


def _event(block: Block, municipality: str, ports: Ports, *, lifted: bool) -> BlockChanged:
    return BlockChanged(
        municipality=municipality,
        subject=block.subject,
        actor=block.subject,
        at=ports.clock.now(),
        block=block.id,
        source=block.source,
        unit=block.unit,
        category=block.category,
        lifted=lifted,
    )
