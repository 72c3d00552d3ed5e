"""Another municipality's witness, served on loopback in the test's own process: it can be stopped and started."""

from collections.abc import Callable
from pathlib import Path
from typing import Self

from audit.cosignature import ED25519, Cosigner
from audit.heads_file import HeadsFile
from audit.witness import KnownLogs, Witness
from audit.witness_server import WitnessServer


class Neighbour:
    """A real witness with a state file of its own. `now` is its clock."""

    def __init__(self, folder: Path, name: str, logs: KnownLogs, *, now: Callable[[], int]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.cosigner = Cosigner(f"witness.example/{name}", ED25519, name.encode().ljust(32, b"."))
        self._folder = folder
        self._logs = logs
        self._now = now
        self.port = 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen, at the same place as before if it ran before."""
        self._heads = HeadsFile(self._folder / "state", self.name, new=True)
        witness = Witness(self._heads, [self.cosigner], self._logs, now=self._now, evidence=self._folder / "forks")
        self._server = WitnessServer(witness, [self.cosigner.key])
        self.port = await self._server.start("127.0.0.1", self.port)

    async def stop(self) -> None:
        """Be gone; the state stays."""
        await self._server._runner.cleanup()
        self._heads.close()

    @property
    def line(self) -> str:
        """Write the line of a policy that names it."""
        return f"witness {self.name} {self.cosigner.key} http://127.0.0.1:{self.port}/\n"

    @property
    def forks(self) -> int:
        """Tell how many forks it has kept as evidence."""
        return len(list((self._folder / "forks").glob("*.txt")))
