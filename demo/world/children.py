"""The processes that this world started: each is up when it says so, and none outlives the world."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SECONDS_TO_START = 60.0
SECONDS_TO_END = 15.0
LOOK_SECONDS = 0.01


class WorldBroken(RuntimeError):
    """The world cannot be as it was asked to be; the message is one line that says why."""


SYSTEM_PARTS = (
    "demo.systems.process",
    "demo.systems.odata",
    "demo.systems.fhir",
    "demo.systems.paging",
    "demo.postgres",
    "demo.openid.provider",
    "demo.openid.employer",
    "demo.openid.saml",
    "asyncpg",
)
BROKER_PARTS = ("broker.node", "broker.web.faces", "broker.cli.commands", "audit.__main__")


@dataclass(frozen=True, slots=True)
class Child:
    """A process that is up: what its ready line said, and its control channel, if it has one."""

    name: str
    address: str
    control: str | None


class Nursery:
    """One nursery process (`nursery.py`) and the programs it started, each by name."""

    def __init__(self, folder: Path, *preloaded: str) -> None:
        self._folder = folder
        self._preloaded = preloaded
        self._process: subprocess.Popen[bytes] | None = None

    def open(self) -> None:
        """Start the nursery itself; it imports while the world does other things."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._folder / "nursery.log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "demo.world.nursery", *self._preloaded],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=log,
                # A group of its own: Ctrl-C at the terminal reaches the world alone, which then ends everything.
                start_new_session=True,
            )

    def order(
        self,
        name: str,
        module: str,
        argv: Sequence[str],
        env: Mapping[str, str] | None = None,
        *,
        user: int | None = None,
    ) -> None:
        """Start a program, as another user if that is said; whoever needs it waits for it with `ready`."""
        self._ready_file(name).unlink(missing_ok=True)
        self._tell(
            {
                "name": name,
                "module": module,
                "argv": list(argv),
                "env": dict(env or {}),
                "user": user,
                "ready": str(self._ready_file(name)),
                "errors": str(self._errors_file(name)),
            }
        )

    def stop(self, name: str) -> None:
        """Ask one program to end."""
        self._tell({"stop": name})

    async def ended(self, name: str) -> None:
        """Wait until a program that was asked to end has ended."""
        await self._said(name, "ended")

    async def ready(self, name: str) -> Child:
        """Wait for a program's ready line; raise `WorldBroken` when it ends or stays silent instead."""
        words = (await self._said(name, "ready")).split()
        control = words[words.index("control") + 1] if "control" in words else None
        return Child(name, words[1], control)

    def failed(self, name: str) -> str | None:
        """Give what a program that has ended complained of last; None while it runs."""
        if not self._alive() or "ended" in self._lines(name):
            return self.complaint(name)
        return None

    def complaint(self, name: str) -> str:
        """Give the last line a program complained of."""
        for file in (self._errors_file(name), self._folder / "nursery.log"):
            lines = file.read_text("utf-8", errors="replace").splitlines() if file.exists() else []
            told = [line.strip() for line in lines if line.strip()]
            if told:
                return told[-1]
        return "it gave no reason"

    def close(self) -> None:
        """End every program and the nursery; returns when none is left."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    async def _said(self, name: str, word: str) -> str:
        deadline = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < deadline:
            for line in self._lines(name):
                if line.startswith(word):
                    return line
            if word != "ended" and (why := self.failed(name)) is not None:
                raise WorldBroken(f"{name} did not start: {why}")
            await asyncio.sleep(LOOK_SECONDS)
        raise WorldBroken(f"{name} was not {word} after {SECONDS_TO_START:.0f} seconds")

    def _lines(self, name: str) -> list[str]:
        """Read the whole lines a program has printed; half a line is none."""
        try:
            text = self._ready_file(name).read_text("utf-8")
        except FileNotFoundError:
            return []
        return text[: text.rfind("\n") + 1].splitlines()

    def _alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _tell(self, order: Mapping[str, object]) -> None:
        if self._process is None or self._process.stdin is None:
            raise WorldBroken("the world is not open")
        try:
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise WorldBroken(f"the nursery has ended: {self.complaint('nursery')}") from None

    def _ready_file(self, name: str) -> Path:
        return self._folder / f"{name}.ready"

    def _errors_file(self, name: str) -> Path:
        return self._folder / f"{name}.log"


@dataclass(frozen=True, slots=True)
class Nurseries:
    """The two nurseries of a world. Whoever is in a hurry opens them before importing what a world needs."""

    systems: Nursery
    brokers: Nursery

    @classmethod
    def open(cls, folder: Path) -> Nurseries:
        """Start both; they import meanwhile."""
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        nurseries = cls(Nursery(folder / "run", *SYSTEM_PARTS), Nursery(folder / "run-broker", *BROKER_PARTS))
        nurseries.brokers.open()
        nurseries.systems.open()
        return nurseries

    def close(self) -> None:
        """End every program of both; returns when none is left."""
        self.brokers.close()
        self.systems.close()
