"""The values a registry file becomes, beside the directory of `broker/domain/directory.py`. They hold no secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from broker.domain.directory import Directory
from broker.saml_trust import SamlTrust


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret lies: a file beside the registry, or an environment variable. Never the secret itself."""

    file: Path | None = None
    env: str | None = None


@dataclass(frozen=True, slots=True)
class Reached:
    """How a source or register is reached: kind, settings, mapping, secrets and limits, as its connector reads them."""

    kind: str
    settings: Mapping[str, Any]
    reads: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    limits: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SystemEntry:
    """A registered department system: municipality, units, the employers whose word it may bring, its public keys."""

    client_id: str
    municipality: str
    units: frozenset[str]
    employers: frozenset[str]
    jwks: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EmployerEntry:
    """Who signs for caseworkers of a municipality: with public keys (as JWT), as OIOSAML 3, or both."""

    id: str
    issuer: str
    municipality: str
    jwks: Mapping[str, Any] | None = None
    saml: SamlTrust | None = None


@dataclass(frozen=True, slots=True)
class IssuerEntry:
    """Who else gives signed consent records: what they say under issuer, where they count, and the public keys."""

    id: str
    issuer: str
    municipalities: frozenset[str]
    jwks: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ProviderEntry:
    """An OpenID provider for one kind of page user."""

    issuer: str
    client_id: str
    secret: Secret
    scopes: tuple[str, ...]
    system: str | None = None
    employer: str | None = None


@dataclass(frozen=True, slots=True)
class Registry:
    """All of the registry file and the law tables, as values."""

    directory: Directory
    tables: Mapping[str, Any]
    sources: Mapping[str, Reached]
    people: Reached
    cases: Mapping[str, Reached]
    unit_cases: Mapping[str, str]
    systems: Mapping[str, SystemEntry]
    employers: Mapping[str, EmployerEntry]
    providers: Mapping[str, ProviderEntry]
    consent_issuers: Mapping[str, IssuerEntry] = field(default_factory=dict)
