"""Steps of the vault: handles and keys."""
