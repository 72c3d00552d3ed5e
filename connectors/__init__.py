"""Sources of every kind, read-only, and the client by which a department system asks."""
