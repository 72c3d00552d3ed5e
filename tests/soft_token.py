"""A real PKCS#11 token in software (SoftHSM 2), in a folder of its own, for tests of keys in tokens."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tools.places import IN_CI

PIN = "4711-pin-of-a-test"
LACKING = "SoftHSM is not here: Debian's package softhsm2 is the token that keys are tested in"
_NUMBERS = itertools.count()


def soft_token(folder: Path, patch: pytest.MonkeyPatch) -> SoftToken:
    """Make a token, and let this process and its children see it alone; skip where there is no SoftHSM, fail in CI."""
    module = next(_modules(), None)
    if module is None or shutil.which("softhsm2-util") is None:
        (pytest.fail if IN_CI else pytest.skip)(LACKING)
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n")
    patch.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
    # A name of its own, because a process remembers of a token that it refused the PIN.
    token = SoftToken(folder, f"test {next(_NUMBERS)}", module)
    token.write_pin(PIN)
    words = ["--init-token", "--free", "--label", token.label, "--so-pin", "so-" + PIN, "--pin", PIN]
    subprocess.run(["softhsm2-util", *words], check=True, capture_output=True)
    return token


@dataclass(frozen=True)
class SoftToken:
    """One token, where it lies and what it is called."""

    folder: Path
    label: str
    module: Path

    def uri(self, name: str = "log") -> str:
        """Name a key in it, as a key file does."""
        token = self.label.replace(" ", "%20")
        return f"pkcs11:token={token};object={name}?module-path={self.module}&pin-source=file:{self.pin_file}"

    @property
    def pin_file(self) -> Path:
        """Give the file that holds the PIN."""
        return self.folder / "pin"

    def write_pin(self, pin: str) -> None:
        """Write the file of the PIN, for its owner alone."""
        self.pin_file.touch(mode=0o600)
        self.pin_file.write_text(f"{pin}\n")

    def take_out(self) -> None:
        """Pull the token out."""
        (self.folder / "tokens").rename(self.folder / "away")
        (self.folder / "tokens").mkdir()

    def put_back(self) -> None:
        """Put it in again."""
        (self.folder / "tokens").rmdir()
        (self.folder / "away").rename(self.folder / "tokens")


def _modules() -> Iterator[Path]:
    for root in (Path("/usr/lib"), Path("/usr/lib64"), Path("/usr/local/lib"), Path("/opt/homebrew/lib")):
        for pattern in ("softhsm/libsofthsm2.so", "*/softhsm/libsofthsm2.so", "pkcs11/libsofthsm2.so"):
            yield from sorted(root.glob(pattern))
