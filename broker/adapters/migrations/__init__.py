"""How the databases came to be, step by step: Alembic, one folder a database."""
