"""What the web needs beside the use cases' doors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from broker.oversight.doors import ReviewDoors
from broker.oversight.figures import FigureCounts
from broker.oversight.integrity import Watch
from broker.oversight.saved import SavedSearches
from broker.oversight.waiting import Waiting
from broker.oversight.what_ifs import WhatIfs
from broker.ports import (
    Breaches,
    Clock,
    Deferrals,
    Erasures,
    Inquiries,
    LogReader,
    Samples,
    Stops,
)
from broker.transparency.doors import CodeMail, NoticeChoices
from broker.web.api.health import Ping
from broker.web.api.once import Idempotency
from broker.web.doors import Ceilings, PublicLog, RecordIssuers, Records, Replay, Sessions, Tallied, Tokens, Watched
from broker.web.login import EXIT, Faces
from broker.web.oauth.registrations import Registrations


@dataclass(frozen=True, slots=True)
class WebDoors:
    """What the web needs beside the use cases' doors. `clock` is the machine's: proofs and sessions live by it."""

    public_url: str
    log_name: str
    registrations: Registrations
    people: Faces
    tokens: Tokens
    records: Records
    record_issuers: RecordIssuers
    replay: Replay
    sessions: Sessions
    session_key: bytes
    session_idle: timedelta
    session_longest: timedelta
    ceilings: Ceilings
    idempotency: Idempotency
    reader: LogReader
    public_log: PublicLog
    log_keys: Sequence[str]
    erasures: Erasures
    deferrals: Deferrals
    inquiries: Inquiries
    samples: Samples
    breaches: Breaches
    figures: FigureCounts
    saved: SavedSearches
    watch: Watch
    what_ifs: WhatIfs
    reviews: ReviewDoors
    waiting: Waiting
    notice_choices: NoticeChoices
    mail: CodeMail | None
    stops: Stops
    clock: Clock
    pings: Mapping[str, Ping]
    test_numbers: bool
    most_body_bytes: int
    version: str
    watched: Mapping[str, Watched] = field(default_factory=dict)
    tallied: Mapping[str, Tallied] = field(default_factory=dict)
    unpublished: Callable[[], Mapping[str, float]] = dict
    exit_address: str = EXIT
