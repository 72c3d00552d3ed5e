"""The main database's first tables: consents, requests, blocks, and the log, under row-level security.

Who may see a row (`Scope` in `broker/adapters/database.py` sets the names for one transaction):
- `municipality` owns it, `readers` (the sources' municipalities) may read it, `parties` (handles) are the citizens
  it concerns. Without any of these a row is not there.
- A block is its subject's and holds everywhere: whoever asks about that subject must see it (`subjects`).
- `citizen_state` belongs to a person, not to a municipality: a withdrawal in one must stop a release in another.
- Of the log, the public parts (heads, leaves, checkpoints) are for anyone; bodies and index rows are not.

Append-only: no right to UPDATE or DELETE, and a trigger that refuses both even where a right was given by mistake.
"""

from __future__ import annotations

from alembic import op

from audit.postgres import schema_statements

revision = "main_0001"
down_revision = None
branch_labels = None
depends_on = None

MINE = "current_setting('borgerbro.municipality', true)"
OVERSEEN = "string_to_array(current_setting('borgerbro.municipalities', true), ',')"
CITIZEN = "current_setting('borgerbro.citizen', true)"
SUBJECTS = "string_to_array(current_setting('borgerbro.subjects', true), ',')"

OWNED = "municipality text NOT NULL CHECK (municipality <> '')"
PARTIES = "parties text[] NOT NULL CHECK (cardinality(parties) > 0 AND '' <> ALL (parties))"
READERS = "readers text[] NOT NULL CHECK ('' <> ALL (readers))"

CONSENTS = (
    "CREATE SCHEMA consents",
    """CREATE TABLE consents.citizen_state (
        citizen text   PRIMARY KEY CHECK (citizen <> ''),
        version bigint NOT NULL CHECK (version >= 0)
    )""",
    f"""CREATE TABLE consents.request (
        id uuid PRIMARY KEY, {OWNED}, {PARTIES},
        citizen text NOT NULL, unit text NOT NULL, purpose text NOT NULL, case_handle text NOT NULL,
        from_day integer NOT NULL, to_day integer NOT NULL, answer_by integer NOT NULL,
        text_version text NOT NULL, sealed_why bytea,
        asked_at timestamptz NOT NULL, asked_by text NOT NULL
    )""",
    f"""CREATE TABLE consents.request_line (
        request uuid NOT NULL REFERENCES consents.request, place integer NOT NULL, {OWNED}, {PARTIES},
        subject text NOT NULL, giver text NOT NULL, capacity text NOT NULL,
        source text NOT NULL, source_municipality text NOT NULL, category text NOT NULL,
        PRIMARY KEY (request, place)
    )""",
    # One answer a giver; who has not answered has no row.
    f"""CREATE TABLE consents.request_state (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        request uuid NOT NULL REFERENCES consents.request, {OWNED}, {PARTIES},
        state text NOT NULL CHECK (state IN ('requested', 'granted', 'partly_granted', 'refused', 'expired')),
        giver text, consent uuid,
        at timestamptz NOT NULL, by text NOT NULL, channel text NOT NULL,
        UNIQUE (request, giver)
    )""",
    f"""CREATE TABLE consents.consent (
        id uuid PRIMARY KEY, {OWNED}, {READERS}, {PARTIES},
        request uuid, citizen text NOT NULL, giver text NOT NULL,
        unit text NOT NULL, purpose text NOT NULL, case_handle text NOT NULL,
        form text NOT NULL, language text NOT NULL, text_version text NOT NULL, text_digest text NOT NULL,
        sealed_text bytea NOT NULL, sealed_evidence bytea,
        created_at timestamptz NOT NULL, created_by text NOT NULL, channel text NOT NULL
    )""",
    f"""CREATE TABLE consents.line (
        id uuid PRIMARY KEY, consent uuid NOT NULL REFERENCES consents.consent, {OWNED}, {READERS}, {PARTIES},
        subject text NOT NULL, giver text NOT NULL, capacity text NOT NULL,
        source text NOT NULL, category text NOT NULL, from_day integer NOT NULL, to_day integer NOT NULL,
        CHECK (from_day <= to_day)
    )""",
    # version: of the whole consent, at the change that gave this line its state.
    f"""CREATE TABLE consents.line_state (
        line uuid NOT NULL REFERENCES consents.line, version integer NOT NULL CHECK (version > 0),
        {OWNED}, {READERS}, {PARTIES}, consent uuid NOT NULL REFERENCES consents.consent,
        state text NOT NULL CHECK (state IN ('granted', 'paused', 'withdrawn')),
        at timestamptz NOT NULL, by text NOT NULL, channel text NOT NULL,
        PRIMARY KEY (line, version)
    )""",
    f"""CREATE TABLE consents.block (
        id uuid PRIMARY KEY, {OWNED}, subject text NOT NULL CHECK (subject <> ''),
        source text, unit text, category text
    )""",
    f"""CREATE TABLE consents.block_state (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        block uuid NOT NULL REFERENCES consents.block, {OWNED},
        subject text NOT NULL CHECK (subject <> ''), state text NOT NULL CHECK (state IN ('set', 'lifted')),
        at timestamptz NOT NULL, by text NOT NULL
    )""",
    # scope and request are HMACs: who asked where with which key, and what; never the body itself.
    f"""CREATE TABLE consents.idempotency (
        scope bytea PRIMARY KEY, {OWNED}, request bytea NOT NULL, resource text NOT NULL,
        at timestamptz NOT NULL DEFAULT clock_timestamp()
    )""",
    "CREATE INDEX ON consents.request (citizen)",
    "CREATE INDEX ON consents.request_line (giver)",
    "CREATE INDEX ON consents.consent (citizen)",
    "CREATE INDEX ON consents.line (subject)",
    "CREATE INDEX ON consents.line (giver)",
    "CREATE INDEX ON consents.line (consent)",
    "CREATE INDEX ON consents.line_state (consent)",
    "CREATE INDEX ON consents.block (subject)",
    "CREATE INDEX ON consents.block_state (block)",
    "CREATE INDEX ON consents.idempotency (at)",
    # What a release does first: make sure that each state row is there, then hold them, in order of citizen. An
    # absent row could not be locked, and a first change could slip in between.
    """CREATE FUNCTION consents.hold_states(p_citizens text[]) RETURNS TABLE (citizen text, version bigint)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
    #variable_conflict use_column
    BEGIN
        PERFORM set_config('borgerbro.subjects', array_to_string(p_citizens, ','), true);
        INSERT INTO consents.citizen_state (citizen, version)
        SELECT c, 0 FROM unnest(p_citizens) AS c ORDER BY c COLLATE "C"
        ON CONFLICT (citizen) DO NOTHING;
        RETURN QUERY SELECT s.citizen, s.version FROM consents.citizen_state s
        WHERE s.citizen = ANY (p_citizens) ORDER BY s.citizen COLLATE "C" FOR SHARE;
    END $$""",
    # All that a decision needs from here, in one statement and so of one moment, whatever is found (P6).
    """CREATE FUNCTION consents.facts(
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
                WHERE l.subject = ANY (p_subjects) AND c.municipality = p_municipality
                  AND c.unit = p_unit AND c.purpose = p_purpose AND c.case_handle = p_case
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
            )
        ));
    END $$""",
    """CREATE FUNCTION consents.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'this history is only added to';
    END $$""",
)

APPEND_ONLY = ("request", "request_line", "request_state", "consent", "line", "line_state", "block", "block_state")
OF_A_REQUEST = ("request", "request_line", "request_state")
OF_A_CONSENT = ("consent", "line", "line_state")
OF_A_BLOCK = ("block", "block_state")
EVERY_TABLE = (*APPEND_ONLY, "citizen_state", "idempotency")

SEEN = f"municipality = {MINE} OR municipality = ANY ({OVERSEEN}) OR {CITIZEN} = ANY (parties)"
READ_TOO = f"{SEEN} OR {MINE} = ANY (readers) OR readers && {OVERSEEN}"
WRITTEN = f"municipality = {MINE} OR {CITIZEN} = ANY (parties)"
ASKED_ABOUT = f"subject = {CITIZEN} OR subject = ANY ({SUBJECTS})"
ONES_OWN_STATE = f"citizen = {CITIZEN} OR citizen = ANY ({SUBJECTS})"

PARTS_OF_THE_LOG_FOR_ANYONE = ("head", "entry", "checkpoint")
LOG_READERS = "borgerbro_checkpointer, borgerbro_reader"

LOG = (
    "SET ROLE borgerbro_log_owner",
    # What search filters on, in columns of their own: row-level security keeps the planner from looking into jsonb.
    """ALTER TABLE log.index
        ADD COLUMN at bigint GENERATED ALWAYS AS ((fields ->> 'at')::bigint) STORED,
        ADD COLUMN kind text GENERATED ALWAYS AS (fields ->> 'kind') STORED,
        ADD COLUMN citizen text GENERATED ALWAYS AS (fields ->> 'citizen') STORED,
        ADD COLUMN actor text GENERATED ALWAYS AS (fields ->> 'actor') STORED,
        ADD COLUMN unit text GENERATED ALWAYS AS (fields ->> 'unit') STORED,
        ADD COLUMN ask text GENERATED ALWAYS AS (fields ->> 'ask') STORED""",
    # For the same reason it could not use an index over all fields; that one would only cost.
    "DROP INDEX log.index_fields",
    "CREATE INDEX index_of_citizen ON log.index (citizen, at DESC)",
    "CREATE INDEX index_of_tenant ON log.index (tenant, at DESC)",
    "CREATE INDEX index_of_ask ON log.index (ask)",
    "GRANT USAGE ON SCHEMA log TO borgerbro_reader",
    "GRANT SELECT ON ALL TABLES IN SCHEMA log TO borgerbro_reader",
    *(f"ALTER TABLE log.{name} ENABLE ROW LEVEL SECURITY" for name in (*PARTS_OF_THE_LOG_FOR_ANYONE, "body", "index")),
    *(f"CREATE POLICY anyone ON log.{name} FOR SELECT USING (true)" for name in PARTS_OF_THE_LOG_FOR_ANYONE),
    *(f"CREATE POLICY whole ON log.{name} FOR SELECT TO {LOG_READERS} USING (true)" for name in ("body", "index")),
    f"""CREATE POLICY seen ON log.index FOR SELECT TO borgerbro_app
        USING (tenant = {MINE} OR tenant = ANY ({OVERSEEN}) OR citizen = {CITIZEN})""",
    f"""CREATE POLICY seen ON log.body FOR SELECT TO borgerbro_app
        USING (tenant = {MINE} OR tenant = ANY ({OVERSEEN}) OR ({CITIZEN} <> '' AND EXISTS (
            SELECT FROM log.index i WHERE i.log_id = body.log_id AND i.idx = body.idx AND i.citizen = {CITIZEN})))""",  # noqa: S608 - only our own words are joined here
    "RESET ROLE",
)


def _policies() -> list[str]:
    """List who may see and who may add what, table by table."""
    made = []
    for tables, seen, written in (
        (OF_A_REQUEST, SEEN, WRITTEN),
        (OF_A_CONSENT, READ_TOO, WRITTEN),
        (OF_A_BLOCK, f"municipality = {MINE} OR {ASKED_ABOUT}", f"municipality = {MINE} OR subject = {CITIZEN}"),
        (("citizen_state",), ONES_OWN_STATE, ONES_OWN_STATE),
        (("idempotency",), f"municipality = {MINE}", f"municipality = {MINE}"),
    ):
        for name in tables:
            made.append(f"CREATE POLICY seen ON consents.{name} FOR SELECT TO borgerbro_app USING ({seen})")
            made.append(f"CREATE POLICY added ON consents.{name} FOR INSERT TO borgerbro_app WITH CHECK ({written})")
    bumped = f"USING ({ONES_OWN_STATE}) WITH CHECK ({ONES_OWN_STATE})"
    made.append(f"CREATE POLICY bumped ON consents.citizen_state FOR UPDATE TO borgerbro_app {bumped}")
    made.append(
        f"CREATE POLICY swept ON consents.idempotency FOR DELETE TO borgerbro_app USING (municipality = {MINE})"
    )
    return made


def _fences() -> list[str]:
    """List the rights, the switches of row-level security, and the triggers that keep history as it is."""
    made = [f"ALTER TABLE consents.{name} ENABLE ROW LEVEL SECURITY" for name in EVERY_TABLE]
    made += [f"ALTER TABLE consents.{name} FORCE ROW LEVEL SECURITY" for name in EVERY_TABLE]
    made += [
        "GRANT USAGE ON SCHEMA consents TO borgerbro_app",
        "GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA consents TO borgerbro_app",
        "GRANT UPDATE (version) ON consents.citizen_state TO borgerbro_app",
        "GRANT DELETE ON consents.idempotency TO borgerbro_app",
        "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA consents FROM PUBLIC",
        "GRANT EXECUTE ON FUNCTION consents.hold_states, consents.facts TO borgerbro_app",
    ]
    refuse = "EXECUTE FUNCTION consents.refuse_change()"
    for name in APPEND_ONLY:
        made.append(f"CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON consents.{name} FOR EACH ROW {refuse}")
        made.append(f"CREATE TRIGGER kept_whole BEFORE TRUNCATE ON consents.{name} FOR EACH STATEMENT {refuse}")
    return made


def upgrade() -> None:
    """Make consents, then the log."""
    connection = op.get_bind()
    for statement in (*CONSENTS, *_policies(), *_fences(), *schema_statements(), *LOG):
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: going back would destroy evidence."""
    raise NotImplementedError("consents and the log are never taken down by a migration")
