"""All commands of `broker`, by name. Heavy parts are imported when a command runs."""

from __future__ import annotations

import typer

from broker.cli.ask import ask
from broker.cli.citizen import citizen
from broker.cli.db import db
from broker.cli.demo import demo
from broker.cli.keys import keys
from broker.cli.notices import notices
from broker.cli.policy import policy
from broker.cli.receipt import receipt
from broker.cli.registry import registry
from broker.cli.retention import retention
from broker.cli.samples import samples
from broker.cli.scenario import scenario
from broker.cli.serve import serve, settings

app = typer.Typer(
    name="broker",
    no_args_is_help=True,
    add_completion=False,
    # A traceback with local variables would lay values bare.
    pretty_exceptions_enable=False,
    help="Borgerbro: a consent and data-sharing broker.",
)
app.command()(serve)
app.command()(ask)
app.command()(scenario)
app.command()(demo)
app.command()(settings)
app.add_typer(registry, name="registry")
app.add_typer(policy, name="policy")
app.add_typer(keys, name="keys")
app.add_typer(receipt, name="receipt")
app.add_typer(db, name="db")
app.add_typer(citizen, name="citizen")
app.add_typer(retention, name="retention")
app.add_typer(notices, name="notices")
app.add_typer(samples, name="samples")
