"""How often a yes may be used, and each use: counted in the statement that hands something out.

What is counted takes the states it rests on whole from the start, never shared first: two of them would wait for each
other. A node from before this knows no line with a limit, and gives no answer that would rest on one.
"""

from __future__ import annotations

from alembic import op

revision = "main_0021"
down_revision = "main_0020"
branch_labels = None
depends_on = None

SUBJECTS = "string_to_array(current_setting('borgerbro.subjects', true), ',')"
REFUSE = "EXECUTE FUNCTION consents.refuse_change()"
TABLES = (
    *(
        f"ALTER TABLE consents.{table} ADD COLUMN at_most integer CHECK (at_most BETWEEN 1 AND 31),"
        " ADD COLUMN monthly boolean NOT NULL DEFAULT false"
        for table in ("request", "consent")
    ),
    """CREATE TABLE consents.consent_use (
        municipality text NOT NULL CHECK (municipality <> ''),
        consent uuid NOT NULL REFERENCES consents.consent, ask text NOT NULL CHECK (ask <> ''),
        subject text NOT NULL CHECK (subject <> ''),
        month integer NOT NULL CHECK (month BETWEEN 190001 AND 999912), at timestamptz NOT NULL,
        PRIMARY KEY (consent, ask)
    )""",
    "ALTER TABLE consents.consent_use ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE consents.consent_use FORCE ROW LEVEL SECURITY",
    "GRANT SELECT, INSERT ON consents.consent_use TO borgerbro_app",
    # Whoever sees the consent sees what became of it.
    """CREATE POLICY seen ON consents.consent_use FOR SELECT TO borgerbro_app
        USING (EXISTS (SELECT FROM consents.consent c WHERE c.id = consent_use.consent))""",
    f"CREATE POLICY added ON consents.consent_use FOR INSERT TO borgerbro_app WITH CHECK (subject = ANY ({SUBJECTS}))",
    f"CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON consents.consent_use FOR EACH ROW {REFUSE}",
    f"CREATE TRIGGER kept_whole BEFORE TRUNCATE ON consents.consent_use FOR EACH STATEMENT {REFUSE}",
)
# Submission p_used_of[k] uses consent p_consents[k]. Of those in one batch that count and rest on the same person, the
# first alone is written: the others were judged before it, and are judged again behind it.
APPEND = """CREATE FUNCTION consents.append_and_count(
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
        PERFORM set_config('borgerbro.subjects', array_to_string(everybody, ','), true);
        INSERT INTO consents.citizen_state (citizen, version)
        SELECT c, 0 FROM unnest(everybody) AS c ORDER BY c COLLATE "C"
        ON CONFLICT (citizen) DO NOTHING;
        PERFORM FROM consents.citizen_state s
        WHERE s.citizen = ANY (everybody) ORDER BY s.citizen COLLATE "C" FOR NO KEY UPDATE;
        SELECT coalesce(array_agg(DISTINCT g.held), '{}') INTO moved
        FROM unnest(p_held, p_citizens, p_versions) AS g (held, citizen, version)
        LEFT JOIN consents.citizen_state s ON s.citizen = g.citizen
        WHERE s.version IS DISTINCT FROM g.version
           OR (g.held = ANY (p_used_of) AND EXISTS (
               SELECT FROM unnest(p_held, p_citizens) AS e (held, citizen)
               WHERE e.citizen = g.citizen AND e.held < g.held AND e.held = ANY (p_used_of)));
        INSERT INTO consents.consent_use (municipality, consent, ask, subject, month, at)
        SELECT u.municipality, u.consent, u.ask, u.subject, u.month, u.at
        FROM unnest(p_used_of, p_municipalities, p_consents, p_asks, p_subjects, p_months, p_ats)
            AS u (of, municipality, consent, ask, subject, month, at)
        WHERE u.of <> ALL (moved) ORDER BY u.consent, u.ask;
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
            p_origins, p_eids, p_leaves, p_ciphertexts, p_salts, p_indexes, '{}', '{}', '{}', '{}');
    END $$"""
LINE = """l.id, l.consent, (SELECT max(s.version) FROM consents.line_state s WHERE s.consent = l.consent),
                    l.subject, l.giver, l.capacity, l.source, l.category, c.unit, c.purpose, c.case_handle,
                    l.from_day, l.to_day,
                    (SELECT s.state FROM consents.line_state s WHERE s.line = l.id ORDER BY s.version DESC LIMIT 1),
                    l.data_from, l.data_to"""
# A line with a limit tells it, and how often it was used in the last month in which it was.
USED = """(SELECT json_build_array(u.month, count(*)) FROM consents.consent_use u WHERE u.consent = c.id
                     GROUP BY u.month ORDER BY u.month DESC LIMIT 1)"""
FACTS = f"""CREATE OR REPLACE FUNCTION consents.facts(
        p_municipality text, p_unit text, p_purpose text, p_case text, p_subjects text[]
    ) RETURNS json
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        PERFORM set_config('borgerbro.municipality', p_municipality, true),
                set_config('borgerbro.municipalities', '', true),
                set_config('borgerbro.citizen', '', true),
                set_config('borgerbro.subjects', array_to_string(p_subjects, ','), true);
        RETURN (SELECT json_build_object(
            'lines', (
                SELECT coalesce(json_agg(CASE WHEN c.at_most IS NULL THEN json_build_array(
                    {LINE}
                ) ELSE json_build_array(
                    {LINE}, NULL, c.at_most, c.monthly,
                    {USED}
                ) END ORDER BY l.id), '[]'::json)
                FROM consents.line l JOIN consents.consent c ON c.id = l.consent
                WHERE l.subject = ANY (p_subjects) AND c.municipality = p_municipality AND c.purpose = p_purpose
                  AND (c.unit <> p_unit OR c.case_handle = p_case)
            ),
            'blocks', (
                SELECT coalesce(json_agg(json_build_array(b.id, b.subject, b.source, b.unit, b.category)
                                         ORDER BY b.id), '[]'::json)
                FROM consents.block b
                WHERE b.subject = ANY (p_subjects)
                  AND (SELECT s.state FROM consents.block_state s WHERE s.block = b.id ORDER BY s.seq DESC LIMIT 1)
                      = 'set'
            ),
            'versions', (
                SELECT coalesce(json_agg(json_build_array(s.citizen, s.version)), '[]'::json)
                FROM consents.citizen_state s WHERE s.citizen = ANY (p_subjects)
            ),
            'meetings', (
                SELECT coalesce(json_agg(json_build_array(m.subject, m.day) ORDER BY m.subject, m.day), '[]'::json)
                FROM consents.meeting m
                WHERE m.subject = ANY (p_subjects) AND m.municipality = p_municipality AND m.purpose = p_purpose
            ),
            'requests', (
                SELECT coalesce(json_agg(json_build_array(
                    r.answer_by,
                    EXISTS (SELECT FROM consents.request_state s
                            WHERE s.request = r.id AND s.state IN ('refused', 'partly_granted', 'expired')),
                    EXISTS (SELECT FROM consents.request_line l WHERE l.request = r.id AND NOT EXISTS (
                            SELECT FROM consents.request_state s WHERE s.request = r.id AND s.giver = l.giver))
                ) ORDER BY r.id), '[]'::json)
                FROM consents.request r
                WHERE r.case_handle = p_case AND r.municipality = p_municipality AND r.unit = p_unit
                  AND r.purpose = p_purpose
            )
        ));
    END $$"""  # noqa: S608 - only our own words are joined here
RIGHTS = (
    "REVOKE ALL ON FUNCTION consents.append_and_count FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION consents.append_and_count TO borgerbro_app",
)


def upgrade() -> None:
    """Add the columns and the table, and make the functions."""
    connection = op.get_bind()
    for statement in (*TABLES, APPEND, FACTS, *RIGHTS):
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: going back would let a yes for once be used again."""
    raise NotImplementedError("going back is a restore, not a migration")
