"""What keeps a registry from being used."""

from __future__ import annotations


class RegistryFaults(ValueError):
    """The registry cannot be used. `faults` lists every reason, each with its place."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults
