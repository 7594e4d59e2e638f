#!/usr/bin/env bash
# Fetches, builds and runs a scanner written in Go: scanner.sh PACKAGE@VERSION ARGUMENTS
# Fetching alone is tried again, so that what the scanner finds is told at once.
set -euo pipefail
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
GOBIN=$bin "$(dirname "$0")/retry.sh" go install "$1"
name=${1%@*}
"$bin/${name##*/}" "${@:2}"
