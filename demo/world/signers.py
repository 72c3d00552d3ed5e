"""A world's checkpointer and its witness: two processes with keys, state and, for root, users of their own.

The witness plays another municipality: it knows the logs' public key and their name, and nothing else of the world.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from demo.world.children import ROOT, Nursery
from demo.world.files import WorldFiles, write_private

CHECKPOINTER, WITNESS = "checkpointer", "witness"
WITNESS_NAME = "witness.example/neighbour"
# Nobody else's, and not the user under whom root's PostgreSQL runs: a database's owner must not read these keys.
USERS = {CHECKPOINTER: 64_301, WITNESS: 64_302}


class Signers:
    """Starts and stops both; `log_name` is what the world's logs are published under."""

    def __init__(self, files: WorldFiles, nursery: Nursery, log_name: str) -> None:
        self._files = files
        self._nursery = nursery
        self._log_name = log_name
        self._running = False

    async def start(self, address: str, *, fresh: bool) -> None:
        """Start both over a database; `fresh` says that it has no rows, so that nothing was signed of it yet."""
        database = urlsplit(address).path.strip("/")
        witness, vkey = self._folder(WITNESS), self._witness_key()
        known = self._files.keys / "log.vkey"
        logs = [f"log {line} {self._log_name}/*\n" for line in known.read_text("utf-8").splitlines() if line]
        write_private(witness / "logs", "".join(logs))
        listen = ["--key", "w.skey", "--logs", "logs", "--listen", "127.0.0.1:0"]
        where = await self._start(WITNESS, database, listen, fresh=fresh)
        mine = self._folder(CHECKPOINTER)
        write_private(mine / "policy", f"witness neighbour {vkey} {where}\nquorum neighbour\n")
        write_private(mine / "database", address)
        words = [
            "--database",
            f"@{mine / 'database'}",
            "--key",
            "log.skey",
            "--known",
            "log.vkey",
            "--policy",
            "policy",
        ]
        await self._start(CHECKPOINTER, database, words, fresh=fresh)
        self._running = True

    def policy(self) -> Path:
        """Write for the broker which witness is to cosign, and say where."""
        place = self._files.folder / "witnesses"
        write_private(place, f"witness neighbour {self._witness_key()}\nquorum neighbour\n")
        return place

    def _witness_key(self) -> str:
        """Give the witness's public key, and make its keys where it has none yet."""
        from audit import key_files  # noqa: PLC0415 - a demo's set-up is in a hurry

        place = self._folder(WITNESS) / "w.skey"
        if not place.exists():
            key_files.write_new(place, key_files.new_keys(WITNESS_NAME, witness=True))
        (vkey,) = [str(key_files.public_of(key)) for key in key_files.read_private(place)]
        return vkey

    async def stop(self) -> None:
        """Stop both, if they run."""
        if self._running:
            self._running = False
            for name in (CHECKPOINTER, WITNESS):
                self._nursery.stop(name)
            for name in (CHECKPOINTER, WITNESS):
                await self._nursery.ended(name)

    async def _start(self, name: str, database: str, words: list[str], *, fresh: bool) -> str:
        """Start one over its state for a database, and give what it says it is reached by."""
        folder = self._folder(name)
        state = folder / f"{database}.state"
        if fresh:
            state.unlink(missing_ok=True)
        begin = [] if state.exists() else ["--new-state"]
        if begin and name == CHECKPOINTER:
            begin.append("--take-over")  # A log from the time when nodes signed goes on.
        files = {"w.skey", "logs", "log.skey", "log.vkey", "policy"}
        argv = [name, *(str(folder / word) if word in files else word for word in words), "--state", str(state), *begin]
        self._nursery.order(name, "audit", argv, user=self._given_to(name))
        return (await self._nursery.ready(name)).address

    def _folder(self, name: str) -> Path:
        folder = self._files.folder / name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def _given_to(self, name: str) -> int | None:
        """Give a process's files to a user of its own, where we are root and that user can reach them and the code."""
        user = USERS[name]
        if os.geteuid() != 0 or not all(_is_open(Path(place)) for place in (ROOT, sys.executable, sys.base_prefix)):
            return None
        folder = self._folder(name)
        if not _is_open(folder.parent):
            return None
        give(folder, user)
        return user


def give(folder: Path, user: int) -> None:
    """Give a folder and what lies in it to a user; never what a link there leads to, which may be that user's doing."""
    for place in (folder, *folder.iterdir()):
        os.chown(place, user, user, follow_symlinks=False)


def _is_open(place: Path) -> bool:
    """Tell whether everybody may pass through to a place."""
    found = place.resolve()
    return all(one.stat().st_mode & 0o001 for one in (found, *found.parents))
