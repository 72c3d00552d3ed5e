"""Whose consent records count, as the registry says it: named once, for known municipalities, with keys that verify."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from broker.adapters.clock_system import SystemClock
from broker.registry import RegistryFaults, examine
from broker.rehearsal import Rehearsal
from tests.actors import a_key
from tests.builders import POLICIES, REGISTRY, a_registry
from tests.records import an_issuer

ISSUER = {"issuer": "https://samtykke.example", "municipalities": ["korsbaek"], "jwks_file": "samtykke.json"}


def laid(folder: Path, jwks: Any) -> Path:
    """Lay the key file beside the registry."""
    (folder / "samtykke.json").write_text(json.dumps(jwks), "utf-8")
    return folder


def test_an_issuer_is_read_with_its_keys(tmp_path: Path) -> None:
    """Its name, where it counts, its keys; other keys under the same name are another registry."""
    signer, _, _ = an_issuer()
    first = a_registry(laid(tmp_path, signer.public_jwks()), consent_issuers={"nsl": ISSUER})
    entry = first.consent_issuers["nsl"]
    second = a_registry(laid(tmp_path, an_issuer()[0].public_jwks()), consent_issuers={"nsl": ISSUER})

    assert (entry.issuer, entry.municipalities) == (ISSUER["issuer"], frozenset({"korsbaek"}))
    assert entry.jwks == signer.public_jwks()
    assert first.directory.revision != second.directory.revision
    assert a_registry(tmp_path).consent_issuers == {}


@pytest.mark.parametrize(
    "wrong",
    [
        {"nsl": ISSUER | {"municipalities": ["nowhere"]}},
        {"nsl": ISSUER | {"municipalities": []}},
        {"nsl": ISSUER | {"jwks_file": "none.json"}},
        {"nsl": ISSUER | {"units": ["jobcentre"]}},
        {"nsl": ISSUER, "twin": ISSUER},
    ],
    ids=["an unknown municipality", "no municipality", "no keys", "an unknown field", "one issuer twice"],
)
def test_an_issuer_that_is_not_whole_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    """A registry with such an entry starts no node."""
    laid(tmp_path, an_issuer()[0].public_jwks())
    with pytest.raises(RegistryFaults):
        a_registry(tmp_path, consent_issuers=wrong)


def test_keys_that_verify_no_record_are_told_by_the_check(tmp_path: Path) -> None:
    """`broker registry check` names a key file without an Ed25519 key, at its line."""
    laid(tmp_path, {"keys": [{**a_key("ES256").as_dict(private=False), "kid": "one"}]})
    file = tmp_path / "registry.yaml"
    file.write_text(json.dumps(REGISTRY | {"consent_issuers": {"nsl": ISSUER}}), "utf-8")
    faults = Rehearsal(examine(file, POLICIES / "tables"), {}, SystemClock().now()).faults()

    assert [fault.what for fault in faults if fault.where.startswith("consent_issuers")] == [
        "holds no Ed25519 key that has an id"
    ]
