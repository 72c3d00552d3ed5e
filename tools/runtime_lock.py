"""The locks of images: what a node needs at run time, and what keys in a token need beside it.

Each is the part of `requirements.lock` that some of its packages reach.
"""

import re
from collections.abc import Mapping

OURS = "borgerbro (pyproject.toml)"
HSM = {"python-pkcs11"}
MADE = "# Made by `python -m docs.generate` from requirements.lock: what a node needs, and nothing of tests and demo.\n"
MADE_HSM = "# Made by `python -m docs.generate` from requirements.lock: what keys in a token need besides.\n"


def runtime_lock(lock: str) -> str:
    """Give the blocks of the lock that a node needs, as they stand there."""
    blocks = _blocks(lock)
    needed = _needed_by_a_node(blocks)
    return MADE + "".join(block for name, block in blocks.items() if name in needed)


def hsm_lock(lock: str) -> str:
    """Give the blocks of the lock that keys in a token need, and a node does not."""
    blocks = _blocks(lock)
    needed = _reached(blocks, HSM) - _needed_by_a_node(blocks)
    return MADE_HSM + "".join(block for name, block in blocks.items() if name in needed)


def _blocks(lock: str) -> dict[str, str]:
    return {block.partition("==")[0]: block for block in re.split(r"^(?=[a-z0-9])", lock, flags=re.MULTILINE)[1:]}


def _needed_by_a_node(blocks: Mapping[str, str]) -> set[str]:
    return _reached(blocks, {name for name, block in blocks.items() if OURS in _wanted_by(block)})


def _reached(blocks: Mapping[str, str], wanted: set[str]) -> set[str]:
    """Name these packages, and all that they want, through however many hands."""
    wanted_by = {name: set(_wanted_by(block)) for name, block in blocks.items()}
    needed = wanted & blocks.keys()
    while more := {name for name, who in wanted_by.items() if who & needed} - needed:
        needed |= more
    return needed


def _wanted_by(block: str) -> list[str]:
    """Name who wants a package: the lines after `# via`."""
    told = block.partition("# via")[2]
    return [line.strip(" #") for line in told.splitlines() if line.strip(" #")]
