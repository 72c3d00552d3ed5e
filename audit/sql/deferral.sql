-- Entries that the law keeps back from their own party for a time. A deferral is about one party (the index row's
-- "citizen") and one asking unit, and keeps back what is written while it is in force: never what was already shown.
-- What it keeps back stands in the map under keys of its own. The moment at which is asked is the setting borgerbro.now,
-- in seconds; where nobody has set it, what is kept back stays back.
--
-- A line "-- next" parts one statement from the next. Runs after map.sql.

SET ROLE borgerbro_log_owner
-- next
-- Times are whole seconds. secret makes the keys under which kept entries stand in the maps (audit/map.py).
CREATE TABLE log.deferral (
    id uuid PRIMARY KEY, tenant text NOT NULL CHECK (tenant <> ''), citizen text NOT NULL CHECK (citizen <> ''),
    unit text NOT NULL CHECK (unit <> ''), ground text NOT NULL CHECK (ground <> ''),
    secret bytea NOT NULL CHECK (length(secret) = 32),
    asked_by text NOT NULL CHECK (asked_by <> ''), asked_at bigint NOT NULL,
    until_at bigint NOT NULL CHECK (until_at > asked_at),
    approved_by text CHECK (approved_by <> asked_by), from_at bigint CHECK (from_at < until_at),
    ended_by text, ended_at bigint CHECK (ended_at <= until_at),
    CHECK ((approved_by IS NULL) = (from_at IS NULL)), CHECK ((ended_by IS NULL) = (ended_at IS NULL)),
    CHECK (ended_by IS NULL OR approved_by IS NOT NULL)
)
-- next
CREATE INDEX deferral_of_citizen ON log.deferral (citizen, unit)
-- next
ALTER TABLE log.deferral ENABLE ROW LEVEL SECURITY
-- next
CREATE FUNCTION log.ask_deferral(
    p_id uuid, p_tenant text, p_citizen text, p_unit text, p_ground text, p_secret bytea, p_by text, p_at bigint,
    p_until bigint
) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO log.deferral (id, tenant, citizen, unit, ground, secret, asked_by, asked_at, until_at)
    VALUES (p_id, p_tenant, p_citizen, p_unit, p_ground, p_secret, p_by, p_at, p_until)
$$
-- next
-- In force from its approval; one at a time for a citizen and a unit, so that an entry is kept back by one alone.
CREATE FUNCTION log.approve_deferral(p_id uuid, p_tenant text, p_by text, p_at bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    this record;
BEGIN
    SELECT * INTO this FROM log.deferral d WHERE d.id = p_id AND d.tenant = p_tenant FOR UPDATE;
    PERFORM pg_advisory_xact_lock(6210773, hashtext(this.citizen || this.unit));
    IF this.id IS NULL OR this.approved_by IS NOT NULL OR this.asked_by = p_by OR p_at >= this.until_at OR EXISTS (
        SELECT FROM log.deferral d WHERE d.citizen = this.citizen AND d.unit = this.unit
        AND d.from_at IS NOT NULL AND coalesce(d.ended_at, d.until_at) > p_at
    ) THEN
        RETURN false;
    END IF;
    UPDATE log.deferral d SET approved_by = p_by, from_at = p_at WHERE d.id = p_id;
    RETURN true;
END $$
-- next
CREATE FUNCTION log.end_deferral(p_id uuid, p_tenant text, p_by text, p_at bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE log.deferral d SET ended_by = p_by, ended_at = p_at + 1
    WHERE d.id = p_id AND d.tenant = p_tenant AND d.from_at IS NOT NULL AND d.ended_at IS NULL
      AND p_at + 1 < d.until_at;
    RETURN FOUND;
END $$
-- next
CREATE OR REPLACE FUNCTION log.kept_back(p_citizen text, p_unit text, p_kind text, p_at bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM log.deferral d
        WHERE d.citizen = p_citizen AND d.unit = p_unit AND p_kind IN ('ask', 'outcome', 'break_glass.requested', 'break_glass.read', 'break_glass.decided', 'deferral.approved', 'stop.received')
          AND p_at >= d.from_at AND p_at < coalesce(d.ended_at, d.until_at)
          AND coalesce(nullif(current_setting('borgerbro.now', true), '')::bigint < coalesce(d.ended_at, d.until_at), true)
    )
$$
-- next
CREATE OR REPLACE FUNCTION log.kept_under(p_log_id bigint, p_from bigint, p_to bigint)
RETURNS TABLE (idx bigint, map_key bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT i.idx, sha256(d.secret || convert_to(h.origin, 'UTF8'))
    FROM log.head h CROSS JOIN log.deferral d CROSS JOIN LATERAL (
        SELECT n.idx FROM log.index n
        WHERE n.citizen = d.citizen AND n.log_id = p_log_id AND n.idx >= p_from AND n.idx < p_to
          AND n.unit = d.unit AND n.kind IN ('ask', 'outcome', 'break_glass.requested', 'break_glass.read', 'break_glass.decided', 'deferral.approved', 'stop.received')
          AND n.at >= d.from_at AND n.at < coalesce(d.ended_at, d.until_at) OFFSET 0
    ) AS i WHERE h.id = p_log_id AND d.from_at IS NOT NULL
$$
-- next
-- Deferrals that no entry of the log says: not that they were approved, until that day, or that go on after their end.
-- Where the index row of the approval was deleted lawfully, it still stands first in the deferral's own list.
CREATE OR REPLACE FUNCTION log.unfounded() RETURNS TABLE (what text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'deferral ' || d.id
    FROM log.deferral d
    CROSS JOIN LATERAL (
        SELECT to_char(to_timestamp(d.until_at - 1) AT TIME ZONE 'Europe/Copenhagen', 'YYYYMMDD') AS last_day
    ) AS known
    WHERE d.from_at IS NOT NULL AND (
        NOT EXISTS (
            SELECT FROM log.index i JOIN log.entry e ON e.log_id = i.log_id AND e.idx = i.idx
            WHERE i.citizen = d.citizen AND i.at = d.from_at AND i.tenant = d.tenant AND i.unit = d.unit
              AND i.kind = 'deferral.approved' AND substr(e.leaf, 2, 2) = '\x0038'::bytea
              AND i.fields ->> 'deferral' = d.id::text AND coalesce(i.fields ->> 'until', last_day) = last_day
            UNION ALL
            SELECT FROM log.head h
            JOIN log.map_entry m ON m.log_id = h.id AND m.map_key = sha256(d.secret || convert_to(h.origin, 'UTF8'))
            JOIN log.entry e ON e.log_id = h.id AND e.idx = m.idx
            LEFT JOIN log.index i ON i.log_id = h.id AND i.idx = m.idx
            WHERE h.tenant = d.tenant AND substr(e.leaf, 2, 2) = '\x0038'::bytea AND i.idx IS NULL
        ) OR EXISTS (
            SELECT FROM log.index i
            WHERE i.citizen = d.citizen AND i.tenant = d.tenant AND i.kind = 'deferral.ended'
              AND i.fields ->> 'deferral' = d.id::text AND coalesce(d.ended_at, d.until_at) > i.at + 1
        )
    )
$$
-- next
REVOKE ALL ON FUNCTION log.unfounded FROM PUBLIC
-- next
-- The keys of what was kept back from a citizen and is not any more.
CREATE FUNCTION log.kept_keys(p_log_id bigint, p_citizen text, p_now bigint) RETURNS TABLE (map_key bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT sha256(d.secret || convert_to(h.origin, 'UTF8')) FROM log.head h CROSS JOIN log.deferral d
    WHERE h.id = p_log_id AND d.citizen = p_citizen AND d.from_at IS NOT NULL
      AND coalesce(d.ended_at, d.until_at) <= p_now
    ORDER BY d.from_at, d.id
$$
-- next
-- From when the party may see an entry: from its own moment, or from the end of what kept it back. Made once more by a
-- later migration, for a house that is older than it.
CREATE OR REPLACE FUNCTION log.shown_from(p_citizen text, p_unit text, p_kind text, p_at bigint) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(max(coalesce(d.ended_at, d.until_at)), p_at) FROM log.deferral d
    WHERE d.citizen = p_citizen AND d.unit = p_unit AND p_kind IN ('ask', 'outcome', 'break_glass.requested', 'break_glass.read', 'break_glass.decided', 'deferral.approved', 'stop.received')
      AND p_at >= d.from_at AND p_at < coalesce(d.ended_at, d.until_at)
$$
-- next
REVOKE ALL ON FUNCTION log.shown_from FROM PUBLIC
-- next
GRANT EXECUTE ON FUNCTION log.shown_from TO borgerbro_app, borgerbro_eraser
-- next
REVOKE ALL ON FUNCTION
    log.ask_deferral, log.approve_deferral, log.end_deferral, log.kept_back, log.kept_keys FROM PUBLIC
-- next
GRANT EXECUTE ON FUNCTION
    log.ask_deferral, log.approve_deferral, log.end_deferral, log.kept_back, log.kept_keys TO borgerbro_app
-- next
RESET ROLE
