"""Handles of every kind in one statement, so that many asks share it."""

from alembic import op

revision = "vault_0002"
down_revision = "vault_0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    "DROP FUNCTION vault.handles",
    # Find or make; in order of digest, so that two callers never wait for each other.
    """CREATE FUNCTION vault.handles(p_kinds text[], p_digests bytea[], p_fresh text[], p_sealed bytea[])
    RETURNS TABLE (digest bytea, handle text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    #variable_conflict use_column
    BEGIN
        INSERT INTO vault.person (handle, digest, kind, sealed)
        SELECT u.fresh, u.digest, u.kind, u.sealed
        FROM unnest(p_kinds, p_digests, p_fresh, p_sealed) AS u (kind, digest, fresh, sealed) ORDER BY u.digest
        ON CONFLICT (digest) DO NOTHING;
        RETURN QUERY SELECT p.digest, p.handle FROM vault.person p WHERE p.digest = ANY (p_digests);
    END $$""",
    "REVOKE ALL ON FUNCTION vault.handles FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION vault.handles TO borgerbro_vault_app",
)


def upgrade() -> None:
    """Put the new function in the old one's place."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: the vault only goes forward."""
    raise NotImplementedError("the vault is never taken down by a migration")
