#!/usr/bin/env bash
# Runs a command with TMPDIR naming a folder of its own, removed afterwards: in memory where there is plenty of it, because
# what tests write is thrown away and need not reach a disk. What is killed in them is the program, never the machine. What
# does need a disk finds a folder in TEST_DISK.
set -euo pipefail
plenty() { # 8 GB in the folder and 12 GB on the machine
  [ "$(df -k --output=avail "$1" | tail -n 1)" -ge 8000000 ] && [ "$(awk '/^MemAvailable/ {print $2}' /proc/meminfo)" -ge 12000000 ]
}
parent=${TMPDIR:-/tmp}
! plenty /dev/shm 2>/dev/null || parent=/dev/shm
dir=$(mktemp -d "$parent/huiqi-XXXXXX")
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir" # PostgreSQL has an account of its own
# Programs are built there and started.
if ! { printf '#!/bin/sh\n' >"$dir/try" && chmod 755 "$dir/try" && "$dir/try"; } 2>/dev/null; then
  rm -rf "$dir"
  dir=$(mktemp -d)
  chmod 755 "$dir"
fi
TEST_DISK=${TMPDIR:-/tmp} TMPDIR=$dir "$@"
