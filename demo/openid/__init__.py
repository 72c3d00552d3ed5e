"""An invented log-in provider with invented people: OpenID Connect as the MitID brokers speak it, for the demo."""
