"""Seal small texts and keys at rest: AES-256-GCM under a key of their own, derived for one use and one place."""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_SIZE = 32
NONCE_SIZE = 12


class DoesNotOpen(Exception):
    """The sealed bytes do not open: another key, another place, or they were changed."""


def derive(key: bytes, use: str) -> bytes:
    """Derive the key of one use from a key of 32 bytes (HKDF-SHA-256, RFC 5869)."""
    return HKDF(SHA256(), KEY_SIZE, salt=None, info=use.encode()).derive(key)


def seal(key: bytes, plain: bytes, place: str) -> bytes:
    """Encrypt bytes so that they open under this key and in this place alone."""
    nonce = os.urandom(NONCE_SIZE)
    return nonce + AESGCM(key).encrypt(nonce, plain, place.encode())


def unseal(key: bytes, sealed: bytes, place: str) -> bytes:
    """Decrypt what `seal` gave; raise `DoesNotOpen`."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_SIZE], sealed[NONCE_SIZE:], place.encode())
    except (InvalidTag, ValueError):
        raise DoesNotOpen from None
