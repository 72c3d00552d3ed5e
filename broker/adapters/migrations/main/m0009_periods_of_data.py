"""Which days of the data a line reaches over: every day for the lines that stand, some where a period is named."""

from __future__ import annotations

from alembic import op

revision = "main_0009"
down_revision = "main_0008"
branch_labels = None
depends_on = None

COLUMNS = tuple(
    f"ALTER TABLE consents.{table} ADD COLUMN data_from integer NOT NULL DEFAULT 0,"
    " ADD COLUMN data_to integer NOT NULL DEFAULT 99991231, ADD CHECK (data_from <= data_to)"
    for table in ("line", "request_line")
)
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
                    (SELECT s.state FROM consents.line_state s WHERE s.line = l.id ORDER BY s.version DESC LIMIT 1),
                    l.data_from, l.data_to
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


def upgrade() -> None:
    """Add the days, and read them with the other facts."""
    connection = op.get_bind()
    for statement in (*COLUMNS, FACTS):
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: a migration here only goes forward."""
    raise NotImplementedError("going back is a restore, not a migration")
