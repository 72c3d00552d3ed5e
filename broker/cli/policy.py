"""`broker policy`: check the rules, run their tests, explain what a question would be answered."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from broker.cli.replay import replay
from broker.cli.say import WRONG_USE, fail, out, print_json

policy = typer.Typer(no_args_is_help=True, help="The rules: what may be shared, and why not.")
POLICIES = Path(__file__).parents[2] / "policies"


@policy.callback()
def group() -> None:
    """Look after the rules."""


policy.command()(replay)


@policy.command()
def check(
    folder: Annotated[Path, typer.Argument(help="The folder of rules and law tables")] = POLICIES,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False,
) -> None:
    """Hold the rules against the portable profile, in which every engine gives the same answer; exit 1 with faults."""
    from broker.policy_lint import lint

    faults = lint(folder)
    if as_json:
        print_json({"ok": not faults, "faults": faults})
        raise typer.Exit(1 if faults else 0)
    if faults:
        fail("\n".join(faults))
    out.print("ok: the rules keep to the portable profile")


@policy.command()
def bundle(
    file: Annotated[Path, typer.Argument(help="Where the bundle goes (.tar.gz)")],
    registry: Annotated[Path, typer.Option(help="The registry file whose units, sources and agreements go along")],
    key: Annotated[Path, typer.Option(help="The private key that signs (PEM, P-256; `broker keys policy` makes one)")],
    key_id: Annotated[str, typer.Option(help="The name by which the OPA server knows the key")] = "borgerbro",
    folder: Annotated[Path, typer.Option(help="The folder of rules and law tables")] = POLICIES,
) -> None:
    """Write the signed bundle for an OPA server. Nodes answer only while OPA's revision is their own."""
    from joserfc.jwk import ECKey

    from broker.policy_bundle import write_signed_bundle
    from broker.policy_tables import PolicyFaults, load_rules
    from broker.registry import RegistryFaults, read_registry

    try:
        tables = read_registry(registry, folder / "tables").tables
        signing = ECKey.import_key(key.read_bytes())
        if not signing.is_private:
            fail("the key is a public one; bundles are signed with the private half", code=WRONG_USE)
        revision = write_signed_bundle(file, load_rules(folder), tables, signing, key_id)
    except (RegistryFaults, PolicyFaults) as error:
        fail("\n".join(error.faults))
    except (OSError, ValueError):
        fail("the key cannot be read, or the bundle cannot be written", code=WRONG_USE)
    out.print(f"{file}: revision {revision}, signed as {key_id}", markup=False)


@policy.command()
def verify(
    file: Annotated[Path, typer.Argument(help="A bundle (.tar.gz)")],
    key: Annotated[Path, typer.Option(help="The public key, as the OPA server has it (PEM, P-256)")],
    key_id: Annotated[str, typer.Option(help="The name by which the OPA server knows the key")] = "borgerbro",
) -> None:
    """Check a bundle as an OPA server does, file by file, and print its revision; exit 1 when it is not by this key."""
    from joserfc.jwk import ECKey

    from broker.policy_bundle import BundleRefused, read_signed_bundle

    try:
        revision = read_signed_bundle(file, ECKey.import_key(key.read_bytes()), key_id)
    except BundleRefused as refusal:
        fail(f"{file}: {refusal}")
    except (OSError, ValueError):
        fail("the key or the bundle cannot be read", code=WRONG_USE)
    out.print(f"{file}: revision {revision}, signed as {key_id}", markup=False)


@policy.command()
def explain(
    question: Annotated[Path, typer.Argument(help="A question (policies/question.schema.json), as JSON")],
    registry: Annotated[Path, typer.Option(help="The registry file the question speaks of")],
    folder: Annotated[Path, typer.Option(help="The folder of rules and law tables")] = POLICIES,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False,
) -> None:
    """Say what the rules answer to a question: per key the verdict, its basis or every reason with its paragraph."""
    import orjson

    from broker.adapters.policy_embedded import EmbeddedPolicy
    from broker.domain.errors import PolicyBroken
    from broker.policy_tables import PolicyFaults, load_rules
    from broker.registry import RegistryFaults, read_registry

    try:
        read = read_registry(registry, folder / "tables")
        engine = EmbeddedPolicy(load_rules(folder), read.tables)
        decision = asyncio.run(engine.decide(orjson.loads(question.read_bytes())))
    except (RegistryFaults, PolicyFaults) as error:
        fail("\n".join(error.faults))
    except (OSError, orjson.JSONDecodeError):
        fail("the question cannot be read as JSON", code=WRONG_USE)
    except PolicyBroken:
        fail("that is not a question the rules can answer (policies/question.schema.json)", code=WRONG_USE)
    rows = [_row(verdict, read.directory.reasons, read.directory.laws) for verdict in decision.verdicts]
    if as_json:
        print_json({"revision": decision.mark.revision, "verdicts": rows})
        return
    for row in rows:
        out.print(f"{row['source']} {row['category']} {row['subject']}: {row['verdict']}", markup=False)
        for basis in row["basis"]:
            out.print(f"    {basis}", markup=False)
        for reason in row["reasons"]:
            out.print(f"    {reason['code']} ({reason['paragraph']}): {reason['da']}", markup=False)


def _row(verdict: Any, reasons: Any, laws: Any) -> dict[str, Any]:
    return {
        "source": verdict.key.source,
        "category": verdict.key.category,
        "subject": verdict.key.subject,
        "verdict": verdict.outcome,
        "basis": [f"{basis.kind} {basis.id} {basis.version}, {laws[basis.law].paragraph}" for basis in verdict.basis],
        "reasons": [
            {"code": code, "paragraph": reasons[code].paragraph, "da": reasons[code].da, "en": reasons[code].en}
            for code in verdict.reasons
        ],
    }
