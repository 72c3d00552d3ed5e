"""A release in one statement: hold what it rests on, and append to the log what still stands."""

from __future__ import annotations

from alembic import op

revision = "main_0003"
down_revision = "main_0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    # Entry n belongs to submission p_of[n]; submission p_held[m] rests on p_citizens[m] being at p_versions[m]. What
    # has moved on takes only its own submission out. States are held first, then heads, as everywhere.
    """CREATE FUNCTION consents.append_if_still(
        p_origins text[], p_eids bytea[], p_leaves bytea[], p_ciphertexts bytea[], p_salts bytea[], p_indexes text[],
        p_of integer[], p_held integer[], p_citizens text[], p_versions bigint[]
    ) RETURNS TABLE (eid bytea, log_id bigint, idx bigint, size bigint, root bytea)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
    #variable_conflict use_column
    DECLARE
        moved integer[] := '{}';
    BEGIN
        IF cardinality(p_held) > 0 THEN
            SELECT coalesce(array_agg(DISTINCT g.held), '{}') INTO moved
            FROM unnest(p_held, p_citizens, p_versions) AS g (held, citizen, version)
            LEFT JOIN consents.hold_states(ARRAY(SELECT DISTINCT c FROM unnest(p_citizens) AS c)) AS s
                ON s.citizen = g.citizen
            WHERE s.version IS DISTINCT FROM g.version;
        END IF;
        IF cardinality(moved) = 0 THEN
            RETURN QUERY SELECT * FROM log.append(p_origins, p_eids, p_leaves, p_ciphertexts, p_salts, p_indexes);
            RETURN;
        END IF;
        SELECT array_agg(u.origin ORDER BY u.n), array_agg(u.eid ORDER BY u.n), array_agg(u.leaf ORDER BY u.n),
               array_agg(u.ciphertext ORDER BY u.n), array_agg(u.salt ORDER BY u.n), array_agg(u.fields ORDER BY u.n)
        INTO p_origins, p_eids, p_leaves, p_ciphertexts, p_salts, p_indexes
        FROM unnest(p_of, p_origins, p_eids, p_leaves, p_ciphertexts, p_salts, p_indexes)
            WITH ORDINALITY AS u (of, origin, eid, leaf, ciphertext, salt, fields, n)
        WHERE u.of <> ALL (moved);
        IF p_eids IS NOT NULL THEN
            RETURN QUERY SELECT * FROM log.append(p_origins, p_eids, p_leaves, p_ciphertexts, p_salts, p_indexes);
        END IF;
    END $$""",
    "REVOKE ALL ON FUNCTION consents.append_if_still FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION consents.append_if_still TO borgerbro_app",
)


def upgrade() -> None:
    """Add the function."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: a migration here only goes forward."""
    raise NotImplementedError("going back is a restore, not a migration")
