"""Speak with a token through its PKCS#11 module, by the package python-pkcs11 (the extra `hsm`).

Rules kept here:
- Whatever fails is SignerUnavailable, in our words: a module's own may repeat what it was given.
- A token that was away is looked for anew, once for each signature, by starting its module again.
- A PIN that was refused is not tried again by this process: a few more tries would lock the token.
"""

import importlib
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from audit.errors import SignerUnavailable
from audit.token_uri import TokenUri

# RFC 8410's curve, as an object identifier in DER: the form of PKCS#11 3.0, which SoftHSM 2.6 takes too.
_ED25519 = bytes.fromhex("06032b6570")
_POINT_SIZE = 32
_OCTETS = bytes((0x04, _POINT_SIZE))


@cache
def module_at(path: Path) -> "TokenModule":
    """Load a module, once for the process, as PKCS#11 wants it; raise SignerUnavailable where it cannot be."""
    return TokenModule(path)


class TokenModule:
    """One loaded module, and the sessions that this process has with its tokens."""

    def __init__(self, path: Path) -> None:
        self._pkcs11 = _package()
        try:
            self._lib = self._pkcs11.lib(str(path))
        except self._pkcs11.PKCS11Error:
            raise SignerUnavailable(f"{path}: this is no PKCS#11 module that can be loaded here") from None
        self._sessions: dict[int, Any] = {}
        self._keys: dict[TokenUri, Any] = {}
        self._refused: set[tuple[str | None, bytes | None]] = set()

    def sign(self, uri: TokenUri, message: bytes) -> bytes:
        """Sign with Ed25519 (PKCS#11 3.0, CKM_EDDSA); raise SignerUnavailable."""
        try:
            return self._sign(uri, message)
        except self._pkcs11.PKCS11Error:
            self._start_anew()
        try:
            return self._sign(uri, message)
        except self._pkcs11.PKCS11Error as fault:
            raise self._reason(fault) from None

    def public(self, uri: TokenUri) -> bytes:
        """Read the public half of a key that is there; raise SignerUnavailable."""
        try:
            return self._public(self._session(uri), uri)
        except self._pkcs11.PKCS11Error as fault:
            raise self._reason(fault) from None

    def generate(self, uri: TokenUri) -> bytes:
        """Draw a key in the token, which never shows it, and give its public half; raise SignerUnavailable."""
        p11 = self._pkcs11
        self._start_anew()  # A session that can write is another than one that signs.
        try:
            session = self._session(uri, rw=True)
            if list(session.get_objects(self._named(uri, p11.Attribute.LABEL, p11.Attribute.ID))):
                raise SignerUnavailable("the token holds an object of that name already")
            curve = session.create_domain_parameters(
                p11.KeyType.EC_EDWARDS, {p11.Attribute.EC_PARAMS: _ED25519}, local=True
            )
            curve.generate_keypair(
                mechanism=p11.Mechanism.EC_EDWARDS_KEY_PAIR_GEN,
                store=True,
                label=uri.label,
                id=uri.key_id,
                private_template={p11.Attribute.SENSITIVE: True, p11.Attribute.EXTRACTABLE: False},
            )
            return self._public(session, uri)
        except p11.PKCS11Error as fault:
            raise self._reason(fault) from None

    def _sign(self, uri: TokenUri, message: bytes) -> bytes:
        if uri not in self._keys:
            kind = {"object_class": self._pkcs11.ObjectClass.PRIVATE_KEY, "key_type": self._pkcs11.KeyType.EC_EDWARDS}
            self._keys[uri] = self._session(uri).get_key(**kind, **self._named(uri, "label", "id"))
        return bytes(self._keys[uri].sign(message, mechanism=self._pkcs11.Mechanism.EDDSA))

    def _public(self, session: Any, uri: TokenUri) -> bytes:
        kind = {"object_class": self._pkcs11.ObjectClass.PUBLIC_KEY, "key_type": self._pkcs11.KeyType.EC_EDWARDS}
        point = bytes(session.get_key(**kind, **self._named(uri, "label", "id"))[self._pkcs11.Attribute.EC_POINT])
        # PKCS#11 says a DER octet string; older modules give the bare point.
        public = point.removeprefix(_OCTETS) if len(point) == len(_OCTETS) + _POINT_SIZE else point
        if len(public) != _POINT_SIZE:
            raise SignerUnavailable("the token's key is not of Ed25519")
        return public

    def _session(self, uri: TokenUri, *, rw: bool = False) -> Any:
        """Give the one session with a token; a second log-in would be refused, and a log-out end both."""
        wanted = {"token_label": uri.token, "token_serial": uri.serial}
        token = self._lib.get_token(**{name: value for name, value in wanted.items() if value is not None})
        if token.slot.slot_id not in self._sessions:
            if (uri.token, uri.serial) in self._refused:
                raise SignerUnavailable("the token refused the PIN: it is not tried again until a restart")
            try:
                self._sessions[token.slot.slot_id] = token.open(rw=rw, user_pin=uri.read_pin())
            except (self._pkcs11.PinIncorrect, self._pkcs11.PinLocked, self._pkcs11.PinLenRange):
                self._refused.add((uri.token, uri.serial))
                raise
        return self._sessions[token.slot.slot_id]

    def _named(self, uri: TokenUri, label: Any, key_id: Any) -> dict[Any, Any]:
        return {name: value for name, value in ((label, uri.label), (key_id, uri.key_id)) if value is not None}

    def _start_anew(self) -> None:
        """Forget every session and start the module again: only then does it see a token that came back."""
        self._keys.clear()
        self._sessions.clear()
        with suppress(self._pkcs11.PKCS11Error):
            self._lib.finalize()  # A module that was not running has nothing to end.
        try:
            self._lib.initialize()
        except self._pkcs11.PKCS11Error as fault:
            raise self._reason(fault) from None

    def _reason(self, fault: Exception) -> SignerUnavailable:
        p11 = self._pkcs11
        said: dict[type[Exception], str] = {
            p11.NoSuchToken: "the token is not there",
            p11.TokenNotPresent: "the token is not there",
            p11.MultipleTokensReturned: "several tokens have that name: give serial",
            p11.NoSuchKey: "the token holds no such key",
            p11.MultipleObjectsReturned: "the token holds several keys of that name: give id",
            p11.PinIncorrect: "the token refused the PIN",
            p11.PinLenRange: "the token refused the PIN",
            p11.PinLocked: "the token's PIN is locked",
        }
        return SignerUnavailable(said.get(type(fault), f"the token failed ({type(fault).__name__})"))


def _package() -> Any:
    try:
        return importlib.import_module("pkcs11")
    except ImportError:
        raise SignerUnavailable("a key in a token needs the package python-pkcs11 (the extra `hsm`)") from None
