"""What the operator counts: requests by route template and status, their seconds, how sources, registers and rules do.

Never an address, and no name but those that the registry gives sources and registers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from broker.oversight.waiting import Waiting
from broker.web.doors import Tallied, Watched

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
NO_ROUTE = "none"
# The door whose answers are those of the embedded engine beside an OPA server.
SHADOW = "policy_shadow"


class Counting:
    """Count each request under its route's template (`/v1/me/consents/{consent_id}/withdraw`), never its path."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        self._requests = Counter("borgerbro_requests", "Requests", ["route", "status"], registry=registry)
        self._seconds = Histogram(
            "borgerbro_seconds", "Seconds a request", ["route"], buckets=BUCKETS, registry=registry
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request through and count it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, began = 500, time.perf_counter()

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            route = getattr(scope.get("route"), "path", NO_ROUTE)
            self._requests.labels(route, str(status)).inc()
            self._seconds.labels(route).observe(time.perf_counter() - began)


class DoorsTold(Collector):
    """Tell how every source, register and the rules do at the moment somebody looks."""

    def __init__(self, sources: Mapping[str, Watched], doors: Mapping[str, Tallied]) -> None:
        self._sources = sources
        self._doors = doors

    def collect(self) -> Iterator[Metric]:
        """Give what is told of sources, `borgerbro_door_answers_total` of the others, and what must stay 0."""
        yield from self._of_sources()
        answers = CounterMetricFamily(
            "borgerbro_door_answers", "Calls to registers and rules by how they ended", labels=["door", "how"]
        )
        for name, door in sorted(self._doors.items()):
            for how, count in sorted(door.tally.items()):
                answers.add_metric([name, how], count)
        yield answers
        shadow = self._doors.get(SHADOW)
        differing = sum(shadow.tally.get(how, 0) for how in ("differs", "failed")) if shadow is not None else 0
        yield CounterMetricFamily(
            "policy_engine_mismatch", "Decisions that the embedded engine would have made otherwise", value=differing
        )

    def _of_sources(self) -> Iterator[Metric]:
        """Give `borgerbro_source_reads_total`, `borgerbro_source_reads_under_way` and `borgerbro_source_rests`."""
        reads = CounterMetricFamily(
            "borgerbro_source_reads", "Reads by how they ended: answered, resting, or why not", labels=["source", "how"]
        )
        under_way = GaugeMetricFamily("borgerbro_source_reads_under_way", "Reads under way", labels=["source"])
        rests = GaugeMetricFamily(
            "borgerbro_source_rests", "1 while a source is left alone after failures in a row", labels=["source"]
        )
        for name, source in sorted(self._sources.items()):
            condition = source.condition
            for how, count in sorted(condition.reads.items()):
                reads.add_metric([name, how], count)
            under_way.add_metric([name], condition.under_way)
            rests.add_metric([name], condition.rests)
        yield from (reads, under_way, rests)


class WaitingTold(Collector):
    """Tell what waits for overseers, and what they should see to, as last looked."""

    def __init__(self, waiting: Waiting) -> None:
        self._waiting = waiting

    def collect(self) -> Iterator[Metric]:
        """Give `borgerbro_oversight_waits`, by municipality and what, and `borgerbro_log_alarms`, by alarm."""
        waits = GaugeMetricFamily(
            "borgerbro_oversight_waits",
            "Reviews past their last day (after_checks, samples), and breaches with a day or less of their 72 hours",
            labels=["municipality", "what"],
        )
        alarms = GaugeMetricFamily(
            "borgerbro_log_alarms", "Logs of a municipality that an alarm stands by", labels=["municipality", "alarm"]
        )
        for (municipality, what), count in sorted(self._waiting.reviews.items()):
            waits.add_metric([municipality, what], count)
        for (municipality, alarm), count in sorted(self._waiting.alarms.items()):
            alarms.add_metric([municipality, alarm], count)
        yield from (waits, alarms)


class LogsTold(Collector):
    """Tell how long each municipality's log has gone without its witnesses, as last looked."""

    def __init__(self, seconds: Callable[[], Mapping[str, float]]) -> None:
        self._seconds = seconds

    def collect(self) -> Iterator[Metric]:
        """Give `borgerbro_log_unpublished_seconds`, by municipality."""
        ages = GaugeMetricFamily(
            "borgerbro_log_unpublished_seconds",
            "Seconds since a quorum of witnesses last stood behind the municipality's log",
            labels=["municipality"],
        )
        for municipality, seconds in sorted(self._seconds().items()):
            ages.add_metric([municipality], seconds)
        yield ages
