"""Sources that are a PostgreSQL database with a view for each category.

Rules kept here:
- One kind of statement, SELECT, in a read-only transaction of a session that is read-only by default.
- The subject's number is a bound parameter; names of views and columns are configuration, checked and quoted.
- The database measures its answer before it sends it, so that too much is never sent.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import asyncpg
import orjson

from broker.domain.addresses import host_fault
from broker.domain.errors import SourceFailed
from connectors.guard import Connector, Dropped, Errand, Limits
from connectors.mapping import Read, SettingsUnusable, check_settings
from connectors.wire import is_this_machine, secret, tls_context

_STATEMENT = """
WITH told AS (SELECT {columns} FROM {view} WHERE {person} = $1 LIMIT $2),
     text AS (SELECT coalesce(json_agg(told), '[]')::text AS rows, count(*) AS count FROM told)
SELECT CASE WHEN octet_length(rows) <= $3 AND count < $2 THEN rows END FROM text
"""


class SqlView(Connector):
    """A department's own PostgreSQL. Settings: `sql_view` in `mapping.schema.json`; secret `password`."""

    kind = "sql_view"

    def __init__(
        self,
        name: str,
        settings: Mapping[str, Any],
        reads: Mapping[str, Any],
        secrets: Mapping[str, str],
        limits: Limits,
        *,
        now: Callable[[], datetime],
        report: Callable[[Dropped], None] | None = None,
    ) -> None:
        super().__init__(name, reads, limits, now=now, report=report)
        check_settings(self.kind, settings, "settings")
        self._place = _place(settings, secrets)
        self._tls = _tls(settings, self._place["host"])
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None

    async def open(self) -> None:
        """Make the pool; it connects when it is first asked."""
        milliseconds = str(int(self.limits.deadline_seconds * 1000))
        self._pool = await asyncpg.create_pool(
            **self._place,
            ssl=self._tls,
            min_size=0,
            max_size=self.limits.most_at_once,
            timeout=self.limits.deadline_seconds,
            server_settings={
                "default_transaction_read_only": "on",
                "statement_timeout": milliseconds,
                "idle_in_transaction_session_timeout": milliseconds,
                "application_name": "borgerbro",
            },
        )

    async def close(self) -> None:
        """Close the pool at once."""
        if self._pool is not None:
            self._pool.terminate()
            self._pool = None

    async def _read(self, errand: Errand, own_id: str, read: Read) -> list[Any]:
        if self._pool is None:
            raise SourceFailed(self.name, "unreachable")
        errand.spend_answer()
        person = errand.fill(read.ask.get("person_form", "{cpr}"), own_id)
        most = errand.most_records
        try:
            told = await self._select(self._pool, statement(read.ask), person, most + 1, errand.bytes_left)
        except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.CannotConnectNowError):
            raise SourceFailed(self.name, "unreachable") from None
        except asyncpg.QueryCanceledError:
            raise SourceFailed(self.name, "timeout") from None
        except asyncpg.PostgresError:
            raise SourceFailed(self.name, "refused") from None
        if told is None:
            raise SourceFailed(self.name, "too_much")
        errand.spend_bytes(len(told.encode()))
        rows: list[Any] = orjson.loads(told)
        return rows

    @staticmethod
    async def _select(pool: asyncpg.Pool[asyncpg.Record], sql: str, *values: Any) -> str | None:
        connection = await pool.acquire()
        try:
            async with connection.transaction(readonly=True):
                told: str | None = await connection.fetchval(sql, *values)
                return told
        except BaseException:
            # A server that hangs would keep the pool waiting for its word long past our deadline.
            connection.terminate()
            raise
        finally:
            await asyncio.shield(pool.release(connection))


def statement(ask: Mapping[str, Any]) -> str:
    """Write the one SELECT of a read, from names that the schema has checked."""
    columns = ", ".join(_quoted(column) for column in ask["columns"])
    view = ".".join(_quoted(part) for part in ask["view"].split("."))
    return _STATEMENT.format(columns=columns, view=view, person=_quoted(ask["person_column"]))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _place(settings: Mapping[str, Any], secrets: Mapping[str, str]) -> dict[str, Any]:
    """Give where the database is and who we are there: from the settings, or from the secret that says it all."""
    if "host" in settings:
        _check_host(settings["host"], "settings.host")
        named = {name: settings[name] for name in ("host", "database", "user")}
        return named | {"port": settings.get("port", 5432), "password": secret(secrets, "password")}
    address = urlsplit(secret(secrets, "dsn").strip())
    place = {
        "host": address.hostname,
        "database": unquote(address.path.removeprefix("/")),
        "user": unquote(address.username or ""),
        "port": address.port or 5432,
        "password": unquote(address.password or ""),
    }
    if not all(place.values()) or address.scheme not in {"postgresql", "postgres"}:
        raise SettingsUnusable("secrets.dsn: must be postgresql://user:password@host/database")
    _check_host(str(address.hostname), "secrets.dsn")
    return place


def _check_host(host: str, where: str) -> None:
    if fault := host_fault(host):
        raise SettingsUnusable(f"{where}: {fault}")


def _tls(settings: Mapping[str, Any], host: str) -> ssl.SSLContext | bool:
    if "tls" in settings:
        return tls_context(settings["tls"])
    if is_this_machine(host) or "plain" in settings:
        return False
    raise SettingsUnusable("settings.tls: is missing; a database on another machine is reached by TLS only")
