"""The world's files: secrets, keys and passwords, each made once, each for its owner alone."""

from __future__ import annotations

import json
import os
import secrets
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey

from broker.adapters.database import LOGINS

SYSTEM_SECRETS = ("client_id", "client_secret", "api_key", "token")


def write_private(path: Path, text: str) -> None:
    """Write a file for its owner alone, whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as sink:
        sink.write(text)
    fresh.rename(path)


class WorldFiles:
    """One folder with all that a world keeps."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.registry = self.folder / "registry.yaml"
        self.clock = self.folder / "clock"
        self.keys = self.folder / "keys"
        self.notices = self.folder / "notices"
        self.mail = self.folder / "mail"

    def secrets_of(self, name: str) -> dict[str, str]:
        """Give the secrets by which a system knows who calls."""
        return {secret: Path(file).read_text("utf-8") for secret, file in self.secret_files(name).items()}

    def secret_files(self, name: str) -> dict[str, str]:
        """Give the files that hold a name's secrets, made if they are missing."""
        files = {secret: self.folder / "secrets" / f"{name}.{secret}" for secret in SYSTEM_SECRETS}
        for file in files.values():
            if not file.exists():
                write_private(file, secrets.token_urlsafe(24))
        return {secret: str(file) for secret, file in files.items()}

    def system_key(self, name: str) -> Path:
        """Give the private key of an asking system, made if it is missing, its public half beside it."""
        private = self.folder / "clients" / f"{name}.jwk.json"
        if not private.exists():
            key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
            write_private(Path(self.public_key_of_system(name)), json.dumps({"keys": [key.as_dict(private=False)]}))
            write_private(private, json.dumps(key.as_dict(private=True)))
        return private

    def public_key_of_system(self, name: str) -> str:
        """Name the file of a system's public key."""
        return str(self.folder / "clients" / f"{name}.jwks.json")

    def public_key_of_employer(self, cvr: str) -> str:
        """Name the file of an employer's public key; the log-in provider writes it."""
        return str(self.folder / "openid" / f"employer-{cvr}.jwks.json")

    def certificate_of_employer(self, cvr: str) -> str:
        """Name the file of an employer's certificate for SAML; the log-in provider writes it."""
        return str(self.folder / "openid" / f"employer-{cvr}.saml.crt")

    def passwords(self) -> dict[str, str]:
        """Give the database roles' passwords, drawn once."""
        file = self.folder / "secrets" / "database.json"
        kept: dict[str, str] = json.loads(file.read_text("utf-8")) if file.exists() else {}
        # A folder from before may lack a role that came later.
        if fresh := {role: secrets.token_urlsafe(24) for role in LOGINS if role not in kept}:
            kept |= fresh
            write_private(file, json.dumps(kept))
        return kept

    def write_operator(self, settings: Mapping[str, str]) -> None:
        """Write what the operator's commands read from the environment (`. operator.env`): for this user alone."""
        lines = (f"export {name}={shlex.quote(value)}\n" for name, value in sorted(settings.items()))
        write_private(self.folder / "operator.env", "".join(lines))

    def write_records(self, name: str, records: Mapping[str, Any]) -> Path:
        """Write what a system starts with, and the secrets it knows its callers by."""
        file = self.folder / "systems" / f"{name}.json"
        write_private(file, json.dumps({**records, "adgang": self.secrets_of(name)}))
        return file
