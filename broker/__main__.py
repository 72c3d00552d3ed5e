"""`python -m broker`: the command line of the broker."""

from __future__ import annotations

import sys

# As the shell says it of a command ended by Ctrl-C.
STOPPED = 130


def main() -> None:
    """Run the command line; Ctrl-C ends it quietly, even before it has come up."""
    try:
        from broker.cli.commands import app  # noqa: PLC0415 - Importing takes a moment, in which Ctrl-C may come.

        app()
    except KeyboardInterrupt:
        sys.exit(STOPPED)


if __name__ == "__main__":
    main()
