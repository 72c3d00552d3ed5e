"""The shape of production under load, a node killed, then the replica: what callers saw, what stands afterwards."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.postgres import PrivatePostgres
from demo.world.passing import remove_clusters
from deploy.shape.__main__ import tell
from deploy.shape.load import ANSWERED, REFUSED, UNKNOWN
from deploy.shape.show import as_json
from deploy.shape.story import QUICK
from tests.proxying import haproxy_or_skip

# A refusal before anything was carried out: by the proxy, or by a node whose log, store or rules could not be had.
CLEAR = {"503 no-node", "503 log-unavailable", "503 store-unavailable", "503 policy-unavailable"}


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder that PostgreSQL's user can reach, and take it away with all that runs in it."""
    made = Path(tempfile.mkdtemp(prefix="borgerbro-shape-test-"))
    made.chmod(0o711)
    yield made
    PrivatePostgres(made / "replica").remove()
    remove_clusters(made)
    shutil.rmtree(made, ignore_errors=True)


def test_no_answer_without_its_lines_whatever_dies(folder: Path, opa_program: Path) -> None:
    """A killed node and a killed replica cost answers, never lines: every answer's stand on both servers."""
    haproxy_or_skip()

    async def told() -> dict[str, object]:
        story, findings, missing = await tell(folder, QUICK, lambda _: None)
        return as_json(story, findings, missing)

    story = asyncio.run(told())
    total, afterwards = story["total"], story["afterwards"]
    assert isinstance(total, dict)
    assert isinstance(afterwards, dict)

    assert afterwards["held"], afterwards
    assert story["missing"] == []
    # Asks were answered, and the dead replica stopped answers: nobody was told what one disk alone had.
    assert total[ANSWERED]
    assert total[REFUSED]
    assert {word for word in total["words"] if word.startswith("503")} <= CLEAR
    assert total[UNKNOWN] <= total[ANSWERED]
