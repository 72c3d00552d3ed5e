"""The lock of what a node needs at run time: the part of `requirements.lock` that our own dependencies reach."""

import re

OURS = "borgerbro (pyproject.toml)"
MADE = "# Made by `python -m docs.generate` from requirements.lock: what a node needs, and nothing of tests and demo.\n"


def runtime_lock(lock: str) -> str:
    """Give the blocks of the lock that a node needs, as they stand there."""
    blocks = {block.partition("==")[0]: block for block in re.split(r"^(?=[a-z0-9])", lock, flags=re.MULTILINE)[1:]}
    wanted_by = {name: set(_wanted_by(block)) for name, block in blocks.items()}
    needed = {name for name, who in wanted_by.items() if OURS in who}
    while more := {name for name, who in wanted_by.items() if who & needed} - needed:
        needed |= more
    return MADE + "".join(block for name, block in blocks.items() if name in needed)


def _wanted_by(block: str) -> list[str]:
    """Name who wants a package: the lines after `# via`."""
    told = block.partition("# via")[2]
    return [line.strip(" #") for line in told.splitlines() if line.strip(" #")]
