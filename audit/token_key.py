"""Keys that lie in a token: a log's and a witness's, held by a PKCS#11 module, which signs and never shows them.

In a key file such a key is a line of its public half and its place: `VKEY pkcs11:...`. So everything but signing works
while the token is away, and a token that holds another key than the file says is found out by its first signature.
"""

from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit.cosignature import ED25519 as COSIGNATURE
from audit.cosignature import CosignerKey, dated_line
from audit.errors import Malformed, SignerUnavailable
from audit.note import ED25519, VerifyKey, kind_of
from audit.token_module import module_at
from audit.token_uri import TokenUri

PROBE = b"the key answers\n"


@dataclass(frozen=True, slots=True)
class TokenSigner:
    """A log's key in a token."""

    verify_key: VerifyKey
    uri: TokenUri

    @property
    def name(self) -> str:
        """Give the name that the key signs under."""
        return self.verify_key.name

    def sign(self, message: bytes) -> bytes:
        """Sign with Ed25519 (RFC 8032); raise SignerUnavailable where the token is away, or holds another key."""
        return _signed(self.uri, self.verify_key.public, message)

    def __str__(self) -> str:
        """Write the line of a key file."""
        return f"{self.verify_key} {self.uri.text}"


@dataclass(frozen=True, slots=True)
class TokenCosigner:
    """A witness's key in a token: Ed25519 alone."""

    key: CosignerKey
    uri: TokenUri

    @property
    def name(self) -> str:
        """Give the name that the key signs under."""
        return self.key.name

    def cosign(self, text: str, at: int) -> str:
        """Sign a checkpoint's text as seen at a moment (POSIX seconds); raise SignerUnavailable."""
        return dated_line(self.key, text, at, lambda message: _signed(self.uri, self.key.public, message))

    def __str__(self) -> str:
        """Write the line of a key file."""
        return f"{self.key} {self.uri.text}"


def from_line(line: str) -> TokenSigner | TokenCosigner:
    """Read the line of a key file, without asking the token; raise Malformed."""
    vkey, space, uri = line.strip().partition(" ")
    if not space:
        raise Malformed("a key in a token is a line of its public key, a space and its URI, as `keys new` writes it")
    place = TokenUri.from_text(uri)
    if kind_of(vkey) == ED25519:
        return TokenSigner(VerifyKey.from_text(vkey), place)
    if kind_of(vkey) == COSIGNATURE:
        return TokenCosigner(CosignerKey.from_text(vkey), place)
    raise Malformed("a key in a token is of Ed25519")


def taken(uri: str, name: str, *, witness: bool, existing: bool) -> TokenSigner | TokenCosigner:
    """Draw a key in a token, or take one that is there, and see it sign; raise Malformed or SignerUnavailable."""
    place = TokenUri.from_text(uri)
    VerifyKey(name, bytes(32))  # A name that no note could carry is refused before a key is drawn for it.
    module = module_at(place.module)
    public = module.public(place) if existing else module.generate(place)
    _signed(place, public, PROBE)
    if witness:
        return TokenCosigner(CosignerKey(name, COSIGNATURE, public), place)
    return TokenSigner(VerifyKey(name, public), place)


def _signed(uri: TokenUri, public: bytes, message: bytes) -> bytes:
    """Sign in the token, and believe it only after verifying: it may hold another key, or have failed halfway."""
    signature = module_at(uri.module).sign(uri, message)
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        raise SignerUnavailable("the token signed with another key than the key file names") from None
    return signature
