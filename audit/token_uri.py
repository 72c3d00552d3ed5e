"""Name a key that lies in a token: PKCS#11 URIs (RFC 7512), as far as a key file needs them.

Rules kept here:
- The PIN stands in a file of its own, never in the URI: it would be read, copied and shown with it.
- What is not understood is refused, so that no key is taken that was not meant; no value is repeated in an error.
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

from audit.errors import Malformed, SignerUnavailable

SCHEME = "pkcs11:"
OTHERS = 0o077
MOST_PIN_BYTES = 256
_PATH = {"token", "serial", "object", "id", "type"}
_QUERY = {"module-path", "pin-source"}


@dataclass(frozen=True, slots=True)
class TokenUri:
    """Where one private key lies: module, token, object; and the file that holds the PIN."""

    text: str
    module: Path
    pin_file: Path
    token: str | None
    serial: bytes | None
    label: str | None
    key_id: bytes | None

    @classmethod
    def from_text(cls, text: str) -> "TokenUri":
        """Read a URI; raise Malformed unless it names a module, a token, a key and a file for the PIN."""
        if not text.startswith(SCHEME):
            raise Malformed("a key in a token is named by a pkcs11: URI (RFC 7512)")
        path, _, query = text.removeprefix(SCHEME).partition("?")
        named, asked = _attributes(path, ";", _PATH), _attributes(query, "&", _QUERY)
        if named.get("type", b"private") != b"private":
            raise Malformed("a pkcs11: URI of a key file names a private key")
        if not {"token", "serial"} & named.keys() or not {"object", "id"} & named.keys():
            raise Malformed("a pkcs11: URI names its token (token, serial) and its key (object, id)")
        return cls(
            text,
            module=_absolute(asked, "module-path"),
            pin_file=_absolute(asked, "pin-source"),
            token=_text(named.get("token")),
            serial=named.get("serial"),
            label=_text(named.get("object")),
            key_id=named.get("id"),
        )

    def read_pin(self) -> str:
        """Read the PIN; raise SignerUnavailable where its file cannot be read, or others may read it."""
        try:
            with self.pin_file.open("rb") as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode) or status.st_mode & OTHERS:
                    raise SignerUnavailable("the file of the PIN is one that only its owner may read (mode 0600)")
                pin = file.read(MOST_PIN_BYTES + 1).strip(b"\r\n")
        except OSError as error:
            raise SignerUnavailable(f"the file of the PIN cannot be read: {error.strerror}") from None
        try:
            if pin and len(pin) <= MOST_PIN_BYTES:
                return pin.decode()
        except UnicodeDecodeError:
            pass
        raise SignerUnavailable("the file of the PIN holds no PIN")


def _attributes(text: str, between: str, known: set[str]) -> dict[str, bytes]:
    """Take one part of a URI apart; raise Malformed for what is unknown, empty, or said twice."""
    found: dict[str, bytes] = {}
    for attribute in text.split(between) if text else ():
        name, equals, value = attribute.partition("=")
        if name == "pin-value":
            raise Malformed("the PIN does not stand in a pkcs11: URI: give pin-source=file:, a file of its own")
        if name not in known:
            raise Malformed(
                f"a pkcs11: URI of a key file knows {', '.join(sorted(known))} here, and no other attribute"
            )
        if name in found or not equals or not value:
            raise Malformed(f"a pkcs11: URI says {name} once, and not emptily")
        found[name] = unquote_to_bytes(value)
    return found


def _absolute(asked: dict[str, bytes], name: str) -> Path:
    text = _text(asked.get(name, b"")) or ""
    if name == "pin-source":
        text = text.removeprefix("file://") if text.startswith("file:///") else text.removeprefix("file:")
    if not text.startswith("/") or "\0" in text:
        raise Malformed(f"a pkcs11: URI of a key file has {name}, with the whole path of a file")
    return Path(text)


def _text(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        raise Malformed("a pkcs11: URI's names are UTF-8") from None
