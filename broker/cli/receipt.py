"""`broker receipt verify FILE --jwks FILE`: is it just as it was signed? Needs no network, database or node."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from broker.cli.say import FAILED, WRONG_USE, err, fail, out, print_json

if TYPE_CHECKING:
    from broker.adapters.signed_records import Keys

receipt = typer.Typer(no_args_is_help=True, help="Receipts: signed records of a yes or a no.")

# Fixed words for each fault; nothing of the file is repeated.
SAID = {
    "too_large": "the file is larger than any receipt",
    "not_json": "the file is not JSON",
    "member_twice": "a name stands twice in the JSON, so that it can be read in two ways",
    "bad_number": "there is a number that programs read in different ways",
    "not_canonical": "the file is not written as it was signed (RFC 8785): changed, or laid out anew",
    "not_a_record": "the file is no receipt",
    "bad_header": "the signature's header is not that of a receipt",
    "unknown_key": "no key of the key file has signed it",
    "bad_signature": "the signature does not fit: it was changed, or another key signed it",
    "payload_differs": "what is shown is not what was signed",
    "not_of_schema": "what was signed is no consent record of version 1",
    "text_differs": "the text in it is not the one whose SHA-256 stands beside it",
    "bad_keys": "the key file is no set of public Ed25519 keys (JWK set)",
}


@receipt.callback()
def group() -> None:
    """Verify receipts."""


@receipt.command()
def verify(
    file: Annotated[Path, typer.Argument(help="A receipt, or an export with many")],
    jwks: Annotated[Path, typer.Option(help="The keys, from /.well-known/consent-receipt-keys of who signed")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False,
) -> None:
    """Verify every receipt in a file: exit 0 when all are just as signed, 1 when one is not, 2 when none could be read.

    What is printed names the receipt, never the person.
    """
    from broker.adapters.signed_records import RecordRefused, documents_of, opened

    keys = _keys(jwks)
    try:
        data = file.read_bytes()
    except OSError as error:
        fail(f"the receipt cannot be read: {error.strerror}", code=WRONG_USE)
    try:
        told = [_told(opened(one, keys)) for one in documents_of(data)]
    except RecordRefused as refused:
        if as_json:
            print_json({"valid": False, "why": refused.why})
        err.print(f"not valid: {SAID[refused.why]}", style="bold red", markup=False)
        raise typer.Exit(FAILED) from None
    if as_json:
        print_json({"valid": True, "receipts": told})
        return
    for row in told:
        out.print(
            f"valid: {row['receipt']} of {row['issued_at']}, version {row['version']}, {row['state']}", markup=False
        )
        shown = "not in it" if row["text"] is None else f"in it, SHA-256 {row['text']}"
        out.print(f"  what was shown: {shown}", markup=False)
        for place in row["log"]:
            out.print(f"  on the log: {place['log']} entry {place['index']}", markup=False)


def _keys(file: Path) -> Keys:
    from broker.adapters.signed_records import RecordRefused, keys_of

    try:
        return keys_of(json.loads(file.read_bytes()))
    except OSError as error:
        fail(f"the key file cannot be read: {error.strerror}", code=WRONG_USE)
    except (ValueError, RecursionError, RecordRefused):
        fail(SAID["bad_keys"], code=WRONG_USE)


def _told(record: dict[str, Any]) -> dict[str, Any]:
    """Tell which receipt it is, whether it has what was shown, and where it stands on the log; nothing of the person.

    Raises `RecordRefused` where the text is another than its digest says.
    """
    from broker.adapters.signed_records import RecordRefused

    notice = record["notice"]
    if notice["text"] is not None and sha256(notice["text"].encode()).hexdigest() != notice["sha256"]:
        raise RecordRefused("text_differs")
    places = [{"log": at["log"], "index": at["index"]} for event in record["events"] for at in event["log"]]
    return {
        "receipt": record["receipt_id"],
        "record": record["record_id"],
        "version": record["version"],
        "issuer": record["issuer"],
        "issued_at": record["issued_at"],
        "state": record["state"].rpartition("#")[2],
        "text": None if notice["text"] is None else notice["sha256"],
        "log": places,
    }
