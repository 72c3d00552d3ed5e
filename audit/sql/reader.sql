-- What whoever verifies a log may call besides reading it. Runs after map.sql, and again without harm.
--
--   borgerbro_reader         may read, and nothing else; row-level security is the house's own
--
-- A line "-- next" parts one statement from the next.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'borgerbro_reader') THEN
        CREATE ROLE borgerbro_reader NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL; -- Another database of this cluster made it at the same moment.
END
$$
-- next
SET ROLE borgerbro_log_owner
-- next
GRANT EXECUTE ON FUNCTION log.kept_under, log.unfounded, log.map_entries, log.map_bucket TO borgerbro_reader
-- next
RESET ROLE
