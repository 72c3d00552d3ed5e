"""Our FHIR connector reads an independent FHIR R4 server (Medplum) as it reads the demo's own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from broker.domain.errors import SourceFailed
from broker.domain.personal import Personal
from connectors import Dropped, Limits, build
from tests.fakes.systems import RECORDS, reads_of
from tests.serving import NODE, node_or_skip

ANNETTE, VIKTOR = Personal("7102740022"), Personal("8009064011")
NOW = datetime(2019, 3, 4, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Medplum's server over scenario 1's health records, and a second patient's beside them."""
    path = node_or_skip()
    if not (NODE / "node_modules" / "@medplum").is_dir():
        pytest.skip("node or its packages are not installed (npm ci in tests/peers/node)")
    with subprocess.Popen(
        [path, "--no-warnings", "fhir_server.mjs"], cwd=NODE, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(resources()) + "\n")
        process.stdin.flush()
        address = process.stdout.readline().strip()
        assert address, process.stderr and process.stderr.read()
        yield address
        process.stdin.close()
        process.wait(20)


def resources() -> list[dict[str, Any]]:
    """Give the resources with CPR numbers in ten digits, and the same limitation of another patient."""
    own: list[dict[str, Any]] = json.loads(
        json.dumps(RECORDS["health"]["resources"]).replace("710274-0022", "7102740022")
    )
    number = {"system": "urn:oid:1.2.208.176.1.2", "value": "8009064011"}
    other = {"resourceType": "Patient", "id": "pt-other", "identifier": [number]}
    limitation = next(one for one in own if one["id"] == "H1")
    return [*own, other, {**limitation, "id": "H1-other", "subject": {"reference": "Patient/pt-other"}}]


@pytest.mark.parametrize(
    ("subject", "categories", "found"),
    [
        (ANNETTE, {"H01"}, {"H1"}),
        (ANNETTE, {"H02"}, {"H2"}),
        (ANNETTE, {"H01", "H04"}, {"H1", "H-LAE125"}),
        (ANNETTE, {"H03"}, set()),
        (VIKTOR, {"H01", "H02"}, {"H1-other"}),
        (Personal("0101010000"), {"H01", "H02"}, set()),
    ],
)
async def test_a_foreign_server_is_read_as_our_own(
    server: str, subject: Personal[str], categories: set[str], found: set[str]
) -> None:
    """Search by identifier, then by patient and category: each person's own resources of what was permitted."""
    dropped: list[Dropped] = []
    health = build(
        "fhir", "health", {"base_url": server}, reads_of("health"), {}, Limits(), now=lambda: NOW, report=dropped.append
    )
    async with health:
        items = await health.read(subject, "person-1", frozenset(categories))

    assert {item.id.disclose() for item in items} == found
    assert {item.category for item in items} <= categories
    assert dropped == []


async def test_a_limitation_comes_whole(server: str) -> None:
    """Codes and day of the limitation survive a server that stores resources in its own way."""
    async with build(
        "fhir", "health", {"base_url": server}, reads_of("health"), {}, Limits(), now=lambda: NOW
    ) as health:
        (item,) = await health.read(ANNETTE, "person-1", frozenset({"H01"}))

    assert (item.kind, item.limits, item.from_day) == ("limitation", ("d415", "d450"), 20190227)


async def test_a_wrong_address_is_a_failure_not_nothing(server: str) -> None:
    """A server without such a search has not said that there is nothing."""
    settings = {"base_url": f"{server}/none"}
    async with build("fhir", "health", settings, reads_of("health"), {}, Limits(), now=lambda: NOW) as health:
        with pytest.raises(SourceFailed):
            await health.read(ANNETTE, "person-1", frozenset({"H01"}))
