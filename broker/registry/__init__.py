"""The registry: who and what the broker knows, one validated file.

faults.py      a fault: place, what is wrong, remedy         text.py        YAML 1.2 to values with their places
shape.py       the schema, in plain words                    sheet.py       the values, read without trust
references.py  every name leads somewhere                    rules.py       what no schema can say
laws.py        the law tables beside it                      files.py       mappings and key sets that it names
providers.py   the employers' identity providers (SAML)
addresses.py   where addresses lead                          values.py, directory.py, read.py   what becomes of it
"""

from __future__ import annotations

from broker.registry.addresses import address_faults
from broker.registry.faults import Fault, Path, Place, RegistryFaults, spelled
from broker.registry.read import Examined, examine, read_registry, secret_of
from broker.registry.shape import shape_faults
from broker.registry.sheet import Row
from broker.registry.text import Written
from broker.registry.values import EmployerEntry, ProviderEntry, Reached, Registry, Secret, SystemEntry

__all__ = [
    "EmployerEntry",
    "Examined",
    "Fault",
    "Path",
    "Place",
    "ProviderEntry",
    "Reached",
    "Registry",
    "RegistryFaults",
    "Row",
    "Secret",
    "SystemEntry",
    "Written",
    "address_faults",
    "examine",
    "read_registry",
    "secret_of",
    "shape_faults",
    "spelled",
]
