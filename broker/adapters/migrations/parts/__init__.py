"""Parts of migrations that belong to one room of the house."""
