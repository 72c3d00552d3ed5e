"""`python -m broker`: the command line of the broker."""

from __future__ import annotations

from broker.cli.commands import app


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
