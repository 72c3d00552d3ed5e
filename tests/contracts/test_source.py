"""Every kind of source keeps the same promises: each is asked as a real process of its kind, and the fake with them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from broker.domain.errors import SourceFailed
from broker.domain.items import Item
from broker.domain.personal import Personal
from connectors import Connector, Dropped, Limits, build
from tests.fakes.sources import FakeSource
from tests.fakes.systems import RECORDS, SystemProcess, reads_of, running, settings_for

ANNETTE = Personal("7102740022")
VIKTOR = Personal("8009064011")
NOBODY = Personal("0101010000")
NOW = datetime(2019, 3, 4, 9, 0, tzinfo=UTC)
LIMITS = Limits(deadline_seconds=2.0, most_failures=100)
WORDS = {"timeout", "refused", "unreadable", "too_much", "unreachable"}


@dataclass(frozen=True)
class Kind:
    """One kind of source: its system, who is asked about, and which item ids each category tells."""

    kind: str
    system: str
    subject: Personal[str]
    told: dict[str, set[str]]
    arguments: tuple[str, ...] = ()


KINDS = {
    "jobcentre": Kind("rest_json", "jobcentre", ANNETTE, {"B01": {"J3"}, "B03": {"J1", "J2"}}, ("--page-size", "1")),
    "school": Kind("rest_json", "school", VIKTOR, {"K01": {"K1"}, "K02": set()}),
    "family_centre": Kind("odata", "family_centre", VIKTOR, {"F01": {"F1"}, "F02": {"F2"}}, ("--page-size", "1")),
    "health": Kind("fhir", "health", ANNETTE, {"H01": {"H1"}, "H02": {"H2"}}, ("--page-size", "1")),
    "social_centre": Kind("sql_view", "social_centre", ANNETTE, {"S01": {"S1"}, "S02": {"S2"}}),
}


class Bench:
    """A source under test, and the hand that steers what stands behind it."""

    def __init__(self, about: Kind, make: Callable[[Limits], Any], system: SystemProcess | None) -> None:
        self.about = about
        self.make = make
        self.system = system
        self.dropped: list[Dropped] = []

    async def read(self, *categories: str, subject: Personal[str] | None = None, **limits: Any) -> tuple[Item, ...]:
        """Read as the road does, over a connector opened for this one read."""
        async with AsyncExitStack() as stack:
            source = self.make(replace(LIMITS, **limits))
            if isinstance(source, Connector):
                await stack.enter_async_context(source)
            return tuple(await source.read(subject or self.about.subject, "person-1", frozenset(categories)))

    async def why(self, *categories: str, **limits: Any) -> str:
        """Read, expect a failure, and give its word; nothing of the source's may hang on it."""
        with pytest.raises(SourceFailed) as caught:
            await self.read(*categories, **limits)
        error = caught.value
        assert (error.__cause__, error.__context__) == (None, None)
        assert set(error.args) == {self.make(LIMITS).name, error.why}
        assert error.why in WORDS
        return error.why

    def asked(self) -> list[str]:
        """List the categories that reached the source, in order."""
        return self.system.categories() if self.system else self.make(LIMITS).asked

    def behave(self, **mode: Any) -> None:
        """Steer the system; the fake in its own way."""
        if self.system:
            self.system.control("", mode)
            return
        fake = self.make(LIMITS)
        fake.silent = mode.get("mode") == "silent"
        fake.fails = "unreadable" if mode.get("garbage") else "refused" if mode.get("error") else None


@pytest.fixture(scope="module")
def started() -> Iterator[Callable[[str], SystemProcess]]:
    """Start each system once, when it is first needed."""
    with ExitStack() as stack:
        processes: dict[str, SystemProcess] = {}

        def start(name: str) -> SystemProcess:
            if name not in processes:
                about = KINDS[name]
                arguments = about.arguments
                if about.kind == "sql_view":
                    arguments = ("--folder", str(stack.enter_context(_folder())))
                processes[name] = stack.enter_context(running(about.system, RECORDS[name], *arguments))
            return processes[name]

        yield start


def _folder() -> Any:
    import tempfile

    return tempfile.TemporaryDirectory(prefix="borgerbro-cluster-")


@pytest.fixture(params=[*KINDS, "fake"])
async def bench(request: pytest.FixtureRequest, started: Callable[[str], SystemProcess]) -> AsyncIterator[Bench]:
    """Give one kind after the other, each as it was at the start."""
    if request.param == "fake":
        about = KINDS["health"]
        source = FakeSource("health", {"7102740022": await _items_of_health(started)}, frozenset(reads_of("health")))
        yield Bench(about, lambda _: source, None)
        return
    about = KINDS[request.param]
    system = started(request.param)
    settings, secrets = settings_for(request.param, system.address)
    system.control("/reset", {})
    made = Bench(
        about,
        lambda limits: build(
            about.kind, about.system, settings, reads_of(request.param), secrets, limits, now=lambda: NOW,
            report=made.dropped.append,
        ),
        system,
    )  # fmt: skip
    yield made
    system.control("/reset", {})


async def _items_of_health(started: Callable[[str], SystemProcess]) -> tuple[Item, ...]:
    """Give what the real health centre tells, so that the fake tells the same."""
    settings, secrets = settings_for("health", started("health").address)
    async with build("fhir", "health", settings, reads_of("health"), secrets, LIMITS, now=lambda: NOW) as real:
        return await real.read(ANNETTE, "person-1", frozenset({"H01", "H02"}))


async def test_what_is_held_comes_as_items(bench: Bench) -> None:
    """Each permitted category tells its own items, with source, category, subject's handle and time of fetching."""
    items = await bench.read(*bench.about.told)

    assert {item.id.disclose() for item in items} == set().union(*bench.about.told.values())
    for item in items:
        assert item.id.disclose() in bench.about.told[item.category]
        assert (item.source, item.subject, item.fetched_at) == (bench.about.system, "person-1", NOW)
    assert bench.dropped == []


async def test_only_permitted_categories_are_asked_for(bench: Bench) -> None:
    """The source sees queries of the permitted category and of no other (P5)."""
    first = min(bench.about.told)

    items = await bench.read(first)

    assert set(bench.asked()) == {first}
    assert {item.id.disclose() for item in items} == bench.about.told[first]


async def test_nothing_permitted_asks_nothing(bench: Bench) -> None:
    """Without a permitted category the source hears nothing at all."""
    assert await bench.read() == ()
    assert bench.asked() == []
    if bench.system:
        assert bench.system.control("/calls") == []


async def test_a_category_that_is_not_held_is_refused_unasked(bench: Bench) -> None:
    """A category without a mapping is our own mistake: it fails, and the source hears nothing."""
    assert await bench.why("X99", *bench.about.told) == "refused"
    assert bench.asked() == []


async def test_a_person_whom_the_source_does_not_know_has_no_items(bench: Bench) -> None:
    """Nobody known is no failure."""
    assert await bench.read(*bench.about.told, subject=NOBODY) == ()


async def test_a_silent_source_fails_within_its_deadline(bench: Bench) -> None:
    """Silence is a `timeout`, however long it lasts."""
    bench.behave(mode="silent")

    assert await asyncio.wait_for(bench.why(*bench.about.told, deadline_seconds=0.3), 20) == "timeout"


async def test_a_slow_source_is_waited_for_until_the_deadline_only(bench: Bench) -> None:
    """An answer in time is taken; the same answer too late is a `timeout`."""
    bench.behave(mode="slow", delay_ms=250)
    if bench.system is None:
        pytest.skip("the fake has no clock of its own")
    assert await bench.read(min(bench.about.told), deadline_seconds=5.0) is not None
    assert await bench.why(*bench.about.told, deadline_seconds=0.1) == "timeout"


async def test_garbage_is_a_failure_in_our_words(bench: Bench) -> None:
    """What nobody can parse fails the read; nothing of it hangs on the error."""
    bench.behave(garbage=True)
    assert await bench.why(*bench.about.told) in {"unreadable", "unreachable"}


@pytest.mark.parametrize("status", [301, 401, 500, 503])
async def test_a_refusal_is_a_failure(bench: Bench, status: int) -> None:
    """Any answer but yes fails the read, redirects with it."""
    bench.behave(error=status)
    assert await bench.why(*bench.about.told) in {"refused", "unreachable"}


async def test_too_much_is_a_failure(bench: Bench) -> None:
    """More bytes, records or answers than the limits allow fail the read (6b m)."""
    if bench.system is None:
        pytest.skip("the fake keeps no limits: what it tells is the test's own")
    category = max(bench.about.told, key=lambda one: len(bench.about.told[one]))
    assert await bench.why(category, most_bytes=30) == "too_much"
    assert await bench.why(category, most_records=0) == "too_much"
    assert await bench.why(category, most_answers=0) == "too_much"


async def test_a_source_that_recovers_is_read_again(bench: Bench) -> None:
    """After a failure the next read of the same connector works as before."""
    bench.behave(error=500)
    async with AsyncExitStack() as stack:
        source = bench.make(LIMITS)
        if isinstance(source, Connector):
            await stack.enter_async_context(source)
        with pytest.raises(SourceFailed):
            await source.read(bench.about.subject, "person-1", frozenset(bench.about.told))
        bench.behave(error=None)
        assert await source.read(bench.about.subject, "person-1", frozenset(bench.about.told))


async def test_reads_at_once_do_not_mix(bench: Bench) -> None:
    """Twenty reads at the same time each tell their own subject's items only."""
    async with AsyncExitStack() as stack:
        source = bench.make(replace(LIMITS, deadline_seconds=10.0))
        if isinstance(source, Connector):
            await stack.enter_async_context(source)
        category = frozenset({max(bench.about.told, key=lambda one: len(bench.about.told[one]))})
        known = [source.read(bench.about.subject, "person-1", category) for _ in range(10)]
        unknown = [source.read(NOBODY, "person-2", category) for _ in range(10)]
        answers = await asyncio.gather(*known, *unknown)

    assert all({item.subject for item in items} == {"person-1"} for items in answers[:10])
    assert answers[10:] == [()] * 10


async def test_nothing_personal_shows(bench: Bench) -> None:
    """Neither an item's `repr` nor the connector's holds a number or a name."""
    items = await bench.read(*bench.about.told)
    shown = repr(items) + repr(bench.make(LIMITS)) + str(bench.dropped)
    for told in ("7102740022", "8009064011", "Annette", "Viktor", "Holm", "slidgigt"):
        assert told not in shown
