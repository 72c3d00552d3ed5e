#!/bin/sh
# Start a replica: copy the primary into an empty data folder, then follow it under the name that the primary demands.
# PRIMARY and PRIMARY_PORT say where it is, REPLICA_NAME what it calls us, REPLICA_PASSWORD_FILE holds the password.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  umask 077
  passfile=$(dirname "$PGDATA")/replica.pgpass
  printf '%s:%s:*:borgerbro_replica:%s\n' "$PRIMARY" "$PRIMARY_PORT" "$(cat "$REPLICA_PASSWORD_FILE")" >"$passfile"
  rm -rf "$PGDATA.new"
  pg_basebackup -D "$PGDATA.new" -R -X stream -c fast \
    -d "host=$PRIMARY port=$PRIMARY_PORT user=borgerbro_replica passfile=$passfile application_name=$REPLICA_NAME"
  # Whole or not at all: half a copy is taken away at the next start.
  rm -rf "$PGDATA"
  mv "$PGDATA.new" "$PGDATA"
fi
exec postgres -D "$PGDATA" "$@"
