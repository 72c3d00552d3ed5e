-- The transparency log in PostgreSQL (15 or later): schema "log".
--
-- Three roles, made here without log-in if they are missing:
--   borgerbro_log_owner      owns schema, tables and functions; nobody logs in as it
--   borgerbro_app            may read, and may append through log.append and log.open; no INSERT, UPDATE or DELETE
--   borgerbro_checkpointer   may read, and may keep and publish checkpoints through log.keep_checkpoint and
--                            log.publish_checkpoint
-- The file runs as it stands; audit.postgres.schema_statements() gives it with other role names.
-- Whoever runs it is a superuser, or a member of borgerbro_log_owner who may create schemas and roles.
--
-- Every table has its tenant, so that row-level security can be laid on. Do not FORCE it on these tables: the
-- functions run as their owner and may write to several tenants' logs in one transaction.
--
-- A line "-- next" parts one statement from the next.

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['borgerbro_log_owner', 'borgerbro_app', 'borgerbro_checkpointer'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- Another database of this cluster made it at the same moment.
        END;
    END LOOP;
END
$$
-- next
CREATE SCHEMA log AUTHORIZATION borgerbro_log_owner
-- next
SET ROLE borgerbro_log_owner
-- next
-- One row a log: its size, root and frontier (the roots of its complete subtrees, largest first, 32 bytes each).
-- The row changes with every commit, so it is kept on a page with room for many versions.
CREATE TABLE log.head (
    id       bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    origin   text    NOT NULL UNIQUE CHECK (origin <> ''),
    tenant   text    NOT NULL,
    year     integer NOT NULL,
    size     bigint  NOT NULL DEFAULT 0 CHECK (size >= 0),
    root     bytea   NOT NULL DEFAULT sha256(''::bytea),
    frontier bytea   NOT NULL DEFAULT ''::bytea,
    opened_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 10, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0)
-- next
-- The public part of an entry; bytes 3 to 18 of a leaf are its eid (audit/entry.py).
-- No foreign keys between these tables: log.append alone writes them, together, and verify finds what is missing.
CREATE TABLE log.entry (
    log_id    bigint NOT NULL,
    idx       bigint NOT NULL,
    tenant    text   NOT NULL,
    eid       bytea  NOT NULL UNIQUE,
    leaf      bytea  NOT NULL CHECK (substr(leaf, 4, 16) = eid),
    leaf_hash bytea  NOT NULL,
    PRIMARY KEY (log_id, idx)
)
-- next
CREATE TABLE log.body (
    log_id     bigint NOT NULL,
    idx        bigint NOT NULL,
    tenant     text   NOT NULL,
    ciphertext bytea  NOT NULL,
    body_salt  bytea  NOT NULL,
    PRIMARY KEY (log_id, idx)
)
-- next
-- What the log can be searched by. index_bytes is what the commitment covers, as it was given, never written anew;
-- fields is the same for the database. body_digest remembers the body row, to tell which of the two was changed.
CREATE TABLE log.index (
    log_id      bigint NOT NULL,
    idx         bigint NOT NULL,
    tenant      text   NOT NULL,
    index_bytes text   NOT NULL,
    fields      jsonb  NOT NULL,
    body_digest bytea  NOT NULL,
    PRIMARY KEY (log_id, idx)
)
-- next
CREATE INDEX index_fields ON log.index USING gin (fields jsonb_path_ops)
-- next
-- Heads that were signed: note is the whole signed note. One is published once a quorum of witnesses has cosigned it;
-- published_at is when that last was so.
CREATE TABLE log.checkpoint (
    log_id    bigint      NOT NULL,
    size      bigint      NOT NULL,
    tenant    text        NOT NULL,
    root      bytea       NOT NULL,
    frontier  bytea       NOT NULL,
    note      text        NOT NULL,
    signed_at timestamptz NOT NULL,
    published_at timestamptz,
    PRIMARY KEY (log_id, size)
)
-- next
CREATE FUNCTION log.open(p_origin text, p_tenant text, p_year integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found_id bigint;
BEGIN
    INSERT INTO log.head (origin, tenant, year) VALUES (p_origin, p_tenant, p_year)
    ON CONFLICT (origin) DO NOTHING;
    SELECT id INTO found_id FROM log.head
    WHERE origin = p_origin AND tenant = p_tenant AND year = p_year;
    IF found_id IS NULL THEN
        RAISE EXCEPTION 'the log was opened for another tenant or year' USING ERRCODE = 'LG002';
    END IF;
    RETURN found_id;
END
$$
-- next
-- Append a batch that may span several logs; arrays run side by side, one element an entry. An eid that is there
-- already, with the very same leaf, is not appended again: its place comes back. Heads are locked in order of origin.
-- An entry of the log's own kinds (audit/entry.py) is taken only where the row of the log's map says that it will stand,
-- which log.commit_map (map.sql) alone writes, in the same transaction.
CREATE OR REPLACE FUNCTION log.append(
    p_origins text[], p_eids bytea[], p_leaves bytea[], p_ciphertexts bytea[], p_salts bytea[], p_indexes text[]
) RETURNS TABLE (eid bytea, log_id bigint, idx bigint, size bigint, root bytea)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- Every look-up below is by a key; a plan cached while the tables were small must not scan them once they are large.
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
-- Whatever the arrays hold, the plan is the same: making it anew for every call costs more than running it.
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    this   record;  -- the log at hand; not called head, which a table is
    item   record;
    logs   integer := 0;
    peaks  bytea[];  -- the frontier taken apart; only the first "depth" elements count
    depth  integer;
    grown  bigint;
    carry  bigint;
    hash   bytea;
    packed bytea;
    picked integer[];
    hashes bytea[];
BEGIN
    FOR this IN
        SELECT h.id, h.origin, h.tenant, h.size, h.frontier FROM log.head h
        WHERE h.origin = ANY (p_origins) ORDER BY h.origin COLLATE "C" FOR UPDATE
    LOOP
        logs := logs + 1;
        picked := '{}';
        hashes := '{}';
        peaks := '{}';
        grown := this.size;
        depth := length(this.frontier) / 32;
        FOR i IN 1..depth LOOP
            peaks[i] := substr(this.frontier, (i - 1) * 32 + 1, 32);
        END LOOP;
        FOR item IN
            SELECT min(u.n)::integer AS n, (array_agg(u.leaf ORDER BY u.n))[1] AS leaf
            FROM unnest(p_origins, p_eids, p_leaves) WITH ORDINALITY AS u (origin, eid, leaf, n)
            WHERE u.origin = this.origin
              AND NOT EXISTS (SELECT FROM log.entry e WHERE e.eid = u.eid)
            GROUP BY u.eid ORDER BY 1
        LOOP
            IF get_byte(item.leaf, 1) = 255 THEN
                IF NOT EXISTS (SELECT FROM log.map m WHERE m.log_id = this.id AND m.idx = grown) THEN
                    RAISE EXCEPTION 'an entry of the log''s own kinds comes with its epoch' USING ERRCODE = 'LG008';
                END IF;
            END IF;
            hash := sha256('\x00'::bytea || item.leaf);
            picked := picked || item.n;
            hashes := hashes || hash;
            carry := grown;
            WHILE carry & 1 = 1 LOOP
                hash := sha256('\x01'::bytea || peaks[depth] || hash);
                depth := depth - 1;
                carry := carry >> 1;
            END LOOP;
            depth := depth + 1;
            peaks[depth] := hash;
            grown := grown + 1;
        END LOOP;
        CONTINUE WHEN grown = this.size;
        hash := peaks[depth];
        packed := peaks[depth];
        FOR i IN REVERSE depth - 1..1 LOOP
            hash := sha256('\x01'::bytea || peaks[i] || hash);
            packed := peaks[i] || packed;
        END LOOP;
        UPDATE log.head h SET size = grown, root = hash, frontier = packed WHERE h.id = this.id;
        WITH placed AS (
            SELECT this.size + p.o - 1 AS place, p.n, p.leaf_hash
            FROM unnest(picked, hashes) WITH ORDINALITY AS p (n, leaf_hash, o)
        ), entries AS (
            INSERT INTO log.entry (log_id, idx, tenant, eid, leaf, leaf_hash)
            SELECT this.id, p.place, this.tenant, p_eids[p.n], p_leaves[p.n], p.leaf_hash FROM placed p
        ), bodies AS (
            INSERT INTO log.body (log_id, idx, tenant, ciphertext, body_salt)
            SELECT this.id, p.place, this.tenant, p_ciphertexts[p.n], p_salts[p.n] FROM placed p
        )
        INSERT INTO log.index (log_id, idx, tenant, index_bytes, fields, body_digest)
        SELECT this.id, p.place, this.tenant, p_indexes[p.n], p_indexes[p.n]::jsonb,
               sha256(p_salts[p.n] || p_ciphertexts[p.n])
        FROM placed p;
    END LOOP;
    IF logs <> (SELECT count(DISTINCT o) FROM unnest(p_origins) AS o) THEN
        RAISE EXCEPTION 'a log of that origin has not been opened' USING ERRCODE = 'LG001';
    END IF;
    -- OFFSET 0 keeps the planner from turning this around and reading the whole log to find a few ids.
    RETURN QUERY
        SELECT e.eid, e.log_id, e.idx, h.size, h.root
        FROM unnest(p_origins, p_eids, p_leaves) WITH ORDINALITY AS u (origin, eid, leaf, n)
        CROSS JOIN LATERAL (
            SELECT t.eid, t.log_id, t.idx FROM log.entry t WHERE t.eid = u.eid AND t.leaf = u.leaf OFFSET 0
        ) AS e
        CROSS JOIN LATERAL (
            SELECT t.size, t.root FROM log.head t WHERE t.id = e.log_id AND t.origin = u.origin OFFSET 0
        ) AS h
        ORDER BY u.n;
    GET DIAGNOSTICS depth = ROW_COUNT;
    IF depth <> cardinality(p_eids) THEN
        RAISE EXCEPTION 'an entry id is taken by another entry' USING ERRCODE = 'LG003';
    END IF;
END
$$
-- next
-- Keep a signed this. It never goes back; at the same size the root stays and the note may gain cosignatures.
CREATE FUNCTION log.keep_checkpoint(p_origin text, p_size bigint, p_root bytea, p_frontier bytea, p_note text)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    this record;
BEGIN
    SELECT h.id, h.tenant INTO this FROM log.head h WHERE h.origin = p_origin AND h.size >= p_size;
    IF this.id IS NULL OR EXISTS (
        SELECT FROM log.checkpoint c
        WHERE c.log_id = this.id AND (c.size > p_size OR (c.size = p_size AND c.root <> p_root))
    ) THEN
        RAISE EXCEPTION 'the checkpoint does not continue this log' USING ERRCODE = 'LG004';
    END IF;
    INSERT INTO log.checkpoint (log_id, size, tenant, root, frontier, note, signed_at)
    VALUES (this.id, p_size, this.tenant, p_root, p_frontier, p_note, clock_timestamp())
    ON CONFLICT (log_id, size) DO UPDATE SET note = EXCLUDED.note
    WHERE length(EXCLUDED.note) >= length(log.checkpoint.note);
END
$$
-- next
-- Publish a checkpoint on record, with the cosignatures it has by now; again, for one that is published, says that it
-- still is the newest. What is published never goes back.
CREATE OR REPLACE FUNCTION log.publish_checkpoint(p_origin text, p_size bigint, p_note text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE log.checkpoint c SET note = p_note, published_at = clock_timestamp()
    FROM log.head h
    WHERE h.origin = p_origin AND c.log_id = h.id AND c.size = p_size
      AND split_part(c.note, E'\n\n', 1) = split_part(p_note, E'\n\n', 1)
      AND NOT EXISTS (
          SELECT FROM log.checkpoint l
          WHERE l.log_id = h.id AND l.size > p_size AND l.published_at IS NOT NULL
      );
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no such checkpoint to publish' USING ERRCODE = 'LG005';
    END IF;
END
$$
-- next
REVOKE ALL ON FUNCTION log.publish_checkpoint FROM PUBLIC
-- next
REVOKE ALL ON FUNCTION log.open, log.append, log.keep_checkpoint FROM PUBLIC
-- next
GRANT USAGE ON SCHEMA log TO borgerbro_app, borgerbro_checkpointer
-- next
GRANT SELECT ON ALL TABLES IN SCHEMA log TO borgerbro_app, borgerbro_checkpointer
-- next
GRANT EXECUTE ON FUNCTION log.open, log.append TO borgerbro_app
-- next
GRANT EXECUTE ON FUNCTION log.keep_checkpoint TO borgerbro_checkpointer
-- next
GRANT EXECUTE ON FUNCTION log.publish_checkpoint TO borgerbro_checkpointer
-- next
RESET ROLE
