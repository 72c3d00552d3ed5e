#!/bin/sh
# Run once by the image of PostgreSQL in a fresh primary (/docker-entrypoint-initdb.d): who may follow it, and that its
# commits wait. The replica's password lies in a file.
set -eu
password=$(cat "$REPLICA_PASSWORD_FILE")
psql -v ON_ERROR_STOP=1 -v password="$password" --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE ROLE borgerbro_replica LOGIN REPLICATION PASSWORD :'password';
-- From the next start on a commit is over when it is on two disks. Not on the command line, where nobody could change it
-- while the server runs; and not sooner, because no replica could follow yet.
ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (replica_1)';
SQL
echo "host replication borgerbro_replica all scram-sha-256" >>"$PGDATA/pg_hba.conf"
