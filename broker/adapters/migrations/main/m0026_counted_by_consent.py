"""A limited yes is counted by the yes itself: two asks about different people never share its last use.

And a use counts in the latest month the yes was used in, where the clock was set back behind that: so a month that is
over gives no new uses, however often the clock goes back to it.
"""

from __future__ import annotations

from alembic import op

revision = "main_0026"
down_revision = "main_0025"
branch_labels = None
depends_on = None

# A first number of our own, beside those of `erasure_rows.py` and `deferral.sql`.
LOCK = 6_210_774
LATEST = "(SELECT max(x.month) FROM consents.consent_use x WHERE x.consent = u.consent)"
# Submission p_used_of[k] uses consent p_consents[k]. States are held first, then the limited yeses, then heads. Of
# those in one batch that use the same yes the first alone is written; the others are judged again behind it, as is one
# whose yes was used up since it was judged.
APPEND = f"""CREATE OR REPLACE FUNCTION consents.append_and_count(
        p_origins text[], p_eids bytea[], p_leaves bytea[], p_ciphertexts bytea[], p_salts bytea[], p_indexes text[],
        p_of integer[], p_held integer[], p_citizens text[], p_versions bigint[],
        p_used_of integer[], p_municipalities text[], p_consents uuid[], p_asks text[], p_subjects text[],
        p_months integer[], p_ats timestamptz[]
    ) RETURNS TABLE (eid bytea, log_id bigint, idx bigint, size bigint, root bytea)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
    #variable_conflict use_column
    DECLARE
        everybody text[] := ARRAY(SELECT DISTINCT c FROM unnest(p_citizens) AS c);
        moved integer[];
    BEGIN
        PERFORM set_config('borgerbro.subjects', array_to_string(everybody, ','), true),
                set_config('borgerbro.municipalities',
                           array_to_string(ARRAY(SELECT DISTINCT m FROM unnest(p_municipalities) AS m), ','), true);
        INSERT INTO consents.citizen_state (citizen, version)
        SELECT c, 0 FROM unnest(everybody) AS c ORDER BY c COLLATE "C"
        ON CONFLICT (citizen) DO NOTHING;
        PERFORM FROM consents.citizen_state s
        WHERE s.citizen = ANY (everybody) ORDER BY s.citizen COLLATE "C" FOR NO KEY UPDATE;
        PERFORM pg_advisory_xact_lock({LOCK}, held.key)
        FROM (SELECT DISTINCT hashtext(c::text) AS key FROM unnest(p_consents) AS c ORDER BY key) AS held;
        SELECT coalesce(array_agg(DISTINCT g.held), '{{}}') INTO moved
        FROM (
            SELECT h.held FROM unnest(p_held, p_citizens, p_versions) AS h (held, citizen, version)
            LEFT JOIN consents.citizen_state s ON s.citizen = h.citizen
            WHERE s.version IS DISTINCT FROM h.version
            UNION ALL
            SELECT u.of FROM unnest(p_used_of, p_consents, p_months) AS u (of, consent, month)
            LEFT JOIN consents.consent c ON c.id = u.consent
            WHERE c.id IS NULL
               OR c.at_most <= (
                   SELECT count(*) FROM consents.consent_use x WHERE x.consent = u.consent
                   AND (NOT c.monthly OR x.month = greatest(u.month, {LATEST})))
               OR EXISTS (
                   SELECT FROM unnest(p_used_of, p_consents) AS e (of, consent)
                   WHERE e.consent = u.consent AND e.of < u.of)
        ) AS g (held);
        INSERT INTO consents.consent_use (municipality, consent, ask, subject, month, at)
        SELECT u.municipality, u.consent, u.ask, u.subject, greatest(u.month, {LATEST}), u.at
        FROM unnest(p_used_of, p_municipalities, p_consents, p_asks, p_subjects, p_months, p_ats)
            AS u (of, municipality, consent, ask, subject, month, at)
        WHERE u.of <> ALL (moved) ORDER BY u.consent, u.ask;
        PERFORM set_config('borgerbro.municipalities', '', true);
        UPDATE consents.citizen_state AS s SET version = s.version + 1
        WHERE s.citizen IN (
            SELECT g.citizen FROM unnest(p_held, p_citizens) AS g (held, citizen)
            WHERE g.held = ANY (p_used_of) AND g.held <> ALL (moved));
        SELECT array_agg(u.origin ORDER BY u.n), array_agg(u.eid ORDER BY u.n), array_agg(u.leaf ORDER BY u.n),
               array_agg(u.ciphertext ORDER BY u.n), array_agg(u.salt ORDER BY u.n), array_agg(u.fields ORDER BY u.n)
        INTO p_origins, p_eids, p_leaves, p_ciphertexts, p_salts, p_indexes
        FROM unnest(p_of, p_origins, p_eids, p_leaves, p_ciphertexts, p_salts, p_indexes)
            WITH ORDINALITY AS u (of, origin, eid, leaf, ciphertext, salt, fields, n)
        WHERE u.of <> ALL (moved);
        RETURN QUERY SELECT * FROM consents.append_if_still(
            p_origins, p_eids, p_leaves, p_ciphertexts, p_salts, p_indexes, '{{}}', '{{}}', '{{}}', '{{}}');
    END $$"""  # noqa: S608 - only our own words are joined here


def upgrade() -> None:
    """Replace the function; whoever may run it may go on doing so."""
    op.get_bind().exec_driver_sql(APPEND)


def downgrade() -> None:
    """Refuse: going back would let a yes be used oftener than it says."""
    raise NotImplementedError("going back is a restore, not a migration")
