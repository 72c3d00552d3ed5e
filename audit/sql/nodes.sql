-- The roots of complete subtrees of 256, 65,536 and so on entries: what C2SP tiles above level 0 are made of.
-- Derived from the entries and made again at will; it saves a proof from hashing the whole log. Runs on a log of any age,
-- and again without harm. A line "-- next" parts one statement from the next.

SET ROLE borgerbro_log_owner
-- next
-- idx counts within the level: the node covers the entries [idx * 256^level, (idx + 1) * 256^level).
CREATE TABLE IF NOT EXISTS log.node (
    log_id bigint   NOT NULL,
    level  smallint NOT NULL CHECK (level BETWEEN 1 AND 7),
    idx    bigint   NOT NULL,
    tenant text     NOT NULL,
    hash   bytea    NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (log_id, level, idx)
)
-- next
-- Keep nodes of one level, side by side from an index on. One that is there stays; one beyond the log is refused.
CREATE OR REPLACE FUNCTION log.keep_nodes(p_origin text, p_level smallint, p_start bigint, p_hashes bytea[])
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    this record;
BEGIN
    SELECT h.id, h.tenant, h.size INTO this FROM log.head h WHERE h.origin = p_origin;
    IF this.id IS NULL OR p_start < 0 OR p_start + cardinality(p_hashes) > this.size >> (8 * p_level) THEN
        RAISE EXCEPTION 'the nodes lie beyond this log' USING ERRCODE = 'LG006';
    END IF;
    INSERT INTO log.node (log_id, level, idx, tenant, hash)
    SELECT this.id, p_level, p_start + u.n - 1, this.tenant, u.hash
    FROM unnest(p_hashes) WITH ORDINALITY AS u (hash, n)
    ON CONFLICT (log_id, level, idx) DO NOTHING;
END
$$
-- next
REVOKE ALL ON FUNCTION log.keep_nodes FROM PUBLIC
-- next
GRANT SELECT ON log.node TO borgerbro_app, borgerbro_checkpointer
-- next
GRANT EXECUTE ON FUNCTION log.keep_nodes TO borgerbro_checkpointer
-- next
RESET ROLE
