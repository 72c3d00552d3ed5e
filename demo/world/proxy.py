"""HAProxy over TLS in front of broker nodes, with the configuration that is deployed (`deploy/haproxy.cfg`).

    proxy = Proxy(folder)                 # an address, a key and a certificate: nodes need the address to start
    ...                                   # start nodes with BROKER_PUBLIC_URL = proxy.address
    proxy.start(["127.0.0.1:8081", "127.0.0.1:8082"])
    ...                                   # callers trust proxy.authority (`ssl`, or SSL_CERT_FILE for a process)
    proxy.stop()

It listens on loopback alone and ends with the process that started it.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import trustme

from demo.world.children import ROOT, WorldBroken
from demo.world.files import write_private

CONFIGURATION = ROOT / "deploy" / "haproxy.cfg"
KEEPER = ROOT / "demo" / "keeper.py"
HOST = "127.0.0.1"
MOST_NODES = 4
FIRST_PORT, PORTS = 15_000, 15_000
SECONDS_TO_START, SECONDS_TO_STOP = 20.0, 15.0
ADVICE = "haproxy is not here: install the package `haproxy` (Debian, Ubuntu: apt-get install haproxy)"


def haproxy() -> Path | None:
    """Find HAProxy on this machine, or None."""
    # Debian puts it where an ordinary user's path does not look.
    found = shutil.which("haproxy", path=os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"]))
    return Path(found) if found else None


class Proxy:
    """One HAProxy. `address` is where callers find it, `authority` the PEM file they trust it by.

    Use it in a `with` block, or call `stop`. Making one starts nothing; `folder` is for its owner alone.
    """

    def __init__(self, folder: Path, *, port: int = 0, most_connections: int = 2000) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.authority = folder / "authority.pem"
        self._certificate = folder / "certificate.pem"
        self._most_connections = most_connections
        self._keeper: subprocess.Popen[bytes] | None = None
        issuer = trustme.CA()
        mine = issuer.issue_cert(HOST, "localhost")
        write_private(self._certificate, mine.private_key_and_cert_chain_pem.bytes().decode())
        write_private(self.authority, issuer.cert_pem.bytes().decode())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def address(self) -> str:
        """Where callers find the nodes; their BROKER_PUBLIC_URL."""
        return f"https://{HOST}:{self.port}"

    def trust(self) -> ssl.SSLContext:
        """Give a context that trusts this proxy and nobody else."""
        return ssl.create_default_context(cafile=str(self.authority))

    def settings(self, nodes: Sequence[str]) -> dict[str, str]:
        """Give what `deploy/haproxy.cfg` reads from the environment, for nodes as host:port."""
        if not 0 < len(nodes) <= MOST_NODES:
            raise ValueError(f"between one and {MOST_NODES} nodes")
        return {
            "PUBLIC_HOST": f"{HOST}:{self.port}",
            "PROXY_BIND": f"{HOST}:{self.port}",
            "CERTIFICATE": str(self._certificate),
            "MOST_CONNECTIONS": str(self._most_connections),
            **{f"NODE_{number}": node for number, node in enumerate(nodes, start=1)},
        }

    def start(self, nodes: Sequence[str]) -> None:
        """Start it in front of these nodes, host:port each, and return when it takes connections.

        Raises `WorldBroken` when HAProxy is not here or does not start.
        """
        program = haproxy()
        if program is None:
            raise WorldBroken(ADVICE)
        command = [sys.executable, "-I", "-S", str(KEEPER), "--", str(program), "-db", "-f", str(CONFIGURATION)]
        log = self.folder / "haproxy.log"
        with log.open("wb") as sink:
            self._keeper = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=sink,
                env={"PATH": os.defpath, **self.settings(nodes)},
                start_new_session=True,
            )
        deadline = time.monotonic() + SECONDS_TO_START
        while not _takes_connections(self.port):
            if self._keeper.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise WorldBroken(f"haproxy did not start: {_last_line(log)}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop it; does nothing when it does not run."""
        keeper, self._keeper = self._keeper, None
        if keeper is None:
            return
        if keeper.stdin is not None:
            keeper.stdin.close()
        keeper.wait(SECONDS_TO_STOP)


def _takes_connections(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def free_port() -> int:
    """Give a port below those that the system hands to outgoing connections: nobody takes it before we do."""
    for _ in range(50):
        port = FIRST_PORT + secrets.randbelow(PORTS)
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) != 0:
                return port
    raise WorldBroken("no free port was found on this machine")


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text("utf-8", errors="replace").splitlines() if line.strip()]
    telling = [line for line in lines if "ALERT" in line]
    return (telling or lines or ["it gave no reason"])[-1].strip()
