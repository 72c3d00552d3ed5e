"""`/log/{municipality}/{year}/…`: a log as files that anybody may fetch, keep and check (C2SP tlog-tiles)."""

from __future__ import annotations

import gzip
from hashlib import sha256
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import PlainTextResponse

from broker.web.api.answers import Answers, problems
from broker.web.doors import PublicLog
from broker.web.wire import CODE

TEXT = "text/plain; charset=utf-8"
BYTES = "application/octet-stream"
# A path names its bytes for ever. A partial tile is soon overtaken by a wider one, so nobody need keep it for long.
FOR_EVER = "public, max-age=31536000, immutable"
FOR_A_WHILE = "public, max-age=3600, immutable"
# Caches may hold the head, and ask each time whether it is still the newest.
ASK_AGAIN = "public, no-cache"
# Public bytes that are the same for everybody: a check may run on a page of any other site.
FOR_ANY_SITE = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
ANSWERS: Answers = problems(400, 404, 429, 503)
TILE_ANSWERS: Answers = {
    200: {"description": "Done", "content": {BYTES: {"schema": {"type": "string", "format": "binary"}}}},
    **ANSWERS,
}

Municipality = Annotated[str, Path(pattern=CODE)]
Year = Annotated[str, Path(pattern=r"^[1-9][0-9]{3}$")]
Place = Annotated[str, Path(max_length=80)]


def build(public: PublicLog, name: str) -> APIRouter:
    """Build the two kinds of files; `name` is what the logs are published under, without scheme."""
    routes = APIRouter(tags=["log"])

    @routes.get(
        "/log/{municipality}/{year}/checkpoint",
        response_class=PlainTextResponse,
        responses=ANSWERS,
        summary="The signed head of a log",
    )
    async def get_checkpoint(request: Request, municipality: Municipality, year: Year) -> Response:
        note = await public.checkpoint(f"{name}/{municipality}/{year}")
        return _file(request, note.encode(), TEXT, ASK_AGAIN)

    @routes.get(
        "/log/{municipality}/{year}/tile/{place:path}",
        response_class=Response,
        responses=TILE_ANSWERS,
        summary="Tree hashes or entries of a log",
    )
    async def get_tile(request: Request, municipality: Municipality, year: Year, place: Place) -> Response:
        packed = await public.tile(f"{name}/{municipality}/{year}", f"tile/{place}")
        caching = FOR_A_WHILE if ".p/" in place else FOR_EVER
        return _file(request, packed, BYTES, caching, compressed=place.startswith("entries/"))

    return routes


def _file(request: Request, body: bytes, kind: str, caching: str, *, compressed: bool = False) -> Response:
    """Answer with a file under its tag, or with 304 where the caller has it; compressed where that is wanted."""
    tag = sha256(body).hexdigest()[:32]
    headers = {"Cache-Control": caching, **FOR_ANY_SITE}
    if compressed:
        headers["Vary"] = "Accept-Encoding"
        if _takes_gzip(request):
            body, tag = gzip.compress(body, 6, mtime=0), f"{tag}-gzip"
            headers["Content-Encoding"] = "gzip"
    headers["ETag"] = f'"{tag}"'
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        headers.pop("Content-Encoding", None)
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=kind, headers=headers)


def _takes_gzip(request: Request) -> bool:
    """Tell whether the caller named gzip among the codings it takes (RFC 9110 section 12.5.3)."""
    for part in request.headers.get("accept-encoding", "").lower().split(","):
        coding, _, weight = part.replace(" ", "").partition(";")
        if coding == "gzip":
            return not weight.startswith("q=0") or weight.strip("q=0.") != ""
    return False
