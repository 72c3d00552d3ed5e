-- Deleting bodies and index rows of a log, on record (audit/deletion.py). Runs after schema.sql, and again without harm.
--
--   borgerbro_eraser         may read, append, and delete what an entry of the log says is deleted; nothing else
--
-- A line "-- next" parts one statement from the next.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'borgerbro_eraser') THEN
        CREATE ROLE borgerbro_eraser NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL; -- Another database of this cluster made it at the same moment.
END
$$
-- next
SET ROLE borgerbro_log_owner
-- next
-- Delete what the entry of this id says is deleted. Without such an entry nothing can be: so whatever goes is on record
-- before it is gone, in the same transaction. Never a leaf, never an entry that says so itself, nothing after it.
CREATE OR REPLACE FUNCTION log.delete(p_eid bytea) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    this record;
    gone bigint;
BEGIN
    SELECT e.log_id, e.idx, h.origin, i.fields ->> 'deleted' AS note INTO this
    FROM log.entry e JOIN log.head h ON h.id = e.log_id
    JOIN log.index i ON i.log_id = e.log_id AND i.idx = e.idx
    WHERE e.eid = p_eid;
    IF this.note IS NULL OR NOT starts_with(this.note, this.origin || E'\ndeleted\n') THEN
        RAISE EXCEPTION 'no entry of this log says what is deleted' USING ERRCODE = 'LG005';
    END IF;
    WITH spans AS (
        SELECT split_part(line, '-', 1)::bigint AS first, split_part(line, '-', 2)::bigint AS last
        FROM regexp_split_to_table(split_part(this.note, E'\n\n', 1), E'\n') WITH ORDINALITY AS t (line, n)
        WHERE n > 2
    ), chosen AS (
        SELECT i.idx FROM spans s
        JOIN log.index i ON i.log_id = this.log_id AND i.idx BETWEEN s.first AND s.last
        WHERE i.idx < this.idx AND NOT i.fields ? 'deleted'
    ), bodies AS (
        DELETE FROM log.body b USING chosen c WHERE b.log_id = this.log_id AND b.idx = c.idx
    ), rows AS (
        DELETE FROM log.index i USING chosen c WHERE i.log_id = this.log_id AND i.idx = c.idx RETURNING 1
    )
    SELECT count(*) INTO gone FROM rows;
    RETURN gone;
END
$$
-- next
REVOKE ALL ON FUNCTION log.delete FROM PUBLIC
-- next
GRANT USAGE ON SCHEMA log TO borgerbro_eraser
-- next
-- By name, so that what is laid later stays closed.
GRANT SELECT ON log.head, log.entry, log.body, log.index, log.checkpoint TO borgerbro_eraser
-- next
GRANT EXECUTE ON FUNCTION log.open, log.append, log.delete TO borgerbro_eraser
-- next
RESET ROLE
