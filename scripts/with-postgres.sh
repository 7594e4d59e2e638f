#!/usr/bin/env bash
# Runs a command with TEST_DATABASE_URL naming a PostgreSQL server of its own in a temporary folder, stopped afterwards.
set -euo pipefail
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
dir=$(mktemp -d)
as() { if [ "$(id -u)" -eq 0 ]; then su postgres -s /bin/bash -c "$*"; else bash -c "$*"; fi; }
[ "$(id -u)" -ne 0 ] || chown postgres "$dir"
port=$(node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')
stop() { as "$bin/pg_ctl -D $dir/db -m immediate -w stop" >/dev/null 2>&1 || true; rm -rf "$dir"; }
trap stop EXIT
# Nothing here outlives the server, so it need not be able to recover, follow the logs or keep statistics of tables that are
# gone in a second.
careless="-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c wal_level=minimal -c max_wal_senders=0 -c autovacuum=off -c jit=off"
as "$bin/initdb -D $dir/db -U postgres -A trust -E UTF8 --locale=C.UTF-8" >/dev/null
as "$bin/pg_ctl -D $dir/db -w -l $dir/log -o '-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$dir $careless -c max_connections=500 -c shared_buffers=256MB' start" >/dev/null
TEST_DATABASE_URL="postgres://postgres@127.0.0.1:$port/postgres?sslmode=disable" "$@"
