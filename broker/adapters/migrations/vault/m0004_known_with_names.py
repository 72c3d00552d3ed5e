"""Whom a register knows is noted by the statement that names them, so that an ask takes one statement fewer.

A node of before still runs while this does: it leaves the last list out, and notes with the function it knows.
"""

from alembic import op

revision = "vault_0004"
down_revision = "vault_0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    "DROP FUNCTION vault.handles",
    # Find or make, then note; in order of digest, so that two callers never wait for each other. Once known, always
    # known: a register that errs later purges nobody. A list that is shorter says nothing of the rest.
    """CREATE FUNCTION vault.handles(
        p_kinds text[], p_digests bytea[], p_fresh text[], p_sealed bytea[], p_known boolean[] DEFAULT '{}'
    )
    RETURNS TABLE (digest bytea, handle text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    #variable_conflict use_column
    BEGIN
        INSERT INTO vault.person (handle, digest, kind, sealed)
        SELECT u.fresh, u.digest, u.kind, u.sealed
        FROM unnest(p_kinds, p_digests, p_fresh, p_sealed) AS u (kind, digest, fresh, sealed) ORDER BY u.digest
        ON CONFLICT (digest) DO NOTHING;
        UPDATE vault.person p SET known = coalesce(p.known, false) OR u.known
        FROM (
            SELECT n.digest, bool_or(n.known) AS known FROM unnest(p_digests, p_known) AS n (digest, known)
            WHERE n.known IS NOT NULL GROUP BY 1 ORDER BY 1
        ) AS u
        WHERE p.digest = u.digest AND p.kind = 'citizen'
          AND p.known IS DISTINCT FROM (coalesce(p.known, false) OR u.known);
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
