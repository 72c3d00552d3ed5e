"""Each database has one chain of migrations: no two take the same place, and each file bears its own number."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

import pytest

from broker.adapters.migrations import main, vault


@pytest.mark.parametrize("chain", [main, vault], ids=["main", "vault"])
def test_migrations_are_one_chain(chain: ModuleType) -> None:
    """Migration n stands in the file of its number, and follows number n - 1."""
    name = chain.__name__
    found = sorted(module.name for module in pkgutil.iter_modules(chain.__path__))
    base = name.rsplit(".", 1)[1]
    for number, file in enumerate(found, start=1):
        module = importlib.import_module(f"{name}.{file}")
        assert file.startswith(f"m{number:04}_")
        assert (module.revision, module.down_revision) == (
            f"{base}_{number:04}",
            f"{base}_{number - 1:04}" if number > 1 else None,
        )
