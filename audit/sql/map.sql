-- The map of each log (audit/map.py): who has how many entries, provable to each and readable by nobody else.
--
-- The app may read what the public could have (log.map, log.map_tile), and through log.map_entries and log.map_bucket
-- what belongs to a map key that it names: whoever knows the key may know what stands under it. The checkpointer
-- commits an epoch through log.commit_map, which appends the new root to the log in the same transaction.
SET ROLE borgerbro_log_owner
-- next
-- How far a log's map goes: it covers the entries below "covered", and its root stands in the log at "idx".
CREATE TABLE log.map (
    log_id       bigint      PRIMARY KEY,
    tenant       text        NOT NULL,
    covered      bigint      NOT NULL CHECK (covered >= 0),
    root         bytea       NOT NULL,
    idx          bigint      NOT NULL,
    committed_at timestamptz NOT NULL
)
-- next
-- Under which key an entry stands in the map, and the commitment to what its party is shown of it. Both come from the
-- index row and stay when that is deleted, so that the map can be built anew; without the party's key they say nothing.
CREATE TABLE log.map_entry (
    log_id  bigint NOT NULL,
    idx     bigint NOT NULL,
    tenant  text   NOT NULL,
    map_key bytea  NOT NULL CHECK (length(map_key) = 32),
    shown   bytea  NOT NULL CHECK (length(shown) = 32),
    PRIMARY KEY (log_id, idx)
)
-- next
CREATE INDEX map_entry_of_key ON log.map_entry (log_id, map_key, idx)
-- next
-- A label's bucket is its first 24 bits.
CREATE FUNCTION log.map_bucket_of(p_label bytea) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
    SELECT get_byte(p_label, 0) * 65536 + get_byte(p_label, 1) * 256 + get_byte(p_label, 2)
$$
-- next
CREATE TABLE log.map_leaf (
    log_id  bigint  NOT NULL,
    bucket  integer NOT NULL CHECK (bucket = log.map_bucket_of(label)),
    label   bytea   NOT NULL CHECK (label = sha256('\x02'::bytea || map_key)),
    tenant  text    NOT NULL,
    map_key bytea   NOT NULL,
    count   bigint  NOT NULL CHECK (count > 0),
    head    bytea   NOT NULL,
    value   bytea   NOT NULL,
    PRIMARY KEY (log_id, bucket, label)
)
-- next
CREATE TABLE log.map_tile (
    log_id bigint   NOT NULL,
    level  smallint NOT NULL CHECK (level BETWEEN 0 AND 2),
    place  integer  NOT NULL,
    tenant text     NOT NULL,
    packed bytea    NOT NULL,
    PRIMARY KEY (log_id, level, place)
)
-- next
-- Which entries of [p_from, p_to) stand under another key than their index row says, and under which: none, unless
-- whoever runs this log has replaced the function by one that knows of entries that the law keeps back for a time.
CREATE FUNCTION log.kept_under(p_log_id bigint, p_from bigint, p_to bigint)
RETURNS TABLE (idx bigint, map_key bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT NULL::bigint, NULL::bytea WHERE false
$$
-- next
-- What keeps entries under another key without an entry of the log that says so: nothing, with the function above.
CREATE FUNCTION log.unfounded() RETURNS TABLE (what text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT NULL::text WHERE false
$$
-- next
-- Commit one epoch: the entries it adds, the chains and tiles as they are now, and the root as an entry of the log.
-- Whoever was second finds the map further than they thought it, and hears LG007; their epoch has not been written.
CREATE OR REPLACE FUNCTION log.commit_map(
    p_origin text, p_from bigint, p_covered bigint,
    p_places bigint[], p_keys bytea[], p_shown bytea[],
    p_leaf_keys bytea[], p_counts bigint[], p_heads bytea[], p_values bytea[],
    p_levels smallint[], p_tiles integer[], p_packed bytea[],
    p_leaf bytea, p_salt bytea, p_index text
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    this   record;
    before bigint;
    stands bigint;
BEGIN
    SELECT h.id, h.tenant, h.size INTO this FROM log.head h WHERE h.origin = p_origin;
    IF this.id IS NULL OR substr(p_leaf, 2, 2) <> '\xff01'::bytea OR p_covered > this.size OR p_covered < p_from THEN
        RAISE EXCEPTION 'this is no epoch of that log' USING ERRCODE = 'LG006';
    END IF;
    -- An absent row cannot be locked: two first epochs meet at this one.
    INSERT INTO log.map (log_id, tenant, covered, root, idx, committed_at)
    VALUES (this.id, this.tenant, 0, decode(repeat('00', 32), 'hex'), -1, '-infinity')
    ON CONFLICT (log_id) DO NOTHING;
    SELECT m.covered INTO before FROM log.map m WHERE m.log_id = this.id FOR UPDATE;
    IF before <> p_from THEN
        RAISE EXCEPTION 'the map has gone on in the meantime' USING ERRCODE = 'LG007';
    END IF;
    INSERT INTO log.map_entry (log_id, idx, tenant, map_key, shown)
    SELECT this.id, u.idx, this.tenant, u.map_key, u.shown FROM unnest(p_places, p_keys, p_shown) AS u (idx, map_key, shown);
    INSERT INTO log.map_leaf (log_id, bucket, label, tenant, map_key, count, head, value)
    SELECT this.id, log.map_bucket_of(sha256('\x02'::bytea || u.map_key)), sha256('\x02'::bytea || u.map_key),
           this.tenant, u.map_key, u.count, u.head, u.value
    FROM unnest(p_leaf_keys, p_counts, p_heads, p_values) AS u (map_key, count, head, value)
    ON CONFLICT (log_id, bucket, label) DO UPDATE
    SET count = EXCLUDED.count, head = EXCLUDED.head, value = EXCLUDED.value;
    INSERT INTO log.map_tile (log_id, level, place, tenant, packed)
    SELECT this.id, u.level, u.place, this.tenant, u.packed
    FROM unnest(p_levels, p_tiles, p_packed) AS u (level, place, packed)
    ON CONFLICT (log_id, level, place) DO UPDATE SET packed = EXCLUDED.packed;
    -- Where the root will stand: log.append looks for it here.
    SELECT h.size INTO stands FROM log.head h WHERE h.id = this.id FOR UPDATE;
    UPDATE log.map m SET covered = p_covered, root = substr(p_leaf, 20, 32), idx = stands, committed_at = clock_timestamp()
    WHERE m.log_id = this.id;
    IF stands <> (SELECT a.idx FROM log.append(
        ARRAY[p_origin], ARRAY[substr(p_leaf, 4, 16)], ARRAY[p_leaf], ARRAY[''::bytea], ARRAY[p_salt], ARRAY[p_index]
    ) AS a) THEN
        RAISE EXCEPTION 'the root stands in the log already' USING ERRCODE = 'LG006';
    END IF;
    RETURN stands;
END
$$
-- next
-- The entries that stand under a map key, in order, as far as the map goes.
CREATE FUNCTION log.map_entries(p_log_id bigint, p_map_key bytea)
RETURNS TABLE (idx bigint, shown bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT e.idx, e.shown FROM log.map_entry e WHERE e.log_id = p_log_id AND e.map_key = p_map_key ORDER BY e.idx
$$
-- next
-- Who stands in the bucket of a map key, by label and value alone; of the key itself also its count and chain.
CREATE FUNCTION log.map_bucket(p_log_id bigint, p_map_key bytea)
RETURNS TABLE (label bytea, value bytea, count bigint, head bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT l.label, l.value,
           CASE WHEN l.map_key = p_map_key THEN l.count END, CASE WHEN l.map_key = p_map_key THEN l.head END
    FROM log.map_leaf l
    WHERE l.log_id = p_log_id AND l.bucket = log.map_bucket_of(sha256('\x02'::bytea || p_map_key))
    ORDER BY l.label
$$
-- next
-- What the newest root of a log's map says of itself, which is about nobody.
CREATE FUNCTION log.map_root(p_log_id bigint) RETURNS TABLE (salt bytea, said text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT b.body_salt, i.index_bytes FROM log.map m
    JOIN log.body b ON b.log_id = m.log_id AND b.idx = m.idx JOIN log.index i ON i.log_id = m.log_id AND i.idx = m.idx
    WHERE m.log_id = p_log_id
$$
-- next
REVOKE ALL ON FUNCTION
    log.kept_under, log.unfounded, log.commit_map, log.map_entries, log.map_bucket, log.map_bucket_of, log.map_root FROM PUBLIC
-- next
GRANT SELECT ON log.map, log.map_tile TO borgerbro_app, borgerbro_checkpointer
-- next
GRANT SELECT ON log.map_entry, log.map_leaf TO borgerbro_checkpointer
-- next
GRANT EXECUTE ON FUNCTION log.map_entries, log.map_bucket, log.map_root TO borgerbro_app, borgerbro_checkpointer
-- next
GRANT EXECUTE ON FUNCTION log.kept_under, log.commit_map TO borgerbro_checkpointer
-- next
RESET ROLE
