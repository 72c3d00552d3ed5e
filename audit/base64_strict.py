"""Standard base64 (RFC 4648 section 4) that has one spelling for each value."""

import base64
import binascii

from audit.errors import Malformed


def encode(value: bytes) -> str:
    """Write bytes as standard base64."""
    return base64.b64encode(value).decode("ascii")


def decode(text: str) -> bytes:
    """Read standard base64; raise Malformed for any spelling that `encode` would not have written.

    Without this a signed or proved value could be respelled without notice (stray bits, missing padding).
    """
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("not base64") from None
    if encode(value) != text:
        raise Malformed("not canonical base64")
    return value
