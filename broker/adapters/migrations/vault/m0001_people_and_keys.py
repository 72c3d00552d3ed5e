"""The vault's first tables: random names of people and cases, and the keys that open what is kept about them.

The broker's role has no right to any table here. Six functions are all it can do, each about the handles or digests
it is given, so that nobody who speaks with its voice can list people or carry off all keys with one statement.
"""

from alembic import op

revision = "vault_0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "CREATE SCHEMA vault",
    # digest: HMAC-SHA-256 of kind and value under the pepper. sealed: an employee's identity, under the wrapping key.
    # known: whether a register ever knew this citizen; false ones are purged.
    """CREATE TABLE vault.person (
        handle     text        PRIMARY KEY CHECK (handle ~ '^[0-9a-f]{32}$'),
        digest     bytea       NOT NULL UNIQUE CHECK (length(digest) = 32),
        kind       text        NOT NULL CHECK (kind IN ('citizen', 'actor', 'case')),
        sealed     bytea,
        known      boolean,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        CHECK ((kind = 'actor') = (sealed IS NOT NULL))
    )""",
    "CREATE INDEX person_unknown ON vault.person (created_at) WHERE known = false",
    # wrapped: 32 random bytes under the wrapping key. Destroying the row makes all that lies under it unreadable.
    """CREATE TABLE vault.subject_key (
        handle       text        NOT NULL REFERENCES vault.person ON DELETE CASCADE,
        municipality text        NOT NULL CHECK (municipality <> ''),
        wrapped      bytea       NOT NULL,
        created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (handle, municipality)
    )""",
    "ALTER TABLE vault.person ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE vault.subject_key ENABLE ROW LEVEL SECURITY",
)

FUNCTIONS = (
    # Find or make; in order of digest, so that two callers never wait for each other.
    """CREATE FUNCTION vault.handles(p_kind text, p_digests bytea[], p_fresh text[], p_sealed bytea[])
    RETURNS TABLE (digest bytea, handle text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    #variable_conflict use_column
    BEGIN
        INSERT INTO vault.person (handle, digest, kind, sealed)
        SELECT u.fresh, u.digest, p_kind, u.sealed
        FROM unnest(p_digests, p_fresh, p_sealed) AS u (digest, fresh, sealed) ORDER BY u.digest
        ON CONFLICT (digest) DO NOTHING;
        RETURN QUERY SELECT p.digest, p.handle FROM vault.person p WHERE p.digest = ANY (p_digests);
    END $$""",
    """CREATE FUNCTION vault.keys(p_handles text[], p_municipalities text[], p_fresh bytea[])
    RETURNS TABLE (handle text, municipality text, wrapped bytea)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    #variable_conflict use_column
    BEGIN
        INSERT INTO vault.subject_key (handle, municipality, wrapped)
        SELECT u.handle, u.municipality, u.fresh
        FROM unnest(p_handles, p_municipalities, p_fresh) AS u (handle, municipality, fresh) ORDER BY 1, 2
        ON CONFLICT (handle, municipality) DO NOTHING;
        RETURN QUERY SELECT k.handle, k.municipality, k.wrapped
        FROM unnest(p_handles, p_municipalities) AS u (handle, municipality)
        JOIN vault.subject_key k USING (handle, municipality);
    END $$""",
    # Only those that are there: reading makes no key for what was destroyed.
    """CREATE FUNCTION vault.held_keys(p_handles text[], p_municipalities text[])
    RETURNS TABLE (handle text, municipality text, wrapped bytea)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        SELECT k.handle, k.municipality, k.wrapped
        FROM unnest(p_handles, p_municipalities) AS u (handle, municipality)
        JOIN vault.subject_key k USING (handle, municipality)
    $$""",
    # Once known, always known: a register that errs later purges nobody.
    """CREATE FUNCTION vault.note_known(p_handles text[], p_known boolean[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        UPDATE vault.person p SET known = coalesce(p.known, false) OR u.known
        FROM (SELECT * FROM unnest(p_handles, p_known) AS n (handle, known) ORDER BY 1) AS u
        WHERE p.handle = u.handle AND p.kind = 'citizen'
          AND p.known IS DISTINCT FROM (coalesce(p.known, false) OR u.known)
    $$""",
    """CREATE FUNCTION vault.purge_unknown(p_before timestamptz) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        WITH gone AS (
            DELETE FROM vault.person WHERE kind = 'citizen' AND known = false AND created_at < p_before RETURNING 1
        ) SELECT count(*) FROM gone
    $$""",
    """CREATE FUNCTION vault.sealed_actor(p_handle text) RETURNS bytea
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        SELECT sealed FROM vault.person WHERE handle = p_handle AND kind = 'actor'
    $$""",
)

RIGHTS = (
    "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA vault FROM PUBLIC",
    "GRANT USAGE ON SCHEMA vault TO borgerbro_vault_app",
    "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA vault TO borgerbro_vault_app",
)


def upgrade() -> None:
    """Make the vault."""
    connection = op.get_bind()
    for statement in (*TABLES, *FUNCTIONS, *RIGHTS):
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: going back would destroy every key."""
    raise NotImplementedError("the vault is never taken down by a migration")
