"""The registry: who and what the broker knows, one validated file. `read_registry` reads it."""

from __future__ import annotations

from broker.registry.faults import RegistryFaults
from broker.registry.read import read_registry
from broker.registry.values import EmployerEntry, ProviderEntry, Reached, Registry, Secret, SystemEntry

__all__ = [
    "EmployerEntry",
    "ProviderEntry",
    "Reached",
    "Registry",
    "RegistryFaults",
    "Secret",
    "SystemEntry",
    "read_registry",
]
