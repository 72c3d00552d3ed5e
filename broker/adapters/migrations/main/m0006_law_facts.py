"""What the law's conditions rest on: days of meetings, kept by the release itself, and requests that were tried.

A day is kept once for each person, purpose and municipality, in the transaction that hands something out: however
many asks a meeting takes, on whatever node, one day is one meeting.
"""

from __future__ import annotations

from alembic import op

revision = "main_0006"
down_revision = "main_0005"
branch_labels = None
depends_on = None

MINE = "current_setting('borgerbro.municipality', true)"
SUBJECTS = "string_to_array(current_setting('borgerbro.subjects', true), ',')"
REFUSE = "EXECUTE FUNCTION consents.refuse_change()"
MEETINGS = (
    """CREATE TABLE consents.meeting (
        municipality text NOT NULL CHECK (municipality <> ''), subject text NOT NULL CHECK (subject <> ''),
        purpose text NOT NULL CHECK (purpose <> ''), day integer NOT NULL CHECK (day > 0),
        PRIMARY KEY (subject, municipality, purpose, day)
    )""",
    "ALTER TABLE consents.meeting ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE consents.meeting FORCE ROW LEVEL SECURITY",
    "GRANT SELECT, INSERT ON consents.meeting TO borgerbro_app",
    f"CREATE POLICY seen ON consents.meeting FOR SELECT TO borgerbro_app USING (municipality = {MINE})",
    f"CREATE POLICY added ON consents.meeting FOR INSERT TO borgerbro_app WITH CHECK (subject = ANY ({SUBJECTS}))",
    f"CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON consents.meeting FOR EACH ROW {REFUSE}",
    f"CREATE TRIGGER kept_whole BEFORE TRUNCATE ON consents.meeting FOR EACH STATEMENT {REFUSE}",
    "CREATE INDEX ON consents.request (case_handle)",
    # Keep the days of what was handed out under a law that counts meetings. Most batches have none: one look at text.
    """CREATE FUNCTION consents.keep_meetings(p_indexes text[]) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
        held text[];
    BEGIN
        SELECT array_agg(f) INTO held FROM unnest(p_indexes) AS f WHERE f LIKE '%"meeting":true%';
        IF held IS NULL THEN
            RETURN;
        END IF;
        PERFORM set_config('borgerbro.subjects',
            (SELECT string_agg(DISTINCT f::jsonb ->> 'citizen', ',') FROM unnest(held) AS f), true);
        INSERT INTO consents.meeting (municipality, subject, purpose, day)
        SELECT DISTINCT m.fields ->> 'municipality', m.fields ->> 'citizen', m.fields ->> 'purpose',
               to_char(to_timestamp((m.fields ->> 'at')::bigint) AT TIME ZONE 'Europe/Copenhagen', 'YYYYMMDD')::integer
        FROM (SELECT f::jsonb AS fields FROM unnest(held) AS f) AS m
        ORDER BY 2, 1, 3, 4
        ON CONFLICT DO NOTHING;
    END $$""",
)
APPEND = """CREATE OR REPLACE FUNCTION consents.append_if_still(
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
        IF cardinality(moved) > 0 THEN
            SELECT array_agg(u.origin ORDER BY u.n), array_agg(u.eid ORDER BY u.n), array_agg(u.leaf ORDER BY u.n),
                   array_agg(u.ciphertext ORDER BY u.n), array_agg(u.salt ORDER BY u.n),
                   array_agg(u.fields ORDER BY u.n)
            INTO p_origins, p_eids, p_leaves, p_ciphertexts, p_salts, p_indexes
            FROM unnest(p_of, p_origins, p_eids, p_leaves, p_ciphertexts, p_salts, p_indexes)
                WITH ORDINALITY AS u (of, origin, eid, leaf, ciphertext, salt, fields, n)
            WHERE u.of <> ALL (moved);
        END IF;
        IF p_eids IS NOT NULL THEN
            PERFORM consents.keep_meetings(p_indexes);
            RETURN QUERY SELECT * FROM log.append(p_origins, p_eids, p_leaves, p_ciphertexts, p_salts, p_indexes);
        END IF;
    END $$"""
FACTS = """CREATE OR REPLACE FUNCTION consents.facts(
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
                SELECT coalesce(json_agg(json_build_array(
                    l.id, l.consent, (SELECT max(s.version) FROM consents.line_state s WHERE s.consent = l.consent),
                    l.subject, l.giver, l.capacity, l.source, l.category, c.unit, c.purpose, c.case_handle,
                    l.from_day, l.to_day,
                    (SELECT s.state FROM consents.line_state s WHERE s.line = l.id ORDER BY s.version DESC LIMIT 1)
                ) ORDER BY l.id), '[]'::json)
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
    END $$"""
RIGHTS = (
    "REVOKE ALL ON FUNCTION consents.keep_meetings FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION consents.keep_meetings TO borgerbro_app",
)


def upgrade() -> None:
    """Make the table, and both functions anew."""
    connection = op.get_bind()
    for statement in (*MEETINGS, APPEND, FACTS, *RIGHTS):
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: a migration here only goes forward."""
    raise NotImplementedError("going back is a restore, not a migration")
