#!/usr/bin/env bash
# Installs what tests need through apt. Without root it says what is missing and fails.
set -euo pipefail
need=()
command -v chromium >/dev/null || need+=(chromium)
fc-list 2>/dev/null | grep -qi 'noto.*cjk' || need+=(fonts-noto-cjk fontconfig)
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || need+=(postgresql)
command -v sqlite3 >/dev/null || need+=(sqlite3)
command -v redis-server >/dev/null || need+=(redis-server)
command -v strace >/dev/null || need+=(strace)
command -v gcc >/dev/null || need+=(gcc libc6-dev)
for tool in go node npm git; do
  command -v "$tool" >/dev/null || { echo "missing: $tool (install it first)"; exit 1; }
done
# The journeys are faster with it and do without.
if [ "$(id -u)" -eq 0 ] && ! command -v chromium-headless-shell >/dev/null; then
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium-headless-shell; } >/dev/null 2>&1 || true
fi
if [ ${#need[@]} -gt 0 ]; then
  if [ "$(id -u)" -ne 0 ]; then
    echo "missing: ${need[*]}"; echo "run as root: apt-get install ${need[*]}"; exit 1
  fi
  retry="$(dirname "$0")/retry.sh"
  "$retry" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "$retry" apt-get install -y -qq --no-install-recommends "${need[@]}" >/dev/null
fi
# What the program and its tests are made of, fetched here, where a registry that does not answer is asked again.
"$(dirname "$0")/retry.sh" go mod download
