"""Where a log's files come from: a folder, or an address that serves C2SP tlog-tiles over HTTP.

Rules kept here:
- What is fetched is bounded, and nothing of it is believed; whoever asks checks it.
- A partial tile that is gone is cut from the full one (tlog-tiles, Partial Tiles).
- No redirect is followed: a log is at its address or it is not there.
"""

import http.client
import ssl
import time
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Protocol, Self
from urllib.parse import urlsplit

from audit.errors import LogError, Malformed
from audit.merkle import HASH_SIZE
from audit.note import MAX_BYTES
from audit.tiles import MAX_ENTRY, WIDTH, Tile, bundle, read_bundle

MOST_BUNDLE = WIDTH * (MAX_ENTRY + 2)
AHEAD = 8
CONNECTIONS = 2
TRIES = 5
PAUSE_SECONDS = 0.5
DEADLINE_SECONDS = 30.0


class Missing(LogError):
    """A file of the log is not there."""


class Unreachable(LogError):
    """The log's address gives no usable answer; whether the log is intact was not found out."""


class Source(Protocol):
    """A log's files."""

    def checkpoint(self) -> str:
        """Read the signed head. Raises Missing, Unreachable, Malformed or OSError."""

    def read(self, path: str) -> bytes:
        """Read a tile or bundle by its path. Raises Missing or Unreachable."""


class FolderSource:
    """A log's files in a folder, as served or exported."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held open."""

    def checkpoint(self) -> str:
        """Read the file `checkpoint`."""
        return (self._folder / "checkpoint").read_text(encoding="utf-8")

    def read(self, path: str) -> bytes:
        """Read one file."""
        try:
            return (self._folder / path).read_bytes()
        except OSError:
            raise Missing(f"{path} is missing") from None


class HttpSource:
    """A log at an http(s) address. Threads may read side by side; connections are kept until `close`."""

    def __init__(self, address: str, *, timeout_seconds: float = DEADLINE_SECONDS) -> None:
        parts = urlsplit(address)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.username:
            raise Malformed("a log's address is http(s)://host/path")
        self._host, self._port = parts.hostname, parts.port
        self._prefix = parts.path.rstrip("/")
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._timeout = timeout_seconds
        self._idle: list[http.client.HTTPConnection] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        while self._idle:
            self._idle.pop().close()

    def checkpoint(self) -> str:
        """Fetch the signed head."""
        try:
            return self._get("checkpoint", MAX_BYTES).decode()
        except UnicodeDecodeError:
            raise Malformed("the checkpoint is no text") from None

    def read(self, path: str) -> bytes:
        """Fetch one file."""
        return self._get(path, MOST_BUNDLE)

    def _get(self, path: str, most: int) -> bytes:
        """Fetch, and try again where the log is busy or a connection broke: nothing is changed by asking twice."""
        why = "no answer"
        for attempt in range(TRIES):
            if attempt:
                time.sleep(PAUSE_SECONDS * 2**attempt)
            try:
                status, body = self._once(path, most)
            except (http.client.HTTPException, OSError) as error:
                why = type(error).__name__
                continue
            if status == http.client.OK:
                return body
            if status == http.client.NOT_FOUND:
                raise Missing(f"{path} is missing")
            why = f"status {status}"
            if status < http.client.TOO_MANY_REQUESTS:
                break
        raise Unreachable(f"{path} cannot be fetched: {why}")

    def _once(self, path: str, most: int) -> tuple[int, bytes]:
        connection = self._idle.pop() if self._idle else self._connect()
        try:
            connection.request("GET", f"{self._prefix}/{path}", headers={"Accept-Encoding": "gzip, identity"})
            with connection.getresponse() as answer:
                body = answer.read(most + 1)
                packed = answer.getheader("Content-Encoding", "identity").lower() == "gzip"
        except BaseException:
            connection.close()
            raise
        if len(body) > most:
            connection.close()
            raise Unreachable(f"{path} is larger than it can be")
        self._idle.append(connection)
        return answer.status, _unpacked(body, most, path) if packed else body

    def _connect(self) -> http.client.HTTPConnection:
        if self._tls is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        return http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout, context=self._tls)


def read_wide(source: Source, tile: Tile) -> bytes:
    """Read a tile or bundle; one that is partial and gone is cut from the full one. Raises as `Source.read` does."""
    try:
        return source.read(tile.path)
    except Missing:
        if tile.width == WIDTH:
            raise
        try:
            whole = source.read(Tile(tile.level, tile.number).path)
        except Missing:
            raise Missing(f"{tile.path} is missing") from None
    if tile.level is None:
        return bundle(read_bundle(whole)[: tile.width])
    return whole[: tile.width * HASH_SIZE]


def read_ahead(source: Source, tiles: Iterable[Tile]) -> Iterator[tuple[Tile, bytes | Missing | Malformed]]:
    """Read tiles in order, some ahead of the one at hand; what could not be read is given instead of its bytes.

    Raises Unreachable.
    """
    wanted = iter(tiles)
    with ThreadPoolExecutor(CONNECTIONS) as readers:
        pending: list[tuple[Tile, Future[bytes]]] = []
        try:
            while True:
                next_ones = islice(wanted, AHEAD - len(pending))
                pending += [(tile, readers.submit(read_wide, source, tile)) for tile in next_ones]
                if not pending:
                    return
                tile, future = pending.pop(0)
                yield tile, _result(future)
        finally:
            for _, future in pending:
                future.cancel()


def _result(future: Future[bytes]) -> bytes | Missing | Malformed:
    try:
        return future.result()
    except (Missing, Malformed) as error:
        return error


def _unpacked(body: bytes, most: int, path: str) -> bytes:
    """Undo gzip, up to a bound: a few bytes may claim to be many."""
    unpacking = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        whole = unpacking.decompress(body, most + 1)
    except zlib.error:
        raise Unreachable(f"{path} is not the gzip it claims to be") from None
    if len(whole) > most or not unpacking.eof:
        raise Unreachable(f"{path} is not the gzip it claims to be")
    return whole


__all__ = ["FolderSource", "HttpSource", "Missing", "Source", "Unreachable", "read_ahead", "read_wide"]
