"""Shredding: one citizen's key of one municipality is destroyed, and their name once nobody has a key of theirs.

The broker's own role may not. Cases are random names that stand for a unit's case numbers.
"""

from alembic import op

revision = "vault_0003"
down_revision = "vault_0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    # The person's row is held first, so that no key is made for it between the look and the end. Running it again, or
    # for a name that is not there, does the same and says as little.
    """CREATE FUNCTION vault.shred(p_handle text, p_municipality text, p_cases text[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        PERFORM FROM vault.person WHERE handle = p_handle AND kind = 'citizen' FOR UPDATE;
        DELETE FROM vault.subject_key USING vault.person p
        WHERE subject_key.handle = p_handle AND municipality = p_municipality
          AND p.handle = p_handle AND p.kind = 'citizen';
        DELETE FROM vault.person p WHERE p.handle = p_handle AND p.kind = 'citizen'
          AND NOT EXISTS (SELECT FROM vault.subject_key k WHERE k.handle = p_handle);
        DELETE FROM vault.person WHERE handle = ANY (p_cases) AND kind = 'case';
    END $$""",
    "REVOKE ALL ON FUNCTION vault.shred FROM PUBLIC",
    "GRANT USAGE ON SCHEMA vault TO borgerbro_eraser",
    "GRANT EXECUTE ON FUNCTION vault.shred TO borgerbro_eraser",
)


def upgrade() -> None:
    """Make the function."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: the vault only goes forward."""
    raise NotImplementedError("the vault is never taken down by a migration")
