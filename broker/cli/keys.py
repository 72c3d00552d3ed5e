"""`broker keys new`, `rotate`: the key files of a house; `broker keys system`, `join`: a department system's."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Annotated, Any

import typer

from broker.cli.say import WRONG_USE, fail, out

keys = typer.Typer(no_args_is_help=True, help="Key files.")


@keys.callback()
def group() -> None:
    """Make key files."""


@keys.command()
def new(
    folder: Annotated[Path, typer.Argument(help="The nodes' key folder; made readable for you alone")],
    log_name: Annotated[str, typer.Option(help="What the logs are published under, without scheme")],
    checkpointer: Annotated[
        Path | None,
        typer.Option(help="The checkpointer's folder, for log.skey; default: `checkpointer` beside"),
    ] = None,
) -> None:
    """Make every key file that is not there yet; those that are there stay as they are."""
    from broker.adapters.house_keys import make_key_folder

    signers = checkpointer or folder.absolute().with_name("checkpointer")
    make_key_folder(folder, log_name, signers)
    out.print(f"keys stand in {folder}; log.vkey is the public key for those who verify the log", markup=False)
    if (signers / "log.skey").exists():
        out.print(f"log.skey stands in {signers}, for the checkpointer alone", markup=False)


@keys.command()
def rotate(
    folder: Annotated[Path, typer.Argument(help="The nodes' key folder")],
) -> None:
    """Give the receipts of citizens a new signing key; the old one's public half stays published.

    Give every node the file, then start them again: each signs with what it read at its start.
    """
    from broker.adapters.house_keys import rotate_receipt_key
    from broker.adapters.keys_file import KeyFileRefused

    try:
        made = rotate_receipt_key(folder)
    except KeyFileRefused as refused:
        fail(str(refused))
    out.print(f"receipts are signed with {made} once the nodes are started again", markup=False)


@keys.command()
def system(
    private: Annotated[Path, typer.Argument(help="Where the private key goes (JWK, mode 0600)")],
    public: Annotated[Path, typer.Argument(help="Where the public key set goes (JWKS), for the registry")],
) -> None:
    """Make an ES256 key pair for a department system: the private half stays there, the public half is registered."""
    from joserfc.jwk import ECKey

    key = ECKey.generate_key("P-256", {"kid": secrets.token_hex(8), "alg": "ES256", "use": "sig"})
    _write_once(private, json.dumps(key.as_dict(private=True)) + "\n")
    public.write_text(json.dumps({"keys": [key.as_dict(private=False)]}) + "\n", encoding="ascii")
    out.print("the public key set is what the registry names under systems.<id>.jwks_file")


@keys.command()
def join(
    together: Annotated[Path, typer.Argument(help="Where the public key set of all goes (JWKS)")],
    sets: Annotated[list[Path], typer.Argument(help="The public key sets to put together, the old and the new")],
) -> None:
    """Put public key sets together, so that a system's old and new key both count while it changes over."""
    found: dict[str, Any] = {}
    for file in sets:
        try:
            for key in json.loads(file.read_text("utf-8"))["keys"]:
                if "d" in key or not isinstance(key["kid"], str):
                    fail(f"{file}: not a public key with an id", code=WRONG_USE)
                found[key["kid"]] = key
        except (OSError, ValueError, KeyError, TypeError):
            fail(f"{file}: not a set of public keys", code=WRONG_USE)
    together.write_text(json.dumps({"keys": [*found.values()]}) + "\n", encoding="ascii")
    out.print(f"{len(found)} keys", markup=False)


@keys.command("policy")
def policy_key(
    private: Annotated[Path, typer.Argument(help="Where the private key goes (PEM, mode 0600), for who signs bundles")],
    public: Annotated[Path, typer.Argument(help="Where the public key goes (PEM), for the OPA server")],
) -> None:
    """Make the key pair that signs policy bundles (P-256); a node needs neither half."""
    from joserfc.jwk import ECKey

    key = ECKey.generate_key("P-256")
    _write_once(private, key.as_pem(private=True).decode("ascii"))
    public.write_bytes(key.as_pem(private=False))
    out.print("the OPA server reads the public half; keep the private half where bundles are signed")


def _write_once(private: Path, text: str) -> None:
    """Write a private key for its owner alone; end with a clear line where one stands already."""
    try:
        handle = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        fail(f"{private} is there already; keys are not replaced")
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text)
