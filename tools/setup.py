"""Make the virtual environment from the lock file, every package checked against its hash.

With `uv` where it is on the path; else with a hash-pinned uv, fetched by pip into `.tools`; else with pip alone.
A stamp remembers the lock, so that the next run touches no network.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.places import PYTHON, ROOT, TOOLS, VENV, CannotGoOn, environment, fingerprint, is_stamped, set_stamp
from tools.progress import last_line, run_slow

LOCK = ROOT / "requirements.lock"
UV_LOCK = ROOT / "requirements-uv.lock"
STAMP = VENV / "borgerbro.stamp"
OWN_UV = TOOLS / "uv"
OWN_PIP = TOOLS / "pip"

NO_PIP = (
    "this Python has neither uv nor pip nor ensurepip: install one of them first "
    "(Debian, Ubuntu: apt-get install python3-venv; anywhere: uv)"
)
NO_NETWORK = "no network: the first run fetches packages; connect, or set UV_DEFAULT_INDEX to a mirror, and try again"
NETWORK_WORDS = (
    "dns error",
    "name resolution",
    "error sending request",
    "tcp connect error",
    "connection refused",
    "newconnectionerror",
    "connecttimeout",
    "network is unreachable",
    "max retries exceeded",
    "failed to establish a new connection",
)


def set_up() -> None:
    """Bring the virtual environment to what the lock says; does nothing when it is so already.

    Raises CannotGoOn with one line when it cannot be done here.
    """
    mark = fingerprint(LOCK)
    if is_stamped(STAMP, mark) and PYTHON.exists():
        return
    try:
        TOOLS.mkdir(exist_ok=True)
        with _alone():
            if is_stamped(STAMP, mark) and PYTHON.exists():
                return  # Another run did it while we waited.
            _install()
            set_stamp(STAMP, mark)
    except OSError as error:
        raise CannotGoOn(f"cannot write to {ROOT}: {error.strerror or error}") from error


@contextmanager
def _alone() -> Iterator[None]:
    """Keep two runs in two terminals from setting up at once."""
    with (TOOLS / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install() -> None:
    if not _works(PYTHON, "-c", f"import sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"):
        shutil.rmtree(VENV, ignore_errors=True)
    uv = _find_uv()
    if uv is None:
        _install_with_pip()
        return
    if not VENV.exists():
        _must("Making the virtual environment", uv, "venv", "--quiet", "--python", sys.executable, VENV)
    _must("Installing packages with uv", uv, "pip", "sync", "--require-hashes", "--python", PYTHON, LOCK)


def install_beside(what: str, folder: Path, lock: Path) -> str | None:
    """Install pure Python packages by their hashes into a folder of their own; say why not where that fails.

    What they say of the Python they want, and of packages they need, is left to whoever wrote the lock.
    """
    wanted: list[str | Path] = ["--no-deps", "--require-hashes", "--ignore-requires-python", "--only-binary", ":all:"]
    told = run_slow(what, [*_pip(), "install", *wanted, "--target", folder, "--upgrade", "-r", lock])
    return None if told.returncode == 0 else last_line(told.stdout)


def _find_uv() -> Path | None:
    """Give a uv that works: the machine's, else our own by its hash, else None where there is none for this system."""
    # A name on the path may be a shim with nothing behind it, so it is asked.
    for found in (shutil.which("uv"), OWN_UV / "bin" / "uv"):
        if found and _works(found, "--version"):
            return Path(found)
    wanted: list[str | Path] = [
        "--require-hashes",
        "--only-binary",
        ":all:",
        "--target",
        OWN_UV,
        "--upgrade",
        "-r",
        UV_LOCK,
    ]
    told = run_slow("Fetching uv", [*_pip(), "install", *wanted])
    if told.returncode != 0 and _is_network(told.stdout):
        raise CannotGoOn(NO_NETWORK)
    found = OWN_UV / "bin" / "uv"
    return found if told.returncode == 0 and _works(found, "--version") else None


def _install_with_pip() -> None:
    if not VENV.exists():
        _must("Making the virtual environment", sys.executable, "-m", "venv", "--without-pip", VENV)
    install: list[str | Path] = ["--python", PYTHON, "install", "--require-hashes", "--no-deps", "-r", LOCK]
    _must("Installing packages with pip", *_pip(), *install)


def _pip() -> list[str | Path]:
    """Give a pip command: this Python's own, else one from a small environment made for it."""
    if _works(sys.executable, "-m", "pip", "--version"):
        return [sys.executable, "-m", "pip"]
    own = OWN_PIP / "bin" / "python"
    if not _works(own, "-m", "pip", "--version"):
        shutil.rmtree(OWN_PIP, ignore_errors=True)
        # Debian's Python has a venv module that fails without the package python3-venv.
        if run_slow("Making an environment for pip", [sys.executable, "-m", "venv", OWN_PIP]).returncode != 0:
            raise CannotGoOn(NO_PIP)
    return [own, "-m", "pip"]


def _works(*command: str | Path) -> bool:
    """Tell whether a command can be run and succeeds."""
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=60).returncode == 0
    except OSError:
        return False


def _must(what: str, *command: str | Path) -> None:
    """Run one step of the set-up, or raise CannotGoOn with its reason."""
    told = run_slow(what, command, extra=_mirrors())
    if told.returncode == 0:
        return
    if _is_network(told.stdout):
        raise CannotGoOn(NO_NETWORK)
    raise CannotGoOn(f"{what.lower()} failed: {last_line(told.stdout)}")


def _mirrors() -> dict[str, str]:
    """Let uv use the mirror that pip was told about, and never fetch another Python."""
    settings = {"UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1"}
    known = environment().keys() & {"UV_DEFAULT_INDEX", "UV_INDEX_URL"}
    if not known and (mirror := os.environ.get("PIP_INDEX_URL")):
        settings["UV_DEFAULT_INDEX"] = mirror
    return settings


def _is_network(output: str) -> bool:
    return any(words in output.lower() for words in NETWORK_WORDS)
