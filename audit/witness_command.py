"""`python -m audit witness`: a witness as a process of its own."""

import argparse
import asyncio
import sys
import time
from pathlib import Path
from typing import Any

from audit import key_files
from audit.errors import Malformed
from audit.heads_file import HeadsFile
from audit.witness import KnownLogs, Witness
from audit.witness_server import WitnessServer, tell

STATE = "the file that remembers what was signed; its folder must be there"
NEW_STATE = "begin a state file where there is none: for a new key alone, because whoever forgot signs forks"


def add_to(commands: Any) -> None:
    """Add the command to `python -m audit`."""
    witness = commands.add_parser(
        "witness",
        help="serve a witness: cosign what only grew (C2SP tlog-witness)",
        description="Serve a witness until SIGTERM. Exit codes: 0 it was told to stop, 2 it cannot go on.",
    )
    witness.add_argument(
        "--key", metavar="FILE", type=Path, required=True, help="private keys, as `keys new` makes them"
    )
    witness.add_argument(
        "--logs", metavar="FILE", type=Path, required=True, help="lines of `log VKEY [ORIGIN]`; ORIGIN/* is all below"
    )
    witness.add_argument("--state", metavar="FILE", type=Path, required=True, help=STATE)
    witness.add_argument("--new-state", action="store_true", help=NEW_STATE)
    witness.add_argument(
        "--listen", metavar="HOST:PORT", default="127.0.0.1:7380", help="default %(default)s; port 0: any"
    )
    witness.add_argument("--prefix", default="", metavar="/PATH", help="the submission prefix's path (default: none)")
    witness.set_defaults(run=_witness)


def _witness(given: argparse.Namespace) -> int:
    cosigners = key_files.read_cosigners(given.key)
    key_files.find_modules(cosigners)
    logs = KnownLogs.from_text(given.logs.read_text(encoding="utf-8"))
    host, port = _address(given.listen)
    with HeadsFile(given.state, cosigners[0].name, new=given.new_state) as heads:
        evidence = given.state.with_name(given.state.name + ".forks")
        witness = Witness(heads, cosigners, logs, now=lambda: int(time.time()), evidence=evidence)
        server = WitnessServer(witness, [cosigner.key for cosigner in cosigners], prefix=given.prefix)
        asyncio.run(_serve(server, host, port, given.prefix))
    return 0


async def _serve(server: WitnessServer, host: str, port: int, prefix: str) -> None:
    taken = await server.start(host, port)
    sys.stdout.write(f"ready http://{host}:{taken}{prefix}\n")
    sys.stdout.flush()
    tell("witness", what="serving", port=taken)
    await server.run()


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise Malformed("an address to listen on is HOST:PORT")
    return host.strip("[]"), int(port)
