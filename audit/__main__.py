"""`python -m audit`: verify, export and prove, for auditors, citizens and journalists; witness, for neighbours.

Exit codes: 0 all is well, 1 something is wrong with a log or a proof, 2 the check could not be done.
"""

import argparse
import sys
from collections.abc import Sequence

import asyncpg

from audit import checkpointer_command, files_command, keys_command, verify_command, witness_command
from audit.errors import LogError, NotVerified, TreeMismatch


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    given = _parser().parse_args(arguments)
    try:
        code: int = given.run(given)
    except (LogError, OSError, UnicodeError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        sys.stderr.write(f"audit: {_reason(error)}\n")
        return 1 if isinstance(error, NotVerified | TreeMismatch) else 2
    return code


def _reason(error: Exception) -> str:
    """Say what went wrong; a driver's own words may repeat an address with its password, so they are left out."""
    if isinstance(error, LogError):
        return str(error)
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return f"the log cannot be read ({type(error).__name__})"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m audit", description="Check a transparency log.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in (verify_command, files_command, checkpointer_command, witness_command, keys_command):
        module.add_to(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
