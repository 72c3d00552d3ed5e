"""Rows of consents as values, and values as rows: the SQL of `consents_sql.py`, and nothing else.

Every function runs in the caller's transaction and sees what that transaction's scope lets it see.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from broker.adapters.database import Connection
from broker.adapters.stops_rows import USES
from broker.domain.consents import GRANTED, REQUESTED, Answer, Consent, ConsentRequest, Grant, LineState, RequestLine
from broker.domain.facts import Block, ConsentLine
from broker.domain.limits import Limit

# What a caseworker wrote, sealed: why they ask, and why again.
Words = tuple[bytes | None, bytes | None]
# So many columns does `consents.facts` tell of a line that may be used as often as needed.
_PLAIN = 16


async def bump(connection: Connection, citizens: Iterable[str]) -> None:
    """Give each citizen's state its next version and hold it, in order of citizen."""
    await connection.execute(
        "INSERT INTO consents.citizen_state (citizen, version)"
        ' SELECT c, 1 FROM unnest($1::text[]) AS c ORDER BY c COLLATE "C"'
        " ON CONFLICT (citizen) DO UPDATE SET version = citizen_state.version + 1",
        sorted(set(citizens)),
    )


async def add_request(connection: Connection, new: ConsentRequest, by: str, channel: str, words: Words) -> None:
    """Add a request, its lines, and the first step of its history."""
    await _add(
        connection,
        "request",
        id=UUID(new.id),
        municipality=new.municipality,
        parties=sorted(new.parties),
        citizen=new.citizen,
        unit=new.unit,
        purpose=new.purpose,
        case_handle=new.case,
        from_day=new.from_day,
        to_day=new.to_day,
        answer_by=new.answer_by,
        text_version=new.text_version,
        sealed_why=words[0],
        sealed_again=words[1],
        **_limited(new.limit),
        renews=None if new.renews is None else UUID(new.renews),
        asked_at=new.asked_at,
        asked_by=by,
    )
    for place, line in enumerate(new.lines):
        await _add_request_line(connection, new, place, line)
    first = Answer(REQUESTED, None, new.asked_at, channel)
    await add_answer(connection, new.id, first, by, new.municipality, new.parties)


async def _add_request_line(connection: Connection, new: ConsentRequest, place: int, line: RequestLine) -> None:
    await _add(
        connection,
        "request_line",
        request=UUID(new.id),
        place=place,
        municipality=new.municipality,
        parties=sorted(line.parties(new.citizen)),
        subject=line.subject,
        giver=line.giver,
        capacity=line.capacity,
        source=line.source,
        source_municipality=line.source_municipality,
        category=line.category,
        data_from=line.data_from,
        data_to=line.data_to,
        source_told_to=line.source_told_to,
    )


async def add_answer(
    connection: Connection,
    request: str,
    answer: Answer,
    by: str,
    municipality: str,
    parties: Iterable[str],
    **read: Any,
) -> None:
    """Add a step to a request's history, of a no with what was `read` before it; raises as the table's keys do."""
    await _add(
        connection,
        "request_state",
        request=UUID(request),
        municipality=municipality,
        parties=sorted(parties),
        state=answer.state,
        giver=answer.giver,
        consent=UUID(answer.consent) if answer.consent else None,
        at=answer.at,
        by=by,
        channel=answer.channel,
        **read,
    )


async def requests(connection: Connection, ids: Sequence[UUID]) -> tuple[tuple[ConsentRequest, Words], ...]:
    """Read requests with what was answered, newest first, each with the caseworker's sealed words."""
    heads = await connection.fetch("SELECT * FROM consents.request WHERE id = ANY ($1) ORDER BY asked_at DESC, id", ids)
    lines = await connection.fetch("SELECT * FROM consents.request_line WHERE request = ANY ($1) ORDER BY place", ids)
    steps = await connection.fetch(
        "SELECT * FROM consents.request_state WHERE request = ANY ($1) AND state <> 'requested' ORDER BY seq",
        ids,
    )
    lines_of, steps_of = _by("request", lines), _by("request", steps)
    return tuple(
        (_request(head, lines_of[head["id"]], steps_of[head["id"]]), (head["sealed_why"], head["sealed_again"]))
        for head in heads
    )


async def add_consent(
    connection: Connection, grant: Grant, sealed: tuple[bytes, bytes | None], at: datetime, by: str, channel: str
) -> None:
    """Add a consent, its lines, and their first state."""
    await _add(
        connection,
        "consent",
        id=UUID(grant.id),
        municipality=grant.municipality,
        readers=sorted(grant.readers),
        parties=sorted(grant.parties),
        request=UUID(grant.request) if grant.request else None,
        citizen=grant.citizen,
        giver=grant.giver,
        unit=grant.unit,
        purpose=grant.purpose,
        case_handle=grant.case,
        form=grant.form,
        language=grant.language,
        text_version=grant.text_version,
        text_digest=grant.text_digest,
        sealed_text=sealed[0],
        sealed_evidence=sealed[1],
        **_limited(grant.limit),
        renews=None if grant.renews is None else UUID(grant.renews),
        created_at=at,
        created_by=by,
        channel=channel,
    )
    ids = [await _add_line(connection, grant, line) for line in grant.lines]
    await add_line_states(connection, ids, version=1, state=GRANTED, at=at, by=by, channel=channel)


async def _add_line(connection: Connection, grant: Grant, line: RequestLine) -> UUID:
    """Add one line of a consent; the source's municipality may read it too."""
    line_id = uuid4()
    await _add(
        connection,
        "line",
        id=line_id,
        consent=UUID(grant.id),
        municipality=grant.municipality,
        readers=sorted({line.source_municipality} - {grant.municipality}),
        parties=sorted(line.parties(grant.citizen)),
        subject=line.subject,
        giver=line.giver,
        capacity=line.capacity,
        source=line.source,
        category=line.category,
        from_day=grant.from_day,
        to_day=grant.to_day,
        data_from=line.data_from,
        data_to=line.data_to,
        source_told_to=line.source_told_to,
    )
    return line_id


async def add_line_states(
    connection: Connection, lines: Sequence[UUID], *, version: int, state: str, at: datetime, by: str, channel: str
) -> None:
    """Add one step to each line's history, seen by whoever sees the line."""
    await connection.execute(
        "INSERT INTO consents.line_state"
        " (line, version, municipality, readers, parties, consent, state, at, by, channel)"
        " SELECT l.id, $2, l.municipality, l.readers, l.parties, l.consent, $3, $4, $5, $6"
        " FROM consents.line l WHERE l.id = ANY ($1)",
        lines,
        version,
        state,
        at,
        by,
        channel,
    )


async def consents(connection: Connection, ids: Sequence[UUID]) -> tuple[Consent, ...]:
    """Read consents with their lines and history, newest first."""
    heads = await connection.fetch(
        "SELECT * FROM consents.consent WHERE id = ANY ($1) ORDER BY created_at DESC, id", ids
    )
    lines = await connection.fetch("SELECT * FROM consents.line WHERE consent = ANY ($1) ORDER BY id", ids)
    steps = await connection.fetch(
        "SELECT * FROM consents.line_state WHERE consent = ANY ($1) ORDER BY version, line", ids
    )
    uses = await connection.fetch(USES, ids)
    lines_of, steps_of, uses_of = _by("consent", lines), _by("consent", steps), _by("consent", uses)
    return tuple(_consent(head, lines_of[head["id"]], steps_of[head["id"]], uses_of[head["id"]]) for head in heads)


async def add_block(connection: Connection, block: Block, municipality: str) -> None:
    """Add a block; its history says that it is set."""
    await _add(
        connection,
        "block",
        id=UUID(block.id),
        municipality=municipality,
        subject=block.subject,
        source=block.source,
        unit=block.unit,
        category=block.category,
    )


async def add_block_state(connection: Connection, block: str, state: str, at: datetime, by: str) -> None:
    """Add a step to a block's history."""
    await connection.execute(
        "INSERT INTO consents.block_state (block, municipality, subject, state, at, by)"
        " SELECT b.id, b.municipality, b.subject, $2, $3, $4 FROM consents.block b WHERE b.id = $1",
        *(UUID(block), state, at, by),
    )


async def blocks(connection: Connection, subject: str) -> tuple[Block, ...]:
    """Read a subject's blocks that are in force."""
    found = await connection.fetch(
        "SELECT b.* FROM consents.block b WHERE b.subject = $1 AND (SELECT s.state FROM consents.block_state s"
        " WHERE s.block = b.id ORDER BY s.seq DESC LIMIT 1) = 'set' ORDER BY b.id",
        subject,
    )
    return tuple(Block(str(row["id"]), row["subject"], row["source"], row["unit"], row["category"]) for row in found)


async def _add(connection: Connection, table: str, **row: Any) -> None:
    """Insert one row; table and columns are words of this module, values are parameters."""
    places = ", ".join(f"${n}" for n in range(1, len(row) + 1))
    await connection.execute(f"INSERT INTO consents.{table} ({', '.join(row)}) VALUES ({places})", *row.values())  # noqa: S608


def _by(name: str, found: Iterable[Any]) -> Mapping[UUID, list[Any]]:
    grouped: dict[UUID, list[Any]] = defaultdict(list)
    for row in found:
        grouped[row[name]].append(row)
    return grouped


def _request(head: Any, lines: Sequence[Any], steps: Sequence[Any]) -> ConsentRequest:
    return ConsentRequest(
        id=str(head["id"]),
        municipality=head["municipality"],
        citizen=head["citizen"],
        unit=head["unit"],
        purpose=head["purpose"],
        case=head["case_handle"],
        lines=tuple(
            RequestLine(
                *(row["subject"], row["giver"], row["capacity"], row["source"], row["source_municipality"]),
                *(row["category"], row["data_from"], row["data_to"], _told_to(row)),
            )
            for row in lines
        ),
        from_day=head["from_day"],
        to_day=head["to_day"],
        answer_by=head["answer_by"],
        text_version=head["text_version"],
        asked_at=head["asked_at"],
        answers=tuple(_given_answer(row) for row in steps),
        limit=_limit(head),
        renews=_renewed(head),
    )


def _given_answer(row: Any) -> Answer:
    consent = str(row["consent"]) if row["consent"] else None
    return Answer(row["state"], row["giver"], row["at"], row["channel"], consent)


def _consent(head: Any, lines: Sequence[Any], steps: Sequence[Any], uses: Sequence[Any]) -> Consent:
    history = tuple(LineState(str(s["line"]), s["version"], s["state"], s["at"], s["channel"]) for s in steps)
    version = max(step.version for step in history)
    now = {step.line: step.state for step in history}  # the last step of each line wins
    return Consent(
        id=str(head["id"]),
        request=str(head["request"]) if head["request"] else None,
        municipality=head["municipality"],
        citizen=head["citizen"],
        giver=head["giver"],
        unit=head["unit"],
        purpose=head["purpose"],
        case=head["case_handle"],
        form=head["form"],
        language=head["language"],
        text_version=head["text_version"],
        text_digest=head["text_digest"],
        given_at=head["created_at"],
        lines=tuple(_line(head, row, version, now[str(row["id"])]) for row in lines),
        history=history,
        limit=_limit(head),
        uses=tuple(row["at"] for row in uses),
        months=tuple(row["month"] for row in uses),
        used_from=tuple(row["shown_from"] for row in uses),
        renews=_renewed(head),
    )


def _line(head: Any, row: Any, version: int, state: str) -> ConsentLine:
    return ConsentLine(
        id=str(row["id"]),
        consent=str(head["id"]),
        version=version,
        subject=row["subject"],
        giver=row["giver"],
        capacity=row["capacity"],
        source=row["source"],
        category=row["category"],
        recipient=head["unit"],
        purpose=head["purpose"],
        case=head["case_handle"],
        from_day=row["from_day"],
        to_day=row["to_day"],
        state=state,
        data_from=row["data_from"],
        data_to=row["data_to"],
        source_told_to=_told_to(row),
    )


def fact_line(row: Sequence[Any]) -> ConsentLine:
    """Read one line of `consents.facts`; one with a limit tells it, and how often it was used in its last month."""
    line = ConsentLine(*row[:_PLAIN])
    if len(row) == _PLAIN:
        return line
    at_most, monthly, (latest, used) = row[-3], row[-2], row[-1] or (0, 0)
    return replace(line, limit=Limit(at_most, monthly), latest=latest, used=used)


def _limited(limit: Limit | None) -> dict[str, Any]:
    return {"at_most": limit.times if limit else None, "monthly": limit is not None and limit.monthly}


def _limit(head: Any) -> Limit | None:
    return None if head["at_most"] is None else Limit(head["at_most"], head["monthly"])


def _renewed(head: Any) -> str | None:
    return None if head["renews"] is None else str(head["renews"])


def _told_to(row: Any) -> tuple[str, ...] | None:
    return None if row["source_told_to"] is None else tuple(row["source_told_to"])
