#!/usr/bin/env python3
"""Set up the project and run its commands: `python3 run.py --help`.

Needs nothing but Python 3.11. This file itself runs on older Pythons too, so that they get a clear answer.
"""

import sys


def main() -> int:
    """Run the command named on the command line; 2 means that this machine or command line cannot."""
    if sys.version_info < (3, 11):  # noqa: UP036 - This is the one place that must speak to older Pythons.
        print("Borgerbro needs Python 3.11 or newer; this is Python {}.{}.".format(*sys.version_info[:2]))
        return 2
    if sys.platform not in {"linux", "darwin"}:
        print("Borgerbro runs on Linux and macOS; this is " + sys.platform + ". On Windows, use WSL 2.")
        return 2
    try:
        # Imported after the question, because these files are written for the Python that we need.
        from tools.commands import run  # noqa: PLC0415

        return run(sys.argv[1:])
    except KeyboardInterrupt:
        return 130  # As the shell says it of a command ended by Ctrl-C.


if __name__ == "__main__":
    sys.exit(main())
