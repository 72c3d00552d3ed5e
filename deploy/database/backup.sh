#!/bin/sh
# Dump one database into a folder of its own and drop what is older than its days. Run it by the platform's timer, once
# for each of the two, never into the same folder:
#
#   backup.sh log   /backup/log   90    (as borgerbro_owner's superuser; what a citizen's key sealed opens no more)
#   backup.sh vault /backup/vault 14    (the keys: an erasure is complete when the last of these is gone)
#
# DATABASE_URL_FILE names a file with the address. BROKER_VAULT_BACKUP_DAYS of the nodes says the same days as the last.
set -eu
what=$1 folder=$2 days=$3
case $what in log | vault) ;; *) echo "backup.sh log|vault FOLDER DAYS" >&2 && exit 2 ;; esac
umask 077
mkdir -p "$folder"
other=$(find "$folder" -name '*.dump' ! -name "$what-*.dump" | head -n 1)
if [ -n "$other" ]; then
  echo "backup.sh: $folder holds the other database's dumps; keys and log are kept apart" >&2
  exit 2
fi
# The password goes by the environment: everybody on the machine can read arguments.
address=$(cat "$DATABASE_URL_FILE")
user=${address#*://}
case $user in *@*) user=${user%%@*} ;; *) user= ;; esac
case $user in
*%*)
  echo "backup.sh: a password with % belongs into a PGPASSFILE, not into the address" >&2
  exit 2
  ;;
*:*)
  export PGPASSWORD="${user#*:}"
  address=${address%%://*}://${user%%:*}@${address#*@}
  ;;
esac
file=$folder/$what-$(date -u +%Y%m%dT%H%M%SZ).dump
# Half a dump holds keys too, and nobody counts its days.
find "$folder" -name "$what-*.dump.new" -mtime +0 -delete
trap 'rm -f "$file.new"' EXIT
trap 'exit 1' HUP INT TERM
# Sessions and what was used once are nobody's to bring back.
pg_dump --format=custom --exclude-table-data='web.*' --file="$file.new" "$address"
mv "$file.new" "$file"
# An hour less, because a night's run is never exactly a day after the last: what is due goes today, not tomorrow.
find "$folder" -name "$what-*.dump" -mmin "+$((days * 1440 - 60))" -delete
