"""Signing keys: made at the first start into a folder, private parts for their owner alone."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

ALGORITHM = "ES256"


class TokenRefusedError(ValueError):
    """A token is not one of ours, or not one of the client's."""


class SigningKey:
    """One P-256 key, and the file beside it that holds the public part as a JWK set."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        private = folder / f"{name}.json"
        if private.exists():
            self._key = ECKey.import_key(json.loads(private.read_text("utf-8")))
        else:
            self._key = ECKey.generate_key("P-256", {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
            _write_secret(private, json.dumps(self._key.as_dict(private=True)))
        self.public: dict[str, Any] = {"keys": [self._key.as_dict(private=False)]}
        (folder / f"{name}.jwks.json").write_text(json.dumps(self.public), "utf-8")

    def sign(self, claims: Mapping[str, Any], kind: str = "JWT") -> str:
        """Sign claims as a JWT; `kind` is its `typ`."""
        header = {"alg": ALGORITHM, "typ": kind, "kid": self._key.kid}
        return jwt.encode(header, dict(claims), self._key, algorithms=[ALGORITHM])

    def read(self, token: str) -> dict[str, Any]:
        """Give the claims of a token that this key signed, however old. Raises `TokenRefusedError`."""
        return read_signed(token, self.public)


def read_signed(token: str, jwks: Mapping[str, Any]) -> dict[str, Any]:
    """Give the claims of a token signed by one of the keys, its times unread. Raises `TokenRefusedError`."""
    try:
        keys = KeySet.import_key_set({"keys": list(jwks["keys"])})
        return dict(jwt.decode(token, keys, algorithms=[ALGORITHM, "Ed25519"]).claims)
    except (JoseError, ValueError, KeyError, TypeError):
        raise TokenRefusedError("not signed by a known key") from None


def _write_secret(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as sink:
        sink.write(text)
