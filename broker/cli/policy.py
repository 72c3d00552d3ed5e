"""`broker policy`: check the rules, run their tests, explain what a question would be answered."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from broker.cli.denials import denials
from broker.cli.explain import explain
from broker.cli.replay import replay
from broker.cli.say import WRONG_USE, fail, out, print_json

policy = typer.Typer(no_args_is_help=True, help="The rules: what may be shared, and why not.")
POLICIES = Path(__file__).parents[2] / "policies"


@policy.callback()
def group() -> None:
    """Look after the rules."""


policy.command()(replay)
policy.command()(explain)
policy.command()(denials)


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


@policy.command("test")
def run_tests(
    folder: Annotated[Path, typer.Argument(help="The folder of rules and their tests")] = POLICIES,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False,
) -> None:
    """Run the rules' own tests (`*_test.rego`) by the opa on PATH; exit 1 when one fails, 2 without an opa."""
    import shutil

    from broker.adapters.policy_tests import TestsCannotRun, run_rego_tests

    opa = shutil.which("opa")
    if opa is None:
        fail("there is no opa on PATH, and only OPA judges the rules' tests", code=WRONG_USE)
    try:
        told = run_rego_tests(folder, Path(opa))
    except TestsCannotRun:
        fail("the rules or their tests cannot be read: `broker policy check` tells more")
    failed = sorted(name for name, passes in told.items() if not passes)
    passed = len(told) - len(failed)
    if as_json:
        print_json({"passed": passed, "failed": failed})
    else:
        for name in failed:
            out.print(f"FAILED {name}", markup=False)
        out.print(f"{passed} passed, {len(failed)} failed")
    raise typer.Exit(0 if passed and not failed else 1)
