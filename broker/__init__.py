"""The broker: asks in, lawful answers out, every access on the log first."""
