"""The commands of `run.py`: what each is called, what it does first, what it then becomes."""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from tools import check, parts, setup
from tools.places import IN_CI, PYTHON, ROOT, CannotGoOn, environment

COMMANDS = {
    "demo": "run the broker live, with invented department systems, pages and a guided tour (--once: play, then end)",
    "test": "run the tests, after getting the real parts that can be had; what follows goes to pytest",
    "check": "format, lint, types, imports, policies, docs: looks and changes nothing",
    "fix": "repair what the formatters and linters can repair",
    "bench": "measure what an ask costs, beside a hand-written floor and the bare source (--profile: where time goes)",
    "oversight-proof": "hide snoopers in invented years and see what reviews find (--quick, --page)",
    "shape": "run production's shape as processes, kill a node and the replica, show what callers saw (--quick)",
    "defences": "switch each defence off in a copy of the tree: its tests must fail (--only, --changed, --part)",
    "mutants": "damage the rules in every small way: the tests of the rules must notice (--only, --part, --keep)",
    "soak": "try for long what the tests try shortly: crashes, failing disks, honest running (--minutes N, --only)",
    "docs": "write anew the pages that follow from the code",
}
# What these turn into: a module of the project, and its first words.
MODULES = {
    "demo": ("broker", "demo"),
    "bench": ("bench",),
    "oversight-proof": ("bench.year",),
    "shape": ("deploy.shape",),
    "defences": ("tools.defences",),
    "mutants": ("tools.mutants",),
    "soak": ("tests.soak",),
    "docs": ("docs.generate",),
}
# On every core, neighbours on one core so that a world is started once for a file's tests; skipped tests say why.
WHOLE_SUITE = ["-n", "auto", "--dist", "worksteal", "-rfEs"]
STOPPED = 130  # As the shell says it of a command ended by Ctrl-C.


def run(arguments: Sequence[str]) -> int:
    """Run one command; 2 when it cannot be carried out here, with one line that says why."""
    parser = argparse.ArgumentParser(
        prog="run.py",
        usage="python3 run.py COMMAND [what the command takes]",
        description="Set up the project, then run one of its commands. The first run fetches what is needed.",
        epilog="\n".join(f"  {name:<15} {does}" for name, does in COMMANDS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help=argparse.SUPPRESS)
    parser.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    if not arguments:
        parser.print_help()
        return 2
    options = parser.parse_args(arguments)
    try:
        setup.set_up()
        return _carry_out(options.command, options.rest)
    except CannotGoOn as reason:
        print(f"run.py: {reason}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return STOPPED


def _carry_out(command: str, rest: list[str]) -> int:
    if command in ("test", "defences", "mutants"):
        _get_parts()
    if command == "test":
        _become("pytest", *(rest or WHOLE_SUITE))
    if command in MODULES:
        _become(*MODULES[command], *rest)
    return check.fix() if command == "fix" else check.check()


def _get_parts() -> None:
    """Get the real parts for the tests; say what is missing, and stop when CI has no judge for the policies."""
    missing = parts.missing_parts()
    for line in missing.values():
        print(line, flush=True)
    if IN_CI and "OPA" in missing:
        raise CannotGoOn("in CI the policies are judged by OPA itself, and it is missing")


def _become(module: str, *arguments: str) -> NoReturn:
    """Turn this process into a module of the project, so that signals and exit codes are its own."""
    sys.stdout.flush()
    os.chdir(ROOT)
    os.execve(PYTHON, [str(PYTHON), "-m", module, *arguments], environment())  # noqa: S606 - No shell is wanted.
