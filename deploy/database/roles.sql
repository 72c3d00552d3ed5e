-- The roles of the two databases. Run once by a superuser; running it again changes nothing.
-- A line "-- next" parts one statement from the next (`broker/adapters/database.py` runs this very file in demo and
-- tests). Passwords are not here: set them with \password, or let the platform do it.
--
--   borgerbro_owner         owns both databases and migrates them (`broker db upgrade`). Its secret belongs to the
--                           migration job alone: it may act as the log's owner.
--   borgerbro_log_owner     owns schema "log"; nobody logs in as it
--   borgerbro_app           the broker: rows of consents and web under row-level security; the log through
--                           log.append alone
--   borgerbro_checkpointer  signs the log's heads: reads the log, keeps checkpoints
--   borgerbro_reader        verifies the log: reads it, writes nothing
--   borgerbro_vault_app     the broker at the vault: six functions, no table
--   borgerbro_eraser        erases and keeps retention, in both databases: deletes from the log what an entry of the log
--                           says is deleted, and the keys of one citizen. Its secret belongs to that job alone, no node.
--
-- Then, once, with names of your choice (the vault on a server with backups of its own):
--   CREATE DATABASE borgerbro OWNER borgerbro_owner;
--   REVOKE ALL ON DATABASE borgerbro FROM PUBLIC;
--   GRANT CONNECT ON DATABASE borgerbro TO borgerbro_app, borgerbro_checkpointer, borgerbro_reader, borgerbro_eraser;
--   CREATE DATABASE borgerbro_vault OWNER borgerbro_owner;
--   REVOKE ALL ON DATABASE borgerbro_vault FROM PUBLIC;
--   GRANT CONNECT ON DATABASE borgerbro_vault TO borgerbro_vault_app, borgerbro_eraser;
--   GRANT CREATE ON DATABASE borgerbro TO borgerbro_log_owner;
DO $$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN
        SELECT * FROM (VALUES
            ('borgerbro_owner', 'LOGIN'),
            ('borgerbro_log_owner', 'NOLOGIN'),
            ('borgerbro_app', 'LOGIN'),
            ('borgerbro_checkpointer', 'LOGIN'),
            ('borgerbro_reader', 'LOGIN'),
            ('borgerbro_vault_app', 'LOGIN'),
            ('borgerbro_eraser', 'LOGIN')
        ) AS role (name, login)
    LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted.name) THEN
            EXECUTE format('CREATE ROLE %I', wanted.name);
        END IF;
        EXECUTE format('ALTER ROLE %I %s NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS', wanted.name, wanted.login);
    END LOOP;
END
$$
-- next
GRANT borgerbro_log_owner TO borgerbro_owner
-- next
-- Nobody waits for ever, and a change is on the disk before anybody hears of it.
ALTER ROLE borgerbro_app SET lock_timeout = '5s'
-- next
ALTER ROLE borgerbro_app SET statement_timeout = '30s'
-- next
-- A node that freezes in a transaction loses its locks before another's wait for them ends.
ALTER ROLE borgerbro_app SET idle_in_transaction_session_timeout = '4s'
-- next
ALTER ROLE borgerbro_app SET synchronous_commit = 'on'
-- next
ALTER ROLE borgerbro_vault_app SET lock_timeout = '5s'
-- next
ALTER ROLE borgerbro_vault_app SET statement_timeout = '10s'
-- next
ALTER ROLE borgerbro_vault_app SET synchronous_commit = 'on'
-- next
ALTER ROLE borgerbro_eraser SET lock_timeout = '5s'
-- next
ALTER ROLE borgerbro_eraser SET synchronous_commit = 'on'
