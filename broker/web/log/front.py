"""`/log/`: for strangers, in words and as JSON: which logs there are, by which keys, and how to check them."""

from __future__ import annotations

from dataclasses import dataclass

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from broker.domain.entries import LogState
from broker.ports import LogReader, Ports
from broker.web.api.answers import OPEN_ANSWERS, told
from broker.web.consent_wire import moment
from broker.web.log.files import ASK_AGAIN, FOR_ANY_SITE, TEXT
from broker.web.pages.show import Pages


@dataclass(frozen=True, slots=True)
class Published:
    """What every origin begins with, the address of the logs' files, and the keys that sign (C2SP tlog-checkpoint).

    A log keeps its name when it moves, so the name need not be the address.
    """

    name: str
    address: str
    keys: tuple[str, ...]

    def where(self, origin: str) -> str:
        """Write the address under which a log's files lie."""
        return self.address + origin.removeprefix(self.name)


def build(ports: Ports, reader: LogReader, pages: Pages, published: Published) -> APIRouter:
    """Build the page, the list for machines, and the keys in a file."""
    routes = APIRouter(tags=["log"])

    async def logs() -> tuple[LogState, ...]:
        return await reader.logs(sorted(ports.directory.municipalities))

    @routes.get("/log/", include_in_schema=False)
    async def get_page(request: Request) -> Response:
        rows = [
            (ports.directory.municipalities[log.municipality].name, log, published.where(log.origin))
            for log in await logs()
        ]
        return pages.show(request, "log/logs.html", rows=rows, address=published.address, keys=published.keys)

    @routes.get("/log/logs.json", responses=told("PublicLogs", OPEN_ANSWERS), summary="Which logs there are")
    async def get_list() -> Response:
        body = {"keys": published.keys, "logs": [_row(log, published) for log in await logs()]}
        headers = {"Cache-Control": ASK_AGAIN, **FOR_ANY_SITE}
        return Response(orjson.dumps(body), media_type="application/json", headers=headers)

    @routes.get("/log/keys", response_class=PlainTextResponse, summary="The public keys that sign the logs")
    async def get_keys() -> Response:
        text = "".join(f"{key}\n" for key in published.keys)
        return Response(text, media_type=TEXT, headers={"Cache-Control": ASK_AGAIN, **FOR_ANY_SITE})

    return routes


def _row(log: LogState, published: Published) -> dict[str, object]:
    return {
        "origin": log.origin,
        "url": published.where(log.origin),
        "municipality": log.municipality,
        "year": log.year,
        "size": log.signed_size,
        "signed_at": None if log.signed_at is None else moment(log.signed_at),
    }
