"""What a node does beside answering: forget what is due, watch the witnesses, close requests, send notices, escalate.

Each goes on when a database gives no answer, and the operator is told. Nothing is written behind the back of whoever
sets the clock by hand.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from datetime import timedelta

import structlog

from broker.adapters.after_checks_sql import AfterChecksSql
from broker.adapters.audit_lateness import Lateness
from broker.adapters.breaches_sql import BreachesSql
from broker.adapters.clock_system import SystemClock
from broker.adapters.idempotency_sql import IdempotencySql
from broker.adapters.outbox_sql import OutboxSql
from broker.channels import open_channels
from broker.consents.lapse import lapse_unanswered
from broker.domain.errors import LogUnavailable, StoreUnavailable
from broker.drawing import drawing_desk
from broker.main import House, node_name, watch_of
from broker.oversight.after_checks import count_late
from broker.oversight.escalation import escalate_late
from broker.oversight.samples import keep_drawing
from broker.oversight.waiting import (
    AFTER_CHECKS,
    BREACHES,
    SAMPLES,
    Waiting,
    alarms_of,
    breaches_soon_late,
)
from broker.transparency.notices import Channels, send_due

HOUR_SECONDS = 3600
WATCH_SECONDS = 5
CLOSE_SECONDS = 300
NOTICE_SECONDS = 60
log = structlog.get_logger()


async def chores(house: House) -> list[Coroutine[None, None, None]]:
    """Give what a node does beside answering; raise `FolderRefused` or `MailRefused` where notices cannot be sent."""
    channels = open_channels(house.settings, house.ports.directory)
    errands = [_forget(house), _watch_witnesses(house.lateness), _watch_what_waits(house)]
    # Where the clock is set by hand, nothing may be written behind the back of whoever sets it.
    set_by_hand = house.settings.fixed_clock or house.settings.clock_file
    if set_by_hand:
        return errands
    written = (_close_requests(house), _send_notices(house, channels), _draw_samples(house), _escalate(house))
    return [*errands, *written]


async def _close_requests(house: House) -> None:
    """Every few minutes, close the requests for consent whose last day is over; the log says so."""
    while True:
        await asyncio.sleep(CLOSE_SECONDS)
        try:
            node = await house.ports.handles.node(node_name(house.settings))
        except StoreUnavailable:
            log.warning("store_unavailable")
            continue
        for municipality in house.ports.directory.municipalities:
            # One municipality's trouble keeps no other's requests open.
            try:
                await lapse_unanswered(municipality, node, house.ports)
            except (StoreUnavailable, LogUnavailable):
                log.warning("store_unavailable", names=municipality)


async def _send_notices(house: House, channels: Channels) -> None:
    """Every minute, send what waits; tell the operator of what is tried again, and of what must go on paper."""
    outbox = OutboxSql(house.pool, house.log, house.vault)
    while True:
        await asyncio.sleep(NOTICE_SECONDS)
        try:
            node = await house.ports.handles.node(node_name(house.settings))
        except StoreUnavailable:
            log.warning("store_unavailable")
            continue
        for municipality in house.ports.directory.municipalities:
            # One municipality's trouble holds up no other's letters.
            try:
                done = await send_due(municipality, node, channels, outbox, house.ports.clock)
            except (StoreUnavailable, LogUnavailable):
                log.warning("store_unavailable", names=municipality)
                continue
            if done.failed:
                log.warning("notices_not_sent", names=municipality, count=done.failed)
            if done.given_up:
                log.warning("notices_on_paper", names=municipality, count=done.given_up)


async def _draw_samples(house: House) -> None:
    """Every hour, commit this month's draw and draw the months that are over; tell the operator of late reviews."""
    directory, clock = house.ports.directory, house.ports.clock
    desk = drawing_desk(house.pool, house.log, house.vault, house.keys, directory, clock)
    while True:
        await asyncio.sleep(HOUR_SECONDS)
        try:
            node = await house.ports.handles.node(node_name(house.settings))
        except StoreUnavailable:
            log.warning("store_unavailable")
            continue
        for municipality in directory.municipalities:
            # One municipality's trouble stops no other's draw.
            try:
                _tell(house.waiting, municipality, SAMPLES, await keep_drawing(municipality, node, desk))
            except (StoreUnavailable, LogUnavailable):
                log.warning("store_unavailable")


async def _escalate(house: House) -> None:
    """Every few minutes, escalate what was asked in danger to life and is late; the log says so; tell the operator."""
    after_checks = AfterChecksSql(house.pool, house.log, house.vault)
    while True:
        await asyncio.sleep(CLOSE_SECONDS)
        try:
            node = await house.ports.handles.node(node_name(house.settings))
        except StoreUnavailable:
            log.warning("store_unavailable")
            continue
        for municipality in house.ports.directory.municipalities:
            # One municipality's trouble lets no other's cases rest.
            try:
                done = await escalate_late(municipality, node, after_checks, house.ports.clock)
            except (StoreUnavailable, LogUnavailable):
                log.warning("store_unavailable", names=municipality)
                continue
            if done:
                log.warning("reviews_escalated", names=municipality, kind=AFTER_CHECKS, count=done)


async def _watch_what_waits(house: House) -> None:
    """Look every few minutes what waits for overseers, and which logs have an alarm; tell the operator of changes."""
    after_checks = AfterChecksSql(house.pool, house.log, house.vault)
    breaches, watch = BreachesSql(house.pool, house.log, house.vault), watch_of(house)
    clock = house.ports.clock
    while True:
        for municipality in house.ports.directory.municipalities:
            try:
                late = await count_late(municipality, after_checks, clock)
                soon = await breaches_soon_late(municipality, breaches, clock.now())
                alarms = await alarms_of((municipality,), watch, clock)
            except StoreUnavailable:
                log.warning("store_unavailable", names=municipality)
                continue
            _tell(house.waiting, municipality, AFTER_CHECKS, late)
            _tell(house.waiting, municipality, BREACHES, soon)
            _tell_alarms(house.waiting, municipality, alarms)
        await asyncio.sleep(CLOSE_SECONDS)


def _tell(waiting: Waiting, municipality: str, what: str, count: int) -> None:
    """Note how many wait; tell the operator where that is another number than before."""
    if count != waiting.reviews.get((municipality, what), 0):
        log.warning("reviews_late", names=municipality, kind=what, count=count)
    waiting.reviews[municipality, what] = count


def _tell_alarms(waiting: Waiting, municipality: str, found: Mapping[tuple[str, str], int]) -> None:
    """Note the alarms of a municipality's logs, those that are over with nought; tell the operator of changes."""
    known = {place: 0 for place in waiting.alarms if place[0] == municipality}
    for (home, alarm), count in sorted({**known, **found}.items()):
        if count != waiting.alarms.get((home, alarm), 0):
            log.warning("log_alarm", names=home, kind=alarm, count=count)
        waiting.alarms[home, alarm] = count


async def _watch_witnesses(lateness: Lateness) -> None:
    """Look every few seconds; tell the operator when a municipality's asks begin to be refused, and when no more."""
    while True:
        before = lateness.late
        try:
            await lateness.look()
        except StoreUnavailable:
            log.warning("store_unavailable")
        for municipality in sorted(lateness.late ^ before):
            if municipality in lateness.late:
                log.error("log_late", names=municipality)
            else:
                log.warning("log_witnessed", names=municipality)
        await asyncio.sleep(WATCH_SECONDS)


async def _forget(house: House) -> None:
    """Each hour, forget handles of numbers no register knows (`design.md` 6b i), and requests older than a week.

    And letters of breaches that nobody let go in time, by the house's own clock, which may be set by hand.
    """
    repeats = IdempotencySql(house.pool, house.keys.house.requests)
    breaches = BreachesSql(house.pool, house.log, house.vault)
    while True:
        await asyncio.sleep(HOUR_SECONDS)
        now = SystemClock().now()
        try:
            await house.vault.purge_unknown(now - timedelta(seconds=HOUR_SECONDS))
            for municipality in house.ports.directory.municipalities:
                await repeats.sweep(municipality, now - timedelta(days=7))
                await breaches.forget_waiting(municipality, house.ports.clock.now())
        except StoreUnavailable:
            log.warning("store_unavailable")
