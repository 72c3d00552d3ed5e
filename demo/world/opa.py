"""An OPA server as it is deployed (`deploy/opa/config.yaml`): a signed bundle, a token, the decision and nothing else.

    server = OpaServer(folder, program)
    server.publish(rules, tables)          # write and sign the bundle; again for a new one
    server.start()                         # BROKER_OPA_URL = server.address, BROKER_OPA_TOKEN = server.token
    server.stop()

It listens on loopback alone and ends with the process that started it.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from joserfc.jwk import ECKey

from broker.policy_bundle import write_signed_bundle
from broker.policy_tables import Rules
from demo.world.children import ROOT, WorldBroken
from demo.world.files import write_private

CONFIGURATION = ROOT / "deploy" / "opa" / "config.yaml"
KEEPER = ROOT / "demo" / "keeper.py"
HOST, KEY_ID = "127.0.0.1", "borgerbro"
SECONDS_TO_START, SECONDS_TO_STOP = 20.0, 15.0
FLAGS = ("--authentication=token", "--authorization=basic", "--skip-version-check", "--log-level=error")


class OpaServer:
    """One OPA server, its bundle and the key its bundles are signed with. `folder` is for its owner alone."""

    def __init__(self, folder: Path, program: Path) -> None:
        self.folder = folder
        self.bundle = folder / "borgerbro.tar.gz"
        self.token = secrets.token_urlsafe(32)
        self.key = ECKey.generate_key("P-256")
        self._program = program
        self._keeper: subprocess.Popen[bytes] | None = None
        self.port = 0
        write_private(folder / "policy.pub.pem", self.key.as_pem(private=False).decode("ascii"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def address(self) -> str:
        """Where nodes find it."""
        return f"http://{HOST}:{self.port}"

    def publish(self, rules: Rules, tables: Mapping[str, Any]) -> str:
        """Write and sign the bundle, and give its revision."""
        return write_signed_bundle(self.bundle, rules, tables, self.key, KEY_ID)

    def start(self, *, seconds: float = SECONDS_TO_START) -> None:
        """Start it and return when it has taken the bundle; raise `WorldBroken` when it does not."""
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            self.port = int(probe.getsockname()[1])
        command = [
            *(sys.executable, "-I", "-S", str(KEEPER), "--", str(self._program), "run", "--server", *FLAGS),
            *("--addr", f"{HOST}:{self.port}", "--config-file", str(CONFIGURATION)),
            *("--set", f"bundles.{KEY_ID}.resource=file://{self.bundle}"),
            *("--set-file", f"keys.{KEY_ID}.key={self.folder / 'policy.pub.pem'}"),
        ]
        # The token goes by the environment: arguments can be read by everyone on the machine.
        environment = {"PATH": os.defpath, "HOME": str(self.folder), "BROKER_OPA_TOKEN": self.token}
        with (self.folder / "opa.log").open("wb") as log:
            self._keeper = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=log, env=environment,
                start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + seconds
        while self.status("/health?bundles") != 200:
            if self._keeper.poll() is not None or time.monotonic() > deadline:
                raise WorldBroken("the OPA server did not take its bundle")
            time.sleep(0.05)

    def status(self, path: str, *, token: str | None = None, body: bytes | None = None, method: str = "") -> int:
        """Ask it something and give the status of its answer; 0 where there is none."""
        request = urllib.request.Request(f"{self.address}{path}", data=body, method=method or None)  # noqa: S310 -- loopback
        if token is not None:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=2) as answer:  # noqa: S310 -- loopback
                return int(answer.status)
        except urllib.error.HTTPError as refusal:
            refusal.close()
            return refusal.code
        except OSError:
            return 0

    def stop(self) -> None:
        """Stop it; does nothing when it does not run."""
        keeper, self._keeper = self._keeper, None
        if keeper is None:
            return
        if keeper.stdin is not None:
            keeper.stdin.close()
        keeper.wait(SECONDS_TO_STOP)
