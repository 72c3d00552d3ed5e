"""Invented department systems: each a server process with its own store and schema, none knowing the broker."""
