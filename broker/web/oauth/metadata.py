"""What a client can learn before it asks: our addresses, what we accept, and our public keys (RFC 8414, RFC 7517)."""

from __future__ import annotations

from typing import Any

from broker.web.oauth.dpop import PROOF_ALGORITHMS
from broker.web.oauth.registrations import ALGORITHMS
from broker.web.oauth.token_endpoint import CLIENT_CREDENTIALS, TOKEN_EXCHANGE


def metadata(issuer: str) -> dict[str, Any]:
    """Give the authorization server's metadata (RFC 8414 section 2, RFC 9449 section 5.1)."""
    return {
        "issuer": issuer,
        "token_endpoint": f"{issuer}/oauth2/token",
        "jwks_uri": f"{issuer}/oauth2/jwks",
        "grant_types_supported": [CLIENT_CREDENTIALS, TOKEN_EXCHANGE],
        # Required by RFC 8414; empty because nothing here is authorised through a browser.
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": sorted(ALGORITHMS),
        "dpop_signing_alg_values_supported": list(PROOF_ALGORITHMS),
    }
