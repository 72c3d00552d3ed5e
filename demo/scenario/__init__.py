"""Scenarios: a worked case as a file, played against the real broker and real department systems."""
