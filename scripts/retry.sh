#!/usr/bin/env bash
# Runs a command that fetches something, again when it fails, five times in all: registries do not answer now and then.
set -uo pipefail
for pause in 5 15 30 60; do
  "$@" && exit
  echo "again in $pause s: $*" >&2
  sleep "$pause"
done
exec "$@"
