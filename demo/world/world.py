"""A world: department systems, registers, log-in provider, databases and the broker, as processes on this machine.

All of its state stands in one folder. A world can be staged again and again for other people and another registry: what
runs is used again, the broker starts anew over databases without rows.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
from ruamel.yaml import YAML

from broker.adapters.database import Addresses
from broker.adapters.house_keys import make_key_folder
from broker.domain.days import DANISH_TIME
from broker.registry import RegistryFaults, read_registry
from demo.postgres import PostgresUnavailable
from demo.world.casting import Cast, case_records, login_persons, register_records
from demo.world.children import ROOT, Child, Nurseries, Nursery, WorldBroken
from demo.world.databases import Databases
from demo.world.files import WorldFiles, write_private
from demo.world.signers import Signers
from demo.world.template import PAGE_USERS, Places, Row, Template, filled

POLICIES = ROOT / "policies"
LOG_NAME = "borgerbro.example/log"
HOST = "127.0.0.1"
# Below 32768, where Linux takes ports for outgoing connections from.
FIRST_PORT, PORTS, TRIES = 15_000, 15_000, 50
SECONDS_TO_SERVE = 60.0
BROKER, PEOPLE, OPENID, MAIL = "broker", "people", "openid", "mail"


def quiet(_line: str) -> None:
    """Tell nobody."""


class World:
    """One world in one folder. Use it in an `async with` block: leaving it ends every process.

    With `durable` its database waits for the disk, as in production. `program` is the module that serves.
    """

    program = "broker"

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        say: Callable[[str], None] = quiet,
        nurseries: Nurseries | None = None,
        durable: bool = False,
    ) -> None:
        self.files = WorldFiles(folder)
        self.port = port
        self.databases = Databases(self.files.folder / "postgres", self.files.passwords(), durable=durable)
        self.template: Template
        self.cast: Cast
        self.addresses: Addresses
        self._say = say
        self._nurseries = nurseries
        self._running: dict[str, tuple[object, Child]] = {}
        self._systems: Nursery
        self._brokers: Nursery
        self._signers: Signers
        self._http: aiohttp.ClientSession
        self._opening: asyncio.Task[Addresses]

    async def __aenter__(self) -> Self:
        self._nurseries = self._nurseries or Nurseries.open(self.files.folder)
        self._systems, self._brokers = self._nurseries.systems, self._nurseries.brokers
        self._signers = Signers(self.files, self._brokers, LOG_NAME)
        try:
            self.port = _free_port(self.port)
        except WorldBroken:
            self._nurseries.close()
            raise
        # Connections are not kept: a system may close one at the very moment it is used again.
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))
        make_key_folder(self.files.keys, LOG_NAME, self.files.folder / "checkpointer")
        # The social centres' clusters live in here, and root's server is another user, who must pass through.
        (self.files.folder / "systems").mkdir(mode=0o711, exist_ok=True)
        # Whoever needs them waits for them; the department systems start meanwhile.
        self._opening = asyncio.create_task(self.databases.open())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    @property
    def address(self) -> str:
        """The broker's address."""
        return f"http://{HOST}:{self.port}"

    @property
    def provider(self) -> str:
        """The log-in provider's address."""
        return self._running[OPENID][1].address

    @property
    def http(self) -> aiohttp.ClientSession:
        """A connection for what is not the broker: control channels and the employers' assertions."""
        return self._http

    async def stage(
        self, template: Template, cast: Cast, records: Mapping[str, Any], at: datetime, *, fresh: bool = True
    ) -> None:
        """Put these people and records on; the broker then serves this registry, with no rows if `fresh`.

        Raises `WorldBroken` with one line for anything that cannot be.
        """
        self.template, self.cast = template, cast
        _check_names(template, records)
        await asyncio.gather(self._stop_broker(), self._signers.stop())
        self.set_clock(at)
        self._say("starting department systems")
        # Ordered one after the other, which starts them all; then waited for.
        pending = [self._put_on(name, module, content) for name, module, content in self._programs(records, at)]
        await asyncio.gather(*pending)
        await self._put_on_provider()
        if MAIL not in self._running:
            await self._start(MAIL, "demo.mail", ["--folder", str(self.files.mail)], MAIL)
        self._write_registry()
        self._say("starting PostgreSQL")
        try:
            self.addresses = await self._opening
        except PostgresUnavailable as error:
            raise WorldBroken(str(error)) from None
        if fresh:
            self.addresses = await self.databases.fresh()
        self._say("starting the broker, its checkpointer and a witness")
        signing = self._signers.start(self._checkpointer_address(), fresh=fresh)
        await asyncio.gather(self._start_broker(), signing)

    def set_clock(self, at: datetime) -> None:
        """Let the broker's clock stand at a moment."""
        write_private(self.files.clock, at.isoformat())

    def clock(self) -> datetime:
        """Tell where the broker's clock stands."""
        return datetime.fromisoformat(self.files.clock.read_text("utf-8"))

    async def set_people(self, cast: Cast, at: datetime) -> None:
        """Let the CPR register hold these people, and the log-in provider offer them."""
        self.cast = cast
        await self.control(PEOPLE, "/records", register_records(cast, self.template, _day(at)))
        await self._put_on_provider()

    async def set_records(self, source: str, records: Any) -> None:
        """Let a source hold other records."""
        await self.control(f"source-{source}", "/records", _one_object(records))

    async def control(self, name: str, path: str = "", body: Any = None) -> Any:
        """Speak with the control channel of something that runs; raise `WorldBroken` where it says no."""
        if name not in self._running:
            raise WorldBroken(f"there is no {name.removeprefix('source-').removeprefix('cases-')} in this world")
        address = f"{self._running[name][1].control}/control{path}"
        try:
            async with self._http.request("GET" if body is None else "POST", address, json=body) as response:
                answer = await response.json()
        except aiohttp.ClientError as error:
            raise WorldBroken(f"{name} does not answer its control channel ({type(error).__name__})") from None
        if response.status != 200:
            raise WorldBroken(f"{name}: {answer.get('error', 'refused')}")
        return answer

    def running_name(self, name: str) -> str:
        """Find what a scenario means by a name: a source, a case register, or `people`."""
        for candidate in (f"source-{name}", f"cases-{name}", name):
            if candidate in self._running:
                return candidate
        raise WorldBroken(f"there is no source or register {name} in this world")

    def _programs(self, records: Mapping[str, Any], at: datetime) -> list[tuple[str, str, Row]]:
        people = register_records(self.cast, self.template, _day(at))
        return [
            *(
                (f"source-{name}", system, _one_object(records.get(name, {})))
                for name, system in self.template.sources.items()
            ),
            *(
                (f"cases-{name}", "cases", case_records(name, self.cast, self.template))
                for name in self.template.case_registers
            ),
            (PEOPLE, "people", people),
        ]  # fmt: skip

    async def _put_on(self, name: str, module: str, content: Row) -> None:
        """Start a system over its records, or give them to it where it runs already."""
        if name in self._running and self._running[name][0] == module:
            await self.control(name, "/reset", {})
            await self.control(name, "/records", content)
            return
        file = self.files.write_records(name, content)
        folder = ["--folder", str(self.files.folder / "systems" / name)] if module == "social_centre" else []
        await self._start(name, f"demo.systems.{module}", ["--control", "0", "--records", str(file), *folder], module)

    async def _put_on_provider(self) -> None:
        employers = [self._employer(name, row) for name, row in self.template.employers.items()]
        persons = login_persons(self.cast, self.template)
        content = {"clients": [self._client(kind) for kind in PAGE_USERS], "employers": employers, "persons": persons}
        if OPENID in self._running and self._running[OPENID][0] == employers:
            await self.control(OPENID, "/records", content)
            return
        file = self.files.write_records(OPENID, content)
        folder = str(self.files.folder / "openid")
        calendar = str(self.files.clock)
        arguments = ["--control", "0", "--persons", str(file), "--folder", folder, "--calendar", calendar]
        await self._start(OPENID, "demo.openid", arguments, employers)

    def _employer(self, name: str, row: Row) -> Row:
        key = self.files.secrets_of(f"employer-{name}")["token"]
        told: Row = {"cvr": row["cvr"], "issuer": row["issuer"], "key": key, "audience": self.address}
        return told | ({"saml": self.template.spoken(row["saml"])} if "saml" in row else {})

    def _client(self, kind: str) -> Row:
        return {
            "client_id": f"borgerbro-{kind}",
            "client_secret": self.files.secrets_of(f"login-{kind}")["client_secret"],
            "redirect_uris": [f"{self.address}/login/{kind}/callback"],
            "post_logout_redirect_uris": [f"{self.address}/"],
        }

    async def _start(self, name: str, module: str, arguments: list[str], mark: object) -> None:
        if name in self._running:
            self._systems.stop(name)
            await self._systems.ended(name)
        self._systems.order(name, module, arguments)
        self._running[name] = (mark, await self._systems.ready(name))

    def _write_registry(self) -> None:
        places = Places(
            sources={name: self._running[f"source-{name}"][1].address for name in self.template.sources},
            people=self._running[PEOPLE][1].address,
            cases={name: self._running[f"cases-{name}"][1].address for name in self.template.case_registers},
            provider=self.provider,
            secret_files=self.files.secret_files,
            system_keys=self.files.public_key_of_system,
            employer_keys=self.files.public_key_of_employer,
            employer_certificates=self.files.certificate_of_employer,
        )
        for name in self.template.raw["systems"]:
            self.files.system_key(name)
        with self.files.registry.open("w", encoding="utf-8") as sink:
            writer = YAML(typ="safe", pure=True)
            writer.default_flow_style = False
            writer.width = 200
            writer.dump(filled(self.template, places), sink)
        try:
            read_registry(self.files.registry, POLICIES / "tables")
        except RegistryFaults as error:
            raise WorldBroken(f"the registry cannot be used: {'; '.join(error.faults)}") from None

    async def _stop_broker(self) -> None:
        if BROKER in self._running:
            self._brokers.stop(BROKER)
            await self._brokers.ended(BROKER)
            del self._running[BROKER]

    async def _start_broker(self) -> None:
        self.files.notices.mkdir(mode=0o700, exist_ok=True)
        self._brokers.order(BROKER, self.program, ["serve"], self._settings())
        eraser, vault_eraser = self.addresses.eraser, self.addresses.vault_eraser
        own = {"BORGERBRO_ERASER_URL": eraser, "BORGERBRO_VAULT_ERASER_URL": vault_eraser}
        self.files.write_operator(self._settings() | own)
        self._running[BROKER] = (BROKER, Child(BROKER, self.address, None))
        deadline = time.monotonic() + SECONDS_TO_SERVE
        while time.monotonic() < deadline:
            if (why := self._brokers.failed(BROKER)) is not None:
                raise WorldBroken(f"the broker did not start: {why}")
            try:
                async with self._http.get(f"{self.address}/health/ready") as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.02)
        raise WorldBroken(f"the broker was not ready after {SECONDS_TO_SERVE:.0f} seconds")

    def _checkpointer_address(self) -> str:
        """Give the database's address for the checkpointer."""
        return self.addresses.checkpointer

    def _settings(self) -> dict[str, str]:
        given = {
            "PROFILE": "demo",
            "PUBLIC_URL": self.address,
            "REGISTRY": str(self.files.registry),
            "POLICIES": str(POLICIES),
            "CANDIDATE_POLICIES": str(self.files.keys.parent / "candidates"),
            "DATABASE_URL": self.addresses.app,
            "VAULT_URL": self.addresses.vault,
            "READER_URL": self.addresses.reader,
            "WITNESS_POLICY": str(self._signers.policy()),
            "KEY_FOLDER": str(self.files.keys),
            "LOG_NAME": LOG_NAME,
            "HOST": HOST,
            "PORT": str(self.port),
            "CLOCK_FILE": str(self.files.clock),
            "NOTICES_FOLDER": str(self.files.notices),
            "SMTP_HOST": HOST,
            "SMTP_PORT": self._running[MAIL][1].address.rpartition(":")[2],
            "SMTP_FROM": "besked@borgerbro.test",
            "SMTP_SECURITY": "loopback",
            "LOG_LEVEL": "warning",
        }
        return {f"BROKER_{name}": value for name, value in given.items()}

    async def _end(self) -> None:
        # However it went: what was being started is then there to be stopped.
        await asyncio.gather(self._opening, return_exceptions=True)
        await self._http.close()
        await asyncio.gather(asyncio.to_thread(self._brokers.close), asyncio.to_thread(self._systems.close))
        await asyncio.to_thread(self.databases.close)
        self._running.clear()


def _one_object(records: Any) -> Row:
    """Read a bare list as FHIR resources, the only system with one list alone."""
    return {"resources": records} if isinstance(records, list) else records


def _check_names(template: Template, records: Mapping[str, Any]) -> None:
    unknown = sorted(set(records) - set(template.sources))
    if unknown:
        raise WorldBroken(f"the registry has no source {', '.join(unknown)}")


def _day(at: datetime) -> str:
    return at.astimezone(DANISH_TIME).date().isoformat()


def _free_port(wanted: int) -> int:
    """Give the wanted port if it is free, or with 0 any free one below those the system hands to its own connections.

    Between two scenarios the broker leaves its port for a moment; nobody's outgoing connection must take it then.
    """
    if wanted:
        if not _is_free(wanted):
            raise WorldBroken(f"port {wanted} is taken: choose another with --port")
        return wanted
    for _ in range(TRIES):
        port = FIRST_PORT + secrets.randbelow(PORTS)
        if _is_free(port):
            return port
    raise WorldBroken("no free port was found on this machine")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
