"""`python -m audit keys`: make and change the key files of logs and witnesses."""

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from audit import key_files
from audit.errors import Malformed
from audit.token_key import TokenSigner, taken


def add_to(commands: Any) -> None:
    """Add the commands to `python -m audit`."""
    keys = commands.add_parser("keys", help="make and change the key files of logs and witnesses")
    what = keys.add_subparsers(required=True, metavar="WHAT")
    new = what.add_parser("new", help="draw a key; print its public half, for those who verify")
    new.add_argument("file", metavar="FILE", type=Path, help="where the private key goes (mode 0600); never replaced")
    new.add_argument("--name", required=True, help="the name it signs under: a log's is where it is published")
    new.add_argument("--witness", action="store_true", help="a witness's key (cosignature/v1), not a log's")
    new.add_argument("--ml-dsa", action="store_true", help="beside it one of ML-DSA-44, for a witness")
    _add_token(new)
    new.set_defaults(run=_new_key)
    show = what.add_parser("show", help="print the public halves of a key file")
    show.add_argument("file", metavar="FILE", type=Path)
    show.set_defaults(run=_show_keys)
    rotate = what.add_parser("rotate", help="put a new key of the same name before the others: both sign from now on")
    rotate.add_argument("file", metavar="FILE", type=Path)
    _add_token(rotate)
    rotate.set_defaults(run=_rotate)
    retire = what.add_parser("retire", help="leave the newest key alone in the file: the others sign no more")
    retire.add_argument("file", metavar="FILE", type=Path)
    retire.set_defaults(run=_retire)


def _add_token(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pkcs11", metavar="URI", help="draw it in a token instead: the file then names it (RFC 7512)")
    parser.add_argument("--existing", action="store_true", help="with --pkcs11: take the key that is there")


def _drawn(
    given: argparse.Namespace, name: str, *, witness: bool = False, ml_dsa: bool = False
) -> list[key_files.PrivateKey]:
    """Draw keys, in a token where one is named."""
    if given.pkcs11 is None:
        if given.existing:
            raise Malformed("--existing goes with --pkcs11")
        return key_files.new_keys(name, witness=witness, ml_dsa=ml_dsa)
    if ml_dsa:
        raise Malformed("a key in a token is of Ed25519: --pkcs11 goes without --ml-dsa")
    return [taken(given.pkcs11, name, witness=witness, existing=given.existing)]


def _new_key(given: argparse.Namespace) -> int:
    if given.ml_dsa and not given.witness:
        raise Malformed("--ml-dsa goes with --witness")
    if given.file.exists():  # Seen before a key is drawn in a token for it.
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(given.file))
    keys = _drawn(given, given.name, witness=given.witness, ml_dsa=given.ml_dsa)
    key_files.write_new(given.file, keys)
    return _print_public(keys)


def _show_keys(given: argparse.Namespace) -> int:
    return _print_public(key_files.read_private(given.file))


def _rotate(given: argparse.Namespace) -> int:
    held = key_files.read_signing(given.file)
    if isinstance(held[0], TokenSigner) and given.pkcs11 is None:
        raise Malformed("the newest key lies in a token: name the next one's place with --pkcs11")
    keys = [*_drawn(given, held[0].name), *held]
    key_files.replace(given.file, keys)
    return _print_public(keys[:1])


def _retire(given: argparse.Namespace) -> int:
    held = key_files.read_signing(given.file)
    key_files.replace(given.file, [held[0]])
    return _print_public([held[0]])


def _print_public(keys: Sequence[key_files.PrivateKey]) -> int:
    for key in keys:
        sys.stdout.write(f"{key_files.public_of(key)}\n")
    return 0
