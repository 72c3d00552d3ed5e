"""What the bench is made of: the large registry, stopwatches, whose CPU it is, what a page makes a browser fetch."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.large import COUNTRY, size_of, write_large
from bench.pages import fetched_by
from bench.processes import listener_on, open_books, resident_kb
from bench.question import question_of
from bench.watched import CALLS, SHARED, STEPS, Watch, counted, library_of, standing_at, timed
from broker.courier import Courier, up_to
from broker.policy_shape import shape
from broker.policy_tables import refuse_bad_tables
from broker.registry import read_registry
from tests.builders import POLICIES, REGISTRY

linux = pytest.mark.skipif(not Path("/proc/stat").exists(), reason="the kernel's books are read where there are some")


def test_the_large_registry_is_as_large_as_a_country_and_usable(tmp_path: Path) -> None:
    """98 municipalities, 300 sources, 500 statutes, with no fault, and every law table one that the policy takes."""
    small = tmp_path / "registry.yaml"
    small.write_text(json.dumps(REGISTRY | {"delegations": REGISTRY.get("delegations", {})}), "utf-8")

    file, laws = write_large(small, POLICIES, tmp_path / "large", COUNTRY)
    registry = read_registry(file, laws / "tables")

    assert size_of(registry) == COUNTRY
    refuse_bad_tables(registry.tables)


def test_the_large_registry_changes_nothing_that_was_there(tmp_path: Path) -> None:
    """The same asks must be answered alike by both, so what the small one says stays as it is."""
    small = tmp_path / "registry.yaml"
    small.write_text(json.dumps(REGISTRY | {"delegations": REGISTRY.get("delegations", {})}), "utf-8")
    before = read_registry(small, POLICIES / "tables")

    file, laws = write_large(small, POLICIES, tmp_path / "large", COUNTRY)
    after = read_registry(file, laws / "tables")

    for table in ("sources", "units", "municipalities"):
        assert getattr(before.directory, table).items() <= getattr(after.directory, table).items()
    for table in ("statutes", "purposes", "categories"):
        assert before.tables[table].items() <= after.tables[table].items()


def test_the_question_measured_is_one_the_policy_takes(tmp_path: Path) -> None:
    """What the bench asks of the engines keeps to the schema, so that it measures decisions and not refusals."""
    small = tmp_path / "registry.yaml"
    small.write_text(json.dumps(REGISTRY), "utf-8")
    directory = read_registry(small, POLICIES / "tables").directory

    assert shape(POLICIES / "question.schema.json")(question_of(directory, 60))


@pytest.mark.parametrize("place", [*STEPS.values(), *SHARED.values(), *CALLS])
def test_every_step_that_is_watched_is_there(place: tuple[str, str]) -> None:
    """A step that was renamed would be missing from the profile; here it fails by name, before any bench runs."""
    owner, name = standing_at(*place)

    assert callable(getattr(owner, name))


async def test_the_couriers_calls_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes to registers, sources and the policy is a call, also where it comes to nothing."""
    watch, courier = Watch(), Courier("127.0.0.1", 1, None, {})
    owner, name = standing_at(*CALLS[0])
    monkeypatch.setattr(owner, name, counted(watch, getattr(owner, name)))
    courier.close()

    with pytest.raises(ConnectionError):
        await courier.carry("POST", "/", b"{}", up_to(0))

    assert sum(sums["http"] for sums in watch.sums.values()) == 1


async def test_a_stopwatch_adds_up_and_changes_no_answer() -> None:
    """Wrapped functions answer as before, plain or awaited, and each time through is counted."""
    watch = Watch()

    async def slow(number: int) -> int:
        return number + 1

    assert await timed(watch, "a", slow)(1) == 2
    assert timed(watch, "b", abs)(-3) == 3
    assert watch.sums["a"]["times"] == watch.sums["b"]["times"] == 1


async def test_a_statement_belongs_to_the_step_that_waits_for_it() -> None:
    """Statements and calls are told per step; what no step waits for belongs to the server's loop."""
    watch = Watch()

    async def asks() -> None:
        watch.waited("sql", 0.25)

    await timed(watch, "record", asks)()
    await asks()

    assert watch.sums["record"]["sql"] == watch.sums["server loop"]["sql"] == 1
    assert watch.sums["record"]["sql wall"] == 0.25


def test_code_is_named_by_whose_it_is() -> None:
    """Samples are shared out over our parts, installed libraries and Python itself."""
    assert library_of(standing_at.__code__.co_filename) == "bench"
    assert library_of("/x/lib/python3.11/site-packages/aiohttp/client.py") == "aiohttp"
    assert library_of("/x/lib/python3.11/asyncio/events.py") == "Python: asyncio"
    assert library_of("<string>") == "Python: other"


@linux
def test_a_child_that_works_is_seen_to_pay() -> None:
    """CPU is booked on the process that spends it, and found among the descendants of who started it."""
    before = open_books()
    spinning = "import time\nend = time.process_time() + 0.2\nwhile time.process_time() < end: pass\ninput()"
    with subprocess.Popen([sys.executable, "-c", spinning], stdin=subprocess.PIPE) as child:
        deadline = time.monotonic() + 30
        spent = 0.0
        while spent < 0.2 and time.monotonic() < deadline:
            after = open_books()
            assert before is not None
            assert after is not None
            assert child.pid in after.family(os.getpid())
            spent = after.spent({child.pid}, before)
        child.communicate(b"\n")

    assert spent >= 0.2


@linux
def test_a_server_is_found_by_its_port() -> None:
    """Whoever listens on a port is found, and holds memory; a port nobody listens on is nobody's."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        assert listener_on(port) is None
        listening.listen()

        assert listener_on(port) == os.getpid()
    assert (resident_kb(os.getpid()) or 0) > 1000


def test_a_page_is_weighed_with_what_a_browser_fetches_by_itself() -> None:
    """Styles, icons, scripts and pictures count; links that wait for a click do not."""
    page = (
        '<link rel="stylesheet" href="/static/a.css?v=1&amp;x=2"><link rel="alternate" href="/da">'
        '<link href="/icon.svg" rel="icon"><script defer src="/s.js"></script><img alt="" src="/p.png">'
        '<a href="https://elsewhere.example/">out</a>'
    )

    assert fetched_by(page) == ["/static/a.css?v=1&x=2", "/icon.svg", "/s.js", "/p.png"]
