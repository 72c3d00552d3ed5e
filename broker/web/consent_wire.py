"""Bodies of consent requests, answers and consents, and their translation to and from the domain."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from broker.consents.desk import TakenYes
from broker.consents.lines import Wanted, WantedLine
from broker.consents.own import OwnRequest, asked_before
from broker.consents.texts import consent_text
from broker.domain.consents import Consent, ConsentRequest, Grant, RequestLine
from broker.domain.days import danish_day
from broker.domain.directory import Directory
from broker.domain.facts import ConsentLine
from broker.domain.limits import MOST_A_MONTH, Limit
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.domain.stops import Told
from broker.web.wire import Code, Day, cpr_of, day_from, day_text, period_body, period_from, receipt_body

STRICT = ConfigDict(extra="forbid", hide_input_in_errors=True)
Number = Annotated[str, Field(max_length=11, description="CPR number", examples=["710274-0022"])]


class LineBody(BaseModel):
    """One line: a source, a category, and whose data it is where that is not the citizen (or each child)."""

    model_config = STRICT

    source: Code
    category: Code
    subject: Number | None = None
    data_from: Annotated[Day | None, Field(description="The first day of the data that is asked for")] = None
    data_to: Annotated[Day | None, Field(description="The last day of the data that is asked for")] = None


class LimitBody(BaseModel):
    """How often a yes may be used: once (`times` of 1, `per` consent), or so many times in each calendar month."""

    model_config = STRICT

    times: Annotated[int, Field(ge=1, le=MOST_A_MONTH, strict=True)]
    per: Literal["consent", "month"]


class WantedBody(BaseModel):
    """What a caseworker wants to ask a citizen for."""

    model_config = STRICT

    citizen: Number
    purpose: Annotated[Code, Field(examples=["helhedsorienteret_plan"])]
    case: Annotated[str, Field(pattern=r"^[\w./:-]{1,64}$", examples=["JC-2019-0417"])]
    lines: Annotated[list[LineBody], Field(min_length=1, max_length=64)]
    to: Day
    from_: Annotated[Day | None, Field(alias="from")] = None
    why: Annotated[str, Field(max_length=2000, description="In the caseworker's own words, to the citizen")] | None = (
        None
    )
    limit: LimitBody | None = None


class AskingBody(WantedBody):
    """The same, put before the citizen; with a reason in new words where they said no a short time ago."""

    again: (
        Annotated[str, Field(min_length=10, max_length=2000, description="Why you ask again after a no, in new words")]
        | None
    ) = None
    renews: Annotated[str, Field(max_length=64, description="Your request whose yes ends within 30 days")] | None = None


class DeskBody(WantedBody):
    """A yes given on paper or by word of mouth, how it was taken, and that its giver's identity was checked."""

    identity_checked: Literal[True]
    form: Literal["paper", "oral"]
    language: Literal["da", "en"] = "da"
    evidence: Annotated[
        str, Field(min_length=10, max_length=2000, description="Reader, place, language or interpreter, read-back")
    ]
    giver: Number | None = None


class YesBody(BaseModel):
    """Which of one's own lines to say yes to (numbers from 0; none given: all), until when, read in which language."""

    model_config = STRICT

    lines: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1, max_length=64)] | None = None
    to: Day | None = None
    language: Literal["da", "en"] = "da"
    limit: Annotated[LimitBody | None, Field(description="At most as often as they ask")] = None


class WithdrawBody(BaseModel):
    """Which lines to take back, pause or let hold again, by id; none given: all."""

    model_config = STRICT

    lines: Annotated[list[Annotated[str, Field(max_length=64)]], Field(min_length=1, max_length=64)] | None = None


class DeskWithdrawBody(WithdrawBody):
    """A change by phone or at the desk: whose consent it is, and that their identity was checked."""

    citizen: Number
    identity_checked: Literal[True]


class BlockBody(BaseModel):
    """A standing no: what it names, at least one of the three."""

    model_config = STRICT

    source: Code | None = None
    unit: Code | None = None
    category: Code | None = None


def wanted_of(body: WantedBody, *, test_numbers: bool) -> Wanted:
    """Make the wish of a body; raise `BadAsk` for a number or day that cannot be."""
    lines = tuple(
        WantedLine(
            line.source,
            line.category,
            cpr_of(line.subject, pointer="/lines", test_numbers=test_numbers) if line.subject else None,
            period_from(line.data_from, line.data_to),
        )
        for line in body.lines
    )
    return Wanted(
        citizen=cpr_of(body.citizen, pointer="/citizen", test_numbers=test_numbers),
        purpose=body.purpose,
        case=Personal(body.case),
        lines=lines,
        to_day=day_from(body.to, "/to"),
        from_day=day_from(body.from_, "/from") if body.from_ else None,
        why=Personal(body.why) if body.why else None,
        again=Personal(body.again) if isinstance(body, AskingBody) and body.again else None,
        limit=limit_from(body.limit),
        renews=body.renews if isinstance(body, AskingBody) else None,
    )


def limit_from(body: LimitBody | None) -> Limit | None:
    """Read a limit; raise `BadAsk` for more than once in all."""
    return None if body is None else Limit(body.times, monthly=body.per == "month")


def limit_body(limit: Limit | None) -> dict[str, Any]:
    """Lay out a limit; nothing where there is none."""
    return {} if limit is None else {"limit": {"times": limit.times, "per": "month" if limit.monthly else "consent"}}


def taken_of(body: DeskBody, *, test_numbers: bool) -> TakenYes:
    """Make of a desk's body how the yes was taken."""
    giver = cpr_of(body.giver, pointer="/giver", test_numbers=test_numbers) if body.giver else None
    return TakenYes(body.form, body.language, Personal(body.evidence), giver)


def request_body(request: ConsentRequest, today: int, receipt: Receipt | None = None) -> dict[str, Any]:
    """Lay out a request for the unit that made it: its state, never who has or has not answered."""
    body: dict[str, Any] = {
        "id": request.id,
        "state": request.state(today),
        "purpose": request.purpose,
        "unit": request.unit,
        "lines": _places(request.lines),
        "from": day_text(request.from_day),
        "to": day_text(request.to_day),
        "answer_by": day_text(request.answer_by),
    }
    renews = {} if request.renews is None else {"renews": request.renews}
    return body | limit_body(request.limit) | renews | ({"receipt": receipt_body(receipt)} if receipt else {})


def my_request_body(
    own: OwnRequest, asked: Iterable[OwnRequest], handles: Collection[str], today: int, directory: Directory
) -> dict[str, Any]:
    """Lay out a request for one who has lines to answer, with the text in both languages.

    `asked` are all of theirs, `handles` those under which they are theirs.
    """
    request, me, mine = own.request, own.me, own.mine
    before = asked_before(request, [row.request for row in asked], me, handles)
    days = (max(request.from_day, today), request.to_day)
    texts = {
        language: consent_text(request.unit, request.purpose, mine, days, language, directory, request.limit)
        for language in ("da", "en")
    }
    seen = [line for line in request.lines if line.tells_source_to(me)]
    # Which request it renews is the unit's to know: another giver may never have heard of that one.
    return request_body(replace(request, renews=None), today) | {
        "lines": _places(seen),
        "answered": request.answered_by(me),
        # Written to the citizen: another parent or a child who has lines of their own does not read it.
        "why": request.why.disclose() if request.why and request.citizen == me else None,
        "again": request.again.disclose() if request.again and request.citizen == me else None,
        "asked_before": [{"at": moment(row.at), "answer": row.answer} for row in before],
        "my_lines": [
            {"number": i, "about": _about(line, me), "source": _source(line, me), "category": line.category}
            | period_body(line.period)
            for i, line in enumerate(mine)
        ],
        "text": texts if mine else {},
    }


def _places(lines: Iterable[RequestLine]) -> list[dict[str, Any]]:
    return [
        {"source": source, "category": category} | period_body(period)
        for source, category, period in sorted({(ln.source, ln.category, ln.period) for ln in lines})
    ]


def _source(line: RequestLine | ConsentLine, me: str | None) -> str | None:
    """Name the source; None for who may not learn it. `me` of None is the unit that asked."""
    return line.source if me is None or line.tells_source_to(me) else None


def _about(line: RequestLine, me: str) -> str:
    return "me" if line.subject == me else "my_child" if line.capacity == "custody_holder" else "another"


def grant_body(given: Grant, receipt: Receipt, *, to_unit: bool = False) -> dict[str, Any]:
    """Lay out what was just given, to its giver: the consent's id, its lines, days, its text's digest, the log entry.

    `to_unit` is True where a desk recorded it, whose own request named each source.
    """
    me = None if to_unit else given.giver
    return {
        "consent": given.id,
        "lines": [
            {"source": _source(line, me), "category": line.category} | period_body(line.period) for line in given.lines
        ],
        "from": day_text(given.from_day),
        "to": day_text(given.to_day),
        "text": given.text.disclose(),
        "text_sha256": given.text_digest,
        "receipt": receipt_body(receipt),
        **limit_body(given.limit),
    }


def consent_body(consent: Consent, me: str, at: datetime, also: Iterable[str] = ()) -> dict[str, Any]:
    """Lay out a consent for its giver: each line with its state now; each use of one that is limited.

    Of a line about the reader that holds no more, on which its unit got something: that it is told so, by how many of
    its systems that was received, and when last. What was got about another is that one's own to see. `also` is who the
    reader was before.
    """
    today = danish_day(at)
    left = consent.left(today)
    used: dict[str, Any] = {} if left is None else {"left": left, "used_at": [moment(at) for at in consent.uses]}
    return {
        **({"renews": consent.renews} if consent.renews is not None and consent.giver == me else {}),
        **limit_body(consent.limit),
        **used,
        "id": consent.id,
        "mine": consent.giver == me,
        "unit": consent.unit,
        "municipality": consent.municipality,
        "purpose": consent.purpose,
        "form": consent.form,
        "version": consent.version,
        "given_at": consent.given_at.astimezone(UTC).isoformat(timespec="seconds"),
        "live": bool(consent.live_lines(today)),
        "lines": [
            {
                "id": line.id,
                "about": "me" if line.subject == me else "my_child" if line.capacity == "custody_holder" else "another",
                "source": _source(line, me),
                "category": line.category,
                "from": day_text(line.from_day),
                "to": day_text(line.to_day),
                "state": line_state(line.state, line.from_day, line.to_day, today, spent=consent.spent),
            }
            | period_body(line.period)
            | _told_body(consent.told(line, at) if line.subject in {me, *also} else None)
            for line in consent.lines
        ],
    }


def _told_body(told: Told | None) -> dict[str, Any]:
    if told is None:
        return {}
    received_at = None if told.received_at is None else moment(told.received_at)
    return {"told": {"received_at": received_at, "received_by": told.received_by}}


def line_state(state: str, from_day: int, to_day: int, today: int, *, spent: bool = False) -> str:
    """Say where a line stands on a day: live, not_yet, expired, used_up, or what it was made (withdrawn, paused)."""
    if state == "withdrawn" or (state == "paused" and today <= to_day and not spent):
        return state
    if spent:
        return "used_up"
    return "not_yet" if today < from_day else "expired" if today > to_day else "live"


def moment(at: datetime) -> str:
    """Write a moment in UTC, to the second."""
    return at.astimezone(UTC).isoformat(timespec="seconds")
