"""An employee's random name is found by their employer's id without one being made for an id that nobody has.

Whoever oversees the log looks an employee up by an id they write. A name made for a slip of the pen would stay, and be
there without a person's name when somebody of that id begins.
"""

from alembic import op

revision = "vault_0005"
down_revision = "vault_0004"
branch_labels = None
depends_on = None

STATEMENTS = (
    """CREATE FUNCTION vault.found(p_digest bytea) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        SELECT handle FROM vault.person WHERE digest = p_digest AND kind = 'actor'
    $$""",
    "REVOKE ALL ON FUNCTION vault.found FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION vault.found TO borgerbro_vault_app",
)


def upgrade() -> None:
    """Make the function."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: the vault only goes forward."""
    raise NotImplementedError("the vault is never taken down by a migration")
