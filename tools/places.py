"""Where things are, and the environment that every command of ours gets."""

import hashlib
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
TOOLS = ROOT / ".tools"
BIN = TOOLS / "bin"

IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}


class CannotGoOn(RuntimeError):
    """The command cannot be carried out here; the message is one line that says why and what to do."""


def environment() -> dict[str, str]:
    """Give the caller's environment, with our own tools first on the path."""
    path = os.environ.get("PATH", os.defpath)
    return os.environ | {"PATH": os.pathsep.join([str(BIN), str(VENV / "bin"), path])}


def fingerprint(*files: Path) -> str:
    """Give a hash over files, this Python and this place: what a stamp compares."""
    parts = [sys.version, str(ROOT), *(hashlib.sha256(file.read_bytes()).hexdigest() for file in files)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def is_stamped(stamp: Path, mark: str) -> bool:
    """Tell whether this stamp was set for this very mark."""
    return stamp.exists() and stamp.read_text(encoding="ascii") == mark


def set_stamp(stamp: Path, mark: str) -> None:
    """Remember that the work behind this mark is done."""
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(mark, encoding="ascii")
