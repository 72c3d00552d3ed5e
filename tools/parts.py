"""Optional real parts for the tests: OPA, Regal, and peers from Node. Each is got once, or missed in one line.

`python3 -m tools.parts` gets them without anything else, so that slow builds can start early.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.places import BIN, ROOT, TOOLS, environment, fingerprint, is_stamped, set_stamp
from tools.progress import last_line, run_slow
from tools.setup import install_beside

OLDEST_OPA = (1, 21, 3)
TESSERA_FSCK = "github.com/transparency-dev/tessera/cmd/fsck"
PEERS = ROOT / "tests" / "peers" / "node"
OTHER_WITNESS = TOOLS / "aics-witness"


@dataclass(frozen=True)
class Part:
    """A real thing that some tests and checks want: what it is called, how to get it, how to help oneself."""

    name: str
    get: Callable[[], str | None]  # None when it is there, else the reason why not.
    advice: str


def missing_parts() -> dict[str, str]:
    """Get every part that can be had here; name those that cannot, each with one line."""
    missing = {}
    for part in parts():
        if reason := part.get():
            missing[part.name] = f"{part.name} is not here ({reason}); to get it: {part.advice}"
    return missing


def parts() -> Iterator[Part]:
    """Yield the parts that this checkout has a use for."""
    go = "install Go 1.26 or newer and run this again"
    yield Part("OPA", lambda: _from_go("opa", "github.com/open-policy-agent/opa", _is_recent_opa), go)
    yield Part("Regal", lambda: _from_go("regal", "github.com/open-policy-agent/regal", _answers), go)
    yield Part("Tessera's fsck", lambda: _from_go("tessera-fsck", TESSERA_FSCK, _is_file), go)
    yield Part("the witness of another make", _other_witness, "connect to a package index and run this again")
    if (PEERS / "package-lock.json").exists():
        yield Part("the Node peers", _peers, "install Node 20 or newer with npm and run this again")


def found(name: str) -> Path | None:
    """Give a program of ours or of the machine, or None."""
    path = shutil.which(name, path=environment()["PATH"])
    return Path(path) if path else None


def recent_opa() -> Path | None:
    """Give an OPA that is new enough to judge the policies, or None."""
    program = found("opa")
    return program if program and _is_recent_opa(program) else None


def _from_go(name: str, package: str, is_good: Callable[[Path], bool]) -> str | None:
    """Build a Go program at the version and hashes of tools/<name>, unless a good one is here."""
    module = ROOT / "tools" / name
    mark = fingerprint(module / "go.mod", module / "go.sum")
    stamp = TOOLS / f"{name}.stamp"
    here = found(name)
    if here and is_good(here) and (here.parent != BIN or is_stamped(stamp, mark)):
        return None
    if not shutil.which("go"):
        return "it is built with Go, which is not here"
    command: list[str | Path] = ["go", "build", "-mod=readonly", "-trimpath", "-o", BIN / name, package]
    told = run_slow(f"Building {name} with Go (once, some minutes)", command, cwd=module, extra={"GOFLAGS": ""})
    if told.returncode != 0:
        return last_line(told.stdout)
    set_stamp(stamp, mark)
    return None


def _other_witness() -> str | None:
    """Install a witness that is not ours, by its hashes, where nothing of ours can import it by mistake."""
    lock = ROOT / "tools" / "aics-witness" / "requirements.txt"
    mark, stamp = fingerprint(lock), TOOLS / "aics-witness.stamp"
    if is_stamped(stamp, mark) and OTHER_WITNESS.exists():
        return None
    if reason := install_beside("Installing the witness of another make", OTHER_WITNESS, lock):
        return reason
    set_stamp(stamp, mark)
    return None


def _peers() -> str | None:
    """Install the Node peers by their lock."""
    mark = fingerprint(PEERS / "package-lock.json")
    stamp = TOOLS / "peers.stamp"
    if is_stamped(stamp, mark) and (PEERS / "node_modules").exists():
        return None
    if not shutil.which("npm"):
        return "npm is not here"
    told = run_slow("Installing the Node peers", ["npm", "ci", "--no-audit", "--no-fund"], cwd=PEERS)
    if told.returncode != 0:
        return last_line(told.stdout)
    set_stamp(stamp, mark)
    return None


def _is_recent_opa(program: Path) -> bool:
    match = re.search(r"^Version: (\d+)\.(\d+)\.(\d+)", _told(program), re.MULTILINE)
    return match is not None and tuple(map(int, match.groups())) >= OLDEST_OPA


def _answers(program: Path) -> bool:
    return "Version:" in _told(program)


def _is_file(program: Path) -> bool:
    """It tells no version; the stamp does, and nobody else has a program of that name."""
    return program.is_file()


def _told(program: Path) -> str:
    """Give what a program says of its version, or nothing when it cannot be run."""
    try:
        done = subprocess.run([program, "version"], capture_output=True, text=True, check=False, timeout=60)
    except OSError:
        return ""
    return done.stdout if done.returncode == os.EX_OK else ""


def main() -> int:
    """Get what can be had, and say what cannot; 1 when anything is missing."""
    missing = missing_parts()
    for line in missing.values():
        print(line)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
